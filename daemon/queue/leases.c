/* queue/leases.c - decides when leases are renewed. A renewal that failed is tried
 * again well before they lapse. */
#include "queue/leases.h"

#include <stdlib.h>

#include "alloc.h"
#include "clock.h"
#include "failure.h"
#include "log.h"
#include "queue/parcels.h"
#include "queue/settle.h"
#include "queue/store.h"

/* Outlives the leases it was for. */
struct renewal {
	struct leases *leases; /* NULL: gone */
};

static void renewed(void *ctx, const struct batch_result *result)
{
	struct renewal *renewal = ctx;
	struct leases *l = renewal->leases;

	free(renewal);
	if (!l)
		return;
	l->renewal = NULL;
	if (result->status == BATCH_DONE) {
		deadline_set(&l->next, store_lease_ms(l->store) / 2);
		return;
	}
	log_debug(l->log, "leases were not renewed: %s",
		  result->why ? result->why->text : "unknown");
	deadline_set(&l->next, store_lease_ms(l->store) / 16);
}

static void renew(void *ctx)
{
	struct leases *l = ctx;
	int64_t until_ms = clock_wall_ms() + store_lease_ms(l->store);
	int64_t *flight, *outcomes;
	size_t nflight = parcels_unsettled(l->parcels, &flight);
	size_t noutcomes = settle_unsettled(l->settle, &outcomes);
	struct batch *batch;

	if (nflight + noutcomes > 0 && !l->renewal) {
		batch = batch_new();
		batch_renew(batch, flight, nflight, until_ms);
		batch_renew(batch, outcomes, noutcomes, until_ms);
		l->renewal = xcalloc(1, sizeof(*l->renewal));
		l->renewal->leases = l;
		store_commit(l->store, batch, renewed, l->renewal);
	}
	free(flight);
	free(outcomes);
}

void leases_init(struct leases *l, struct loop *loop, struct store *store,
		 const struct parcels *parcels, const struct settle *settle, const struct log *log)
{
	*l = (struct leases){.store = store, .parcels = parcels, .settle = settle, .log = log};
	deadline_init(&l->next, loop, renew, l);
}

void leases_clear(struct leases *l)
{
	if (l->renewal)
		l->renewal->leases = NULL;
	l->renewal = NULL;
	deadline_clear(&l->next);
}

void leases_begin(struct leases *l)
{
	if (!l->renewal && !deadline_is_set(&l->next))
		deadline_set(&l->next, store_lease_ms(l->store) / 2);
}
