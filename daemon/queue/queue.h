/* queue/queue.h - the queue as the server and daemon.c see it: takes messages,
 * does operators' deeds, tells watchers, drives dispatch over the transports. */
#ifndef NUNCIO_QUEUE_QUEUE_H
#define NUNCIO_QUEUE_QUEUE_H
#include "queue/store.h"
#include "queue/store_read.h"
#include "queue/store_work.h"
struct config;
struct letter;
struct queue;
struct resolver;

/* Never NULL. store, resolver and loop outlive it. Nothing is claimed before
 * queue_configure(). */
struct queue *queue_new(struct loop *loop, struct store *store, struct resolver *resolver);
/* Takes a (new) configuration: transports whose settings did not change stay as
 * they are, others retire and are replaced. Also after a reload: back-offs of
 * changed transports begin anew. -1: a transport can't be opened; then nothing changed. */
int queue_configure(struct queue *q, const struct config *config, struct failure *f);
/* Stops taking new work; done once what is in flight is settled or after limit_ms. */
void queue_drain(struct queue *q, int64_t limit_ms, void (*done)(void *ctx), void *ctx);
void queue_free(struct queue *q);
AUTO_DEFINE(struct queue, queue_free)
struct store *queue_store(struct queue *q); /* for reads */

/* One message on its way in. Content is written in order, any number of bytes a
 * call, kept in memory up to STORE_INLINE_BYTES, else in chunk batches ahead. */
struct intake;
enum intake_status {
	INTAKE_TAKEN,
	INTAKE_KEY_SAME,
	INTAKE_KEY_OTHER,
	INTAKE_REPEATED,
	INTAKE_MISSED, /* what was joined, or told, is no longer so: nothing happened */
	INTAKE_FAILED
};
struct intake_result {
	enum intake_status status;
	int64_t message; /* the message, or the older one */
	const struct failure *why;
};
typedef void intake_done_fn(void *ctx, const struct intake_result *result);
struct intake *intake_new(struct queue *q);
/* true: go on at once; false: wait for ready() (chunks are on their way to disk). */
bool intake_write(struct intake *in, const void *bytes, size_t len, void (*ready)(void *ctx),
		  void *ctx);
/* The message tells the sender of another what batch_tell() says, in the same batch. */
void intake_tells(struct intake *in, int64_t message, const int64_t *deliveries, size_t n);
/* The operations of more, which dies in any case, are carried out in the message's batch,
 * behind it: all of it happens, or none. Before intake_finish(), once. */
void intake_joins(struct intake *in, struct batch *more);
/* message's content, body and id are filled in here; done exactly once, later. in dies. */
void intake_finish(struct intake *in, struct message_row *message,
		   const struct delivery_row *deliveries, size_t n, int64_t dedup_since_ms,
		   intake_done_fn *done, void *ctx);
void intake_cancel(struct intake *in); /* instead of finish; what was written is dropped */

/* Deeds: all pages, then one answer. */
struct operate_result {
	size_t changed, passed_over;
	const struct failure *why;
};
typedef void operate_done_fn(void *ctx, const struct operate_result *result);
void queue_operate(struct queue *q, enum deed deed, const struct filter *filter,
		   operate_done_fn *done, void *ctx);

/* Operator's pause; -1 FAILURE_REFUSED: no such transport. done when it is on disk. */
int queue_pause(struct queue *q, const char *transport, const char *reason, operate_done_fn *done,
		void *ctx, struct failure *f);
int queue_resume(struct queue *q, const char *transport, operate_done_fn *done, void *ctx,
		 struct failure *f);

/* Does it work now? One connection and login, whatever its circuit says; an open
 * circuit closes when it is good. done comes once, later: why NULL, or REFUSED (login),
 * SETUP (certificate, settings), LATER (not reachable). -1: no such transport. */
typedef void probe_done_fn(void *ctx, const struct failure *why);
int queue_probe(struct queue *q, const char *transport, probe_done_fn *done, void *ctx,
		struct failure *f);

struct transport_status {
	const char *name, *type;
	const char *state;             /* "idle" "up" "connecting" "down" "paused" "capped" */
	const char *reason;            /* why it is down, paused or capped, or "" */
	const char *price;             /* of a text's segment, as configured, or "" */
	int64_t since_ms, next_try_ms; /* wall; 0: none */
	unsigned failures;             /* in a row */
	unsigned in_flight;
	uint64_t sent, refused, later;   /* since start */
	uint64_t texts_day;              /* that went out, or may have, today */
	int64_t cost_day;                /* of them, in millionths */
	uint64_t sent_minute, sent_hour; /* in the last */
};
/* Calls each once, before it returns. */
void queue_each_transport(struct queue *q,
			  void (*each)(void *ctx, const struct transport_status *s), void *ctx);
/* Does some transport carry mail (CARRIES_MAIL) or texts? */
bool queue_carries(const struct queue *q, unsigned carries);

/* Watchers hear each event after it is on disk. Transports that go down or come
 * up again are told as well: message 0, transport named, text why; to is QUEUED for
 * up again, UNCERTAIN for down. */
struct watcher;
typedef void watcher_fn(void *ctx, const struct event_row *event);
struct watcher *queue_watch(struct queue *q, watcher_fn *hear, void *ctx);
void watcher_free(struct watcher *w); /* fine inside hear; NULL is fine */
#endif
