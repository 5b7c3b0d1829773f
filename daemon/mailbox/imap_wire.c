/* mailbox/imap_wire.c - decides where a response ends and what it is. A response is
 * gathered whole but for the body of a mail, which lies beside it; a SEARCH, which has
 * no bound, is handed out in parts. */
#include "mailbox/imap_wire.h"

#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "mailbox/imap_scan.h"
#include "text.h"

#define PART_BYTES ((size_t)16384) /* of a SEARCH */
#define SEARCH_WORD "* SEARCH "

void imap_parser_init(struct imap_parser *p)
{
	*p = (struct imap_parser){.body_at = SIZE_MAX};
	buf_init(&p->text, IMAP_TEXT_MAX);
	buf_init(&p->body, 0);
}

void imap_parser_clear(struct imap_parser *p)
{
	size_t body_max = p->body.max;

	buf_clear(&p->text);
	buf_clear(&p->body);
	imap_parser_init(p);
	p->body.max = body_max;
}

void imap_parser_allow(struct imap_parser *p, size_t body_max)
{
	p->body.max = body_max;
}

char *imap_parser_take_body(struct imap_parser *p, size_t *ret_len)
{
	return buf_take(&p->body, ret_len);
}

static int too_long(struct failure *f)
{
	return failure_set(f, FAILURE_LATER, "the server sent a response longer than %zu bytes",
			   IMAP_TEXT_MAX);
}

/* --- literals --- */

/* "... {12}" or "{12+}" at the end of a line: where its brace is. */
static const char *find_announced(const char *text, size_t len, uint64_t *ret_size)
{
	const char *end = text + len - 1, *at = end;
	uint64_t size = 0;

	if (len < 3 || *end != '}')
		return NULL;
	if (at[-1] == '+')
		at--;
	end = at;
	while (at > text && at[-1] >= '0' && at[-1] <= '9')
		at--;
	if (at == end || at == text || at[-1] != '{' || end - at > 15)
		return NULL;
	for (const char *digit = at; digit < end; digit++)
		size = size * 10 + (uint64_t)(*digit - '0');
	*ret_size = size;
	return at - 1;
}

/* Behind "BODY[...]" or "BODY[...]<0>" */
static bool is_body(const char *text, const char *brace)
{
	if (brace > text && brace[-1] == '~')
		brace--;
	return brace - text > 2 && brace[-1] == ' ' && (brace[-2] == ']' || brace[-2] == '>');
}

/* What people may read ends as it likes. */
static bool may_hold_literals(const char *text)
{
	static const char *const statuses[] = {"OK ", "NO ", "BAD ", "BYE ", "PREAUTH "};

	if (text[0] != '*' || text[1] != ' ')
		return false;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
		if (text_starts_nocase(text + 2, statuses[i]))
			return false;
	return true;
}

/* A line is whole. 1: a literal follows; 0: it ends the response. */
static int line_ended(struct imap_parser *p, struct failure *f)
{
	const char *text = buf_bytes(&p->text), *brace;
	size_t len = p->text.len - 1;
	uint64_t size;

	if (len > 0 && text[len - 1] == '\r')
		len--;
	brace = may_hold_literals(text) ? find_announced(text, len, &size) : NULL;
	if (!brace)
		return 0;
	p->into_body = is_body(text, brace);
	if (p->into_body && (p->body_at != SIZE_MAX || size > p->body.max))
		return failure_set(f, FAILURE_LATER,
				   "the server sent %llu bytes of a mail, asked for were %zu",
				   (unsigned long long)size,
				   p->body_at != SIZE_MAX ? (size_t)0 : p->body.max);
	if (!p->into_body && size > IMAP_TEXT_MAX - p->text.len)
		return too_long(f);
	if (p->into_body)
		p->body_at = (size_t)(brace - text);
	p->left = (size_t)size;
	return 1;
}

static size_t take_literal(struct imap_parser *p, const char *bytes, size_t len)
{
	size_t n = len < p->left ? len : p->left;

	/* both have room: line_ended() looked */
	buf_add(p->into_body ? &p->body : &p->text, bytes, n);
	p->left -= n;
	return n;
}

/* --- parts of a SEARCH --- */

static bool is_long_search(const struct imap_parser *p)
{
	return p->text.len > PART_BYTES && text_starts_nocase(buf_bytes(&p->text), SEARCH_WORD);
}

/* Its numbers so far, but the last, of which more may follow. What was taken out goes
 * when the next bytes come. */
static bool take_part(struct imap_parser *p, struct imap_reply *ret)
{
	char *text = p->text.data + p->text.start;
	size_t keep = p->text.len;

	while (keep > sizeof(SEARCH_WORD) && text[keep - 1] != ' ')
		keep--;
	if (keep <= sizeof(SEARCH_WORD))
		return false;
	*ret = (struct imap_reply){.kind = IMAP_SEARCH, .code = "", .code_text = "", .text = ""};
	text[keep - 1] = '\0';
	ret->words = text + strlen(SEARCH_WORD);
	p->part = keep;
	return true;
}

static void drop_part(struct imap_parser *p)
{
	if (!p->part)
		return;
	buf_drain(&p->text, p->part - strlen(SEARCH_WORD));
	memcpy(p->text.data + p->text.start, SEARCH_WORD, strlen(SEARCH_WORD));
	p->part = 0;
}

/* --- all --- */

static void begin_next(struct imap_parser *p)
{
	drop_part(p);
	if (!p->complete)
		return;
	buf_drain(&p->text, p->text.len);
	buf_clear(&p->body);
	p->body_at = SIZE_MAX;
	p->complete = false;
}

static enum imap_parsed finish(struct imap_parser *p, struct imap_reply *ret, struct failure *f)
{
	char *text = p->text.data + p->text.start;
	size_t len = p->text.len - 1;

	if (len > 0 && text[len - 1] == '\r')
		len--;
	text[len] = '\0';
	p->complete = true;
	return imap_scan(p, text, len, ret, f) < 0 ? IMAP_PARSED_BAD : IMAP_PARSED_REPLY;
}

/* Bytes of a line, up to its end if that is there. -1: refused; 1: the response is whole. */
static int take_line(struct imap_parser *p, const char *bytes, size_t len, size_t *ret_used,
		     struct failure *f)
{
	const char *end = memchr(bytes, '\n', len);
	size_t n = end ? (size_t)(end - bytes) + 1 : len;
	int more;

	/* no part of a SEARCH gets so long that it could not be handed out */
	if (n > PART_BYTES) {
		n = PART_BYTES;
		end = NULL;
	}
	if (memchr(bytes, '\0', n))
		return failure_set(f, FAILURE_LATER, "the server sent a NUL byte");
	if (buf_add(&p->text, bytes, n) < 0)
		return too_long(f);
	*ret_used = n;
	if (!end)
		return 0;
	more = line_ended(p, f);
	return more < 0 ? -1 : !more;
}

enum imap_parsed imap_parser_feed(struct imap_parser *p, const char *bytes, size_t len,
				  size_t *ret_used, struct imap_reply *ret, struct failure *f)
{
	size_t at = 0;

	if (len > 0)
		begin_next(p);
	while (at < len) {
		size_t used = 0;
		int whole;

		if (p->left > 0) {
			at += take_literal(p, bytes + at, len - at);
			continue;
		}
		whole = take_line(p, bytes + at, len - at, &used, f);
		at += used;
		*ret_used = at;
		if (whole < 0)
			return IMAP_PARSED_BAD;
		if (whole)
			return finish(p, ret, f);
		if (is_long_search(p) && take_part(p, ret))
			return IMAP_PARSED_REPLY;
	}
	*ret_used = at;
	return IMAP_PARSED_MORE;
}

bool imap_next_uid(const char **at, uint32_t *ret)
{
	const char *word;
	size_t len;

	while ((word = imap_next_word(at, &len)))
		if (imap_number(word, len, UINT32_MAX, ret) && *ret > 0)
			return true;
	return false;
}

const char *imap_next_word(const char **at, size_t *ret_len)
{
	const char *word = *at + strspn(*at, " ");

	*ret_len = strcspn(word, " ");
	*at = word + *ret_len;
	return *ret_len ? word : NULL;
}
