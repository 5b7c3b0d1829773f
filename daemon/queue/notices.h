/* queue/notices.h - senders hear what became of their mail: of failures about when they
 * happen, of delay once. What is owed is the store's to say (store_owed.h): a notice and
 * the note that it was given are one batch, so that each is given once, whatever ends the
 * process in between. */
#ifndef NUNCIO_QUEUE_NOTICES_H
#define NUNCIO_QUEUE_NOTICES_H
struct config;
struct notices;
struct queue;

struct notices *notices_new(struct queue *q);
/* From now on, and under this configuration, which outlives the next call. */
void notices_configure(struct notices *n, const struct config *config);
void notices_stop(struct notices *n);
void notices_free(struct notices *n); /* before the queue's watchers; NULL is fine */
#endif
