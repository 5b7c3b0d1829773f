/* message/parse_room.h - what the files of parse.h share. */
#ifndef NUNCIO_MESSAGE_PARSE_ROOM_H
#define NUNCIO_MESSAGE_PARSE_ROOM_H
#include "message/parse.h"

/* A range of the mail's bytes. */
struct range {
	const char *at, *end;
};
/* The next line of r, with its end (CRLF, LF, CR), off its front. False: none is left. */
bool range_line(struct range *r, struct range *ret);
/* Without its line end. */
struct range line_text(struct range line);

/* A header: its fields in order, and what stands behind it. Pure; parse_fields.c. */
struct fields {
	struct mail_field *at; /* owned, of n */
	size_t n, allocated;
	struct range body;
	unsigned flaws;
};
/* RFC 5322 2.2; a line that is no field, and continues none, ends the header, and the body begins
 * with it; but one that looks like a field with a bad name, between others, is passed over.
 * max: octets of header read at most. */
void fields_read(struct range entity, size_t max, struct fields *ret);
/* The same of a whole mail: blank lines and an mbox line before it are passed over. */
void fields_read_mail(struct range entity, size_t max, struct fields *ret);
void fields_clear(struct fields *f);
const struct mail_field *fields_find(const struct mail_field *at, size_t n, const char *name,
				     size_t skip);

/* parse_tree.c: the leaves below an entity, into p->parts. */
void tree_read(struct parsed *p, const struct fields *top);

/* parse_type.c: a Content-Type or Content-Disposition, as far as it makes sense. */
struct content_type {
	char *type;     /* owned; lower case; "text/plain" where there is none that can be */
	char *boundary; /* owned, or NULL */
	char *charset;  /* owned, or NULL */
	char *name;     /* owned, or NULL */
};
void content_type_read(const struct mail_field *field, const char *initial,
		       struct content_type *ret); /* field may be NULL */
void content_type_clear(struct content_type *t);
/* "inline" "attachment" ...; owned, or NULL. */
char *disposition_read(const struct mail_field *field, char **ret_filename);

/* parse_body.c: transfer encodings undone; NUL behind the octets, owned. */
char *word_decode(char encoding, struct range text, size_t *ret_len); /* 'B' or 'Q', RFC 2047 4 */
char *body_decode(const struct mail_field *encoding, struct range body, size_t *ret_len,
		  unsigned *flaws);
/* Octets in some charset as UTF-8 with LF line ends, at most PARSE_TEXT_MAX. */
char *body_text(const char *bytes, size_t len, const char *charset, size_t *ret_len,
		unsigned *flaws);
#endif
