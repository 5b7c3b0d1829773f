/* message/compose.h - a composed letter as a row of pieces: what is known from the
 * letter alone, and parts that are made from its content when that comes. Pure. */
#ifndef NUNCIO_MESSAGE_COMPOSE_H
#define NUNCIO_MESSAGE_COMPOSE_H
#include <stdbool.h>
#include <stdint.h>
#include "auto.h"
#include "message/outgoing.h"
struct buf;
struct compose;
struct failure;
struct letter;

struct compose *compose_new(const struct letter *letter); /* which outlives it */
void compose_free(struct compose *c);
AUTO_DEFINE(struct compose, compose_free)
/* One step as outgoing.h says; content has what was fed and not yet used. */
enum outgoing_step compose_step(struct compose *c, struct buf *content, struct buf *out,
				struct failure *f);
/* Of the whole: about, and at the most; or with least, at the least. */
uint64_t compose_size(const struct compose *c, bool least);
#endif
