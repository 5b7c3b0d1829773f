/* Arguments of a program: what is filled in, and what stays as it is. */
#include "argument.h"

#include "alloc.h"
#include "auto.h"
#include "expect.h"
#include "failure.h"
#include "pattern.h"

static char value[ARGUMENT_MAX + 1];
static const struct captures captures = {
	.at = {{"link", value, 0}, {"how", value + ARGUMENT_MAX, 0}}, .n = 2};

static void expect_argument(const char *element, const char *wanted)
{
	struct failure f = {0};
	AUTO(free) char *got = argument_fill(element, &captures, "/run/x/attachments", &f);

	expect_text(got, wanted);
}

TEST(names_in_braces_become_what_was_captured)
{
	memcpy(value, "a b; {how}", sizeof("a b; {how}"));
	expect_argument("{link}", "a b; {how}");
	expect_argument("<{link}{how}{link}>", "<a b; {how}a b; {how}>");
	expect_argument("{attachments}/.", "/run/x/attachments/.");
	expect_argument("", "");
}

TEST(other_braces_are_themselves)
{
	memcpy(value, "x", sizeof("x"));
	expect_argument("{ print $1 }", "{ print $1 }");
	expect_argument("{}", "{}");
	expect_argument("{{link}}", "{x}");
	expect_argument("{link", "{link");
	expect_argument("}{a-b}", "}{a-b}");
}

TEST(what_was_captured_nowhere_is_refused)
{
	struct failure f = {0};

	expect_null(argument_fill("{other}", &captures, "/x", &f));
	expect_int(f.kind, FAILURE_REFUSED);
	expect_contains(f.text, "{other}");
}

TEST(what_becomes_too_long_for_the_kernel_is_refused)
{
	struct failure f = {0};

	memset(value, 'x', ARGUMENT_MAX);
	value[ARGUMENT_MAX] = '\0';
	AUTO(free) char *most = argument_fill("{link}", &captures, "/x", &f);

	expect_int(strlen(most), ARGUMENT_MAX);
	expect_null(argument_fill("{link}.", &captures, "/x", &f));
	expect_int(f.kind, FAILURE_REFUSED);
}

RUN_TESTS()
