/* client/address_list.c - see address_list.h. Grammar (RFC 5322 3.4 and 4.4), read
 * with mercy:
 *
 *   list    = [ one ] *( ( "," / ";" ) [ one ] )
 *   one     = phrase ":" list / [ phrase ] "<" [ route ":" ] spec ">" / spec
 *   route   = "@" domain *( "," "@" domain )
 *   phrase  = 1*( atom / quoted / encoded-word ), comments between all of them */
#include "address_list.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "failure.h"

struct reader {
	struct address_list *list;
	const char *text;
	size_t len, at;
	struct buf spec;  /* of the address that has begun */
	bool spaced;      /* a blank or comment stood before what comes */
	bool after_angle; /* its <...> has been taken */
	bool too_long;
	struct failure *f;
};

static int take(struct reader *r)
{
	struct address_list *l = r->list;
	const char *spec = buf_bytes(&r->spec);

	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->list[i], spec) == 0)
			return 0;
	}
	if (l->n == ADDRESS_LIST_MAX)
		return failure_set(r->f, FAILURE_REFUSED, "there are more than %d recipients",
				   ADDRESS_LIST_MAX);
	/* room for a power of two, which n is when that is full */
	if ((l->n & (l->n - 1)) == 0)
		l->list = xrealloc(l->list, (l->n ? 2 * l->n : 1) * sizeof(*l->list));
	l->list[l->n++] = xstrdup(spec);
	return 0;
}

static void forget(struct reader *r)
{
	buf_drain(&r->spec, r->spec.len);
	r->spaced = r->too_long = false;
}

/* The address ends here, if one has begun. */
static int end_spec(struct reader *r, bool always)
{
	int result = 0;

	if (r->too_long)
		result = failure_set(r->f, FAILURE_REFUSED, "an address is longer than %d bytes",
				     ADDRESS_MAX);
	else if (always || r->spec.len)
		result = take(r);
	forget(r);
	return result;
}

/* Behind <...> words that are no address mean nothing: a comment without its brackets. */
static int end_one(struct reader *r)
{
	int result = 0;

	if (!r->after_angle || strchr(buf_bytes(&r->spec), '@'))
		result = end_spec(r, false);
	forget(r);
	r->after_angle = false;
	return result;
}

/* Words apart are one address only around a dot or an @. */
static void add_spec(struct reader *r, const char *bytes, size_t len)
{
	static const char joins[] = ".@";
	size_t have = r->spec.len;

	if (r->spaced && have && len && !strchr(joins, bytes[0]) &&
	    !strchr(joins, buf_bytes(&r->spec)[have - 1]))
		r->too_long |= buf_add_text(&r->spec, " ") < 0;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c >= ' ' && c != 0x7f)
			r->too_long |= buf_add(&r->spec, bytes + i, 1) < 0;
	}
	r->spaced = false;
}

/* How long the thing is that begins at r->at and ends with close, backslashes counted. */
static size_t enclosed_len(const struct reader *r, char close)
{
	size_t n = 1;

	while (r->at + n < r->len) {
		char c = r->text[r->at + n++];

		if (c == close)
			break;
		if (c == '\\' && r->at + n < r->len)
			n++;
	}
	return n;
}

static size_t comment_len(const struct reader *r)
{
	size_t depth = 0, n = 0;

	while (r->at + n < r->len) {
		char c = r->text[r->at + n++];

		if (c == '\\' && r->at + n < r->len)
			n++;
		else if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0)
			break;
	}
	return n;
}

/* =?charset?B?text?=, in which careless programs leave commas; 0: none stands there. */
static size_t encoded_word_len(const struct reader *r)
{
	size_t n = 2;

	if (r->len - r->at < 8 || memcmp(r->text + r->at, "=?", 2) != 0)
		return 0;
	for (unsigned marks = 0; marks < 3; n++) {
		if (r->at + n >= r->len || (unsigned char)r->text[r->at + n] <= ' ' ||
		    r->text[r->at + n] == '<')
			return 0;
		marks += r->text[r->at + n] == '?';
	}
	return r->at + n < r->len && r->text[r->at + n] == '=' ? n + 1 : 0;
}

static size_t atom_len(const struct reader *r)
{
	size_t n = encoded_word_len(r);

	if (n)
		return n;
	do
		n++;
	while (r->at + n < r->len && (unsigned char)r->text[r->at + n] > ' ' &&
	       !strchr("()<>[],;:\"", r->text[r->at + n]));
	return n;
}

static int begin_angle(struct reader *r)
{
	/* a second one where a comma was forgotten; else what stood before is a name */
	int result = r->after_angle ? end_one(r) : 0;

	forget(r);
	return result;
}

/* From the < to its >: the route goes, the rest is an address whatever it is. */
static int read_angle(struct reader *r)
{
	if (begin_angle(r) < 0)
		return -1;
	r->at++;
	bool open = true;
	while (open && r->at < r->len) {
		char c = r->text[r->at];
		size_t n = 1;

		if (c == '>') {
			open = false;
		} else if (c == ':' && buf_bytes(&r->spec)[0] == '@') {
			forget(r);
		} else if (c == '(') {
			n = comment_len(r);
			r->spaced = true;
		} else if ((unsigned char)c <= ' ') {
			r->spaced = true;
		} else {
			n = c == '"' ? enclosed_len(r, '"') : 1;
			add_spec(r, r->text + r->at, n);
		}
		r->at += n;
	}
	if (!r->spec.len)
		add_spec(r, "<>", 2);
	r->after_angle = true;
	return end_spec(r, true);
}

static int read_token(struct reader *r)
{
	char c = r->text[r->at];
	size_t n = 1;
	int result = 0;

	if (c == '<')
		return read_angle(r);
	if (c == ',' || c == ';') {
		result = end_one(r);
	} else if (c == ':') {
		forget(r);
		r->after_angle = false;
	} else if (c == '(') {
		n = comment_len(r);
		r->spaced = true;
	} else if ((unsigned char)c <= ' ') {
		r->spaced = true;
	} else {
		n = c == '"' ? enclosed_len(r, '"') : c == '[' ? enclosed_len(r, ']') : atom_len(r);
		add_spec(r, r->text + r->at, n);
	}
	r->at += n;
	return result;
}

int address_list_add(struct address_list *l, const char *text, size_t len, struct failure *f)
{
	struct reader r = {.list = l, .text = text, .len = len, .f = f};
	int result = 0;

	buf_init(&r.spec, ADDRESS_MAX);
	while (result == 0 && r.at < len)
		result = read_token(&r);
	if (result == 0)
		result = end_one(&r);
	buf_clear(&r.spec);
	return result;
}

void address_list_clear(struct address_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->list[i]);
	free(l->list);
	*l = (struct address_list){0};
}
