/* Another way, as people write it. */
#include "fallback.h"

#include "expect.h"
#include "failure.h"

TEST(the_way_and_when)
{
	struct fallback b;
	struct failure f;

	expect_int(fallback_parse("mail after 10m", &b, &f), 0);
	expect_int(b.way, FALLBACK_MAIL);
	expect_int(b.after_ms, 600000);
	expect_int(fallback_parse("sms", &b, &f), 0);
	expect_int(b.way, FALLBACK_SMS);
	expect_int(b.after_ms, FALLBACK_AFTER_MS);
	expect_int(fallback_parse("sms after 0", &b, &f), 0);
	expect_int(b.after_ms, 0);
	expect_int(fallback_parse("none", &b, &f), 0);
	expect_int(b.way, FALLBACK_NONE);
}

TEST(what_is_none)
{
	static const char *const bad[] = {"",
					  "fax",
					  "mail ",
					  "mail after",
					  "mail after ",
					  "mail 10m",
					  "none after 1m",
					  "mailx",
					  "mail after 31d",
					  "mail after -1m",
					  "mail  after 1m"};
	struct fallback b = {.way = FALLBACK_SMS};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct failure f = {0};

		expect_int(fallback_parse(bad[i], &b, &f), -1);
		expect_int(f.kind, FAILURE_SETUP);
	}
	expect_int(b.way, FALLBACK_SMS);
}

RUN_TESTS()
