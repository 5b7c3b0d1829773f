/* common/base64.h - RFC 4648 base64, strict. Pure. */
#ifndef NUNCIO_COMMON_BASE64_H
#define NUNCIO_COMMON_BASE64_H
#include <stddef.h>
struct buf;

/* Adds the encoding of bytes to out, without line breaks. -1: out is full. */
int base64_encode(struct buf *out, const void *bytes, size_t len);
/* Adds what text stands for to out. White space (space, tab, CR, LF) is passed
 * over; padding is required. -1: not base64, or out is full. */
int base64_decode(struct buf *out, const char *text, size_t len);
#endif
