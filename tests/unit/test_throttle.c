/* Limits and money as people write them. */
#include "throttle.h"

#include "expect.h"
#include "failure.h"

TEST(windows_stand_by_their_length)
{
	struct throttle t;
	struct failure f;

	expect_int(throttle_parse("11/h, 3/1m 5/15m", &t, &f), 0);
	expect_int(t.n, 3);
	expect_int(t.windows[0].count, 3);
	expect_int(t.windows[0].per_ms, 60000);
	expect_int(t.windows[1].per_ms, 15 * 60000);
	expect_int(t.windows[2].count, 11);
	expect_int(t.windows[2].per_ms, 3600000);
	expect_int(throttle_parse("none", &t, &f), 0);
	expect_int(t.n, 0);
}

TEST(what_is_no_throttle)
{
	static const char *const bad[] = {
		"",     "3",        "3/",    "/m",        "0/m",
		"-1/m", "3/0s",     "3/8d",  "3/1m;5/h",  "x/m",
		"3 /m", "100001/d", "3/m m", "none none", "1/s 2/m 3/h 4/d 5/2d 6/3d 7/4d"};
	struct throttle t = {.n = 77};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct failure f = {0};

		expect_int(throttle_parse(bad[i], &t, &f), -1);
		expect_int(f.kind, FAILURE_SETUP);
		expect_int(t.n, 77);
	}
}

TEST(money_is_exact)
{
	int64_t micros;
	struct failure f;
	char shown[32];

	expect_int(money_parse("0.0079", &micros, &f), 0);
	expect_int(micros, 7900);
	expect_text(money_print(shown, sizeof(shown), micros), "0.0079");
	expect_int(money_parse("5", &micros, &f), 0);
	expect_text(money_print(shown, sizeof(shown), micros), "5.00");
	expect_text(money_print(shown, sizeof(shown), 1500000), "1.50");
	expect_text(money_print(shown, sizeof(shown), 0), "0.00");
	expect_int(money_parse("1000000000", &micros, &f), 0);
}

TEST(what_is_no_money)
{
	static const char *const bad[] = {
		"",      "-1",  "1.", "1.0000001",           ".5", "1,5", "1000000001",
		"5 USD", "1e3", " 1", "99999999999999999999"};
	int64_t micros = 5;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct failure f = {0};

		expect_int(money_parse(bad[i], &micros, &f), -1);
		expect_int(f.kind, FAILURE_SETUP);
	}
	expect_int(micros, 5);
}

TEST(a_price_may_name_its_money)
{
	int64_t micros;
	const char *currency;
	struct failure f;

	expect_int(price_parse("0.0079 USD", &micros, &currency, &f), 0);
	expect_int(micros, 7900);
	expect_text(currency, "USD");
	expect_int(price_parse("1", &micros, &currency, &f), 0);
	expect_int(micros, 1000000);
	expect_text(currency, "");
}

TEST(what_is_no_price)
{
	static const char *const bad[] = {"",         "USD",    "0.0079USD", "0.0079 usd", "-1 USD",
					  "1 DOLLAR", "1 USD ", "1,5 EUR",   " 1",         "1 U5D"};
	int64_t micros = 5;
	const char *currency = "GBP";

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct failure f = {0};

		expect_int(price_parse(bad[i], &micros, &currency, &f), -1);
		expect_int(f.kind, FAILURE_SETUP);
	}
	expect_int(micros, 5);
	expect_text(currency, "GBP");
}

RUN_TESTS()
