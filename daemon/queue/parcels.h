/* queue/parcels.h - the window: messages claimed for one transport, laid ready as
 * parcels, and their content as the transport asks for it. When to claim more,
 * and what becomes of outcomes, is for others. */
#ifndef NUNCIO_QUEUE_PARCELS_H
#define NUNCIO_QUEUE_PARCELS_H
#include <stddef.h>
#include <stdint.h>
#include "transport/transport.h"
struct claimed_message;
struct failure;
struct parcels;
struct store;

struct parcels *parcels_new(struct store *store); /* which outlives it */
void parcels_free(struct parcels *w);             /* with all that is in it */
/* m is owned from now on. -1, FAILURE_REFUSED: its spec can't be read; it is not
 * laid ready, and *ret must be settled by the caller. */
int parcels_add(struct parcels *w, struct claimed_message *m, struct parcel **ret,
		struct failure *f);
struct parcel *parcels_next(struct parcels *w); /* the first that is ready; NULL: none */
size_t parcels_ready(const struct parcels *w);  /* laid ready, not taken */
size_t parcels_taken(const struct parcels *w);
void parcels_content(struct parcels *w, struct parcel *p, content_done_fn *done, void *ctx);
void parcels_rewind(struct parcels *w, struct parcel *p);

/* What a delivery's outcome is told with. The pointers live as long as the parcel. */
struct parcel_delivery {
	int64_t delivery, message, expires_boot_ms;
	uint32_t uid;
	unsigned attempt_no;
	const char *recipient;
};
/* Once for each recipient. */
void parcels_settle(struct parcel *p, size_t recipient, struct parcel_delivery *ret);
void parcels_remove(struct parcels *w, struct parcel *p); /* all its recipients are settled */
/* The deliveries not yet settled, into an array the caller frees. */
size_t parcels_unsettled(const struct parcels *w, int64_t **ret);
#endif
