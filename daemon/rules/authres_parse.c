/* rules/authres_parse.c - one Authentication-Results as a struct (RFC 8601 2.2):
 *
 *   value     = [CFWS] authserv [CFWS version] ( no-result / 1*resinfo ) [CFWS]
 *   no-result = [CFWS] ";" [CFWS] "none"
 *   resinfo   = [CFWS] ";" method [ "/" version ] "=" result *( CFWS property )
 *   property  = [ ptype "." ] name "=" pvalue
 *
 * More generous than that in three things that providers do: a ';' at the end, properties
 * without a ptype ("action=none"), and values with '/', '+', '=' or '@' unquoted. What is
 * beyond a ceiling is refused whole: a half read verdict is no verdict. Who may be
 * believed is authres.c's to know. */
#include "rules/authres.h"

#include <string.h>

#include "text.h"

enum {
	VALUE_MAX = 64 * 1024,
	COMMENT_DEPTH_MAX = 32,
	RESULT_PROPERTIES_MAX = 16,
};

struct cursor {
	const char *at, *end;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Past a comment whose '(' is next. */
static bool skip_comment(struct cursor *c)
{
	unsigned depth = 0;

	for (; c->at < c->end; c->at++) {
		if (*c->at == '\\' && c->at + 1 < c->end)
			c->at++;
		else if (*c->at == '(' && ++depth > COMMENT_DEPTH_MAX)
			return false;
		else if (*c->at == ')' && --depth == 0) {
			c->at++;
			return true;
		}
	}
	return false;
}

/* Blanks, line ends and comments. false: a comment that does not end. */
static bool skip_cfws(struct cursor *c)
{
	while (c->at < c->end && (is_blank(*c->at) || *c->at == '(')) {
		if (*c->at != '(')
			c->at++;
		else if (!skip_comment(c))
			return false;
	}
	return true;
}

static bool next_is(struct cursor *c, char wanted)
{
	if (c->at == c->end || *c->at != wanted)
		return false;
	c->at++;
	return true;
}

static bool put(char *out, size_t size, size_t *len, char c)
{
	/* U+0080 to U+009F are control characters, too. */
	bool is_c1 = *len && out[*len - 1] == '\xc2' && (unsigned char)c >= 0x80 &&
		     (unsigned char)c < 0xa0;

	if (*len + 1 >= size || is_control(c) || is_c1)
		return false;
	out[(*len)++] = c;
	return true;
}

static bool read_quoted(struct cursor *c, char *out, size_t size, size_t *len)
{
	for (c->at++; c->at < c->end; c->at++) {
		char byte = *c->at;

		if (byte == '"') {
			c->at++;
			return true;
		}
		if (byte == '\r' || byte == '\n')
			continue; /* folded */
		if (byte == '\\' && c->at + 1 < c->end)
			byte = *++c->at;
		if (!put(out, size, len, byte == '\t' ? ' ' : byte))
			return false;
	}
	return false;
}

/* A word up to a blank, ';', '(' or one of stops; parts of it may be quoted. An empty one
 * that was not quoted is none. */
static bool read_word(struct cursor *c, const char *stops, char *out, size_t size)
{
	size_t len = 0;
	bool quoted = false;

	while (c->at < c->end && !is_blank(*c->at) && !strchr(";()", *c->at)) {
		if (*c->at && strchr(stops, *c->at))
			break;
		if (*c->at == '"') {
			quoted = true;
			if (!read_quoted(c, out, size, &len))
				return false;
		} else if (!put(out, size, &len, *c->at++)) {
			return false;
		}
	}
	out[len] = '\0';
	return len > 0 || quoted;
}

/* Version 1 is the only one there is; another may mean anything. */
static bool read_version(struct cursor *c)
{
	char version[8];

	return skip_cfws(c) && read_word(c, "=", version, sizeof(version)) &&
	       strcmp(version, "1") == 0;
}

static bool read_property(struct cursor *c, struct authres_property *ret)
{
	char first[sizeof(ret->property)];

	if (!read_word(c, ".=", first, sizeof(first)) || !skip_cfws(c))
		return false;
	ret->ptype[0] = '\0';
	if (next_is(c, '.')) {
		if (strlen(first) >= sizeof(ret->ptype))
			return false;
		strcpy(ret->ptype, first);
		if (!skip_cfws(c) || !read_word(c, ".=", first, sizeof(first)) || !skip_cfws(c))
			return false;
	}
	strcpy(ret->property, first);
	return next_is(c, '=') && skip_cfws(c) && read_word(c, "", ret->value, sizeof(ret->value));
}

static bool read_result(struct cursor *c, struct authres *whole, struct authres_result *ret)
{
	struct authres_property *next = whole->properties + whole->nproperties;

	ret->at = next;
	ret->n = 0;
	if (!read_word(c, "/=", ret->method, sizeof(ret->method)) || !*ret->method || !skip_cfws(c))
		return false;
	if (next_is(c, '/') && !(read_version(c) && skip_cfws(c)))
		return false;
	if (!next_is(c, '=') || !skip_cfws(c) ||
	    !read_word(c, "=", ret->result, sizeof(ret->result)) || !skip_cfws(c))
		return false;
	while (c->at < c->end && *c->at != ';') {
		if (ret->n == RESULT_PROPERTIES_MAX ||
		    next == whole->properties + sizeof(whole->properties) / sizeof(*next) ||
		    !read_property(c, next) || !skip_cfws(c))
			return false;
		ret->n++;
		whole->nproperties++;
		next++;
	}
	return true;
}

/* "none" in place of results. */
static bool is_none(const struct cursor *at)
{
	struct cursor c = *at;
	char word[8];

	return read_word(&c, "=", word, sizeof(word)) && text_equal_nocase(word, "none") &&
	       skip_cfws(&c) && c.at == c.end;
}

static bool read_results(struct cursor *c, struct authres *ret)
{
	while (c->at < c->end) {
		if (!next_is(c, ';') || !skip_cfws(c))
			return false;
		if (c->at == c->end)
			break;
		if (ret->n == 0 && is_none(c))
			return true;
		if (ret->n == sizeof(ret->at) / sizeof(*ret->at) ||
		    !read_result(c, ret, &ret->at[ret->n]))
			return false;
		ret->n++;
	}
	return true;
}

bool authres_parse(const char *value, unsigned long len, struct authres *ret)
{
	struct cursor c = {value, value + len};
	char name[sizeof(ret->authserv)];

	ret->n = ret->nproperties = 0;
	ret->authserv[0] = '\0';
	if (!skip_cfws(&c) || !read_word(&c, "=", name, sizeof(name)) || !*name)
		return false;
	strcpy(ret->authserv, name);
	if (len > VALUE_MAX || memchr(value, '\0', len) || !skip_cfws(&c))
		return false;
	if (c.at < c.end && *c.at != ';' && !(read_version(&c) && skip_cfws(&c)))
		return false;
	return read_results(&c, ret);
}
