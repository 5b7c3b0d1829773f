/* queue/store.h - where messages are kept: the contract, of which this is opening
 * and batches; claims, deeds and housekeeping are in store_work.h, reading in
 * store_read.h, the rows themselves in store_data.h. Everything answers by callback, in a later turn of the loop, in order per kind (writes among
 * themselves, reads among themselves). Nothing in it knows SQL. A write is a
 * batch: its operations happen all or none, and are on disk when it answers. */
#ifndef NUNCIO_QUEUE_STORE_H
#define NUNCIO_QUEUE_STORE_H
#include "auto.h"
#include "queue/store_data.h"
struct batch;
struct failure;
struct loop;
struct store;

struct store_options {
	const char *directory; /* created 0711 when missing; locked: a second opener fails */
	int64_t lease_ms;
	/* So many numbers of messages and deliveries are never given: a database put back
	 * knows nothing of those that were given after it was saved. */
	int64_t skip;
};
/* Opens, checks the file's integrity (a quick_check; of a large one that ended well later,
 * on a thread: damage then fails all writes), migrates, takes back what we
 * had claimed (sending -> queued, attempt_no kept, an event each; a text is uncertain),
 * sweeps content nobody owns. May take its time: before the loop runs. FAILURE_SETUP: locked by another, newer
 * schema, damaged; the text says what to do. */
int store_open(struct loop *loop, const struct store_options *options, struct store **ret,
	       struct failure *f);
/* How large a store that is not yet open is: what its opening reads. */
uint64_t store_bytes_in(const char *directory);
void store_close(struct store *s); /* waits for writes given; their callbacks come */
AUTO_DEFINE(struct store, store_close)
const char *store_instance(const struct store *s); /* this installation's id, 16 hex digits */
int64_t store_lease_ms(const struct store *s);     /* as given in the options */
int64_t store_new_body(struct store *s); /* a number for content to be written in chunks */

/* ---- writing ---- */
struct batch *batch_new(void);
void batch_free(struct batch *b); /* one that was not committed */
/* The operations of more, which dies, behind b's own. */
void batch_join(struct batch *b, struct batch *more);

/* Everything given is copied. */
void batch_put_chunk(struct batch *b, int64_t body, unsigned number, const void *bytes, size_t len);
/* deliveries' message, id and changed are the store's to fill. With a key that uid
 * has used: the batch fails as BATCH_KEY_SAME (same digest) or BATCH_KEY_OTHER. With dedup
 * and an open or recent (created >= dedup_since_ms) message of the same uid and dedup:
 * nothing is put, its repeats are counted, BATCH_REPEATED. In all three cases result.message
 * is the older message. */
void batch_put_message(struct batch *b, const struct message_row *message,
		       const struct delivery_row *deliveries, size_t n, int64_t dedup_since_ms);
void batch_drop_body(struct batch *b, int64_t body); /* chunks written for nothing */

/* One delivery changes state: compare-and-set on (id, from, attempt_no), one event row. */
struct delivery_change {
	int64_t delivery, message;
	enum delivery_state from, to;
	unsigned attempt_no;  /* what it must be */
	unsigned new_attempt; /* what it becomes: an attempt that did not count is taken back */
	int64_t at_ms, next_ms;
	int code;
	const char *enhanced, *text, *transport, *remote_id;
};
void batch_change(struct batch *b, const struct delivery_change *change);
/* The sender is told, by the message of this batch, that these deliveries of message
 * failed; or, with n 0, that it takes long. The batch misses when that was told before,
 * or is no longer so. */
void batch_tell(struct batch *b, int64_t message, const int64_t *deliveries, size_t n);
void batch_renew(struct batch *b, const int64_t *deliveries, size_t n, int64_t lease_until_ms);
/* An operator's pause of a transport, kept over restarts. */
void batch_pause(struct batch *b, const char *transport, const char *reason);
void batch_resume(struct batch *b, const char *transport);
/* What it may send in a day does not count until then. */
void batch_lift(struct batch *b, const char *transport, int64_t until_ms);

enum batch_status {
	BATCH_DONE,
	BATCH_KEY_SAME,
	BATCH_KEY_OTHER,
	BATCH_REPEATED,
	BATCH_RUN_SAME,   /* store_run.h */
	BATCH_PROOF_USED, /* store_run.h */
	BATCH_MISSED,     /* a compare-and-set did not match: nothing of the batch happened */
	BATCH_FAILED,     /* see why: disk full, locked, damaged */
};
struct batch_result {
	enum batch_status status;
	int64_t message;          /* of put_message */
	int64_t first_delivery;   /* its deliveries are numbered from here, in order */
	const int64_t *event_ids; /* of the message put, or of each change, in order */
	/* What happened to deliveries besides: those that went by the same text */
	const struct event_row *others;
	size_t nothers;
	int64_t run; /* of put_run (store_run.h) */
	const struct failure *why;
};
typedef void batch_done_fn(void *ctx, const struct batch_result *result);
void store_commit(struct store *s, struct batch *batch, batch_done_fn *done, void *ctx);

#endif
