/* message/parse_fields.c - finds lines and header fields. Nothing of it depends on what
 * the fields say: who may command stands on this. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "message/parse_room.h"

bool range_line(struct range *r, struct range *ret)
{
	const char *c = r->at;

	if (c == r->end)
		return false;
	while (c < r->end && *c != '\n' && *c != '\r')
		c++;
	if (c < r->end && *c == '\r' && c + 1 < r->end && c[1] == '\n')
		c++;
	if (c < r->end)
		c++;
	*ret = (struct range){r->at, c};
	r->at = c;
	return true;
}

struct range line_text(struct range line)
{
	while (line.end > line.at && (line.end[-1] == '\n' || line.end[-1] == '\r'))
		line.end--;
	return line;
}

/* The colon behind a field's name, or NULL: it begins none. */
static const char *colon_of(struct range line)
{
	const char *c = line.at, *name_end;

	while (c<line.end && * c> ' ' && *c < 127 && *c != ':')
		c++;
	name_end = c;
	while (c < line.end && (*c == ' ' || *c == '\t'))
		c++;
	return name_end > line.at && c < line.end && *c == ':' ? c : NULL;
}

static void add_field(struct fields *f, struct range line, const char *colon)
{
	struct mail_field *field;
	struct range text = line_text(line);

	if (f->n == f->allocated) {
		f->allocated = f->allocated ? f->allocated * 2 : 32;
		f->at = xrealloc(f->at, f->allocated * sizeof(*f->at));
	}
	field = &f->at[f->n++];
	*field = (struct mail_field){.name = line.at, .value = colon + 1};
	field->value_len = (size_t)(text.end - field->value);
	for (const char *c = line.at; c < colon && *c != ' ' && *c != '\t'; c++)
		field->name_len++;
}

static void go_on(struct fields *f, struct range line)
{
	struct range text = line_text(line);

	if (f->n)
		f->at[f->n - 1].value_len = (size_t)(text.end - f->at[f->n - 1].value);
	else
		f->flaws |= FLAW_HEADER;
}

static bool is_mbox_line(struct range line)
{
	return line.end - line.at > 5 && memcmp(line.at, "From ", 5) == 0 &&
	       !colon_of(line_text(line)); /* "From : x" is a field */
}

/* "two words: ...", and a field comes next: spoilt on its way, and not the end of the header. */
static bool is_spoilt_field(struct range line, struct range rest)
{
	struct range text = line_text(line), next;

	if (!memchr(text.at, ':', (size_t)(text.end - text.at)))
		return false;
	while (range_line(&rest, &next)) {
		if (*next.at != ' ' && *next.at != '\t')
			return colon_of(line_text(next));
	}
	return false;
}

/* What may stand before a mail's header and is no part of it: blank lines, an mbox line,
 * and a line that a byte order mark has spoilt (nobody else takes it for a field). */
static void skip_front(struct range *rest, struct fields *f)
{
	struct range ahead = *rest, line;

	if (rest->end - rest->at >= 3 && memcmp(rest->at, "\xEF\xBB\xBF", 3) == 0 &&
	    range_line(&ahead, &line) && is_spoilt_field(line, ahead)) {
		*rest = ahead;
		f->flaws |= FLAW_HEADER;
	}
	ahead = *rest;
	while (range_line(&ahead, &line) && line_text(line).at == line_text(line).end) {
		*rest = ahead;
		f->flaws |= FLAW_HEADER;
	}
	ahead = *rest;
	if (range_line(&ahead, &line) && is_mbox_line(line))
		*rest = ahead;
}

/* Who vouches for a mail read its header before us. Where lines end at CRLF or LF alone, a
 * bare CR hides a field that we see, and where NUL ends a text, it hides what we see behind
 * it; some go on behind a line that is no field, where for us the body begins. So nothing
 * there may be believed: with such a line between, a second Subject above a signed mail
 * would look like the only one. */
static bool is_doubtful(const struct fields *f, struct range header)
{
	for (const char *c = header.at; c < header.end; c++)
		if (!*c || (*c == '\r' && (c + 1 == header.end || c[1] != '\n')))
			return true;
	for (size_t i = 0; i < f->n; i++)
		if (f->at[i].name[f->at[i].name_len] != ':')
			return true;
	return f->flaws & FLAW_HEADER;
}

void fields_read_mail(struct range entity, size_t max, struct fields *ret)
{
	struct fields front = {0};

	skip_front(&entity, &front);
	fields_read(entity, max, ret);
	ret->flaws |= front.flaws;
	if (is_doubtful(ret, (struct range){entity.at, ret->body.at}))
		ret->flaws |= FLAW_DOUBTFUL;
}

void fields_read(struct range entity, size_t max, struct fields *ret)
{
	struct range rest = entity, line;
	bool passing = false; /* what continues a spoilt field goes with it */

	*ret = (struct fields){0};
	while (rest.at < rest.end) {
		struct range before = rest;
		struct range text;

		range_line(&rest, &line);
		text = line_text(line);
		if (text.at == text.end)
			break;
		if ((size_t)(line.end - entity.at) > max || ret->n == PARSE_FIELDS_MAX) {
			ret->flaws |= FLAW_LARGE;
			rest = before;
			break;
		}
		const char *colon = *line.at == ' ' || *line.at == '\t' ? NULL : colon_of(text);

		if (colon) {
			passing = false;
			add_field(ret, line, colon);
		} else if (*line.at == ' ' || *line.at == '\t') {
			if (!passing)
				go_on(ret, line);
		} else if (!is_mbox_line(line) || ret->n) {
			ret->flaws |= FLAW_HEADER;
			passing = ret->n && is_spoilt_field(line, rest);
			if (passing)
				continue;
			rest = before;
			break;
		}
	}
	ret->body = rest;
}

void fields_clear(struct fields *f)
{
	free(f->at);
	*f = (struct fields){0};
}

const struct mail_field *fields_find(const struct mail_field *at, size_t n, const char *name,
				     size_t skip)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < n; i++)
		if (at[i].name_len == len && strncasecmp(at[i].name, name, len) == 0 && skip-- == 0)
			return &at[i];
	return NULL;
}
