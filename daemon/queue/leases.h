/* queue/leases.h - keeps the claims of what is in flight from lapsing, however long
 * it takes: renews them at half-life. */
#ifndef NUNCIO_QUEUE_LEASES_H
#define NUNCIO_QUEUE_LEASES_H
#include <stdint.h>
#include "base/deadline.h"
struct log;
struct parcels;
struct renewal;
struct settle;
struct store;

/* Embedded. */
struct leases {
	struct store *store;
	const struct parcels *parcels; /* what is with the transport */
	const struct settle *settle;   /* and what came of it, until that is on disk */
	const struct log *log;
	struct deadline next;
	struct renewal *renewal; /* under way, or NULL */
};
void leases_init(struct leases *l, struct loop *loop, struct store *store,
		 const struct parcels *parcels, const struct settle *settle, const struct log *log);
void leases_clear(struct leases *l);
void leases_begin(struct leases *l); /* something was claimed */
#endif
