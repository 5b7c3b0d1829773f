/* Patterns: what matches, what is captured, what is refused, what costs too much. */
#include "pattern.h"

#include "alloc.h"
#include "expect.h"
#include "failure.h"

static struct pattern *pattern(const char *text)
{
	struct pattern *p = NULL;
	struct failure f = {0};

	expect_ok(pattern_new(text, &p, &f), &f);
	return p;
}

static enum pattern_result match(const char *text, const char *subject)
{
	struct pattern *p = pattern(text);
	enum pattern_result result = pattern_match(p, subject, strlen(subject), NULL);

	pattern_free(p);
	return result;
}

TEST(it_is_found_anywhere_unless_anchored)
{
	expect_int(match("b", "abc"), PATTERN_MATCHES);
	expect_int(match("^b", "abc"), PATTERN_DIFFERS);
	expect_int(match("(?i)^ABC$", "abc"), PATTERN_MATCHES);
	expect_int(match("^.$", "\u00e9"), PATTERN_MATCHES);
}

TEST(the_end_is_the_end_and_no_line_end_before_it)
{
	expect_int(match("^abc$", "abc\n"), PATTERN_DIFFERS);
}

TEST(named_captures)
{
	struct pattern *p = pattern("^torrent (?<link>magnet:\\S+)( (?<how>\\w+))?$");
	struct captures c = {0};
	const char *subject = "torrent magnet:?xt=1";

	expect_true(pattern_has_capture(p, "link"));
	expect_true(pattern_has_capture(p, ""));
	expect_true(!pattern_has_capture(p, "other"));
	expect_int(pattern_match(p, subject, strlen(subject), &c), PATTERN_MATCHES);
	expect_text(captures_get(&c, "link"), "magnet:?xt=1");
	expect_text(captures_get(&c, "how"), "");
	expect_null(captures_get(&c, "other"));
	captures_clear(&c);
	pattern_free(p);
}

TEST(captures_of_several_patterns_add_up)
{
	struct pattern *a = pattern("(?<one>a)(?<two>b)"), *b = pattern("(?<two>c)");
	struct captures c = {0};

	pattern_match(a, "ab", 2, &c);
	pattern_match(b, "c", 1, &c);
	expect_int(c.n, 2);
	expect_text(captures_get(&c, "one"), "a");
	expect_text(captures_get(&c, "two"), "c");
	captures_clear(&c);
	pattern_free(a);
	pattern_free(b);
}

TEST(subjects_that_are_no_utf_8)
{
	struct pattern *p = pattern("^a(?<x>.*)b$");
	struct captures c = {0};

	expect_int(pattern_match(p, "a\xff\xc3\0b", 5, &c), PATTERN_MATCHES);
	expect_text(captures_get(&c, "x"), "???");
	captures_clear(&c);
	pattern_free(p);
}

TEST(a_pattern_that_costs_too_much_is_no_match)
{
	char *many = xmalloc(5001);

	memset(many, 'a', 5000);
	many[5000] = '\0';
	expect_int(match("^(a+)+$x", many), PATTERN_TOO_COSTLY);
	many[4999] = '!';
	expect_int(match("(a|aa)+$", many), PATTERN_TOO_COSTLY);
	expect_int(match("^(?:(?:a*)*)*b", many), PATTERN_TOO_COSTLY);
	free(many);
}

/* Each place alone costs little; there are many of them. */
TEST(a_match_that_may_begin_at_many_places_costs_what_all_of_them_cost)
{
	static const char unit[] = "foo r ";
	size_t len = 600000;
	char *text = xmalloc(len + 1);

	for (size_t i = 0; i < len; i++)
		text[i] = unit[i % 6];
	text[len] = '\0';
	expect_int(match("foo.*bar", text), PATTERN_TOO_COSTLY);
	expect_int(match("foo[^b]*+(?:b|c)", text), PATTERN_TOO_COSTLY);
	expect_int(match("foo \\w r", text), PATTERN_DIFFERS);
	expect_int(match("(?<n>\\d+) errors|.{3}!", text), PATTERN_DIFFERS);
	memcpy(text + len - 6, "9 fail", 6);
	expect_int(match("\\d fail$", text), PATTERN_MATCHES);
	free(text);
}

TEST(a_long_subject_is_no_trouble_by_itself)
{
	size_t len = 1024 * 1024;
	char *text = xmalloc(len + 1);

	memset(text, 'x', len);
	text[len] = '\0';
	struct pattern *p = pattern("^(?<all>.*)$");
	struct captures c = {0};

	expect_int(pattern_match(p, text, len, &c), PATTERN_MATCHES);
	expect_int(strlen(captures_get(&c, "all")), len);
	captures_clear(&c);
	pattern_free(p);
	free(text);
}

static void expect_refused(const char *text, const char *why)
{
	struct pattern *p = NULL;
	struct failure f = {0};

	expect_failure(pattern_new(text, &p, &f), &f, FAILURE_SETUP);
	expect_contains(f.text, why);
}

TEST(what_is_no_pattern_is_refused_with_its_place)
{
	char deep[600];

	expect_refused("a(b", "missing closing parenthesis, at \"\"");
	expect_refused("a[", "at \"\"");
	expect_refused("(?<a>x)(?<a>y)", "two named subpatterns");
	expect_refused("a\\Cb", "\\C");
	expect_refused("a(?C1)b", "(?C)");
	expect_refused("a\xff", "UTF-8");
	memset(deep, '(', 299);
	memset(deep + 299, ')', 299);
	deep[598] = '\0';
	expect_refused(deep, "nested");
}

RUN_TESTS()
