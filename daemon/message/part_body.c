/* message/part_body.c - 7 bit, quoted-printable and base64 (RFC 2045 6.7, 6.8) by
 * GMime's step encoders, whose line ends are LF. What is a part is for compose.c. */
#include "message/part_body.h"

#include <string.h>

#include "buf.h"

enum {
	BLOCK = 4096, /* read at a time; bounds what stands on the stack */
	LINE_MAX_OCTETS = 998,
};

/* ---- which ---- */

/* Nothing in it that needs an encoding. */
static bool is_seven_bit(const char *bytes, size_t len)
{
	size_t line = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c == '\n' || (c == '\r' && i + 1 < len && bytes[i + 1] == '\n')) {
			line = 0;
			continue;
		}
		if (c > 0x7e || !c || c == '\r' || ++line > LINE_MAX_OCTETS)
			return false;
	}
	return true;
}

enum part_encoding part_encoding_for_text(const char *bytes, size_t len, bool whole)
{
	if (whole && is_seven_bit(bytes, len))
		return PART_7BIT;
	size_t escaped = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		escaped += c > 0x7e || c == '=' || (c < ' ' && c != '\t' && c != '\n' && c != '\r');
	}
	return 2 * escaped > len / 3 ? PART_BASE64 : PART_QUOTED_PRINTABLE;
}

const char *part_encoding_name(enum part_encoding encoding)
{
	switch (encoding) {
	case PART_7BIT:
		return "7bit";
	case PART_QUOTED_PRINTABLE:
		return "quoted-printable";
	case PART_BASE64:
		return "base64";
	}
	return "binary";
}

uint64_t part_encoded_size(enum part_encoding encoding, bool is_text, uint64_t len)
{
	if (is_text) /* line ends grow; what is escaped is at most a sixth */
		len += len / 16;
	if (encoding == PART_7BIT)
		return len;
	return (len + 2) / 3 * 4 + (len + 56) / 57 * 2;
}

/* ---- how ---- */

void part_body_init(struct part_body *p, enum part_encoding encoding, bool is_text)
{
	*p = (struct part_body){.encoding = encoding, .is_text = is_text};
	g_mime_encoding_init_encode(&p->state, encoding == PART_BASE64
						       ? GMIME_CONTENT_ENCODING_BASE64
						       : GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
}

/* LF and CRLF become CRLF; to has room for twice as much. */
static size_t to_crlf(struct part_body *p, const char *from, size_t len, char *to)
{
	char *start = to;

	for (size_t i = 0; i < len; i++) {
		if (from[i] == '\n' && !p->after_cr)
			*to++ = '\r';
		*to++ = from[i];
		p->after_cr = from[i] == '\r';
	}
	return (size_t)(to - start);
}

/* The encoders write LF and never a CR. */
static int add_with_crlf(const char *from, size_t len, struct buf *out)
{
	while (len) {
		const char *end = memchr(from, '\n', len);
		size_t n = end ? (size_t)(end - from) : len;
		char *to = buf_room(out, n + 2);

		if (!to)
			return -1;
		memcpy(to, from, n);
		memcpy(to + n, "\r\n", 2);
		buf_wrote(out, end ? n + 2 : n);
		n += end ? 1 : 0;
		from += n;
		len -= n;
	}
	return 0;
}

static int add_block(struct part_body *p, const char *bytes, size_t len, struct buf *out)
{
	char canonical[2 * BLOCK];
	char encoded[GMIME_QP_ENCODE_LEN(2 * BLOCK)];

	if (p->is_text && p->encoding != PART_QUOTED_PRINTABLE) {
		len = to_crlf(p, bytes, len, canonical);
		bytes = canonical;
	}
	if (p->encoding == PART_7BIT)
		return buf_add(out, bytes, len);
	size_t n = g_mime_encoding_step(&p->state, bytes, len, encoded);

	return add_with_crlf(encoded, n, out);
}

int part_body_add(struct part_body *p, const char *bytes, size_t len, struct buf *out)
{
	if (len)
		p->in_line = bytes[len - 1] != '\n';
	while (len) {
		size_t n = len < BLOCK ? len : BLOCK;

		if (add_block(p, bytes, n, out) < 0)
			return -1;
		bytes += n;
		len -= n;
	}
	return 0;
}

int part_body_end(struct part_body *p, bool end_line, struct buf *out)
{
	if (p->encoding != PART_7BIT) {
		char encoded[256];
		size_t n = g_mime_encoding_flush(&p->state, "", 0, encoded);

		if (add_with_crlf(encoded, n, out) < 0)
			return -1;
	}
	if (!end_line || !p->in_line || p->encoding == PART_BASE64)
		return 0;
	return buf_add(out, "\r\n", 2);
}
