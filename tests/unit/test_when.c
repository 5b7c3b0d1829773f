/* Moments as people write them. */
#include "server/when.h"

#include "expect.h"
#include "failure.h"

#define NOW_MS 1795341600000LL /* 2026-11-22T10:00:00Z */

static void expect_when(const char *text, int64_t want_ms)
{
	struct failure f = {0};
	int64_t got_ms = -1;

	expect_ok(when_parse(text, NOW_MS, &got_ms, &f), &f);
	expect_int(got_ms, want_ms);
}

static void expect_none(const char *text)
{
	struct failure f = {0};
	int64_t got_ms = -1;

	expect_failure(when_parse(text, NOW_MS, &got_ms, &f), &f, FAILURE_REFUSED);
	expect_int(got_ms, -1);
}

TEST(rfc_3339_moments)
{
	expect_when("2026-11-22T10:00:00Z", NOW_MS);
	expect_when("2026-11-22t10:00:00z", NOW_MS);
	expect_when("2026-11-22 10:00:00Z", NOW_MS);
	expect_when("2026-11-22T11:30:00+01:30", NOW_MS);
	expect_when("2026-11-22T05:00:00-05:00", NOW_MS);
	expect_when("2026-11-22T10:00:00.5Z", NOW_MS + 500);
	expect_when("2026-11-22T10:00:00.123456Z", NOW_MS + 123);
	expect_when("1970-01-01T00:00:00Z", 0);
	expect_when("2000-02-29T00:00:00Z", 951782400000LL);
	expect_when("2000-03-01T00:00:00Z", 951868800000LL);
	expect_when("2016-12-31T23:59:60Z", 1483228800000LL);
}

TEST(durations_count_from_now)
{
	expect_when("2h", NOW_MS + 7200000);
	expect_when("1h30m", NOW_MS + 5400000);
	expect_when("0", NOW_MS);
}

TEST(what_is_no_moment)
{
	static const char *const wrong[] = {
		"",
		"tomorrow",
		"2026-11-22",
		"10:00",
		"2026-11-22T10:00:00",
		"2026-11-22T10:00Z",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"2026-11-31T00:00:00Z",
		"2026-11-22T24:00:00Z",
		"2026-11-22T10:60:00Z",
		"2026-11-22T10:00:61Z",
		"2026-11-22T10:00:00.Z",
		"2026-11-22T10:00:00+24:00",
		"2026-11-22T10:00:00+01",
		"2026-11-22T10:00:00Z ",
		" 2026-11-22T10:00:00Z",
		"2026-11-22T10:00:00ZZ",
		"99999-01-01T00:00:00Z",
		"-2h",
		"2",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		expect_none(wrong[i]);
}

TEST(not_more_than_ten_years_ahead)
{
	expect_when("2036-11-21T00:00:00Z", 2110838400000LL);
	expect_none("2037-01-01T00:00:00Z");
	expect_none("99y");
	expect_none("5000d");
}

RUN_TESTS()
