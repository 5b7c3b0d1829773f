/* Html in words. */
#include "message/html_text.h"

#include "auto.h"
#include "expect.h"

static void expect_said(const char *html, const char *want)
{
	size_t len;
	AUTO(free) char *text = html_text(html, strlen(html), &len);

	expect_int(len, strlen(text));
	expect_text(text, want);
}

TEST(paragraphs_and_breaks_become_lines)
{
	expect_said("<p>One   two\nthree</p><p>Four<br>five</p>six",
		    "One two three\n\nFour\nfive\n\nsix\n");
	expect_said("<div>a</div><div>b</div>", "a\nb\n");
	expect_said("plain", "plain\n");
	expect_said("", "");
}

TEST(inline_elements_join_words_as_they_stand)
{
	expect_said("<p>un<b>believ</b>able <i>thing</i>.</p>", "unbelievable thing.\n");
}

TEST(scripts_styles_and_titles_are_not_said)
{
	expect_said(
		"<html><head><title>T</title><style>p{}</style></head><body><script>x()</script>"
		"<p>Hi</p></body></html>",
		"Hi\n");
}

TEST(what_is_quoted_is_marked_line_by_line)
{
	expect_said("<p>No.</p><blockquote><p>One<br>two</p><blockquote>three</blockquote>"
		    "<ul><li>four</li></ul></blockquote>five",
		    "No.\n\n> One\n> two\n\n> > three\n\n> - four\n\nfive\n");
	expect_said("<blockquote>a<pre>b\n c</pre></blockquote>d", "> a\n\n> b\n>  c\n\nd\n");
	expect_said("<blockquote></blockquote>d", "d\n");
}

TEST(lists_are_marked_and_numbered)
{
	expect_said(
		"<p>Do:</p><ul><li>this</li><li>that</li></ul><ol><li>one</li><li>two</li></ol>",
		"Do:\n\n- this\n- that\n\n1. one\n2. two\n");
	expect_said("<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>", "1. a\n- b\n2. c\n");
}

TEST(cells_stand_beside_each_other)
{
	expect_said("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>",
		    "a  b\nc  d\n");
}

TEST(links_are_numbered_and_listed_at_the_end)
{
	expect_said(
		"<p>See <a href=\"https://a.example/\">here</a> and <a "
		"href='https://b.example/'>there</a>, <a href='https://a.example/'>again</a>.</p>",
		"See here [1] and there [2], again [1].\n\n[1] https://a.example/\n"
		"[2] https://b.example/\n");
	expect_said("<a href='https://a.example/'>https://a.example/</a>", "https://a.example/\n");
	expect_said("<a href='mailto:a@b.example'>a@b.example</a>", "a@b.example\n");
	expect_said("<a href='javascript:x()'>x</a><a href='#y'>y</a>", "xy\n");
}

TEST(images_say_what_they_show_and_pre_stays_as_it_is)
{
	expect_said("<img alt='A cat' src='x'>", "[A cat]\n");
	expect_said("<p>x</p><pre>a\n  b</pre>", "x\n\na\n  b\n");
	expect_said("a<hr>b", "a\n\n----\nb\n");
}

TEST(characters_stay_utf8)
{
	expect_said("<p>\xc3\xa9t\xc3\xa9 &eacute; &amp; &#x20AC;</p>",
		    "\xc3\xa9t\xc3\xa9 \xc3\xa9 & \xe2\x82\xac\n");
}

TEST(broken_html_is_read_as_far_as_it_goes)
{
	expect_said("<p>one<p>two<b>three</p></i><a href=", "one\n\ntwothree\n");
	expect_said("1 < 2 &amp;& 3 > 2", "1 < 2 && 3 > 2\n");
	size_t len;
	char deep[5 * 3000 + 1];

	for (size_t i = 0; i < 3000; i++)
		memcpy(deep + 5 * i, "<div>", 6);
	free(html_text(deep, strlen(deep), &len));
	free(html_text("a\0b", 3, &len));
	free(html_text("\xff\xfe<p>\x80", 6, &len));
}

RUN_TESTS()
