/* net/inbox.h - bytes that arrived and wait to be taken, as lines or as they
 * are. Pure. For net/line.c. */
#ifndef NUNCIO_NET_INBOX_H
#define NUNCIO_NET_INBOX_H
#include <stdbool.h>
#include <stddef.h>
#include "buf.h"

/* Embedded in its line. */
struct inbox {
	struct buf bytes;
	size_t taken;   /* bytes in front that the last inbox_take() showed */
	size_t scanned; /* bytes behind them known to have no LF */
};

void inbox_init(struct inbox *in, size_t max);
void inbox_clear(struct inbox *in);
/* What inbox_take() showed goes; each of the calls below does this first. */
void inbox_settle(struct inbox *in);
void inbox_rest(struct inbox *in);          /* as line_rest() */
bool inbox_is_full(const struct inbox *in); /* as it stands */
/* As line_take(), line_bytes() and line_drain(). */
bool inbox_take(struct inbox *in, const char **ret, size_t *ret_len);
const char *inbox_bytes(struct inbox *in, size_t *ret_len);
void inbox_drain(struct inbox *in, size_t len);
#endif
