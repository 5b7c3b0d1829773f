/* queue/counts.h - how many deliveries stand where, kept in memory: counted once
 * when the store opens, then moved along with each commit, so that statistics
 * cost nothing on disk. Safe for several threads. */
#ifndef NUNCIO_QUEUE_COUNTS_H
#define NUNCIO_QUEUE_COUNTS_H
#include <pthread.h>
#include "queue/store_read.h"

#define COUNTS_ROUTES 32 /* more share the last place */
#define COUNTS_STATES 16

struct counts {
	pthread_mutex_t lock;
	size_t nroutes;
	struct counts_route {
		char name[40];
		uint64_t by_state[COUNTS_STATES];
		int64_t oldest;   /* no delivery before it waits here */
		uint64_t returns; /* how often one came to wait again */
	} routes[COUNTS_ROUTES];
};

/* What a transaction will change, in order; may be taken back to a mark. */
struct tally {
	struct tally_row *rows; /* owned */
	size_t n, allocated;
};

void counts_init(struct counts *c);
void counts_clear(struct counts *c);
/* from 0: it is new; to 0: it is forgotten. */
void tally_add(struct tally *t, struct counts *c, const char *route, int64_t delivery,
	       enum delivery_state from, enum delivery_state to);
void tally_back(struct tally *t, size_t n);           /* to a mark: t->n as it was */
void tally_commit(struct tally *t, struct counts *c); /* and empties t */
void tally_clear(struct tally *t);

/* Copies of all routes; ret has COUNTS_ROUTES places. Returns how many. */
size_t counts_read(struct counts *c, struct counts_route *ret);
/* In the place of all that was counted. */
void counts_put(struct counts *c, const struct counts_route *routes, size_t n);
uint64_t counts_waiting(struct counts *c); /* of all that are not over */
/* The first waiting one of routes[i] is oldest, if nothing returned since seen was read. */
void counts_advance(struct counts *c, size_t i, const struct counts_route *seen, int64_t oldest);
#endif
