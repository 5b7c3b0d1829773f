/* common/segments.c - decides the alphabet of a text and where its seams are. The
 * tables are 3GPP TS 23.038's, sorted by code point. Which characters stay together
 * follows UAX #29's extended grapheme clusters as far as text messages show them:
 * modifiers, joiners, variation selectors, combining marks, flags. */
#include "segments.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

enum {
	GSM_WHOLE = 160,
	GSM_PART = 153, /* six octets go to the header that joins the parts */
	UCS_WHOLE = 70,
	UCS_PART = 67,
	BAD_OCTET = 0xFFFD,
	JOINER = 0x200D,
};

/* Of the basic table, what is not ASCII, and of ASCII what it has: one septet each. */
static const uint16_t basic[] = {
	0xA1, 0xA3, 0xA4, 0xA5,  0xA7,  0xBF,  0xC4,  0xC5,  0xC6,  0xC7,  0xC9,  0xD1,  0xD6,
	0xD8, 0xDC, 0xDF, 0xE0,  0xE4,  0xE5,  0xE6,  0xE8,  0xE9,  0xEC,  0xF1,  0xF2,  0xF6,
	0xF8, 0xF9, 0xFC, 0x393, 0x394, 0x398, 0x39B, 0x39E, 0x3A0, 0x3A3, 0x3A6, 0x3A8, 0x3A9,
};

/* Of the extension table: an escape goes before them. */
static const char extension[] = "\f^{}\\[~]|";
#define EURO 0x20AC

/* What may stand for what. Two octets at most: a text grows by no more. */
static const struct look_alike {
	uint16_t from;
	const char *to;
} look_alikes[] = {
	{0x09, " "},     {0x60, "'"},    {0xA0, " "},    {0xAB, "\""},   {0xAD, ""},
	{0xB4, "'"},     {0xB7, "."},    {0xBB, "\""},   {0xD7, "x"},    {0x2B9, "'"},
	{0x2BB, "'"},    {0x2BC, "'"},   {0x2C8, "'"},   {0x2000, " "},  {0x2001, " "},
	{0x2002, " "},   {0x2003, " "},  {0x2004, " "},  {0x2005, " "},  {0x2006, " "},
	{0x2007, " "},   {0x2008, " "},  {0x2009, " "},  {0x200A, " "},  {0x200B, ""},
	{0x2010, "-"},   {0x2011, "-"},  {0x2012, "-"},  {0x2013, "-"},  {0x2014, "-"},
	{0x2015, "-"},   {0x2018, "'"},  {0x2019, "'"},  {0x201A, "'"},  {0x201B, "'"},
	{0x201C, "\""},  {0x201D, "\""}, {0x201E, "\""}, {0x201F, "\""}, {0x2022, "-"},
	{0x2026, "..."}, {0x2028, "\n"}, {0x2029, "\n"}, {0x202F, " "},  {0x2032, "'"},
	{0x2033, "\""},  {0x2039, "'"},  {0x203A, "'"},  {0x2043, "-"},  {0x2044, "/"},
	{0x205F, " "},   {0x2060, ""},   {0x2212, "-"},  {0x2215, "/"},  {0x3000, " "},
	{0xFEFF, ""},
};

struct reader {
	const char *at, *end;
};

/* The next character; octets that are no UTF-8 count one by one. */
static uint32_t next(struct reader *r)
{
	unsigned char first = (unsigned char)*r->at++;
	unsigned more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0;
	uint32_t c = more ? first & (0x3Fu >> more) : first;

	if (first < 0x80)
		return first;
	if (!more || (size_t)(r->end - r->at) < more)
		return BAD_OCTET;
	for (unsigned i = 0; i < more; i++) {
		if ((r->at[i] & 0xC0) != 0x80)
			return BAD_OCTET;
		c = c << 6 | (r->at[i] & 0x3F);
	}
	r->at += more;
	return c;
}

static int compare(const void *a, const void *b)
{
	const uint16_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Septets it takes; 0: it is not in the alphabet. */
static unsigned septets(uint32_t c)
{
	uint16_t key = (uint16_t)c;

	if (c == EURO || (c && c < 0x80 && strchr(extension, (int)c)))
		return 2;
	if (c < 0x80)
		return c == '`' || c == 0x7F || (c < 0x20 && c != '\n' && c != '\r') ? 0 : 1;
	return c < 0x400 &&
	       bsearch(&key, basic, sizeof(basic) / sizeof(*basic), sizeof(*basic), compare);
}

static unsigned units16(uint32_t c)
{
	return c > 0xFFFF ? 2 : 1;
}

static bool is_flag_half(uint32_t c)
{
	return c >= 0x1F1E6 && c <= 0x1F1FF;
}

/* Does it belong to the character before it? */
static bool extends(uint32_t c)
{
	return (c >= 0x300 && c <= 0x36F) || (c >= 0x20D0 && c <= 0x20FF) || c == 0x200C ||
	       c == JOINER || (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0x1F3FB && c <= 0x1F3FF) ||
	       (c >= 0xE0020 && c <= 0xE007F);
}

static bool is_pictograph(uint32_t c)
{
	return (c >= 0x2190 && c <= 0x3299) || (c >= 0x1F000 && c <= 0x1FAFF);
}

/* Reads what must not be cut in two; returns its size in units. */
static unsigned cluster(struct reader *r, enum sms_alphabet alphabet)
{
	uint32_t c = next(r);
	unsigned units = alphabet == SMS_GSM7 ? septets(c) : units16(c);
	bool flag = is_flag_half(c), joined = false;

	while (alphabet == SMS_UCS2 && r->at < r->end) {
		struct reader ahead = *r;
		uint32_t more = next(&ahead);

		if (c == '\r' && more == '\n')
			units++;
		else if (extends(more) || (joined && is_pictograph(more)) ||
			 (flag && is_flag_half(more)))
			units += units16(more);
		else
			break;
		flag = false;
		joined = more == JOINER && is_pictograph(c);
		if (!extends(more))
			c = more;
		*r = ahead;
		if (c == '\n')
			break;
	}
	return units;
}

static enum sms_alphabet alphabet_of(const char *text, size_t len, size_t *ret_units)
{
	struct reader r = {text, text + len};
	size_t gsm = 0, ucs = 0;
	bool fits = true;

	while (r.at < r.end) {
		uint32_t c = next(&r);
		unsigned n = septets(c);

		fits &= n > 0;
		gsm += n;
		ucs += units16(c);
	}
	*ret_units = fits ? gsm : ucs;
	return fits ? SMS_GSM7 : SMS_UCS2;
}

void segments_count(const char *text, size_t len, size_t most, struct segments *ret)
{
	struct reader r = {text, text + len};
	size_t whole, part, used = 0;

	*ret = (struct segments){.segments = 1};
	ret->alphabet = alphabet_of(text, len, &ret->units);
	whole = ret->alphabet == SMS_GSM7 ? GSM_WHOLE : UCS_WHOLE;
	part = ret->alphabet == SMS_GSM7 ? GSM_PART : UCS_PART;
	if (ret->units <= whole) {
		ret->fits = most ? len : 0;
		return;
	}
	while (r.at < r.end) {
		const char *start = r.at;
		unsigned units = cluster(&r, ret->alphabet);

		if (used + units > part && used) {
			ret->segments++;
			used = 0;
		}
		for (; units > part; units -= (unsigned)part) /* longer than a segment by itself */
			ret->segments++;
		used += units;
		if (ret->segments <= most)
			ret->fits = (size_t)(r.at - text);
		else if (ret->fits > (size_t)(start - text))
			ret->fits = (size_t)(start - text);
	}
}

const char *sms_alphabet_name(enum sms_alphabet alphabet)
{
	return alphabet == SMS_GSM7 ? "GSM-7" : "UCS-2";
}

static const char *look_alike_of(uint32_t c)
{
	uint16_t key = (uint16_t)c;
	const struct look_alike *found =
		c > 0xFFFF ? NULL
			   : bsearch(&key, look_alikes, sizeof(look_alikes) / sizeof(*look_alikes),
				     sizeof(*look_alikes), compare);

	return found ? found->to : NULL;
}

bool segments_simplify(const char *text, size_t len, struct buf *out)
{
	struct reader r = {text, text + len};
	struct segments before, after;
	size_t start = out->len;
	bool changed = false;

	while (r.at < r.end) {
		const char *from = r.at;
		const char *to = look_alike_of(next(&r));

		changed |= to != NULL;
		if (to)
			buf_add_text(out, to);
		else
			buf_add(out, from, (size_t)(r.at - from));
	}
	if (!changed)
		return false;
	segments_count(text, len, 0, &before);
	segments_count(buf_bytes(out) + start, out->len - start, 0, &after);
	if (after.alphabet == SMS_GSM7 || after.segments < before.segments)
		return true;
	out->len = start;
	buf_add(out, text, len);
	return false;
}
