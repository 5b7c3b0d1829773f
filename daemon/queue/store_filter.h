/* queue/store_filter.h - walks deliveries that a filter (store.h) means, for
 * lists and for deeds, a bounded number of rows a step. */
#ifndef NUNCIO_QUEUE_STORE_FILTER_H
#define NUNCIO_QUEUE_STORE_FILTER_H
#include "queue/arena.h"
#include "queue/store_data.h"
struct sql;

struct walk {
	struct arena texts;
	int64_t message, delivery, uid; /* as in the filter */
	unsigned states;
	const char *route, *recipient;
	int64_t after, last;
	size_t max;
	bool done;
};
/* Called for each that fits; what it gets lives only during the call. */
typedef void walk_fn(void *ctx, const struct delivery_row *delivery,
		     const struct message_row *message);

void walk_init(struct walk *walk, const struct filter *filter, int64_t after, size_t max);
/* At most max that fit; then last and done say where it stands. -1: sql_failed(). */
int walk_step(struct walk *walk, struct sql *sql, walk_fn *fits, void *ctx);
void walk_clear(struct walk *walk);
#endif
