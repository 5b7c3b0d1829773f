/* common/phone.c - decides which digits of a writing count, and what stands before them.
 *
 *   writing  = ["tel:"] ( "+" country / abroad country / trunk number / number )
 *   abroad   = "00" / what the region dials to go abroad
 *
 * Whether a number exists, and what kind it is, only a carrier knows. */
#include "phone.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "failure.h"
#include "phone_region.h"
#include "text.h"

enum {
	E164_MIN = 8,
	E164_MAX = 15,
	DIGITS_MAX = 24,    /* with all that may stand before a number */
	SHORT_CODE_MAX = 6, /* 911, 32665 */
	LOOKS_MIN = 5,      /* digits, of what is no name */
};

/* What is written, taken apart. */
struct writing {
	const char *text; /* the caller's */
	char digits[DIGITS_MAX + 1];
	size_t n;
	bool plus;
	size_t zero; /* digits before a "(0)"; 0: there is none */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Octets of a separator; 0: it is none. */
static size_t separator(const char *text)
{
	/* no-break and thin blanks, dashes, marks of writing direction: what comes of copying */
	static const char *const wide[] = {
		"\u00a0", "\u00ad", "\u2007", "\u2008", "\u2009", "\u200a", "\u200b",
		"\u200e", "\u200f", "\u2010", "\u2011", "\u2012", "\u2013", "\u2014",
		"\u2015", "\u202a", "\u202c", "\u202d", "\u202f", "\u2060", "\u2066",
		"\u2068", "\u2069", "\u2212", "\u3000", "\ufeff", "\uff0d",
	};

	if (*text && strchr(" -.()/", *text))
		return 1;
	for (size_t i = 0; i < sizeof(wide) / sizeof(*wide); i++)
		if (strncmp(text, wide[i], strlen(wide[i])) == 0)
			return strlen(wide[i]);
	return 0;
}

static size_t count_digits(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += is_digit(*text);
	return n;
}

static const char *behind_scheme(const char *text)
{
	return strncasecmp(text, "tel:", 4) == 0 ? text + 4 : text;
}

bool phone_looks_like(const char *text)
{
	const char *number = behind_scheme(text);

	if (strchr(text, '@'))
		return false;
	if (number != text)
		return true;
	if (text[0] == '+')
		return is_digit(text[1]);
	for (const char *c = text; *c; c++)
		if (is_letter(*c) || *c == '_')
			return false;
	return (is_digit(text[0]) || separator(text)) && count_digits(text) >= LOOKS_MIN;
}

/* ---- what is wrong ---- */

static int refuse(const struct writing *w, struct failure *f, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int refuse(const struct writing *w, struct failure *f, const char *fmt, ...)
{
	char shown[48], why[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	text_safe_line(shown, sizeof(shown), w->text, strlen(w->text));
	return failure_set(f, FAILURE_REFUSED, "'%s' is not a telephone number: %s", shown, why);
}

/* What stands where a digit or a separator should. */
static int refuse_rest(const struct writing *w, const char *rest, struct failure *f)
{
	if (strncasecmp(rest, "x", 1) == 0 || strncasecmp(rest, "ext", 3) == 0 ||
	    strchr(",;#*", *rest))
		return refuse(w, f, "leave out the extension, texts reach none");
	if (is_letter(*rest))
		return refuse(w, f, "write digits in place of letters");
	return refuse(w, f,
		      "only digits may follow, and blanks, dashes, dots, slashes and () between "
		      "them");
}

/* ---- taking apart ---- */

static int read_writing(struct writing *w, struct failure *f)
{
	const char *at = behind_scheme(w->text);

	at += strspn(at, " ");
	for (size_t len; !is_digit(*at) && *at != '+' && (len = separator(at));)
		at += len;
	if (*at == '+') {
		w->plus = true;
		at++;
	}
	while (*at) {
		size_t len = separator(at);

		if (strncmp(at, "(0)", 3) == 0 && w->n > 0) {
			if (w->zero)
				return refuse(w, f, "leave out the (0), it is not dialled");
			w->zero = w->n;
			len = 3;
		}
		if (!len && !is_digit(*at))
			return refuse_rest(w, at, f);
		if (!len && w->n == DIGITS_MAX)
			return refuse(w, f, "it has more than %d digits", E164_MAX);
		if (!len)
			w->digits[w->n++] = *at;
		at += len ? len : 1;
	}
	w->digits[w->n] = '\0';
	return w->n ? 0 : refuse(w, f, "write + and the country code, as in +15550100123");
}

/* ---- behind a country code ---- */

static int check_length(const struct writing *w, const struct phone_region *r, size_t n,
			struct failure *f)
{
	if (n >= r->min && n <= r->max)
		return 0;
	if (r->min == r->max)
		return refuse(w, f, "%d digits follow +%s, not %zu", r->min, r->code, n);
	return refuse(w, f, "%d to %d digits follow +%s, not %zu", r->min, r->max, r->code, n);
}

/* number: behind r's country code. */
static int check_number(const struct writing *w, const struct phone_region *r, const char *number,
			struct failure *f)
{
	if (check_length(w, r, strlen(number), f) < 0)
		return -1;
	if (*number == '0' && r->kind != TRUNK_NONE)
		return refuse(w, f, "leave out the 0, it is not dialled behind +%s", r->code);
	if (*r->lead && !strchr(r->lead, *number))
		return refuse(w, f, "behind +%s no number begins with %c", r->code, *number);
	if (phone_prefix(r->premium, number))
		return refuse(w, f, "its callers pay for what it offers, it takes no texts");
	return 0;
}

/* all: country code and number. */
static int take_international(const struct writing *w, const char *all, char *ret,
			      struct failure *f)
{
	const struct phone_region *r = phone_region_of(all);
	size_t n = strlen(all);

	if (*all == '0')
		return refuse(w, f, "no country code begins with 0");
	if (n > E164_MAX)
		return refuse(w, f, "it has more than %d digits", E164_MAX);
	/* behind the country code, where it is dialled at home, and nowhere else */
	if (w->zero &&
	    (!r || r->kind == TRUNK_NONE || w->zero != (size_t)(all - w->digits) + strlen(r->code)))
		return refuse(w, f, "leave out the (0), it is not dialled after a country code");
	if (r && check_number(w, r, all + strlen(r->code), f) < 0)
		return -1;
	if (n < E164_MIN)
		return refuse(w, f, "it has fewer than %d digits", E164_MIN);
	ret[0] = '+';
	memcpy(ret + 1, all, n + 1);
	return 0;
}

/* ---- as it is dialled at home ---- */

static size_t trunk_length(const struct writing *w, const struct phone_region *r)
{
	size_t len = phone_prefix(r->trunk, w->digits);

	/* "1" in 1 212 555 0123; but 812 345 67 89 begins with no "8" that is one */
	return r->kind == TRUNK_OPTIONAL && w->n - len < r->min ? 0 : len;
}

static int take_national(const struct writing *w, const struct phone_region *r, char *ret,
			 struct failure *f)
{
	size_t trunk = trunk_length(w, r);
	char all[DIGITS_MAX + 8];

	if (w->zero)
		return refuse(w, f, "leave out the (0), it is not dialled");
	if (!trunk && r->kind == TRUNK_NEEDED)
		return refuse(w, f, "in %s it begins with %.*s; or write +%s and the rest", r->iso,
			      (int)strcspn(r->trunk, " "), r->trunk, r->code);
	snprintf(all, sizeof(all), "%s%s", r->code, w->digits + trunk);
	return take_international(w, all, ret, f);
}

/* Digits of the prefix that leads abroad. "00" does wherever nothing else says so. */
static size_t abroad_length(const struct writing *w, const struct phone_region *r)
{
	size_t len = r ? phone_prefix(r->abroad, w->digits) : 0;

	if (len || strncmp(w->digits, "00", 2) != 0)
		return len;
	return r && strncmp(r->abroad, "00", 2) == 0 ? 0 : 2;
}

int phone_parse_in(const char *region, const char *text, char ret[PHONE_SIZE], struct failure *f)
{
	const struct phone_region *r = region ? phone_region_find(region) : NULL;
	struct writing w = {.text = text};

	if (read_writing(&w, f) < 0)
		return -1;
	if (w.plus)
		return take_international(&w, w.digits, ret, f);
	if (w.n <= SHORT_CODE_MAX)
		return refuse(&w, f, "it is too short; short codes take no texts from here");
	size_t abroad = abroad_length(&w, r);

	if (abroad)
		return take_international(&w, w.digits + abroad, ret, f);
	if (!r)
		return refuse(&w, f, "no region is configured, write + and the country code");
	return take_national(&w, r, ret, f);
}

int phone_parse(const char *text, char ret[PHONE_SIZE], struct failure *f)
{
	return phone_parse_in(NULL, text, ret, f);
}
