/* Several texts as one. */
#include "message/bundle.h"

#include <stdlib.h>

#include "alloc.h"
#include "expect.h"
#include "segments.h"

static void expect_bundle(const char *const *texts, size_t n, size_t segments, const char *want)
{
	struct bundle_limits limits = {.segments = segments};
	char *got = bundle_make(texts, n, &limits);

	expect_text(got, want);
	free(got);
}

TEST(what_fits_stands_whole)
{
	static const char *const texts[] = {"disk full", "disk empty", "two\nlines"};

	expect_bundle(texts, 3, 3, "3 messages:\n- disk full\n- disk empty\n- two\nlines");
	expect_bundle(texts, 2, 0, "2 messages:\n- disk full\n- disk empty");
}

TEST(what_does_not_is_counted)
{
	char *many[40];
	struct bundle_limits limits = {.segments = 1};
	struct segments s;

	for (int i = 0; i < 40; i++)
		many[i] = xprintf("number %d says so", i);
	char *got = bundle_make((const char *const *)many, 40, &limits);

	segments_count(got, strlen(got), 0, &s);
	expect_int(s.segments, 1);
	expect_int(strncmp(got, "40 messages:\n- number 0 says so\n- number 1", 40), 0);
	expect_true(strstr(got, " more, see nuncio queue") && got[strlen(got) - 1] == 'e');
	free(got);
	for (int i = 0; i < 40; i++)
		free(many[i]);
}

TEST(a_long_one_is_cut_between_characters)
{
	char text[2000] = "";
	struct bundle_limits limits = {.segments = 1};
	struct segments s;

	for (int i = 0; i < 300; i++)
		strcat(text, "\u0436");
	const char *const texts[] = {text, "short"};
	char *got = bundle_make(texts, 2, &limits);

	segments_count(got, strlen(got), 0, &s);
	expect_int(s.segments, 1);
	expect_int(s.alphabet, SMS_UCS2);
	expect_true(strstr(got, "\u0436..."));
	free(got);
}

TEST(a_provider_s_ceiling_holds_too)
{
	static const char *const texts[] = {"0123456789012345678901234567890123456789",
					    "9876543210987654321098765432109876543210"};
	struct bundle_limits limits = {.characters = 60};
	char *got = bundle_make(texts, 2, &limits);

	expect_true(strlen(got) <= 60);
	expect_true(strstr(got, "and 1 more, see nuncio queue"));
	free(got);
}

RUN_TESTS()
