/* message/header.h - fields of a mail's header as they are written: folded, with
 * CRLF line ends, in ASCII whatever comes in (RFC 5322, 2047, 2231). No CR, LF or
 * NUL of a value reaches the output, and no line passes 998 octets. Pure. */
#ifndef NUNCIO_MESSAGE_HEADER_H
#define NUNCIO_MESSAGE_HEADER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
struct address;
struct buf;

/* Headers are as large as what they are made from, which is bounded: a buffer
 * made with this ceiling takes all that the functions below write. */
#define HEADER_BUF_MAX ((size_t)1 << 30)

/* Unstructured text in UTF-8: as it is where that is plain, else in encoded words. */
void header_add_text(struct buf *out, const char *name, const char *value);
/* A line our own code made; what is not printable ASCII becomes '_'. */
void header_add_plain(struct buf *out, const char *name, const char *value);
/* RFC 5322 date in the local time zone. */
void header_add_date(struct buf *out, const char *name, int64_t ms);
/* The domains in A-labels; an address whose local part is not ASCII stays UTF-8. */
void header_add_addresses(struct buf *out, const char *name, const struct address *list, size_t n);
/* Type, encoding and Content-Disposition of an attachment. filename may be NULL. */
void header_add_attachment(struct buf *out, const char *type, const char *encoding,
			   const char *filename);
#endif
