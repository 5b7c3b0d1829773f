/* queue/dispatch.h - one transport's work: claims what is due on its routes into
 * a bounded window, hands parcels over, settles outcomes in batches, rests when
 * the transport is down (its circuit), obeys `rate` and an operator's pause.
 * Which routes it serves is queue.c's to say. */
#ifndef NUNCIO_QUEUE_DISPATCH_H
#define NUNCIO_QUEUE_DISPATCH_H
#include "queue/queue.h"
struct dispatch;
struct transport_config;

struct dispatch_events {
	/* Events to tell watchers: they are on disk. */
	void (*happened)(void *ctx, const struct event_row *events, size_t n);
	/* Its circuit opened or closed: routes may have to move (failover). */
	void (*circuit)(void *ctx, struct dispatch *d);
	/* Texts were claimed, or wait for the next day. */
	void (*used)(void *ctx, struct dispatch *d);
};
/* config outlives it. */
int dispatch_new(struct loop *loop, struct store *store, struct resolver *resolver,
		 const struct transport_config *config, const struct dispatch_events *events,
		 void *ctx, struct dispatch **ret, struct failure *f);
void dispatch_free(struct dispatch *d); /* in flight stays `sending`: taken back at next open */
const struct transport_config *dispatch_config(const struct dispatch *d);
unsigned dispatch_carries(const struct dispatch *d);
/* The routes it serves from now on; copied. */
void dispatch_serve(struct dispatch *d, const char *const *routes, size_t n);
void dispatch_probe(struct dispatch *d, probe_done_fn *done, void *ctx); /* queue_probe() */
void dispatch_poke(struct dispatch *d);                      /* there may be something due */
void dispatch_pause(struct dispatch *d, const char *reason); /* operator; NULL: resume */
void dispatch_wake(struct dispatch *d);          /* the machine slept: what is down is tried now */
bool dispatch_is_down(const struct dispatch *d); /* circuit open, or paused */
/* No more claims; done when nothing is in flight. */
void dispatch_retire(struct dispatch *d, void (*done)(void *ctx), void *ctx);
void dispatch_status(const struct dispatch *d, struct transport_status *ret);
#endif
