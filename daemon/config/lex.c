/* config/lex.c - cuts text into tokens:
 *
 *   NAME     letter (letter | digit | '_' | '-')*
 *   TEXT     '"' (any but '"', '\' and line end | '\' any)* '"'
 *   INTEGER  [+-] digits | 0x hexdigits
 *   FLOAT    digits with a '.' or an exponent
 *   MARK     = : ; , { } ( ) [ ]
 *   comments # and // to the end of the line, and between slash-star pairs
 *
 * Sentences never repeat what stands in the file: it may be half a password. */
#include "config/lex.h"

#include <ctype.h>
#include <string.h>

#define QUOTES "a text stands in straight double quotes, like \"text\""

void lex_init(struct lex *lex, const char *text, size_t len)
{
	*lex = (struct lex){text, text, text + len, 1};
}

static bool lex_sees(const struct lex *lex, const char *what)
{
	size_t len = strlen(what);

	return (size_t)(lex->end - lex->at) >= len && !memcmp(lex->at, what, len);
}

static bool lex_blank_before(const struct lex *lex)
{
	const char *p = lex->at;

	while (p > lex->begin && (p[-1] == ' ' || p[-1] == '\t'))
		p--;
	return p == lex->begin || p[-1] == '\n';
}

static void skip_line(struct lex *lex)
{
	while (lex->at < lex->end && *lex->at != '\n')
		lex->at++;
}

/* -1: the comment has no end. */
static int skip_comment(struct lex *lex)
{
	unsigned begun = lex->line;

	for (lex->at += 2; lex->at < lex->end; lex->at++) {
		if (lex_sees(lex, "*/")) {
			lex->at += 2;
			return 0;
		}
		lex->line += *lex->at == '\n';
	}
	lex->line = begun;
	return -1;
}

static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

static int skip_blank(struct lex *lex)
{
	while (lex->at < lex->end) {
		if (is_one_of(*lex->at, " \t\n\r\f")) {
			lex->line += *lex->at == '\n';
			lex->at++;
		} else if (*lex->at == '#' || lex_sees(lex, "//")) {
			skip_line(lex);
		} else if (lex_sees(lex, "/*")) {
			if (skip_comment(lex) < 0)
				return -1;
		} else {
			break;
		}
	}
	return 0;
}

static void token_bad(struct token *t, const char *why)
{
	t->kind = TOKEN_BAD;
	t->why = why;
}

static void lex_text(struct lex *lex, struct token *t)
{
	t->kind = TOKEN_TEXT;
	for (lex->at++; lex->at < lex->end && *lex->at != '"' && *lex->at != '\n'; lex->at++) {
		if (*lex->at != '\\')
			continue;
		if (lex_sees(lex, "\\x00")) {
			token_bad(t, "\\x00 cannot stand in a text");
			return;
		}
		if (lex->at + 1 < lex->end && lex->at[1] != '\n')
			lex->at++;
	}
	if (lex->at >= lex->end || *lex->at != '"') {
		token_bad(t, "the closing \" is missing: a text ends on the line it begins on");
		return;
	}
	lex->at++;
}

static void lex_include(struct lex *lex, struct token *t)
{
	bool alone = lex_blank_before(lex); /* asked while at the @ */
	struct token name = {.kind = TOKEN_BAD};

	lex->at++;
	if (lex_sees(lex, "include")) {
		lex->at += strlen("include");
		while (lex->at < lex->end && (*lex->at == ' ' || *lex->at == '\t'))
			lex->at++;
		if (lex_sees(lex, "\""))
			lex_text(lex, &name);
	}
	if (!alone || name.kind != TOKEN_TEXT)
		token_bad(t, "another file is taken in by @include \"FILE\" on a line of its own");
	else
		t->kind = TOKEN_INCLUDE;
}

static size_t count_digits(const char *p, size_t len)
{
	size_t n = 0;

	while (n < len && isdigit((unsigned char)p[n]))
		n++;
	return n;
}

static bool is_hex(const char *p, size_t len)
{
	if (len < 3 || p[0] != '0' || (p[1] != 'x' && p[1] != 'X'))
		return false;
	for (size_t i = 2; i < len; i++)
		if (!isxdigit((unsigned char)p[i]))
			return false;
	return true;
}

static bool is_float(const char *p, size_t len)
{
	size_t whole = count_digits(p, len), at = whole;

	if (at < len && p[at] == '.')
		at += 1 + count_digits(p + at + 1, len - at - 1);
	if (at == 1 && !whole)
		return false;
	if (at < len && (p[at] == 'e' || p[at] == 'E')) {
		at++;
		at += at < len && (p[at] == '+' || p[at] == '-');
		size_t digits = count_digits(p + at, len - at);
		if (!digits)
			return false;
		at += digits;
	}
	return len && at == len;
}

static void lex_number(struct lex *lex, struct token *t)
{
	while (lex->at < lex->end &&
	       (isalnum((unsigned char)*lex->at) || is_one_of(*lex->at, "_.+-")))
		lex->at++;
	const char *p = t->start;
	size_t len = (size_t)(lex->at - p);

	if (*p == '-' || *p == '+') {
		p++;
		len--;
	}
	if ((len && count_digits(p, len) == len) || (p == t->start && is_hex(p, len)))
		t->kind = TOKEN_INTEGER;
	else if (is_float(p, len))
		t->kind = TOKEN_FLOAT;
	else
		token_bad(t,
			  "a value with a unit stands in double quotes, like \"10m\" or \"20M\"");
}

static void lex_name(struct lex *lex, struct token *t)
{
	t->kind = TOKEN_NAME;
	while (lex->at < lex->end &&
	       (isalnum((unsigned char)*lex->at) || is_one_of(*lex->at, "_-")))
		lex->at++;
}

void lex_next(struct lex *lex, struct token *ret)
{
	bool whole = skip_blank(lex) == 0;

	*ret = (struct token){.kind = TOKEN_END, .start = lex->at, .line = lex->line};
	if (!whole) {
		token_bad(ret, "a comment begins with /* and is never closed by */");
		return;
	}
	if (lex->at == lex->end)
		return;
	char c = *lex->at;

	if (c == '"') {
		lex_text(lex, ret);
	} else if (c == '@') {
		lex_include(lex, ret);
	} else if (isalpha((unsigned char)c)) {
		lex_name(lex, ret);
	} else if (isdigit((unsigned char)c) || is_one_of(c, "+-.")) {
		lex_number(lex, ret);
	} else if (is_one_of(c, "=:;,{}()[]")) {
		ret->kind = TOKEN_MARK;
		ret->mark = *lex->at++;
	} else {
		token_bad(ret, QUOTES);
		lex->at++;
	}
	ret->len = (size_t)(lex->at - ret->start);
}

const char *token_include_name(const struct token *token, size_t *ret_len)
{
	const char *quote = memchr(token->start, '"', token->len);
	const char *end = token->start + token->len;

	*ret_len = (size_t)(end - quote) - 2;
	return quote + 1;
}
