/* queue/tracker.h - what became of texts that their provider has, or may have: asks when
 * it is time, as many together as there are, and settles what it hears. Where nobody can
 * be asked, what a crash interrupted is sent again. */
#ifndef NUNCIO_QUEUE_TRACKER_H
#define NUNCIO_QUEUE_TRACKER_H
#include <stddef.h>
#include "transport/transport.h"
struct event_row;
struct log;
struct loop;
struct store;
struct tracker;
struct transport_config;

struct tracker_events {
	/* They are on disk. again: some wait for another attempt. */
	void (*happened)(void *ctx, const struct event_row *events, size_t n, bool again);
};
/* transport lives as long as the tracker. NULL: it carries no texts. */
struct tracker *tracker_new(struct loop *loop, struct store *store,
			    const struct transport_kind *kind, struct transport *transport,
			    const struct transport_config *config, const struct log *log,
			    const struct tracker_events *events, void *ctx);
void tracker_free(struct tracker *t);
/* Something is tracked from now on, or the transport is up: look when it is due. NULL is
 * fine. */
void tracker_poke(struct tracker *t);
#endif
