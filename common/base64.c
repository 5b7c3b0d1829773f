/* common/base64.c - RFC 4648 section 4. Refuses what has two readings: wrong
 * padding, bytes behind it, bits set that stand for nothing. */
#include "base64.h"

#include <stdint.h>
#include <string.h>

#include "buf.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum { CODE_BLANK = -1, CODE_PAD = -2, CODE_BAD = -3 };

static int code_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	if (c == '/')
		return 63;
	if (c == '=')
		return CODE_PAD;
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' ? CODE_BLANK : CODE_BAD;
}

int base64_encode(struct buf *out, const void *bytes, size_t len)
{
	const unsigned char *in = bytes;

	if (len > SIZE_MAX / 2)
		return -1;
	size_t size = (len + 2) / 3 * 4;
	char *to = buf_room(out, size);

	if (!to)
		return -1;
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t bits = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
				(left > 2 ? in[i + 2] : 0);

		*to++ = alphabet[bits >> 18];
		*to++ = alphabet[bits >> 12 & 63];
		*to++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
		*to++ = left > 2 ? alphabet[bits & 63] : '=';
	}
	buf_wrote(out, size);
	return 0;
}

/* Counts the characters that carry bits. -1: text is not base64. */
static int count_codes(const char *text, size_t len, size_t *ret_codes)
{
	size_t codes = 0, pads = 0;
	int last = 0;

	for (size_t i = 0; i < len; i++) {
		int code = code_of(text[i]);

		if (code == CODE_BAD || (code >= 0 && pads))
			return -1;
		pads += code == CODE_PAD;
		codes += code >= 0;
		last = code >= 0 ? code : last;
	}
	int unused = codes % 4 == 2 ? 15 : codes % 4 == 3 ? 3 : 0;

	if (pads > 2 || (codes + pads) % 4 || last & unused)
		return -1;
	*ret_codes = codes;
	return 0;
}

int base64_decode(struct buf *out, const char *text, size_t len)
{
	size_t codes;

	if (count_codes(text, len, &codes) < 0)
		return -1;
	size_t size = codes / 4 * 3 + (codes % 4 ? codes % 4 - 1 : 0);
	char *to = buf_room(out, size);
	uint32_t bits = 0;
	unsigned held = 0;

	if (!to)
		return -1;
	for (size_t i = 0; i < len; i++) {
		int code = code_of(text[i]);

		if (code < 0)
			continue;
		bits = bits << 6 | (uint32_t)code;
		held += 6;
		if (held >= 8) {
			held -= 8;
			*to++ = (char)(bits >> held & 0xff);
		}
	}
	buf_wrote(out, size);
	return 0;
}
