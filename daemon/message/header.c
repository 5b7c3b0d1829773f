/* message/header.c - writes header fields. Which fields a mail has, and in which
 * order, is for compose.c and raw.c.
 *
 *   encoded-word = "=?UTF-8?B?" base64 "?="    at most 75 characters (RFC 2047)
 *   parameter    = name "*" n "*=" value       sections of RFC 2231
 *
 * GMime's own encoders pass encoded words in a value through, lose runs of spaces
 * and cut characters between the sections of a parameter; what is written here is
 * read back to the same text by the strict and by the lenient. */
#include "message/header.h"

#include <string.h>
#include <time.h>

#include "address.h"
#include "alloc.h"
#include "auto.h"
#include "base64.h"
#include "buf.h"

enum {
	FOLD_COLUMN = 76,
	WORD_MAX = 200,  /* a longer run without a space can't be folded */
	WORD_FRAME = 12, /* =?UTF-8?B? and ?= */
	FILENAME_MAX_PLAIN = 48,
	SECTION_OCTETS = 18, /* of a parameter, before they are encoded */
};

struct line {
	struct buf *out;
	size_t column;
	size_t indent; /* column behind the field's name: nothing was written yet */
};

static struct line line_begin(struct buf *out, const char *name)
{
	size_t column = strlen(name) + 1;

	buf_printf(out, "%s:", name);
	return (struct line){.out = out, .column = column, .indent = column};
}

static void line_end(struct line *l)
{
	buf_add(l->out, "\r\n", 2);
}

/* A space, or a new line that begins with one where len more octets don't fit. */
static void line_space(struct line *l, size_t len)
{
	if (l->column + 1 + len > FOLD_COLUMN && l->column > l->indent) {
		buf_add(l->out, "\r\n", 2);
		l->column = 0;
	}
	buf_add(l->out, " ", 1);
	l->column++;
}

static void line_word(struct line *l, const char *word, size_t len)
{
	line_space(l, len);
	buf_add(l->out, word, len);
	l->column += len;
}

static void line_words(struct line *l, const char *text)
{
	for (;;) {
		size_t len = strcspn(text, " ");

		line_word(l, text, len);
		if (!text[len])
			return;
		text += len + 1;
	}
}

/* Stays the same when its words are folded and read back as RFC 2047 says. */
static bool is_plain(const char *text)
{
	size_t run = 0;

	for (const char *c = text; *c; c++) {
		if (*c < ' ' || *c > '~' || (c[0] == '=' && c[1] == '?'))
			return false;
		if (*c == ' ' && !run)
			return false;
		run = *c == ' ' ? 0 : run + 1;
		if (run > WORD_MAX)
			return false;
	}
	return run > 0;
}

/* At most max octets of text, cut between characters; at least one octet. */
static size_t take_characters(const char *text, size_t len, size_t max)
{
	if (len <= max)
		return len;
	size_t cut = max;

	while (cut > 0 && max - cut < 3 && ((unsigned char)text[cut] & 0xc0) == 0x80)
		cut--;
	return cut && ((unsigned char)text[cut] & 0xc0) != 0x80 ? cut : max;
}

static void line_encoded(struct line *l, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		size_t used = l->column + 1 + WORD_FRAME;
		size_t room = used < FOLD_COLUMN ? (FOLD_COLUMN - used) / 4 * 3 : 0;

		if (room < 12)
			room = (FOLD_COLUMN - 1 - WORD_FRAME) / 4 * 3;
		size_t n = take_characters(text, len, room);

		line_space(l, (n + 2) / 3 * 4 + WORD_FRAME);
		size_t before = l->out->len;

		buf_add_text(l->out, "=?UTF-8?B?");
		base64_encode(l->out, text, n);
		buf_add_text(l->out, "?=");
		l->column += l->out->len - before;
		text += n;
		len -= n;
	}
}

/* Encoded words are read back too: what is a line end in them is one to somebody. */
static char *without_controls(const char *text)
{
	char *copy = xstrdup(text);

	for (char *c = copy; *c; c++)
		if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
			*c = ' ';
	return copy;
}

void header_add_text(struct buf *out, const char *name, const char *value)
{
	AUTO(free) char *text = without_controls(value);
	struct line l = line_begin(out, name);

	if (is_plain(text))
		line_words(&l, text);
	else
		line_encoded(&l, text);
	line_end(&l);
}

/* Printable and without spaces, so that it is one word. */
static void line_token(struct line *l, const char *token, size_t max)
{
	size_t len = strnlen(token, max);
	char *copy = xstrndup(token, len);

	for (char *c = copy; *c; c++)
		if (*c <= ' ' || *c > '~')
			*c = '_';
	line_word(l, copy, len);
	free(copy);
}

void header_add_plain(struct buf *out, const char *name, const char *value)
{
	struct line l = line_begin(out, name);

	while (*value) {
		size_t len = strcspn(value, " ");

		line_token(&l, value, len < 900 ? len : 900);
		value += len + (value[len] == ' ');
	}
	line_end(&l);
}

void header_add_date(struct buf *out, const char *name, int64_t ms)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;

	if (!localtime_r(&seconds, &tm) || tm.tm_year < -900 || tm.tm_year > 8099) {
		seconds = 0;
		localtime_r(&seconds, &tm);
	}
	long offset = tm.tm_gmtoff / 60;
	long minutes = offset < 0 ? -offset : offset;

	buf_printf(out, "%s: %.3s, %d %.3s %d %02d:%02d:%02d %c%02ld%02ld\r\n", name,
		   days + 3 * (tm.tm_wday % 7), tm.tm_mday, months + 3 * (tm.tm_mon % 12),
		   tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec, offset < 0 ? '-' : '+',
		   minutes / 60, minutes % 60);
}

/* atext of RFC 5322 and spaces: a phrase that needs no quotes */
static bool is_atoms(const char *text)
{
	static const char atext[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789!#$%&'*+-/=?^_`{|}~ ";

	return !text[strspn(text, atext)];
}

static void line_quoted(struct line *l, const char *text)
{
	char *quoted = xmalloc(2 * strlen(text) + 3);
	char *to = quoted;

	*to++ = '"';
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			*to++ = '\\';
		*to++ = *text;
	}
	*to++ = '"';
	*to = '\0';
	line_words(l, quoted);
	free(quoted);
}

static void line_phrase(struct line *l, const char *name)
{
	AUTO(free) char *text = without_controls(name);

	if (!is_plain(text))
		line_encoded(l, text);
	else if (is_atoms(text))
		line_words(l, text);
	else
		line_quoted(l, text);
}

static void line_address(struct line *l, const struct address *a, bool more)
{
	const char *spec = a->needs_smtputf8 ? a->mailbox : a->ascii;
	AUTO(free) char *clean = without_controls(spec ? spec : "");
	bool named = a->name && *a->name;

	if (named)
		line_phrase(l, a->name);
	AUTO(free) char *word = xprintf(named ? "<%s>%s" : "%s%s", clean, more ? "," : "");

	line_word(l, word, strlen(word));
}

void header_add_addresses(struct buf *out, const char *name, const struct address *list, size_t n)
{
	struct line l = line_begin(out, name);

	for (size_t i = 0; i < n; i++)
		line_address(&l, &list[i], i + 1 < n);
	line_end(&l);
}

/* attribute-char of RFC 2231 */
static bool is_attribute_char(char c)
{
	return c > ' ' && c <= '~' && !strchr("*'%()<>@,;:\\\"/[]?=", c);
}

static void add_percent(struct buf *out, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (is_attribute_char(bytes[i]))
			buf_add(out, bytes + i, 1);
		else
			buf_printf(out, "%%%02X", (unsigned char)bytes[i]);
}

static void add_sections(struct buf *out, const char *value, size_t len)
{
	bool whole = len <= SECTION_OCTETS;

	for (unsigned number = 0; len; number++) {
		size_t n = take_characters(value, len, SECTION_OCTETS);

		buf_add_text(out, ";\r\n filename");
		if (!whole)
			buf_printf(out, "*%u", number);
		buf_add_text(out, number ? "*=" : "*=UTF-8''");
		add_percent(out, value, n);
		value += n;
		len -= n;
	}
}

/* Quoted as it is when no reader could see anything else in it. */
static void add_filename(struct buf *out, const char *filename)
{
	size_t len = strlen(filename);

	if (len <= FILENAME_MAX_PLAIN && is_plain(filename) && !strpbrk(filename, "\"\\%"))
		buf_printf(out, ";\r\n filename=\"%s\"", filename);
	else
		add_sections(out, filename, len);
}

void header_add_attachment(struct buf *out, const char *type, const char *encoding,
			   const char *filename)
{
	header_add_plain(out, "Content-Type", type);
	header_add_plain(out, "Content-Transfer-Encoding", encoding);
	buf_add_text(out, "Content-Disposition: attachment");
	if (filename && *filename) {
		AUTO(free) char *clean = without_controls(filename);

		add_filename(out, clean);
	}
	buf_add_text(out, "\r\n");
}
