/* mailbox/imap_say.c - decides how a string is put. */
#include "mailbox/imap_say.h"

#include <string.h>

#include "secret.h"
#include "text.h"

#define QUOTED_MAX 1000 /* some servers take no longer ones */
#define MINUS_MAX 4096  /* LITERAL-: larger ones must wait */
#define UIDS_BYTES_MAX 4000

void imap_command_init(struct imap_command *c)
{
	*c = (struct imap_command){.nstops = 0};
	buf_init(&c->bytes, IMAP_COMMAND_MAX);
}

void imap_command_wipe(struct imap_command *c)
{
	buf_wipe(&c->bytes);
	c->nstops = 0;
}

static bool can_be_quoted(const char *bytes, size_t len, bool utf8)
{
	if (len > QUOTED_MAX || memchr(bytes, '\r', len) || memchr(bytes, '\n', len))
		return false;
	return utf8 ? text_is_utf8(bytes, len) : text_is_ascii(bytes, len);
}

static int add_quoted(struct imap_command *c, const char *bytes, size_t len)
{
	int bad = buf_add(&c->bytes, "\"", 1);

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '"' || bytes[i] == '\\')
			bad |= buf_add(&c->bytes, "\\", 1);
		bad |= buf_add(&c->bytes, bytes + i, 1);
	}
	return bad | buf_add(&c->bytes, "\"", 1);
}

static int add_literal(struct imap_command *c, enum imap_literals literals, const char *bytes,
		       size_t len)
{
	bool waits = literals == IMAP_LITERALS_WAIT ||
		     (literals == IMAP_LITERALS_MINUS && len > MINUS_MAX);

	if ((waits && c->nstops == IMAP_STOPS_MAX) ||
	    buf_printf(&c->bytes, "{%zu%s}\r\n", len, waits ? "" : "+") < 0)
		return -1;
	if (waits)
		c->stops[c->nstops++] = c->bytes.len;
	return buf_add(&c->bytes, bytes, len);
}

int imap_add_string(struct imap_command *c, enum imap_literals literals, const char *bytes,
		    size_t len)
{
	if (memchr(bytes, '\0', len))
		return -1;
	if (can_be_quoted(bytes, len, false))
		return add_quoted(c, bytes, len);
	return add_literal(c, literals, bytes, len);
}

/* --- modified UTF-7 --- */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

struct shifted {
	uint32_t bits;
	unsigned nbits;
};

static int add_unit(struct buf *out, struct shifted *s, uint32_t unit)
{
	int bad = 0;

	s->bits = s->bits << 16 | unit;
	s->nbits += 16;
	while (s->nbits >= 6) {
		s->nbits -= 6;
		bad |= buf_add(out, &digits[s->bits >> s->nbits & 63], 1);
	}
	return bad;
}

static int shift_out(struct buf *out, struct shifted *s)
{
	int bad = 0;

	if (s->nbits > 0)
		bad = buf_add(out, &digits[s->bits << (6 - s->nbits) & 63], 1);
	*s = (struct shifted){0};
	return bad | buf_add(out, "-", 1);
}

/* The next character of valid UTF-8. */
static uint32_t next_character(const char **at)
{
	const unsigned char *c = (const unsigned char *)*at;
	unsigned more = c[0] < 0x80 ? 0 : c[0] < 0xe0 ? 1 : c[0] < 0xf0 ? 2 : 3;
	uint32_t code = more ? c[0] & (0x3fu >> more) : c[0];

	for (unsigned i = 1; i <= more; i++)
		code = code << 6 | (c[i] & 0x3f);
	*at += more + 1;
	return code;
}

static int add_shifted(struct buf *out, struct shifted *s, uint32_t code)
{
	if (code < 0x10000)
		return add_unit(out, s, code);
	code -= 0x10000;
	return add_unit(out, s, 0xd800 | code >> 10) | add_unit(out, s, 0xdc00 | (code & 0x3ff));
}

static int to_utf7(struct buf *out, const char *name)
{
	struct shifted s = {0};
	bool shifted = false;
	int bad = 0;

	while (*name) {
		uint32_t code = next_character(&name);
		bool plain = code >= ' ' && code <= '~';

		if (shifted && plain)
			bad |= shift_out(out, &s);
		if (!shifted && !plain)
			bad |= buf_add(out, "&", 1);
		shifted = !plain;
		if (!plain)
			bad |= add_shifted(out, &s, code);
		else
			bad |= buf_add(out, code == '&' ? "&-" : (const char[]){(char)code},
				       code == '&' ? 2 : 1);
	}
	return shifted ? bad | shift_out(out, &s) : bad;
}

int imap_add_folder(struct imap_command *c, const char *name, bool utf8)
{
	size_t len = strlen(name);
	struct buf wire;
	int bad;

	if (!text_is_utf8(name, len) || !text_is_one_line(name, len) || len > QUOTED_MAX)
		return -1;
	if (utf8)
		return add_quoted(c, name, len);
	buf_init(&wire, IMAP_COMMAND_MAX);
	bad = to_utf7(&wire, name);
	if (!bad)
		bad = add_quoted(c, buf_bytes(&wire), wire.len);
	buf_clear(&wire);
	return bad ? -1 : 0;
}

static int add_character(struct buf *out, uint32_t code)
{
	char bytes[4];

	if (code < 0x80) {
		bytes[0] = (char)code;
		return buf_add(out, bytes, 1);
	}
	if (code < 0x800) {
		bytes[0] = (char)(0xc0 | code >> 6);
		bytes[1] = (char)(0x80 | (code & 0x3f));
		return buf_add(out, bytes, 2);
	}
	if (code < 0x10000) {
		bytes[0] = (char)(0xe0 | code >> 12);
		bytes[1] = (char)(0x80 | (code >> 6 & 0x3f));
		bytes[2] = (char)(0x80 | (code & 0x3f));
		return buf_add(out, bytes, 3);
	}
	bytes[0] = (char)(0xf0 | code >> 18);
	bytes[1] = (char)(0x80 | (code >> 12 & 0x3f));
	bytes[2] = (char)(0x80 | (code >> 6 & 0x3f));
	bytes[3] = (char)(0x80 | (code & 0x3f));
	return buf_add(out, bytes, 4);
}

/* One unit of UTF-16; *high is the first half of a pair. */
static int decode_unit(struct buf *out, uint32_t unit, uint32_t *high)
{
	if (*high) {
		uint32_t code = 0x10000 + ((*high & 0x3ff) << 10) + (unit & 0x3ff);

		*high = 0;
		return unit >> 10 == 0xdc00 >> 10 ? add_character(out, code) : -1;
	}
	if (unit >> 10 == 0xd800 >> 10) {
		*high = unit;
		return 0;
	}
	if (unit >> 10 == 0xdc00 >> 10 || unit < ' ')
		return -1;
	return add_character(out, unit);
}

/* From behind the '&' to behind the '-'. */
static int decode_shifted(struct buf *out, const char **name)
{
	struct shifted s = {0};
	uint32_t high = 0;

	for (; **name != '-'; ++*name) {
		const char *digit = **name ? strchr(digits, **name) : NULL;

		if (!digit)
			return -1;
		s.bits = s.bits << 6 | (uint32_t)(digit - digits);
		s.nbits += 6;
		if (s.nbits < 16)
			continue;
		s.nbits -= 16;
		if (decode_unit(out, s.bits >> s.nbits & 0xffff, &high) < 0)
			return -1;
	}
	++*name;
	return high ? -1 : 0;
}

int imap_folder_decode(struct buf *out, const char *name)
{
	int bad = 0;

	while (*name && !bad) {
		if (name[0] == '&' && name[1] == '-') {
			bad = buf_add(out, "&", 1);
			name += 2;
		} else if (*name == '&') {
			name++;
			bad = decode_shifted(out, &name);
		} else {
			bad = buf_add(out, name++, 1);
		}
	}
	return bad || !text_is_utf8(buf_bytes(out), out->len) ? -1 : 0;
}

/* --- sets and atoms --- */

size_t imap_add_uids(struct imap_command *c, const uint32_t *uids, size_t n)
{
	size_t begin = c->bytes.len, i = 0;

	while (i < n && c->bytes.len - begin < UIDS_BYTES_MAX) {
		size_t last = i;

		while (last + 1 < n && uids[last + 1] == uids[last] + 1)
			last++;
		buf_printf(&c->bytes, "%s%u", i > 0 ? "," : "", (unsigned)uids[i]);
		if (last > i)
			buf_printf(&c->bytes, ":%u", (unsigned)uids[last]);
		i = last + 1;
	}
	return i;
}

bool imap_is_atom(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= 200 && text_is_one_line(text, len) && text_is_ascii(text, len) &&
	       !strpbrk(text, " (){%*\"\\]");
}
