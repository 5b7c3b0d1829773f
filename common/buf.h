/* common/buf.h - bytes that grow at the end and are consumed at the front,
 * under a ceiling given when the buffer is made. */
#ifndef NUNCIO_COMMON_BUF_H
#define NUNCIO_COMMON_BUF_H
#include <stddef.h>

struct buf {
	char *data;       /* owned; the first unread byte is data + start */
	size_t start;     /* bytes consumed before it */
	size_t len;       /* unread bytes */
	size_t allocated; /* of data */
	size_t max;       /* len never grows above it */
};

void buf_init(struct buf *b, size_t max); /* allocates nothing yet */
void buf_clear(struct buf *b); /* frees the bytes; the ceiling stays, b can be used again */
void buf_wipe(struct buf *b);  /* the same of bytes that are secret: none of them is left behind */

/* These return 0, or -1 with b unchanged when max would be passed. */
int buf_add(struct buf *b, const void *bytes, size_t len);
int buf_add_text(struct buf *b, const char *text);
int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Room for len more bytes to be written by the caller, who then says how many
 * were with buf_wrote(). NULL when max would be passed. */
char *buf_room(struct buf *b, size_t len);
void buf_wrote(struct buf *b, size_t len);

/* The unread bytes, always followed by a NUL that is not counted. Valid until
 * the next call that changes b. Never NULL. */
const char *buf_bytes(const struct buf *b);
void buf_drain(struct buf *b, size_t len); /* consume len <= b->len bytes */
/* Hands the unread bytes over (NUL behind them, free() them); b is then empty. */
char *buf_take(struct buf *b, size_t *ret_len /* or NULL */);
#endif
