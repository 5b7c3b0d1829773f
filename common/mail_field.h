/* common/mail_field.h - one field of a mail's header, as it stands there: where it ends,
 * and what of it is name and value. Lines end with LF, CRLF or CR. Pure. */
#ifndef NUNCIO_COMMON_MAIL_FIELD_H
#define NUNCIO_COMMON_MAIL_FIELD_H
#include <stdbool.h>
#include <stddef.h>

struct mail_field {
	const char *bytes; /* the whole, from its name to its last line's end */
	size_t len;
	size_t name_len;   /* without blanks before the colon */
	const char *value; /* behind the colon, still folded */
	size_t value_len;  /* without its last line's end */
};

/* The field at the start of bytes, which are whole lines. False: what stands there is none. */
bool mail_field_read(const char *bytes, size_t len, struct mail_field *ret);
bool mail_field_is(const struct mail_field *field, const char *name); /* without case */
/* Bytes of the line at the start, with its end. */
size_t mail_field_line_len(const char *bytes, size_t len);
/* The same of a line "From alice Sun ...", as mailboxes have it before a mail's header;
 * 0: there is none. "From :" is a field. */
size_t mail_field_mbox_line_len(const char *bytes, size_t len);
#endif
