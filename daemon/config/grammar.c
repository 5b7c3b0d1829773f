/* config/grammar.c - reads
 *
 *   settings ::= (NAME ('=' | ':') value (';' | ',' | a new line))*
 *   value    ::= TEXT+ | INTEGER | FLOAT | 'true' | 'false'
 *              | '{' settings '}'
 *              | '[' (scalar (',' scalar)*)? ']'      all of one kind
 *              | '(' (value (',' value)*)? ')'
 *
 * and stops at the first mistake. Sentences repeat names, never values: a value
 * may be a secret. */
#include "config/grammar.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "config/lex.h"

struct grammar {
	struct lex lex;
	struct token token; /* the next one, not yet taken */
	unsigned depth;
	char path[128];
	size_t path_len;
	struct mistake *mistake;
};

/* A name already seen in a group. */
struct seen {
	const char *name;
	size_t len;
};

static int read_value(struct grammar *g, bool in_list);

static void advance(struct grammar *g)
{
	lex_next(&g->lex, &g->token);
}

__attribute__((format(printf, 3, 4))) static int wrong(struct grammar *g, unsigned line,
						       const char *fmt, ...)
{
	va_list args;

	g->mistake->line = line;
	snprintf(g->mistake->setting, sizeof(g->mistake->setting), "%s", g->path);
	va_start(args, fmt);
	vsnprintf(g->mistake->text, sizeof(g->mistake->text), fmt, args);
	va_end(args);
	return -1;
}

/* Makes the path longer; returns its length before, for path_cut(). */
__attribute__((format(printf, 2, 3))) static size_t path_add(struct grammar *g, const char *fmt,
							     ...)
{
	size_t before = g->path_len, room = sizeof(g->path) - before;
	va_list args;

	va_start(args, fmt);
	int len = vsnprintf(g->path + before, room, fmt, args);
	va_end(args);
	g->path_len += (size_t)len < room ? (size_t)len : room - 1;
	return before;
}

static void path_cut(struct grammar *g, size_t len)
{
	g->path_len = len;
	g->path[len] = '\0';
}

static bool token_is_bool(const struct token *t)
{
	return t->kind == TOKEN_NAME && ((t->len == 4 && !strncasecmp(t->start, "true", 4)) ||
					 (t->len == 5 && !strncasecmp(t->start, "false", 5)));
}

static int judge_integer(struct grammar *g)
{
	char digits[32];
	const char *start = g->token.start;
	bool hex = g->token.len > 2 && (start[1] == 'x' || start[1] == 'X');
	const char *first = start + (*start == '-' || *start == '+');

	if (!hex && *first == '0' && start + g->token.len - first > 1)
		return wrong(g, g->token.line,
			     "a number does not begin with 0; permission bits "
			     "stand in double quotes, like \"0660\"");
	snprintf(digits, sizeof(digits), "%.*s", (int)g->token.len, start);
	errno = 0;
	long long value = strtoll(digits, NULL, hex ? 16 : 10);

	if (errno || g->token.len >= sizeof(digits) || value > INT32_MAX || value < INT32_MIN)
		return wrong(g, g->token.line,
			     "a number goes up to 2147483647; sizes and durations stand in "
			     "double quotes with a unit, like \"5G\" or \"30d\"");
	return 0;
}

/* Adjacent texts are one; in a list that is a forgotten comma. */
static int read_texts(struct grammar *g, bool in_list)
{
	advance(g);
	if (in_list && g->token.kind == TOKEN_TEXT)
		return wrong(g, g->token.line, "a comma is missing between two texts of the list");
	while (g->token.kind == TOKEN_TEXT)
		advance(g);
	return 0;
}

static int wrong_value(struct grammar *g)
{
	const struct token *t = &g->token;

	if (t->kind == TOKEN_BAD)
		return wrong(g, t->line, "%s", t->why);
	if (t->kind == TOKEN_NAME)
		return wrong(g, t->line, "a text stands in double quotes, like \"text\"");
	if (t->kind == TOKEN_INCLUDE)
		return wrong(g, t->line, "@include cannot stand here");
	return wrong(g, t->line, "a value is missing, like \"text\" or 12");
}

static int read_scalar(struct grammar *g, bool in_list)
{
	if (g->token.kind == TOKEN_TEXT)
		return read_texts(g, in_list);
	if (g->token.kind == TOKEN_INTEGER && judge_integer(g) < 0)
		return -1;
	if (g->token.kind != TOKEN_INTEGER && g->token.kind != TOKEN_FLOAT &&
	    !token_is_bool(&g->token))
		return wrong_value(g);
	advance(g);
	return 0;
}

/* What libconfig wants equal in an array: NAME stands for true and false. */
static int judge_element(struct grammar *g, char open, enum token_kind *kind)
{
	const struct token *t = &g->token;

	if (open == '(')
		return 0;
	if (t->mark == '{' || t->mark == '(' || t->mark == '[')
		return wrong(g, t->line, "groups and lists stand between ( and ), not [ and ]");
	if (*kind != TOKEN_END && t->kind != *kind && t->kind != TOKEN_BAD)
		return wrong(g, t->line,
			     "all values between [ and ] are of one kind: "
			     "all texts or all numbers");
	*kind = t->kind;
	return 0;
}

/* Behind an element: 1 at the end of the list. */
static int read_separator(struct grammar *g, char close, unsigned opened)
{
	struct token t = g->token;

	if (t.kind == TOKEN_END)
		return wrong(g, opened, "the list that begins here is never closed by %c", close);
	if (t.kind == TOKEN_BAD)
		return wrong(g, t.line, "%s", t.why);
	if (t.mark != ',' && t.mark != close)
		return wrong(g, t.line,
			     "the elements of a list are separated by a comma, and "
			     "its end is %c",
			     close);
	advance(g);
	if (t.mark == close)
		return 1;
	if (g->token.mark == close)
		return wrong(g, t.line, "remove the comma before %c", close);
	return 0;
}

static int read_list(struct grammar *g, char open, char close)
{
	unsigned opened = g->token.line, count = 0;
	enum token_kind kind = TOKEN_END;

	advance(g);
	if (g->token.mark == close) {
		advance(g);
		return 0;
	}
	for (int ended = 0; ended == 0;) {
		if (g->token.kind == TOKEN_END)
			return wrong(g, opened, "the list that begins here is never closed by %c",
				     close);
		if (++count > GRAMMAR_MAX_ELEMENTS)
			return wrong(g, g->token.line, "a list has at most %d elements",
				     GRAMMAR_MAX_ELEMENTS);
		bool group = g->token.mark == '{';
		size_t before = group ? path_add(g, "[%u]", count) : g->path_len;

		if (judge_element(g, open, &kind) < 0 || read_value(g, true) < 0)
			return -1;
		path_cut(g, before);
		ended = read_separator(g, close, opened);
		if (ended < 0)
			return -1;
	}
	return 0;
}

static int judge_name(struct grammar *g, struct seen *seen, unsigned count)
{
	const struct token *t = &g->token;

	for (unsigned i = 0; i < count; i++)
		if (seen[i].len == t->len && !memcmp(seen[i].name, t->start, t->len))
			return wrong(g, t->line,
				     "is set twice in the same group; keep one of the "
				     "two");
	if (count == GRAMMAR_MAX_SETTINGS)
		return wrong(g, t->line, "a group has at most %d settings", GRAMMAR_MAX_SETTINGS);
	seen[count] = (struct seen){t->start, t->len};
	return 0;
}

static unsigned line_before(const struct grammar *g)
{
	unsigned line = g->token.line;

	for (const char *p = g->token.start; p > g->lex.begin; p--) {
		if (p[-1] == '\n')
			line--;
		else if (p[-1] != ' ' && p[-1] != '\t' && p[-1] != '\r')
			break;
	}
	return line;
}

/* Behind a value. libconfig takes "a = 1 b = 2"; a forgotten quote looks the same. */
static int read_terminator(struct grammar *g, char close)
{
	const struct token *t = &g->token;

	if (t->mark == ';' || t->mark == ',') {
		advance(g);
		return 0;
	}
	if (t->kind == TOKEN_END || (close && t->mark == close))
		return 0;
	if (t->kind == TOKEN_NAME && line_before(g) != t->line)
		return 0;
	return wrong(g, line_before(g),
		     "a ; is missing behind the value (a quote inside a text is "
		     "written \\\")");
}

static int read_setting(struct grammar *g, struct seen *seen, unsigned count, char close)
{
	size_t before =
		path_add(g, "%s%.*s", g->path_len ? "." : "", (int)g->token.len, g->token.start);

	if (judge_name(g, seen, count) < 0)
		return -1;
	unsigned line = g->token.line;

	advance(g);
	if (g->token.mark != '=' && g->token.mark != ':')
		return wrong(g, line, "a = and a value follow the name of a setting");
	advance(g);
	if (read_value(g, false) < 0 || read_terminator(g, close) < 0)
		return -1;
	path_cut(g, before);
	return 0;
}

static int wrong_start(struct grammar *g, char close, unsigned opened)
{
	const struct token *t = &g->token;

	if (t->kind == TOKEN_END)
		return wrong(g, opened, "the group that begins here is never closed by %c", close);
	if (t->kind == TOKEN_BAD)
		return wrong(g, t->line, "%s", t->why);
	if (t->mark == ';' || t->mark == ',')
		return wrong(g, t->line, "remove this %c: no setting stands before it", t->mark);
	if (t->mark == '}' || t->mark == ')' || t->mark == ']')
		return wrong(g, t->line, "this %c closes nothing that is open here", t->mark);
	return wrong(g, t->line, "a setting begins with its name, like name = \"value\";");
}

/* close 0: the whole text. */
static int read_settings(struct grammar *g, char close, unsigned opened)
{
	struct seen *seen = xcalloc(GRAMMAR_MAX_SETTINGS, sizeof(*seen));
	int result = 0;

	for (unsigned count = 0; result == 0; count++) {
		if (g->token.kind == TOKEN_NAME && !token_is_bool(&g->token))
			result = read_setting(g, seen, count, close);
		else if (close ? g->token.mark == close : g->token.kind == TOKEN_END)
			break;
		else
			result = wrong_start(g, close, opened);
	}
	free(seen);
	return result;
}

static int read_nested(struct grammar *g)
{
	unsigned opened = g->token.line;

	if (g->token.mark == '(')
		return read_list(g, '(', ')');
	if (g->token.mark == '[')
		return read_list(g, '[', ']');
	advance(g);
	if (read_settings(g, '}', opened) < 0)
		return -1;
	advance(g);
	return 0;
}

static int read_value(struct grammar *g, bool in_list)
{
	char mark = g->token.mark;

	if (mark != '{' && mark != '(' && mark != '[')
		return read_scalar(g, in_list);
	if (g->depth == GRAMMAR_MAX_DEPTH)
		return wrong(g, g->token.line, "groups and lists nest at most %d deep",
			     GRAMMAR_MAX_DEPTH);
	g->depth++;
	int result = read_nested(g);

	g->depth--;
	return result;
}

int grammar_check(const char *text, size_t len, struct mistake *ret)
{
	struct grammar g = {.mistake = ret};

	lex_init(&g.lex, text, len);
	advance(&g);
	return read_settings(&g, 0, 1);
}
