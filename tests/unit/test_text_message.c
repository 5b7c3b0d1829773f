/* What of a letter a telephone gets to see. */
#include "message/text_message.h"

#include "alloc.h"
#include "expect.h"
#include "failure.h"
#include "media.h"
#include "message/letter.h"
#include "text.h"

static struct letter letter_of(const char *subject, const char *text, const char *html)
{
	return (struct letter){.subject = (char *)(uintptr_t)subject,
			       .has_text = text,
			       .has_html = html,
			       .text_size = text ? strlen(text) : 0,
			       .html_size = html ? strlen(html) : 0};
}

static char *make(const char *subject, const char *text, const char *html,
		  const struct text_message_options *options, struct failure *f)
{
	struct letter l = letter_of(subject, text, html);
	char *content = xprintf("%s%s", text ? text : "", html ? html : "");
	char *ret = NULL;

	if (text_message_make(&l, content, strlen(content), options, &ret, f) < 0)
		ret = NULL;
	free(content);
	return ret;
}

static void expect_made(const char *subject, const char *text, const char *html,
			const struct text_message_options *options, const char *want)
{
	struct failure f = {0};
	char *got = make(subject, text, html, options, &f);

	expect_text(got ? got : f.text, want);
	free(got);
}

static const struct text_message_options plain = {0};

TEST(the_text_and_the_subject_before_it)
{
	expect_made(NULL, "done\r\n", NULL, &plain, "done");
	expect_made("Backup", "a\nb\n\n", NULL, &plain, "Backup\na\nb");
	expect_made("Backup", NULL, NULL, &plain, "Backup");
	expect_made(NULL, NULL, "<p>It is <b>done</b>.</p>", &plain, "It is done.");
}

TEST(nothing_is_refused)
{
	expect_made(NULL, "", NULL, &plain, "there is no text in it");
	expect_made(NULL, " \n", NULL, &plain, "there is no text in it");
}

TEST(look_alikes_unless_exact)
{
	expect_made(NULL, "it\u2019s", NULL, &plain, "it's");
	expect_made(NULL, "it\u2019s", NULL, &(struct text_message_options){.exact = true},
		    "it\u2019s");
}

TEST(more_than_the_ceiling_is_refused_or_cut)
{
	char text[401];
	struct failure f = {0};

	memset(text, 'a', 400);
	text[400] = '\0';
	expect_null(make(NULL, text, NULL, &(struct text_message_options){.segments = 2}, &f));
	expect_int(f.kind, FAILURE_REFUSED);
	expect_text(f.text, "it takes 3 segments (400 septets of GSM-7), and 2 are allowed");
	char *cut = make(NULL, text, NULL,
			 &(struct text_message_options){.segments = 2, .cut = true}, &f);

	expect_int(strlen(cut), 306);
	expect_text(cut + 303, "...");
	free(cut);
}

TEST(a_cut_never_goes_through_a_character)
{
	struct failure f = {0};
	char text[400] = "";

	for (int i = 0; i < 90; i++)
		strcat(text, "\u0436");
	char *cut = make(NULL, text, NULL,
			 &(struct text_message_options){.segments = 1, .cut = true}, &f);

	expect_int(strlen(cut) % 2, 1); /* whole letters of two octets, and three dots */
	expect_contains(cut, "\u0436...");
	free(cut);
}

TEST(the_providers_ceiling_counts_characters)
{
	struct failure f = {0};

	expect_null(make(NULL, "\u0436\u0436\u0436", NULL,
			 &(struct text_message_options){.characters = 2}, &f));
	expect_text(f.text, "it has 3 characters, and 2 are allowed");
}

TEST(what_is_cut_says_where_the_rest_is)
{
	struct failure f = {0};
	char text[401];
	bool was_cut = false;
	const struct text_message_options options = {
		.segments = 1, .cut = true, .tail = TEXT_MESSAGE_TAIL, .ret_cut = &was_cut};

	memset(text, 'a', 400);
	text[400] = '\0';
	char *cut = make(NULL, text, NULL, &options, &f);

	expect_int(strlen(cut), 160);
	expect_contains(cut, "a... (all of it by mail)");
	expect_true(was_cut);
	free(cut);
	was_cut = false;
	expect_made(NULL, "short", NULL, &options, "short");
	expect_false(was_cut);
}

/* However much it is, its beginning makes a text; what is cut off there is no character's half. */
TEST(of_very_much_the_beginning_is_enough)
{
	struct failure f = {0};
	const struct text_message_options cut = {.segments = 3, .cut = true};
	size_t len = 200001;
	char *text = xcalloc(1, len + 1);

	memset(text, 'a', len);
	expect_null(make(NULL, text, NULL, &(struct text_message_options){.segments = 3}, &f));
	expect_text(f.text, "200001 bytes are too much for a text message");
	char *made = make(NULL, text, NULL, &cut, &f);

	expect_int(strlen(made), 459);
	free(made);
	for (size_t i = 1; i + 1 < len; i += 2)
		memcpy(text + i, "\u0436", 2);
	struct letter l = letter_of(NULL, text, NULL);

	expect_int(text_message_wants(&l, true), 65536);
	expect_int(text_message_wants(&l, false), 200001);
	expect_ok(text_message_make(&l, text, 65536, &cut, &made, &f), &f);
	expect_true(text_is_utf8(made, strlen(made)));
	free(made);
	free(text);
}

/* ---- URLs of media ---- */

static char *make_with(const char *text, const char *url,
		       const struct text_message_options *options, struct failure *f)
{
	struct letter l = letter_of(NULL, text, NULL);
	char *ret = NULL;

	media_add(&l.media, url);
	media_add(&l.media, "https://a/2");
	if (text_message_make(&l, text ? text : "", text ? strlen(text) : 0, options, &ret, f) < 0)
		ret = NULL;
	media_free(l.media);
	return ret;
}

static void expect_with(const char *text, const char *url,
			const struct text_message_options *options, const char *want)
{
	struct failure f = {0};
	char *got = make_with(text, url, options, &f);

	expect_text(got ? got : f.text, want);
	free(got);
}

TEST(media_go_beside_the_words_or_stand_behind_them)
{
	const struct text_message_options lines = {.media_lines = true};

	expect_with("See\n", "https://a/1", &plain, "See");
	expect_with(NULL, "https://a/1", &plain, "");
	expect_with("See\n", "https://a/1", &lines, "See\nhttps://a/1\nhttps://a/2");
	expect_with(NULL, "https://a/1", &lines, "https://a/1\nhttps://a/2");
}

TEST(words_are_cut_and_never_a_url)
{
	bool was_cut = false;
	const struct text_message_options few = {.media_lines = true, .characters = 30},
					  cut = {.media_lines = true,
						 .characters = 30,
						 .cut = true,
						 .ret_cut = &was_cut};

	expect_with("123456", "https://a/1", &cut, "123456\nhttps://a/1\nhttps://a/2");
	expect_false(was_cut);
	expect_with("1234567", "https://a/1", &few, "it has 31 characters, and 30 are allowed");
	expect_with("1234567", "https://a/1", &cut, "123...\nhttps://a/1\nhttps://a/2");
	expect_true(was_cut);
	was_cut = false;
	expect_with("1", "https://a/12345678", &cut, "it has 32 characters, and 30 are allowed");
	expect_with(NULL, "https://a/12345678901", &cut,
		    "it has 33 characters, and 30 are allowed");
	expect_false(was_cut);
}

RUN_TESTS()
