/* Telephone numbers: E.164 out of what people write where they live, or a sentence. */
#include "phone.h"

#include <string.h>

#include "expect.h"
#include "failure.h"
#include "phone_region.h"

struct good {
	const char *region, *text, *want;
};

static unsigned count_wrong(const struct good *good, size_t n)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++) {
		char number[PHONE_SIZE] = "";
		struct failure f = {0};
		int result = phone_parse_in(good[i].region, good[i].text, number, &f);

		if (result == 0 && strcmp(number, good[i].want) == 0)
			continue;
		print_error("%s '%s': %s, want %s\n", good[i].region ? good[i].region : "-",
			    good[i].text, result ? f.text : number, good[i].want);
		wrong++;
	}
	return wrong;
}

TEST(numbers_people_write_with_their_country_code)
{
	static const struct good good[] = {
		{NULL, "+15550100123", "+15550100123"},
		{NULL, "+1 555 010-0123", "+15550100123"},
		{NULL, "+1 (555) 010.0123", "+15550100123"},
		{NULL, "+1/555/010/0123", "+15550100123"},
		{NULL, " +1 555 010 0123 ", "+15550100123"},
		{NULL, "+ 1 555 010 0123", "+15550100123"},
		{NULL, "(+1) 555 010 0123", "+15550100123"},
		{NULL, "tel:+1-555-010-0123", "+15550100123"},
		{NULL, "TEL: +1 555 010 0123", "+15550100123"},
		{NULL, "001 555 010 0123", "+15550100123"},
		{NULL, "00 49 30 901820", "+4930901820"},
		{NULL, "+49 30 901820", "+4930901820"},
		{NULL, "+44 (0)20 7946 0123", "+442079460123"},
		{NULL, "+49 (0) 30 901820", "+4930901820"},
		{NULL, "+1\u00a0555\u2011010\u20130123", "+15550100123"},
		{NULL, "\u202a+1 555 010 0123\u202c", "+15550100123"},
		{NULL, "\u2066+1\u202f555\u2009010\u22120123\u2069", "+15550100123"},
		/* no country of ours: 8 to 15 digits */
		{NULL, "+99912345", "+99912345"},
		{NULL, "+999123456789012", "+999123456789012"},
		/* Italy keeps its 0 */
		{NULL, "+39 06 6982 1234", "+390669821234"},
		/* where one lives makes no difference */
		{"DE", "+1 555 010 0123", "+15550100123"},
		{"us", "+44 20 7946 0123", "+442079460123"},
	};

	expect_int(count_wrong(good, sizeof(good) / sizeof(*good)), 0);
}

TEST(numbers_as_they_are_dialled_at_home)
{
	static const struct good good[] = {
		{"US", "(212) 555-0123", "+12125550123"},
		{"US", "212.555.0123", "+12125550123"},
		{"US", "1-212-555-0123", "+12125550123"},
		{"CA", "416 555 0123", "+14165550123"},
		{"DO", "809 555 0123", "+18095550123"},
		{"GB", "020 7946 0123", "+442079460123"},
		{"GB", "07700 900123", "+447700900123"},
		{"GB", "(0)7700 900123", "+447700900123"},
		{"gb", "tel:07700900123", "+447700900123"},
		{"DE", "030/901820", "+4930901820"},
		{"DE", "0151 23456789", "+4915123456789"},
		{"AT", "0664 1234567", "+436641234567"},
		{"CH", "079 123 45 67", "+41791234567"},
		{"LI", "660 123 456", "+423660123456"},
		{"FR", "06 12 34 56 78", "+33612345678"},
		{"BE", "0470 12 34 56", "+32470123456"},
		{"NL", "06-12345678", "+31612345678"},
		{"LU", "621 123 456", "+352621123456"},
		{"IT", "06 6982 1234", "+390669821234"},
		{"IT", "347 123 4567", "+393471234567"},
		{"ES", "612 345 678", "+34612345678"},
		{"PT", "912 345 678", "+351912345678"},
		{"IE", "085 012 3456", "+353850123456"},
		{"DK", "20 12 34 56", "+4520123456"},
		{"SE", "070-123 45 67", "+46701234567"},
		{"NO", "406 12 345", "+4740612345"},
		{"FI", "041 2345678", "+358412345678"},
		{"IS", "611 1234", "+3546111234"},
		{"EE", "5123 4567", "+37251234567"},
		{"LV", "21 234 567", "+37121234567"},
		{"LT", "8 612 34567", "+37061234567"},
		{"LT", "0 612 34567", "+37061234567"},
		{"PL", "512 345 678", "+48512345678"},
		{"CZ", "601 123 456", "+420601123456"},
		{"SK", "0912 123 456", "+421912123456"},
		{"HU", "06 20 123 4567", "+36201234567"},
		{"SI", "031 234 567", "+38631234567"},
		{"HR", "091 234 5678", "+385912345678"},
		{"RO", "0712 034 567", "+40712034567"},
		{"BG", "048 123 456", "+35948123456"},
		{"GR", "691 234 5678", "+306912345678"},
		{"CY", "96 123456", "+35796123456"},
		{"MT", "9696 1234", "+35696961234"},
		{"TR", "0501 234 56 78", "+905012345678"},
		{"TR", "501 234 56 78", "+905012345678"},
		{"UA", "050 123 4567", "+380501234567"},
		{"RU", "8 (912) 345-67-89", "+79123456789"},
		{"RU", "912 345-67-89", "+79123456789"},
		{"RU", "812 345-67-89", "+78123456789"},
		{"BY", "8 029 491-19-11", "+375294911911"},
		{"AU", "0412 345 678", "+61412345678"},
		{"AU", "(02) 1234 5678", "+61212345678"},
		{"NZ", "021 123 4567", "+64211234567"},
		{"IN", "081234 56789", "+918123456789"},
		{"IN", "81234 56789", "+918123456789"},
		{"JP", "090-1234-5678", "+819012345678"},
		{"JP", "03-1234-5678", "+81312345678"},
		{"BR", "(11) 96123-4567", "+5511961234567"},
		{"BR", "0 11 96123-4567", "+5511961234567"},
		{"ZA", "071 123 4567", "+27711234567"},
		{"MX", "222 123 4567", "+522221234567"},
		{"IL", "050-234-5678", "+972502345678"},
		{"SG", "8123 4567", "+6581234567"},
		{"HK", "5123 4567", "+85251234567"},
		{"KR", "010-2000-0000", "+821020000000"},
		{"CN", "131 2345 6789", "+8613123456789"},
		{"CN", "010 1234 5678", "+861012345678"},
		{"TW", "0912 345 678", "+886912345678"},
		{"AE", "050 123 4567", "+971501234567"},
		{"AR", "11 2345-6789", "+541123456789"},
		{"CL", "2 2123 4567", "+56221234567"},
	};

	expect_int(count_wrong(good, sizeof(good) / sizeof(*good)), 0);
}

TEST(each_country_dials_abroad_its_own_way)
{
	static const struct good good[] = {
		{"US", "011 44 20 7946 0123", "+442079460123"},
		{"DE", "00 1 212 555 0123", "+12125550123"},
		{"AU", "0011 1 212 555 0123", "+12125550123"},
		{"JP", "010 1 212 555 0123", "+12125550123"},
		{"RU", "810 1 212 555 0123", "+12125550123"},
		{"FI", "990 1 212 555 0123", "+12125550123"},
		{"BR", "00 21 1 212 555 0123", "+12125550123"},
		{"HK", "001 44 20 7946 0123", "+442079460123"},
		{"SG", "002 44 20 7946 0123", "+442079460123"},
		{"KR", "00700 44 20 7946 0123", "+442079460123"},
		{"IL", "012 44 20 7946 0123", "+442079460123"},
		{"IL", "00 44 20 7946 0123", "+442079460123"},
	};

	expect_int(count_wrong(good, sizeof(good) / sizeof(*good)), 0);
}

struct bad {
	const char *region, *text, *why;
};

TEST(what_is_no_number_is_refused_with_a_reason)
{
	static const struct bad bad[] = {
		{NULL, "", "write + and the country code"},
		{NULL, "+", "write + and the country code"},
		{NULL, "tel:", "write + and the country code"},
		{NULL, "05551234", "no region is configured, write + and the country code"},
		{NULL, "15550100123", "no region is configured"},
		{NULL, "(555) 010-0123", "no region is configured"},
		{"XX", "(555) 010-0123", "no region is configured"},
		{NULL, "+0155501001", "no country code begins with 0"},
		{NULL, "00 0155501001", "no country code begins with 0"},
		{NULL, "+9991234", "fewer than 8"},
		{NULL, "+9991234567890123", "more than 15"},
		{NULL, "+1234567890123456789012345", "more than 15"},
		{NULL, "+1555010012x", "leave out the extension"},
		{NULL, "+1 555 010 0123 ext. 12", "leave out the extension"},
		{NULL, "+15550100123;ext=12", "leave out the extension"},
		{NULL, "+15550100123,,12", "leave out the extension"},
		{NULL, "+1 555 010 0123 #12", "leave out the extension"},
		{NULL, "+1 800 FLOWERS", "write digits in place of letters"},
		{NULL, "ana", "write digits in place of letters"},
		{NULL, "+1555\n0100123", "only digits"},
		{NULL, "+15550100123\r\n", "only digits"},
		{NULL, "+1555010+0123", "only digits"},
		{NULL, "+1555010\xd9\xa0\xd9\xa1\xd9\xa2", "only digits"},
		{NULL,
		 "+1\xff"
		 "5550100123",
		 "only digits"},
		{NULL, "+39 (0)6 6982 1234", "leave out the (0)"},
		{NULL, "+999 (0)12 345 678", "leave out the (0)"},
		{NULL, "+44 20 (0) 7946 0123", "leave out the (0)"},
		{NULL, "+44 (0)(0) 20 7946 0123", "leave out the (0)"},
		{"US", "212 555 (0) 0123", "leave out the (0)"},
		{NULL, "+44 020 7946 0123", "9 to 10 digits follow +44, not 11"},
		{NULL, "+49 030 901820", "leave out the 0, it is not dialled behind +49"},
		/* too short and too long for a country */
		{NULL, "+1 555 010 012", "10 digits follow +1, not 9"},
		{NULL, "+1 555 010 01234", "10 digits follow +1, not 11"},
		{NULL, "+1 155 010 0123", "behind +1 no number begins with 1"},
		{"US", "555-0123", "10 digits follow +1, not 7"},
		{"GB", "07700 9001", "9 to 10 digits follow +44, not 8"},
		{"NO", "406 12 3456", "8 digits follow +47, not 9"},
		/* local numbers: whose area is not said */
		{"DE", "901820 12", "in DE it begins with 0; or write +49 and the rest"},
		{"HU", "20 123 4567", "in HU it begins with 06"},
		{"LT", "61234567", "in LT it begins with 0"},
		{"GB", "7700 900123", "in GB it begins with 0"},
		/* short codes, and what is paid for */
		{NULL, "911", "short codes take no texts"},
		{"US", "32665", "short codes take no texts"},
		{"DE", "110", "short codes take no texts"},
		{"US", "900 555 0123", "its callers pay"},
		{NULL, "+1 900 555 0123", "its callers pay"},
		{"GB", "0906 123 4567", "its callers pay"},
		{"DE", "0900 1234567", "its callers pay"},
		{"FR", "0891 12 34 56", "its callers pay"},
		{"AU", "1902 345 678", "in AU it begins with 0"},
		{NULL, "+61 190 123 456", "its callers pay"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char number[PHONE_SIZE] = "before";
		struct failure f = {0};

		expect_failure(phone_parse_in(bad[i].region, bad[i].text, number, &f), &f,
			       FAILURE_REFUSED);
		expect_contains(f.text, bad[i].why);
		expect_contains(f.text, "is not a telephone number");
		expect_text(number, "before");
	}
}

TEST(what_is_meant_as_a_number)
{
	expect_true(phone_looks_like("+1"));
	expect_true(phone_looks_like("15550100123"));
	expect_true(phone_looks_like("(212) 555-0123"));
	expect_true(phone_looks_like("030/901820"));
	expect_true(phone_looks_like("tel:911"));
	expect_true(phone_looks_like("+1 800 FLOWERS"));
	expect_false(phone_looks_like("+"));
	expect_false(phone_looks_like(""));
	expect_false(phone_looks_like("ana"));
	expect_false(phone_looks_like("1234"));
	expect_false(phone_looks_like("2026-backup"));
	expect_false(phone_looks_like("12345_night"));
	expect_false(phone_looks_like("15550100123@example.com"));
	expect_false(phone_looks_like("+ana"));
}

/* What the table says of itself, so that a slip of a row shows. */
TEST(the_table_holds_together)
{
	size_t n = 0;

	for (unsigned i = 0; i < 26 * 26; i++) {
		const char iso[] = {(char)('A' + i / 26), (char)('A' + i % 26), '\0'};
		const struct phone_region *r = phone_region_find(iso);

		if (!r)
			continue;
		n++;
		expect_text(r->iso, iso);
		expect_true(r->min <= r->max && r->min >= 4);
		expect_true(strlen(r->code) >= 1 && strlen(r->code) + r->max <= 15);
		expect_int(r->trunk[0] == '\0', r->kind == TRUNK_NONE);
		/* no code begins with another one */
		expect_text(phone_region_of(r->code)->code, r->code);
	}
	expect_int(n, 104); /* all of them: none stands twice */
	expect_null(phone_region_find("XX"));
	expect_null(phone_region_find(""));
	expect_null(phone_region_of("999"));
}

TEST(every_state_of_the_union_is_there)
{
	static const char *const members[] = {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES",
					      "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU",
					      "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"};

	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		expect_some(phone_region_find(members[i]));
}

RUN_TESTS()
