/* common/text.c - UTF-8 by RFC 3629's grammar, safe lines, ASCII case. Knows no
 * locale. Whether a text is acceptable somewhere is for the one who asks. */
#include "text.h"

#include <string.h>

/* UTF8-octets of RFC 3629: the lead decides how many follow and, against
 * overlong forms, surrogates and what is beyond U+10FFFF, where the second
 * byte may lie. */
static const struct utf8_lead {
	unsigned char first, last; /* range of the lead byte */
	unsigned char len;
	unsigned char second_min, second_max;
} utf8_leads[] = {
	/* clang-format off */
	{ 0x00, 0x7f, 1, 0x00, 0x00 },
	{ 0xc2, 0xdf, 2, 0x80, 0xbf },
	{ 0xe0, 0xe0, 3, 0xa0, 0xbf },
	{ 0xe1, 0xec, 3, 0x80, 0xbf },
	{ 0xed, 0xed, 3, 0x80, 0x9f },
	{ 0xee, 0xef, 3, 0x80, 0xbf },
	{ 0xf0, 0xf0, 4, 0x90, 0xbf },
	{ 0xf1, 0xf3, 4, 0x80, 0xbf },
	{ 0xf4, 0xf4, 4, 0x80, 0x8f },
	/* clang-format on */
};

static const struct utf8_lead *find_lead(unsigned char c)
{
	for (size_t i = 0; i < sizeof(utf8_leads) / sizeof(*utf8_leads); i++)
		if (c >= utf8_leads[i].first && c <= utf8_leads[i].last)
			return &utf8_leads[i];
	return NULL;
}

/* Bytes of the character at the start of bytes; 0: it is none. */
static size_t character_len(const char *bytes, size_t len)
{
	const unsigned char *c = (const unsigned char *)bytes;

	if (len && *c < 0x80)
		return 1;
	const struct utf8_lead *lead = len ? find_lead(*c) : NULL;

	if (!lead || lead->len > len || c[1] < lead->second_min || c[1] > lead->second_max)
		return 0;
	for (size_t i = 2; i < lead->len; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	return lead->len;
}

/* C0, DEL, and C1 as UTF-8 writes it (U+0085 is a line end to some). */
static bool is_control(const char *bytes, size_t len)
{
	unsigned char c = (unsigned char)bytes[0];

	if (c < ' ' || c == 0x7f)
		return true;
	unsigned char next = len > 1 ? (unsigned char)bytes[1] : 0;

	return c == 0xc2 && next >= 0x80 && next <= 0x9f;
}

bool text_is_utf8(const char *bytes, size_t len)
{
	while (len) {
		size_t n = character_len(bytes, len);

		if (!n || !*bytes)
			return false;
		bytes += n;
		len -= n;
	}
	return true;
}

bool text_is_ascii(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!bytes[i] || (unsigned char)bytes[i] > 0x7f)
			return false;
	return true;
}

bool text_is_one_line(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (is_control(bytes + i, len - i))
			return false;
	return true;
}

/* Ends out, which holds at bytes, with as many dots as fit. */
static void end_with_dots(char *out, size_t at, size_t size)
{
	size_t dots = size > 3 ? 3 : size - 1;

	while (at + dots >= size) {
		at--;
		while (at > 0 && ((unsigned char)out[at] & 0xc0) == 0x80)
			at--;
	}
	memset(out + at, '.', dots);
	out[at + dots] = '\0';
}

char *text_safe_line(char *out, size_t size, const char *bytes, size_t len)
{
	size_t at = 0;

	while (len) {
		size_t n = character_len(bytes, len);
		bool safe = n && !is_control(bytes, len);
		size_t adds = safe ? n : 1;

		if (at + adds >= size) {
			end_with_dots(out, at, size);
			return out;
		}
		memcpy(out + at, safe ? bytes : "?", adds);
		at += adds;
		bytes += n ? n : 1;
		len -= n ? n : 1;
	}
	out[at] = '\0';
	return out;
}

size_t text_whole(const char *bytes, size_t len)
{
	size_t begins = len;

	while (begins && len - begins < 4 && ((unsigned char)bytes[begins - 1] & 0xc0) == 0x80)
		begins--;
	if (!begins)
		return 0;
	begins--;
	return character_len(bytes + begins, len - begins) == len - begins ? len : begins;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool text_equal_nocase(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return lower(*a) == lower(*b);
}

bool text_starts_nocase(const char *text, const char *prefix)
{
	while (*prefix && lower(*text) == lower(*prefix)) {
		text++;
		prefix++;
	}
	return !*prefix;
}

bool text_matches(const char *pattern, const char *text)
{
	const char *star = NULL; /* the last '*' seen */
	const char *from = NULL; /* where what follows it is being tried */

	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			from = text;
		} else if (*pattern == '?' || (*pattern && lower(*pattern) == lower(*text))) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}
