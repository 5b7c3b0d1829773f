/* client/sendmail_headers.h - the header of a mail as a program wrote it: where it
 * ends, what is missing in it, and to whom it says the mail goes. Pure. What becomes
 * of the fields is the daemon's business. */
#ifndef NUNCIO_CLIENT_SENDMAIL_HEADERS_H
#define NUNCIO_CLIENT_SENDMAIL_HEADERS_H
#include <stdbool.h>
#include <stddef.h>
struct address_list;
struct buf;
struct failure;

struct sendmail_headers {
	const char *bytes; /* the caller's */
	size_t start;      /* the first field; an mbox "From " line stands before it */
	size_t end;        /* behind the last one */
	size_t body;       /* behind the empty line; end, where that is missing */
	bool has_from;
};
/* Lines end with LF, CRLF or CR. The first line that is no field begins the body, as
 * the empty one does. -1 and FAILURE_REFUSED: of len bytes, which are the first of
 * more, all are header. */
int sendmail_headers_read(const char *bytes, size_t len, bool more, struct sendmail_headers *ret,
			  struct failure *f);
/* To, Cc and Bcc; when there are Resent- ones, those of the last resending. */
int sendmail_headers_recipients(const struct sendmail_headers *h, struct address_list *list,
				struct failure *f);
/* Adds the header and the empty line to out, NUL bytes left out. Where From is missing
 * it is made of from, an address or a local name, and name; either may be NULL, without
 * from it stays missing. -1: out is full. */
int sendmail_headers_write(const struct sendmail_headers *h, const char *from, const char *name,
			   struct buf *out);
#endif
