/* Failures: their text is one line of whole characters, whatever goes in. */
#include "failure.h"

#include <errno.h>

#include "expect.h"
#include "text.h"

TEST(a_failure_has_a_kind_and_a_text)
{
	struct failure f = {0};

	expect_int(failure_set(&f, FAILURE_LATER, "no answer from %s", "mail"), -1);
	expect_int(f.kind, FAILURE_LATER);
	expect_text(f.text, "no answer from mail");
}

TEST(context_goes_before_the_text_and_keeps_the_kind)
{
	struct failure f = {0};

	failure_set(&f, FAILURE_SETUP, "login refused");
	expect_int(failure_wrap(&f, "transport %s", "mail"), -1);
	expect_text(f.text, "transport mail: login refused");
	expect_int(f.kind, FAILURE_SETUP);
}

TEST(the_error_of_the_system_stands_behind)
{
	struct failure f = {0};

	expect_int(failure_errno(&f, FAILURE_SETUP, ENOENT, "file %s", "x"), -1);
	expect_text(f.text, "file x: No such file or directory");
}

TEST(nobody_needs_to_listen)
{
	expect_int(failure_set(NULL, FAILURE_LATER, "x"), -1);
	expect_int(failure_wrap(NULL, "x"), -1);
	expect_int(failure_errno(NULL, FAILURE_LATER, EIO, "x"), -1);
}

TEST(control_characters_become_spaces)
{
	struct failure f = {0};

	failure_set(&f, FAILURE_REFUSED, "550 no\r\nQUIT\t\x7f\x1b[31m");
	expect_text(f.text, "550 no  QUIT   [31m");
}

TEST(a_failure_may_be_made_of_itself)
{
	struct failure f = {0};

	failure_set(&f, FAILURE_LATER, "inner");
	failure_set(&f, FAILURE_SETUP, "outer: %s", f.text);
	expect_text(f.text, "outer: inner");
}

/* Whatever the length before it, a cut never halves a character. */
static void expect_whole_characters(const char *character)
{
	for (int lead = 230; lead < 242; lead++) {
		char many[64] = "";
		struct failure f = {0};

		for (int i = 0; i < 10; i++)
			strcat(many, character);
		failure_set(&f, FAILURE_LATER, "%0*d%s", lead, 0, many);
		expect_true(text_is_utf8(f.text, strlen(f.text)));
		expect_true(strlen(f.text) >= sizeof(f.text) - 4);
		failure_wrap(&f, "é");
		expect_true(text_is_utf8(f.text, strlen(f.text)));
		failure_wrap(&f, "%0*d%s", lead, 0, many);
		expect_true(text_is_utf8(f.text, strlen(f.text)));
		failure_errno(&f, FAILURE_LATER, EIO, "%0*d%s", lead, 0, many);
		expect_true(text_is_utf8(f.text, strlen(f.text)));
	}
}

TEST(long_texts_are_cut_on_a_character)
{
	expect_whole_characters("x");
	expect_whole_characters("é");
	expect_whole_characters("€");
	expect_whole_characters("😀");
}

TEST(a_text_that_just_fits_is_not_cut)
{
	struct failure f = {0};

	failure_set(&f, FAILURE_LATER, "%0*dé", (int)sizeof(f.text) - 3, 0);
	expect_int(strlen(f.text), sizeof(f.text) - 1);
	expect_text(f.text + sizeof(f.text) - 3, "é");
}

RUN_TESTS()
