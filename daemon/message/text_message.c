/* message/text_message.c - decides what of a letter a telephone gets to see. */
#include "message/text_message.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "buf.h"
#include "failure.h"
#include "media.h"
#include "message/html_text.h"
#include "message/letter.h"
#include "segments.h"
#include "text.h"

#define TEXT_MAX (256 * 1024)
#define WORDS_MAX (TEXT_MAX / 4) /* octets of content: more is not looked at */
#define ALONE 8                  /* characters that one segment has more than one of several */

static size_t characters(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += (text[i] & 0xC0) != 0x80;
	return n;
}

/* Where the first n characters end. */
static size_t end_of(const char *text, size_t len, size_t n)
{
	size_t i = 0;

	while (i < len && n-- > 0)
		for (i++; i < len && (text[i] & 0xC0) == 0x80; i++)
			;
	return i;
}

/* LF line ends, no NUL, no blanks at the end. */
static void add_lines(struct buf *out, const char *text, size_t len)
{
	while (len > 0 && strchr(" \t\r\n", text[len - 1]))
		len--;
	for (size_t i = 0; i < len; i++)
		if (text[i] && !(text[i] == '\r' && i + 1 < len && text[i + 1] == '\n'))
			buf_add(out, &text[i], 1);
}

/* Octets of text, or of html where there is only that. */
static size_t words_size(const struct letter *l)
{
	return (size_t)(l->has_text ? l->text_size : l->has_html ? l->html_size : 0);
}

size_t text_message_wants(const struct letter *l, bool cut)
{
	size_t words = l->kind == LETTER_COMPOSED ? words_size(l) : 0;

	return cut && words > WORDS_MAX ? WORDS_MAX : words;
}

static int add_all(const struct letter *l, const char *content, size_t len, struct buf *out,
		   struct failure *f)
{
	if (l->kind != LETTER_COMPOSED)
		return failure_set(f, FAILURE_REFUSED, "finished mail can't go as a text message");
	if (l->subject && *l->subject)
		buf_printf(out, "%s%s", l->subject, l->has_text || l->has_html ? "\n" : "");
	if (l->has_text) {
		add_lines(out, content, len < l->text_size ? text_whole(content, len) : len);
	} else if (l->has_html) {
		size_t plain_len;
		AUTO(free) char *plain = html_text(content, len, &plain_len);

		add_lines(out, plain, plain_len);
	}
	if (out->len == 0 && !l->media)
		return failure_set(f, FAILURE_REFUSED, "there is no text in it");
	return 0;
}

static size_t allowed(const struct buf *text, const struct text_message_options *o)
{
	const char *bytes = buf_bytes(text);
	size_t fits = text->len;
	struct segments s;

	if (o->segments) {
		segments_count(bytes, text->len, o->segments, &s);
		fits = s.fits;
	}
	if (o->characters && characters(bytes, fits) > o->characters)
		fits = end_of(bytes, fits, o->characters);
	return fits;
}

static int refuse(const struct buf *text, const struct text_message_options *o, struct failure *f)
{
	struct segments s;

	segments_count(buf_bytes(text), text->len, 0, &s);
	if (o->segments && s.segments > o->segments)
		return failure_set(f, FAILURE_REFUSED,
				   "it takes %zu segments (%zu %s of %s), and %zu are allowed",
				   s.segments, s.units,
				   s.alphabet == SMS_GSM7 ? "septets" : "units",
				   sms_alphabet_name(s.alphabet), o->segments);
	return failure_set(f, FAILURE_REFUSED, "it has %zu characters, and %zu are allowed",
			   characters(buf_bytes(text), text->len), o->characters);
}

/* What stands behind the words, whatever is cut of them; "": nothing. */
static char *tail_lines(const struct letter *l, const struct text_message_options *o,
			const struct buf *words)
{
	AUTO(free) char *lines = o->media_lines ? media_lines(l->media) : NULL;

	return xprintf("%s%s", lines && *lines && words->len ? "\n" : "", lines ? lines : "");
}

/* So much that what comes behind it, the dots and all, fits in, too. NULL: that alone does not. */
static char *cut(struct buf *text, const struct text_message_options *o, size_t fits,
		 const char *behind)
{
	AUTO(free) char *tail = xprintf("%s%s", o->tail ? o->tail : "...", behind);
	/* what is cut to one segment needs no room for its place among several */
	size_t more = characters(buf_bytes(text), fits) + (o->segments == 1 ? ALONE : 0);
	size_t keep = end_of(buf_bytes(text), text->len, more);

	for (;;) {
		struct buf shorter;

		keep = end_of(buf_bytes(text), keep, characters(buf_bytes(text), keep) - 1);
		buf_init(&shorter, TEXT_MAX + strlen(tail) + 1);
		buf_add(&shorter, buf_bytes(text), keep);
		buf_add_text(&shorter, tail);
		if (allowed(&shorter, o) == shorter.len || (keep == 0 && !*behind)) {
			if (o->ret_cut)
				*o->ret_cut = true;
			return buf_take(&shorter, NULL);
		}
		buf_clear(&shorter);
		if (keep == 0)
			return NULL;
	}
}

/* The words and what stands behind them, within the ceilings. */
static int fit(const struct letter *letter, struct buf *words,
	       const struct text_message_options *options, char **ret, struct failure *f)
{
	AUTO(free) char *behind = tail_lines(letter, options, words);
	struct buf all;
	int result = 0;

	buf_init(&all, TEXT_MAX);
	buf_add(&all, buf_bytes(words), words->len);
	buf_add_text(&all, behind);
	size_t fits = allowed(&all, options);
	char *made = NULL;

	if (fits == all.len)
		made = buf_take(&all, NULL);
	else if (options->cut)
		made = cut(words, options, fits < words->len ? fits : words->len, behind);
	if (made)
		*ret = made;
	else
		result = refuse(&all, options, f);
	buf_clear(&all);
	return result;
}

int text_message_make(const struct letter *letter, const char *content, size_t len,
		      const struct text_message_options *options, char **ret, struct failure *f)
{
	struct buf whole, simple;
	int result = -1;

	if (len > text_message_wants(letter, options->cut))
		len = text_message_wants(letter, options->cut);
	if (len > WORDS_MAX)
		return failure_set(f, FAILURE_REFUSED, "%zu bytes are too much for a text message",
				   len);
	buf_init(&whole, TEXT_MAX);
	buf_init(&simple, TEXT_MAX);
	if (add_all(letter, content, len, &whole, f) == 0) {
		if (options->exact)
			buf_add(&simple, buf_bytes(&whole), whole.len);
		else
			segments_simplify(buf_bytes(&whole), whole.len, &simple);
		result = fit(letter, &simple, options, ret, f);
	}
	buf_clear(&simple);
	buf_clear(&whole);
	return result;
}
