/* message/parse_body.c - undoes transfer encodings (RFC 2045 6) and charsets. What is
 * damaged is read as far as it makes sense, and nothing is lost: what can't be decoded stays
 * as it came. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <gmime/gmime.h>

#include "alloc.h"
#include "message/mime.h"
#include "message/parse_room.h"
#include "text.h"

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* What is not of the alphabet is passed over; padding that completes a group ends it. */
static char *base64(struct range in, size_t *ret_len, unsigned *flaws)
{
	char *out = xmalloc((size_t)(in.end - in.at) + 1);
	size_t n = 0;
	unsigned bits = 0, have = 0, pads = 0;

	for (const char *c = in.at; c < in.end && (have < 2 || have + pads < 4); c++) {
		int value = base64_value(*c);

		if (*c == '=' && have >= 2)
			pads++;
		if (value < 0)
			continue;
		pads = 0;
		bits = bits << 6 | (unsigned)value;
		if (have++ > 0)
			out[n++] = (char)(bits >> (8 - 2 * have) & 0xFF);
		if (have == 4)
			bits = have = 0;
	}
	if (have == 1) { /* cut in the middle: as it came */
		*flaws |= FLAW_MIME;
		free(out);
		*ret_len = (size_t)(in.end - in.at);
		return xmemdup(in.at, *ret_len);
	}
	out[n] = '\0';
	*ret_len = n;
	return out;
}

static int hex_value(char c)
{
	return isxdigit((unsigned char)c)
		       ? (isdigit((unsigned char)c) ? c - '0' : (c | 32) - 'a' + 10)
		       : -1;
}

/* Behind an "=": a soft line break is passed over, what is no code stays. */
static const char *quoted_code(const char *c, const char *end, char *out, size_t *n)
{
	if (c == end)
		return c;
	if (*c == '\r' || *c == '\n') {
		while (c < end && *c != '\n')
			c++;
		return c < end ? c + 1 : c;
	}
	if (*c == '=') {
		out[(*n)++] = '=';
		return c + 1;
	}
	if (c + 1 < end && hex_value(c[0]) >= 0 && hex_value(c[1]) >= 0) {
		out[(*n)++] = (char)(hex_value(c[0]) << 4 | hex_value(c[1]));
		return c + 2;
	}
	out[(*n)++] = '=';
	return c;
}

static char *quoted_printable(struct range in, size_t *ret_len)
{
	char *out = xmalloc((size_t)(in.end - in.at) + 1);
	size_t n = 0;

	for (const char *c = in.at; c < in.end;) {
		if (*c == '=')
			c = quoted_code(c + 1, in.end, out, &n);
		else
			out[n++] = *c++;
	}
	out[n] = '\0';
	*ret_len = n;
	return out;
}

char *word_decode(char encoding, struct range text, size_t *ret_len)
{
	size_t len = (size_t)(text.end - text.at);
	unsigned flaws = 0;

	if (encoding == 'B')
		return base64(text, ret_len, &flaws);
	char *spaced = xmemdup(text.at, len);

	for (char *c = spaced; c < spaced + len; c++)
		*c = *c == '_' ? ' ' : *c;
	char *ret = quoted_printable((struct range){spaced, spaced + len}, ret_len);

	free(spaced);
	return ret;
}

/* Only what stands between "begin" and "end". */
static char *uuencoded(struct range in, size_t *ret_len)
{
	GMimeEncoding state;
	size_t size = (size_t)(in.end - in.at);

	mime_begin();
	g_mime_encoding_init_decode(&state, GMIME_CONTENT_ENCODING_UUENCODE);
	char *out = xmalloc(g_mime_encoding_outlen(&state, size) + 1);

	*ret_len = g_mime_encoding_step(&state, in.at, size, out);
	out[*ret_len] = '\0';
	return out;
}

static bool is_word(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (strcasecmp(word, *words) == 0)
			return true;
	return false;
}

char *body_decode(const struct mail_field *encoding, struct range body, size_t *ret_len,
		  unsigned *flaws)
{
	static const char *const uu[] = {"x-uuencode", "uuencode", "uue", "x-uue", NULL};
	static const char *const plain[] = {"", "7bit", "8bit", "binary", NULL};
	char *word = encoding ? mime_unfold(encoding->value, encoding->value_len) : xstrdup("");
	char *ret;

	if (strcasecmp(word, "base64") == 0) {
		ret = base64(body, ret_len, flaws);
	} else if (strcasecmp(word, "quoted-printable") == 0) {
		ret = quoted_printable(body, ret_len);
	} else if (is_word(word, uu)) {
		ret = uuencoded(body, ret_len);
	} else {
		*flaws |= is_word(word, plain) ? 0 : FLAW_MIME;
		*ret_len = (size_t)(body.end - body.at);
		ret = xmemdup(body.at, *ret_len);
	}
	free(word);
	return ret;
}

/* ---- charsets ---- */

/* NULL: nobody knows the charset, or an octet is not of it. */
static char *converted(const char *bytes, size_t len, const char *charset, size_t *ret_len)
{
	gsize read = 0, written = 0;
	const char *known;
	char *utf8, *ret;

	mime_begin();
	known = g_mime_charset_iconv_name(charset);
	utf8 = g_convert(bytes, (gssize)len, "UTF-8", known, &read, &written, NULL);
	if (!utf8)
		return NULL;
	ret = xmemdup(utf8, written);
	*ret_len = written;
	g_free(utf8);
	return ret;
}

static bool has_c1(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)bytes[i] >= 0x80 && (unsigned char)bytes[i] < 0xA0)
			return true;
	return false;
}

static bool is_ascii_name(const char *charset)
{
	static const char *const names[] = {"us-ascii", "ascii",        "utf-8",
					    "utf8",     "unknown-8bit", NULL};

	return !charset || is_word(charset, names);
}

static bool is_latin1_name(const char *charset)
{
	static const char *const names[] = {"iso-8859-1", "latin1", "iso8859-1", "iso_8859-1",
					    NULL};

	return is_word(charset, names);
}

/* LF line ends, no NUL, in place. */
static size_t lines(char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\r' && i + 1 < len && text[i + 1] == '\n')
			continue;
		text[n++] = text[i] == '\r' ? '\n' : text[i] ? text[i] : ' ';
	}
	text[n] = '\0';
	return n;
}

static bool is_utf8_but_nul(const char *bytes, size_t len)
{
	const char *end = bytes + len;

	while (bytes < end) {
		const char *nul = memchr(bytes, 0, (size_t)(end - bytes));
		size_t piece = (size_t)((nul ? nul : end) - bytes);

		if (!text_is_utf8(bytes, piece))
			return false;
		bytes += piece + (nul != NULL);
	}
	return true;
}

char *body_text(const char *bytes, size_t len, const char *charset, size_t *ret_len,
		unsigned *flaws)
{
	char *text = NULL;
	size_t n = 0;

	if (len > PARSE_TEXT_MAX) {
		*flaws |= FLAW_LARGE;
		len = PARSE_TEXT_MAX;
		while (len && (bytes[len] & 0xC0) == 0x80)
			len--;
	}
	if (!is_ascii_name(charset)) {
		if (is_latin1_name(charset) && has_c1(bytes, len))
			charset = "windows-1252";
		text = converted(bytes, len, charset, &n);
		*flaws |= text ? 0 : FLAW_CHARSET;
	}
	if (!text && is_utf8_but_nul(bytes, len)) {
		n = len;
		text = xmemdup(bytes, len);
	}
	if (!text) {
		*flaws |= FLAW_CHARSET;
		text = converted(bytes, len, "windows-1252", &n);
	}
	if (!text)
		text = converted(bytes, len, "iso-8859-1", &n);
	if (!text)
		text = xstrdup("");
	*ret_len = lines(text, n);
	return text;
}
