/* Durations, sizes and rates: what people write, and what is refused. */
#include "duration.h"

#include "expect.h"
#include "failure.h"

TEST(durations_people_write)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
		{"0", 0},
		{"0s", 0},
		{"250ms", 250},
		{"90s", 90000},
		{"10m", 600000},
		{"6h", 21600000},
		{"4d", 345600000},
		{"2w", 1209600000},
		{"1h30m", 5400000},
		{"1w2d3h4m5s6ms", 788645006},
		{"36500d", INT64_C(3153600000000)},
		{"007s", 7000},
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct failure f = {0};
		int64_t ms = -1;

		expect_ok(duration_parse(good[i].text, &ms, &f), &f);
		expect_int(ms, good[i].ms);
	}
}

TEST(durations_that_are_none)
{
	static const char *const bad[] = {
		"",      "5",     "s",    "-5s",    "+5s",      "5 s",
		" 5s",   "5s ",   "5x",   "5mins",  "1.5h",     "1h 30m",
		"30m1h", "1h1h",  "1h30", "36501d", "5S",       "99999999999999999999s",
		"5M",    "5h-3m", "0x5s", "5215w",  "36500d1s", "9223372036854775807ms",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct failure f = {0};
		int64_t ms = -7;

		expect_failure(duration_parse(bad[i], &ms, &f), &f, FAILURE_SETUP);
		expect_int(ms, -7);
		expect_contains(f.text, "1h30m");
	}
}

TEST(sizes)
{
	static const char *const bad[] = {"",
					  "K",
					  "-1",
					  "20 M",
					  "20MB",
					  "20m",
					  "1T",
					  "1.5M",
					  "0x10",
					  "K20",
					  "99999999999999999999",
					  "17179869184G"};
	struct failure f = {0};
	uint64_t bytes = 0;

	expect_ok(size_parse("500", &bytes, &f), &f);
	expect_int(bytes, 500);
	expect_ok(size_parse("64K", &bytes, &f), &f);
	expect_int(bytes, 65536);
	expect_ok(size_parse("20M", &bytes, &f), &f);
	expect_int(bytes, 20971520);
	expect_ok(size_parse("2G", &bytes, &f), &f);
	expect_int(bytes, INT64_C(2147483648));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		expect_failure(size_parse(bad[i], &bytes, &f), &f, FAILURE_SETUP);
	expect_int(bytes, INT64_C(2147483648));
}

TEST(rates)
{
	static const char *const bad[] = {"",     "30",    "30/",          "/m",
					  "0/m",  "30/w",  "30/ms",        "30/5m",
					  "-1/s", "30 /m", "4294967296/s", "30/mm"};
	struct failure f = {0};
	struct rate rate = {0};

	expect_ok(rate_parse("30/m", &rate, &f), &f);
	expect_int(rate.count, 30);
	expect_int(rate.per_ms, 60000);
	expect_ok(rate_parse("1/s", &rate, &f), &f);
	expect_int(rate.per_ms, 1000);
	expect_ok(rate_parse("4294967295/d", &rate, &f), &f);
	expect_int(rate.count, UINT32_MAX);
	expect_int(rate.per_ms, 86400000);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		expect_failure(rate_parse(bad[i], &rate, &f), &f, FAILURE_SETUP);
}

static void expect_duration(int64_t ms, const char *want)
{
	char out[40];

	expect_text(duration_print(out, sizeof(out), ms), want);
}

TEST(durations_for_people)
{
	expect_duration(0, "0 s");
	expect_duration(250, "250 ms");
	expect_duration(999, "999 ms");
	expect_duration(1000, "1 s");
	expect_duration(1234, "1.2 s");
	expect_duration(45678, "45 s");
	expect_duration(59999, "59 s");
	expect_duration(60000, "1m");
	expect_duration(125000, "2m 5s");
	expect_duration(5400000, "1h 30m");
	expect_duration(3600000, "1h");
	expect_duration((3 * 24 + 4) * 3600000, "3d 4h");
	expect_duration(INT64_C(14) * 86400000, "14d");
	expect_duration(-90000, "-1m 30s");
	expect_duration(INT64_MIN, "-106751991167d 7h");
}

TEST(printing_fits_what_there_is)
{
	char out[4] = "zzz";

	duration_print(out, sizeof(out), (3 * 24 + 4) * 3600000);
	expect_text(out, "3d ");
	size_print(out, sizeof(out), 20447232);
	expect_text(out, "19.");
}

static void expect_size(uint64_t bytes, const char *want)
{
	char out[40];

	expect_text(size_print(out, sizeof(out), bytes), want);
}

TEST(sizes_for_people)
{
	expect_size(0, "0");
	expect_size(1023, "1023");
	expect_size(1024, "1K");
	expect_size(1536, "1.5K");
	expect_size(65536, "64K");
	expect_size(20447232, "19.5M");
	expect_size(1048575, "1023.9K");
	expect_size(UINT64_MAX, "15.9E");
}

RUN_TESTS()
