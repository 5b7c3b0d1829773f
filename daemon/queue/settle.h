/* queue/settle.h - outcomes on their way to disk: what each means for its delivery,
 * and batches of them. Nothing told to it is forgotten: when the store can't
 * take them they wait, and it says so. */
#ifndef NUNCIO_QUEUE_SETTLE_H
#define NUNCIO_QUEUE_SETTLE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
struct event_row;
struct log;
struct loop;
struct outcome;
struct parcel_delivery;
struct settle;
struct store;
struct transport_config;

struct settle_events {
	/* On disk. next_ms: when the earliest that waits again is due; 0: none does. */
	void (*settled)(void *ctx, const struct event_row *events, size_t n, int64_t next_ms);
	/* A commit failed, or works again after one that did. */
	void (*stuck)(void *ctx, bool stuck);
};
struct settle *settle_new(struct loop *loop, struct store *store,
			  const struct transport_config *config, const struct log *log,
			  const struct settle_events *events, void *ctx);
void settle_free(struct settle *s); /* what is not on disk yet is sent again at next open */
/* Copied. */
void settle_add(struct settle *s, const struct parcel_delivery *d, const struct outcome *o);
size_t settle_pending(const struct settle *s); /* outcomes not on disk yet */
bool settle_is_stuck(const struct settle *s);
/* The deliveries whose outcomes are not on disk, into an array the caller frees. */
size_t settle_unsettled(const struct settle *s, int64_t **ret);
#endif
