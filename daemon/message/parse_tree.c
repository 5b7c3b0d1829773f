/* message/parse_tree.c - goes through the MIME tree of a mail (RFC 2046 5.1) and notes its
 * leaves. Outer boundaries come first: whatever an inner part leaves open ends there. It
 * calls itself no deeper than PARSE_DEPTH_MAX. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "message/letter.h"
#include "message/parse_room.h"

enum { SCAN_MIN = 64 * 1024 * 1024, SCAN_LEVELS = 8 };

struct tree {
	struct parsed *mail;
	size_t allocated;
	size_t scanned;    /* octets of multiparts; those in others count again */
	unsigned numbered; /* names made unlike others; none is tried twice */
};

/* ---- leaves ---- */

static struct mail_part *add_part(struct tree *t)
{
	struct parsed *p = t->mail;

	if (p->nparts == t->allocated) {
		t->allocated = t->allocated ? t->allocated * 2 : 8;
		p->parts = xrealloc(p->parts, t->allocated * sizeof(*p->parts));
	}
	p->parts[p->nparts] = (struct mail_part){0};
	return &p->parts[p->nparts++];
}

static bool name_is_taken(const struct parsed *p, const struct mail_part *part, const char *name)
{
	for (size_t i = 0; i < p->nparts; i++)
		if (&p->parts[i] != part && p->parts[i].safe_name &&
		    strcmp(p->parts[i].safe_name, name) == 0)
			return true;
	return false;
}

static char *numbered(size_t n, const char *name)
{
	AUTO(free) char *whole = xprintf("%zu-%s", n, name);

	return attachment_name(whole); /* which may be too long now */
}

/* Unlike those before it: "a.txt", "2-a.txt", ... */
static void set_safe_name(struct tree *t, struct mail_part *part)
{
	const struct parsed *p = t->mail;
	char *name = attachment_name(part->filename ? part->filename : "attachment");
	char *other;

	if (*name == '-') /* to programs that get it, it would be an option */
		*name = '_';
	other = xstrdup(name);
	while (name_is_taken(p, part, other)) {
		free(other);
		other = numbered(++t->numbered + 1, name);
	}
	free(name);
	part->safe_name = other;
}

static void add_leaf(struct tree *t, const struct fields *f, struct content_type *type)
{
	struct parsed *p = t->mail;
	struct mail_part *part;
	char *filename = NULL;

	if (p->nparts == PARSE_PARTS_MAX) {
		p->flaws |= FLAW_PARTS;
		return;
	}
	part = add_part(t);
	part->type = TAKE(type->type);
	part->charset = TAKE(type->charset);
	part->disposition =
		disposition_read(fields_find(f->at, f->n, "Content-Disposition", 0), &filename);
	part->filename = filename ? filename : TAKE(type->name);
	part->is_attachment =
		(part->disposition && strcmp(part->disposition, "attachment") == 0) ||
		part->filename ||
		(strcmp(part->type, "text/plain") != 0 && strcmp(part->type, "text/html") != 0);
	part->bytes = body_decode(fields_find(f->at, f->n, "Content-Transfer-Encoding", 0), f->body,
				  &part->len, &p->flaws);
	set_safe_name(t, part);
}

/* ---- multiparts ---- */

enum line_kind { LINE_OTHER, LINE_SEPARATOR, LINE_END };

static enum line_kind kind_of(struct range line, const char *boundary, size_t len)
{
	struct range text = line_text(line);
	const char *c = text.at;

	if ((size_t)(text.end - c) < len + 2 || c[0] != '-' || c[1] != '-' ||
	    memcmp(c + 2, boundary, len) != 0)
		return LINE_OTHER;
	c += 2 + len;
	bool end = text.end - c >= 2 && c[0] == '-' && c[1] == '-';

	for (c += end ? 2 : 0; c < text.end; c++)
		if (*c != ' ' && *c != '\t')
			return LINE_OTHER;
	return end ? LINE_END : LINE_SEPARATOR;
}

/* Up to the next boundary: the line end before that is the boundary's. */
static struct range take_part(struct range *rest, const char *boundary, size_t len)
{
	struct range part = {rest->at, rest->at}, line, ahead = *rest;

	while (range_line(&ahead, &line)) {
		if (kind_of(line, boundary, len) != LINE_OTHER)
			break;
		*rest = ahead;
		part.end = line.end;
	}
	if (rest->at < rest->end && part.end > part.at) {
		part.end -= part.end[-1] == '\n' && part.end - part.at > 1 && part.end[-2] == '\r'
				    ? 2
				    : (part.end[-1] == '\n' || part.end[-1] == '\r');
	}
	return part;
}

/* Where the first separator stands; false: there is none before the end. */
static bool find_first(struct range *rest, const char *boundary, size_t len)
{
	struct range ahead = *rest, line;

	while (range_line(&ahead, &line)) {
		enum line_kind kind = kind_of(line, boundary, len);

		if (kind == LINE_END)
			return false;
		if (kind == LINE_SEPARATOR) {
			rest->at = line.at;
			return true;
		}
	}
	return false;
}

static void skip_boundaries(struct range *rest, const char *boundary, size_t len)
{
	struct range ahead = *rest, line;

	while (range_line(&ahead, &line) && kind_of(line, boundary, len) != LINE_OTHER)
		*rest = ahead;
}

static void read_entity(struct tree *t, struct range entity, const char *initial, unsigned depth);

static void read_parts(struct tree *t, struct range rest, const struct content_type *type,
		       unsigned depth)
{
	const char *initial =
		strcmp(type->type, "multipart/digest") == 0 ? "message/rfc822" : "text/plain";
	size_t len = strlen(type->boundary);
	struct range line;

	while (range_line(&rest, &line)) {
		if (kind_of(line, type->boundary, len) == LINE_END)
			return;
		skip_boundaries(&rest, type->boundary, len);
		if (t->mail->nparts == PARSE_PARTS_MAX) {
			t->mail->flaws |= FLAW_PARTS;
			return;
		}
		read_entity(t, take_part(&rest, type->boundary, len), initial, depth + 1);
	}
	t->mail->flaws |= FLAW_MIME; /* no closing boundary */
}

/* Each level is read through again: of a large mail, fewer levels are gone into. */
static bool may_scan(struct tree *t, struct range body)
{
	t->scanned += (size_t)(body.end - body.at);
	return t->scanned <= SCAN_MIN || t->scanned / SCAN_LEVELS <= t->mail->len;
}

static void read_body(struct tree *t, const struct fields *f, const char *initial, unsigned depth)
{
	struct content_type type;
	struct range rest = f->body;

	content_type_read(fields_find(f->at, f->n, "Content-Type", 0), initial, &type);
	if (strncmp(type.type, "multipart/", 10) != 0)
		add_leaf(t, f, &type);
	else if (!type.boundary || !find_first(&rest, type.boundary, strlen(type.boundary))) {
		t->mail->flaws |= FLAW_MIME;
		add_leaf(t, f, &type);
	} else if (depth >= PARSE_DEPTH_MAX || !may_scan(t, rest)) {
		t->mail->flaws |= FLAW_DEEP;
	} else {
		read_parts(t, rest, &type, depth);
	}
	content_type_clear(&type);
}

static void read_entity(struct tree *t, struct range entity, const char *initial, unsigned depth)
{
	struct fields f;

	fields_read(entity, PARSE_HEADER_MAX, &f);
	t->mail->flaws |= f.flaws;
	read_body(t, &f, initial, depth);
	fields_clear(&f);
}

void tree_read(struct parsed *p, const struct fields *top)
{
	struct tree t = {.mail = p};

	read_body(&t, top, "text/plain", 0);
}
