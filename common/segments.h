/* common/segments.h - how a text message travels: in which alphabet, and in how many
 * segments (3GPP TS 23.038 6.2.1, TS 23.040 9.2.3.24). Pure. */
#ifndef NUNCIO_COMMON_SEGMENTS_H
#define NUNCIO_COMMON_SEGMENTS_H
#include <stdbool.h>
#include <stddef.h>
struct buf;

enum sms_alphabet {
	SMS_GSM7, /* the default alphabet of 7 bits: 160 septets, or 153 each of several */
	SMS_UCS2, /* 16 bits: 70 UTF-16 units, or 67 each of several */
};
struct segments {
	enum sms_alphabet alphabet;
	size_t units;    /* septets (of the extension table two each), or UTF-16 units */
	size_t segments; /* an empty text is one */
	/* Octets of text that the first segments take, up to the ceiling asked for. */
	size_t fits;
};
/* text is UTF-8. No escape sequence, surrogate pair, emoji with its modifiers or flag is cut
 * in two: a seam stands before it, as phones and carriers make it. most: how many
 * segments .fits is asked for. */
void segments_count(const char *text, size_t len, size_t most, struct segments *ret);
const char *sms_alphabet_name(enum sms_alphabet alphabet); /* "GSM-7" "UCS-2" */

/* Puts text into out, look-alikes from outside the alphabet of 7 bits (curly quotes,
 * dashes, ellipsis, no-break blanks, tabs, ...) as what they look like. Text that would need
 * 16 bits all the same stays as it is, unless it gets shorter. True: something was changed. */
bool segments_simplify(const char *text, size_t len, struct buf *out);
#endif
