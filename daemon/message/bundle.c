/* message/bundle.c - decides what of several texts stands in one: as many as fit, whole
 * where that is possible, and how many more there were. */
#include "message/bundle.h"

#include <stdbool.h>
#include <string.h>

#include "buf.h"
#include "segments.h"

enum {
	BUNDLE_MAX = 64 * 1024,
	PIECE_MIN = 24, /* octets: less of a text says nothing */
};

static size_t characters(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += (text[i] & 0xC0) != 0x80;
	return n;
}

static bool fits(const struct buf *text, const struct bundle_limits *limits)
{
	struct segments s;

	segments_count(buf_bytes(text), text->len, 0, &s);
	return (!limits->segments || s.segments <= limits->segments) &&
	       (!limits->characters ||
		characters(buf_bytes(text), text->len) <= limits->characters);
}

static void add_rest(struct buf *out, size_t n)
{
	if (n)
		buf_printf(out, "\nand %zu more, see nuncio queue", n);
}

/* The first len octets of text, as an item; dots where that is not all. */
static void add_piece(struct buf *out, const char *text, size_t len)
{
	bool whole = text[len] == '\0';

	while (!whole && len > 0 && (text[len] & 0xC0) == 0x80)
		len--;
	buf_add_text(out, "\n- ");
	buf_add(out, text, len);
	if (!whole)
		buf_add_text(out, "...");
}

/* Does it fit, with what has to be said of the rest behind it? Then it stays. */
static bool try_piece(struct buf *out, const char *text, size_t len, size_t rest,
		      const struct bundle_limits *limits)
{
	struct buf whole;
	bool good;

	buf_init(&whole, 2 * BUNDLE_MAX);
	buf_add(&whole, buf_bytes(out), out->len);
	add_piece(&whole, text, len);
	size_t so_far = whole.len;

	add_rest(&whole, rest);
	good = fits(&whole, limits);
	if (good) {
		buf_drain(out, out->len);
		buf_add(out, buf_bytes(&whole), so_far);
	}
	buf_clear(&whole);
	return good;
}

static bool add_text(struct buf *out, const char *text, size_t rest, bool first,
		     const struct bundle_limits *limits)
{
	size_t len = strnlen(text, BUNDLE_MAX / 2);

	if (try_piece(out, text, len, rest, limits))
		return true;
	for (len = len * 3 / 4; len >= PIECE_MIN || (first && len > 0); len = len * 3 / 4)
		if (try_piece(out, text, len, rest, limits))
			return true;
	return false;
}

char *bundle_make(const char *const *texts, size_t n, const struct bundle_limits *limits)
{
	struct buf out;
	size_t i = 0;

	buf_init(&out, BUNDLE_MAX);
	buf_printf(&out, "%zu messages:", n);
	while (i < n && add_text(&out, texts[i], n - i - 1, i == 0, limits))
		i++;
	add_rest(&out, n - i);
	return buf_take(&out, NULL);
}
