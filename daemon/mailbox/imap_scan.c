/* mailbox/imap_scan.c - reads one response in its place. What has a form we know must
 * keep to it; all else is passed over. */
#include "mailbox/imap_scan.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "failure.h"
#include "mailbox/imap_wire.h"
#include "text.h"

struct scan {
	struct imap_parser *p;
	char *text, *at, *end;
};

static int nonsense(const struct scan *s, struct failure *f)
{
	char line[120];

	return failure_set(f, FAILURE_LATER, "not IMAP: '%s'",
			   text_safe_line(line, sizeof(line), s->text, (size_t)(s->end - s->text)));
}

static bool skip(struct scan *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

bool imap_number(const char *digits, size_t len, uint32_t most, uint32_t *ret)
{
	uint64_t n = 0;

	if (len == 0 || len > 10)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(digits[i] - '0');
	}
	if (n > most)
		return false;
	*ret = (uint32_t)n;
	return true;
}

static bool take_u64(struct scan *s, uint64_t *ret)
{
	uint64_t n = 0;
	char *begin = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9' && s->at - begin < 18)
		n = n * 10 + (uint64_t)(*s->at++ - '0');
	*ret = n;
	return s->at > begin;
}

static bool take_u32(struct scan *s, uint32_t *ret)
{
	uint64_t n;

	if (!take_u64(s, &n) || n > UINT32_MAX)
		return false;
	*ret = (uint32_t)n;
	return true;
}

/* Up to a blank or bracket of any kind. */
static size_t word_len(const struct scan *s)
{
	return strcspn(s->at, " ()[]\"{\r\n");
}

static bool word_is(const char *word, size_t len, const char *name)
{
	return strlen(name) == len && strncasecmp(word, name, len) == 0;
}

/* --- strings --- */

/* In its place, its escapes undone. */
static bool take_quoted(struct scan *s, char **ret, size_t *ret_len)
{
	char *from = s->at + 1, *to = s->at;

	*ret = to;
	while (from < s->end && *from != '"') {
		if (*from == '\\' && ++from == s->end)
			return false;
		*to++ = *from++;
	}
	if (from >= s->end)
		return false;
	s->at = from + 1;
	*ret_len = (size_t)(to - *ret);
	return true;
}

/* "{5}" LF bytes; the body's bytes are not here. */
static bool take_literal(struct scan *s, char **ret, size_t *ret_len)
{
	bool is_body = (size_t)(s->at - s->text) == s->p->body_at;
	uint64_t n;

	s->at++;
	if (!take_u64(s, &n))
		return false;
	skip(s, '+');
	if (!skip(s, '}'))
		return false;
	skip(s, '\r');
	if (!skip(s, '\n'))
		return false;
	if (is_body) {
		*ret = NULL;
		*ret_len = 0;
		return true;
	}
	if (n > (uint64_t)(s->end - s->at))
		return false;
	*ret = s->at;
	*ret_len = (size_t)n;
	s->at += n;
	return true;
}

/* Also a word, NIL among them. *ret NULL: the body's literal. Not NUL-ended. */
static bool take_string(struct scan *s, char **ret, size_t *ret_len)
{
	if (s->at < s->end && *s->at == '"')
		return take_quoted(s, ret, ret_len);
	if (s->at + 1 < s->end && s->at[0] == '~' && s->at[1] == '{')
		s->at++;
	if (s->at < s->end && *s->at == '{')
		return take_literal(s, ret, ret_len);
	*ret = s->at;
	*ret_len = strcspn(s->at, " ()\"\r\n");
	s->at += *ret_len;
	return *ret_len > 0;
}

/* Any value: a string, or lists in lists. */
static bool skip_value(struct scan *s)
{
	unsigned depth = 0;
	char *string;
	size_t len;

	do {
		if (depth > 0 && skip(s, ' '))
			continue;
		if (skip(s, '(')) {
			if (++depth > IMAP_DEPTH_MAX)
				return false;
		} else if (depth > 0 && skip(s, ')')) {
			depth--;
		} else if (!take_string(s, &string, &len)) {
			return false;
		}
	} while (depth > 0);
	return true;
}

/* --- FETCH --- */

/* "[...]" and "<0>" behind BODY. */
static bool skip_section(struct scan *s)
{
	char *string;
	size_t len;

	while (s->at < s->end && *s->at != ']') {
		if (*s->at != '"')
			s->at++;
		else if (!take_quoted(s, &string, &len))
			return false;
	}
	if (!skip(s, ']'))
		return false;
	if (skip(s, '<')) {
		uint64_t origin;

		return take_u64(s, &origin) && skip(s, '>');
	}
	return true;
}

static bool take_body(struct scan *s, struct imap_reply *ret)
{
	bool quoted = s->at < s->end && *s->at == '"';
	char *string;
	size_t len;

	if (!take_string(s, &string, &len))
		return false;
	ret->has_body = true;
	if (!string)
		return true;
	if (!quoted && word_is(string, len, "NIL")) {
		ret->has_body = false;
		return true;
	}
	/* a word is none, and a second body would not fit beside the first */
	return quoted && s->p->body.len == 0 && buf_add(&s->p->body, string, len) == 0;
}

static bool take_date(struct scan *s, struct imap_reply *ret)
{
	char *string, date[32] = "";
	size_t len;

	if (!take_string(s, &string, &len))
		return false;
	if (string && len < sizeof(date))
		memcpy(date, string, len);
	/* one that makes no sense is none */
	if (!imap_date_parse(date, &ret->date_s))
		ret->date_s = 0;
	return true;
}

static bool take_item(struct scan *s, struct imap_reply *ret)
{
	size_t len = word_len(s);
	const char *name = s->at;
	bool section;

	s->at += len;
	section = s->at < s->end && *s->at == '[';
	if (len == 0 || (section && !skip_section(s)) || !skip(s, ' '))
		return false;
	if (section && (word_is(name, len, "BODY") || word_is(name, len, "BINARY")))
		return take_body(s, ret);
	if (word_is(name, len, "UID"))
		return take_u32(s, &ret->uid);
	if (word_is(name, len, "RFC822.SIZE"))
		return take_u64(s, &ret->size);
	if (word_is(name, len, "INTERNALDATE"))
		return take_date(s, ret);
	return skip_value(s);
}

static bool take_items(struct scan *s, struct imap_reply *ret)
{
	if (!skip(s, '('))
		return false;
	while (!skip(s, ')')) {
		if (!take_item(s, ret))
			return false;
		skip(s, ' ');
	}
	return true;
}

/* --- statuses and the rest --- */

/* "[UIDNEXT 12] text". A bracket that does not close is text. */
static void take_text(struct scan *s, struct imap_reply *ret)
{
	bool quoted = false;
	char *end = s->at;

	skip(s, ' ');
	ret->text = s->at;
	if (s->at == s->end || *s->at != '[')
		return;
	for (end = s->at + 1; end < s->end && (quoted || *end != ']'); end++)
		if (*end == '"')
			quoted = !quoted;
	if (end == s->end)
		return;
	*end = '\0';
	ret->code = s->at + 1;
	ret->text = end + 1 + (end[1] == ' ');
	end = s->at + 1 + strcspn(s->at + 1, " ");
	if (*end) {
		*end = '\0';
		ret->code_text = end + 1;
	}
}

static bool take_status(struct scan *s, struct imap_reply *ret)
{
	static const char *const names[] = {
		[IMAP_OK] = "OK",   [IMAP_NO] = "NO",           [IMAP_BAD] = "BAD",
		[IMAP_BYE] = "BYE", [IMAP_PREAUTH] = "PREAUTH",
	};
	size_t len = word_len(s);

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (word_is(s->at, len, names[i])) {
			ret->status = (enum imap_status)i;
			s->at += len;
			take_text(s, ret);
			return true;
		}
	return false;
}

static bool take_list(struct scan *s, struct imap_reply *ret)
{
	char *string, *end;
	size_t len;

	if (!skip(s, '('))
		return false;
	ret->words = s->at;
	end = memchr(s->at, ')', (size_t)(s->end - s->at));
	if (!end)
		return false;
	*end = '\0';
	s->at = end + 1;
	if (!skip(s, ' ') || !take_string(s, &string, &len) || !skip(s, ' ') ||
	    !take_string(s, &string, &len) || !string)
		return false;
	/* what stands behind the name (extended data) is of no use */
	string[len] = '\0';
	ret->name = string;
	return true;
}

static bool take_numbered(struct scan *s, struct imap_reply *ret)
{
	size_t len;

	if (!take_u32(s, &ret->number) || !skip(s, ' '))
		return false;
	len = word_len(s);
	if (word_is(s->at, len, "EXISTS")) {
		ret->kind = IMAP_EXISTS;
	} else if (word_is(s->at, len, "EXPUNGE")) {
		ret->kind = IMAP_EXPUNGE;
	} else if (word_is(s->at, len, "FETCH")) {
		s->at += len;
		ret->kind = IMAP_FETCH;
		return skip(s, ' ') && take_items(s, ret);
	}
	return true;
}

static bool take_data(struct scan *s, struct imap_reply *ret)
{
	size_t len = word_len(s);
	const char *word = s->at;

	ret->kind = IMAP_OTHER;
	if (len > 0 && *word >= '0' && *word <= '9')
		return take_numbered(s, ret);
	if (take_status(s, ret)) {
		ret->kind = IMAP_STATUS;
		return true;
	}
	s->at += len;
	if (word_is(word, len, "LIST")) {
		ret->kind = IMAP_LIST;
		return skip(s, ' ') && take_list(s, ret);
	}
	if (word_is(word, len, "CAPABILITY"))
		ret->kind = IMAP_CAPABILITY;
	else if (word_is(word, len, "ENABLED"))
		ret->kind = IMAP_ENABLED;
	else if (word_is(word, len, "SEARCH"))
		ret->kind = IMAP_SEARCH;
	ret->words = s->at;
	return true;
}

static bool take_tagged(struct scan *s, struct imap_reply *ret)
{
	size_t len = word_len(s);

	ret->kind = IMAP_TAGGED;
	ret->tag = s->at;
	s->at += len;
	if (len == 0 || s->at == s->end || *s->at != ' ')
		return false;
	*s->at++ = '\0';
	return take_status(s, ret) && ret->status <= IMAP_BAD;
}

int imap_scan(struct imap_parser *p, char *text, size_t len, struct imap_reply *ret,
	      struct failure *f)
{
	struct scan s = {.p = p, .text = text, .at = text, .end = text + len};

	*ret = (struct imap_reply){
		.tag = "", .code = "", .code_text = "", .text = "", .words = "", .name = ""};
	if (skip(&s, '+')) {
		skip(&s, ' ');
		ret->kind = IMAP_GO_ON;
		ret->text = s.at;
		return 0;
	}
	if (skip(&s, '*') ? skip(&s, ' ') && take_data(&s, ret) : take_tagged(&s, ret))
		return 0;
	return nonsense(&s, f);
}

bool imap_date_parse(const char *text, int64_t *ret_s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char month[4], sign;
	const char *found;
	struct tm t = {0};
	int zone;

	if (sscanf(text, "%2d-%3[A-Za-z]-%4d %2d:%2d:%2d %c%4d", &t.tm_mday, month, &t.tm_year,
		   &t.tm_hour, &t.tm_min, &t.tm_sec, &sign, &zone) != 8)
		return false;
	found = strcasestr(months, month);
	if (strlen(month) != 3 || !found || (found - months) % 3 || t.tm_mday < 1 ||
	    t.tm_mday > 31 || t.tm_hour < 0 || t.tm_hour > 23 || t.tm_min < 0 || t.tm_min > 59 ||
	    t.tm_sec < 0 || t.tm_sec > 60 || t.tm_year < 1970 || (sign != '+' && sign != '-') ||
	    zone < 0)
		return false;
	t.tm_mon = (int)(found - months) / 3;
	t.tm_year -= 1900;
	zone = (zone / 100 * 60 + zone % 100) * 60;
	*ret_s = (int64_t)timegm(&t) - (sign == '-' ? -zone : zone);
	return true;
}
