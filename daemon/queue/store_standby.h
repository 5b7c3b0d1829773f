/* queue/store_standby.h - deliveries that stand by for another: what becomes of them when
 * that one changes, in the same transaction; and the part of the store's contract (store.h)
 * that lets them go when their time has come. */
#ifndef NUNCIO_QUEUE_STORE_STANDBY_H
#define NUNCIO_QUEUE_STORE_STANDBY_H
#include "queue/store_data.h"
struct change;
struct events;
struct failure;
struct store;
struct writer;

/* change has just happened to a delivery that another stands by for. */
int standby_follow(struct writer *w, const struct change *change, struct events *events);

struct standby_result {
	const struct event_row *events;
	size_t nevents;
	int64_t next_ms; /* when the next one's time comes; 0: none stands by */
	const struct failure *why;
};
typedef void standby_done_fn(void *ctx, const struct standby_result *result);
/* Those whose time has come are queued, STORE_PAGE_MAX at most; for what its sender holds
 * the time begins anew. */
void store_standby(struct store *s, int64_t now_ms, standby_done_fn *done, void *ctx);
#endif
