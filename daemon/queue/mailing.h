/* queue/mailing.h - messages of the daemon's own that belong to other operations:
 * whatever their size, they and those are one batch, all or none. */
#ifndef NUNCIO_QUEUE_MAILING_H
#define NUNCIO_QUEUE_MAILING_H
#include <stddef.h>
#include "queue/store.h"
struct mailing;
struct queue;

struct mailing *mailing_new(struct queue *q);
void mailing_free(struct mailing *m); /* one that was not committed; NULL is fine */
/* Everything is copied but content, malloc()ed, which is the mailing's from here on.
 * message's content, its size, body and id are filled in here. */
void mailing_add(struct mailing *m, const struct message_row *message, char *content, size_t len,
		 const struct delivery_row *deliveries, size_t n);
/* batch: the other operations, taken over. done exactly once, later; both die. */
void mailing_commit(struct mailing *m, struct batch *batch, batch_done_fn *done, void *ctx);
#endif
