/* Text from outside: UTF-8 by its grammar, safe lines, patterns. */
#include "text.h"

#include <time.h>

#include "expect.h"

static bool is_utf8(const char *text)
{
	return text_is_utf8(text, strlen(text));
}

TEST(utf8_is_what_rfc_3629_says)
{
	static const char *const good[] = {
		"",
		"plain",
		"é",
		"€",
		"😀",
		"\xc2\x80",
		"\xdf\xbf",
		"\xe0\xa0\x80",
		"\xed\x9f\xbf",
		"\xee\x80\x80",
		"\xef\xbf\xbf",
		"\xf0\x90\x80\x80",
		"\xf4\x8f\xbf\xbf",
	};
	static const char *const bad[] = {
		"\x80",             /* a tail alone */
		"\xbf",             /* another */
		"\xc0\xaf",         /* overlong slash */
		"\xc1\xbf",         /* overlong */
		"\xe0\x80\xaf",     /* overlong */
		"\xe0\x9f\xbf",     /* overlong */
		"\xf0\x80\x80\xaf", /* overlong */
		"\xf0\x8f\xbf\xbf", /* overlong */
		"\xed\xa0\x80",     /* surrogate */
		"\xed\xbf\xbf",     /* surrogate */
		"\xf4\x90\x80\x80", /* beyond U+10FFFF */
		"\xf5\x80\x80\x80", /* no such lead */
		"\xff",             /* nor this */
		"\xc3",             /* cut */
		"\xe2\x82",         /* cut */
		"\xf0\x9f\x98",     /* cut */
		"\xc3(",            /* wrong tail */
		"\xe2\x82(",        /* wrong tail */
		"\xf0\x9f(\x80",    /* wrong tail */
		"caf\xe9",          /* Latin-1 */
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		expect_true(is_utf8(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		expect_false(is_utf8(bad[i]));
	expect_false(text_is_utf8("a\0b", 3));
	expect_false(text_is_utf8("é", 1));
}

TEST(ascii_is_seven_bits_without_nul)
{
	expect_true(text_is_ascii("plain\r\n", 7));
	expect_true(text_is_ascii("", 0));
	expect_false(text_is_ascii("é", 2));
	expect_false(text_is_ascii("a\0b", 3));
}

TEST(one_line_has_no_controls)
{
	expect_true(text_is_one_line("Grüße, ¡hola! 😀", strlen("Grüße, ¡hola! 😀")));
	expect_false(text_is_one_line("a\r", 2));
	expect_false(text_is_one_line("a\nb", 3));
	expect_false(text_is_one_line("a\tb", 3));
	expect_false(text_is_one_line("a\0b", 3));
	expect_false(text_is_one_line("\x7f", 1));
	expect_false(text_is_one_line("\x1b[0m", 4));
	expect_false(text_is_one_line("a\xc2\x85z", 4)); /* NEL */
	expect_true(text_is_one_line("\xc2\xa0", 2));
}

static void expect_safe(size_t size, const char *in, size_t len, const char *want)
{
	char out[64];

	memset(out, '#', sizeof(out));
	expect_true(text_safe_line(out, size, in, len) == out);
	expect_text(out, want);
	expect_int(out[size], '#');
}

TEST(a_safe_line_shows_what_it_can)
{
	expect_safe(40, "hé 😀", strlen("hé 😀"), "hé 😀");
	expect_safe(40, "a\r\nb\0c\x1b", 7, "a??b?c?");
	expect_safe(40, "\xff\xc3(\xe2\x82", 5,
		    "??"
		    "("
		    "??");
	expect_safe(40, "x\xc2\x85y", 4, "x?y");
	expect_safe(40, "", 0, "");
}

TEST(a_long_line_is_cut_on_a_character)
{
	expect_safe(6, "abcde", 5, "abcde");
	expect_safe(6, "abcdef", 6, "ab...");
	expect_safe(8, "abcdéf", 7, "abcdéf");
	expect_safe(7, "abcdéf", 7, "abc...");
	expect_safe(7, "abécdef", 8, "ab...");
	expect_safe(8, "€€€", 9, "€...");
	expect_safe(4, "abcdef", 6, "...");
	expect_safe(3, "abcdef", 6, "..");
	expect_safe(1, "abcdef", 6, "");
	expect_safe(5, "€€", 6, "...");
}

TEST(case_is_ascii_only)
{
	expect_true(text_equal_nocase("STARTTLS", "StartTls"));
	expect_true(text_equal_nocase("", ""));
	expect_false(text_equal_nocase("AUTH", "AUTHX"));
	expect_false(text_equal_nocase("AUTHX", "AUTH"));
	expect_false(text_equal_nocase("É", "é"));
	expect_false(text_equal_nocase("[", "{"));
	expect_true(text_starts_nocase("AUTH PLAIN", "auth "));
	expect_true(text_starts_nocase("x", ""));
	expect_false(text_starts_nocase("AUT", "auth"));
}

TEST(patterns_match_as_in_a_shell)
{
	expect_true(text_matches("*@example.com", "Ana@EXAMPLE.com"));
	expect_true(text_matches("*", ""));
	expect_true(text_matches("", ""));
	expect_true(text_matches("a?c", "abc"));
	expect_true(text_matches("a*b*c", "aXbXbXc"));
	expect_true(text_matches("**x", "x"));
	expect_true(text_matches("[x]", "[X]"));
	expect_false(text_matches("a?c", "ac"));
	expect_false(text_matches("", "a"));
	expect_false(text_matches("a", ""));
	expect_false(text_matches("*@example.com", "ana@example.com.evil"));
	expect_false(text_matches("a*b*c", "aXbX"));
}

TEST(patterns_do_not_explode)
{
	char text[20001], pattern[] = "*a*a*a*a*a*a*a*a*a*a*a*a*b";

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	clock_t start = clock();

	expect_false(text_matches(pattern, text));
	expect_true(clock() - start < 5 * CLOCKS_PER_SEC);
}

TEST(what_ends_within_a_character_ends_before_it)
{
	static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";
	static const size_t whole[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};

	for (size_t len = 0; len < sizeof(text); len++)
		expect_int(text_whole(text, len), whole[len]);
	/* what is no character is none wherever it ends */
	expect_int(text_whole("a\xff", 2), 1);
	expect_int(text_whole("\x80", 1), 0);
}

RUN_TESTS()
