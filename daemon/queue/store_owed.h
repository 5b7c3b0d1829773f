/* queue/store_owed.h - what senders are still to hear: the part of the store's contract
 * (store.h) for notices of failure and delay. What is owed follows from the rows, so that
 * it is known after a crash as before; batch_tell() ends it. */
#ifndef NUNCIO_QUEUE_STORE_OWED_H
#define NUNCIO_QUEUE_STORE_OWED_H
#include "queue/store_data.h"
struct failure;
struct store;

struct owed_result {
	const struct message_row *message; /* NULL: nothing is owed; with spec */
	const struct delivery_row *deliveries;
	size_t ndeliveries;  /* all of the message's */
	bool delay;          /* it takes long; else some have failed */
	const void *content; /* its begin: whole, or the first chunk */
	size_t content_len;
	const struct failure *why;
};
typedef void owed_done_fn(void *ctx, const struct owed_result *result);
/* One message of which something is owed: failures first, then what waits since before
 * slow_before_ms. The rows live only during the callback. */
void store_owed(struct store *s, int64_t slow_before_ms, owed_done_fn *done, void *ctx);
#endif
