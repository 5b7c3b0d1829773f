/* message/reencode.h - a whole raw message made fit for a receiver that takes only
 * 7 bit, or because lines of it are too long for any. Pure. */
#ifndef NUNCIO_MESSAGE_REENCODE_H
#define NUNCIO_MESSAGE_REENCODE_H
#include <stddef.h>
struct buf;

/* Adds the message to out, with CRLF line ends of at most 998 octets and without
 * NUL. Parts that need it are put into quoted-printable or base64, and say the
 * same as before; header fields stay as they are. What GMime can't make sense of only
 * has its long lines broken. -1: out is full. */
int reencode(const char *bytes, size_t len, struct buf *out);
#endif
