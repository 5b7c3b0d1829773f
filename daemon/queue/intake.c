/* queue/intake.c - one message on its way in: small content stays in memory and
 * goes with the message; larger content goes to disk ahead of it in chunks, a few
 * batches at most under way, and becomes the message's with the last batch. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "base/loop.h"
#include "buf.h"
#include "failure.h"
#include "queue/room.h"

#define BATCH_CHUNKS 16
#define BATCHES_AHEAD 2

enum phase {
	PHASE_TAKING,
	PHASE_CLOSING,    /* the last batch waits for those before it */
	PHASE_COMMITTING, /* the last batch is under way */
	PHASE_CANCELED,
};

struct intake {
	struct pending pending;
	struct store *store;
	enum phase phase;
	struct buf chunk;    /* not yet in a batch */
	struct batch *batch; /* owned: being filled; NULL: none */
	unsigned batch_chunks;
	unsigned under_way; /* batches of chunks given to the store */
	int64_t body;       /* 0: no chunk yet */
	unsigned chunks;
	uint64_t size;
	struct failure why; /* a batch failed; FAILURE_NONE: none did */
	void (*ready)(void *ctx);
	void *ready_ctx;
	intake_done_fn *done;
	void *done_ctx;
	struct task tell;       /* of what is known without the store */
	struct event_row event; /* to tell of, once it is on disk */
	int64_t told;           /* message it tells of; 0: none */
	int64_t *failed;        /* owned, of nfailed: what of it */
	size_t nfailed;
	struct batch *more; /* owned: joins the last batch; NULL: nothing does */
	char **routes;      /* owned, of nroutes: those of its queued deliveries */
	size_t nroutes;
	bool stands_by; /* one of them does */
};

static void intake_free(struct intake *in)
{
	pending_remove(&in->pending);
	task_clear(&in->tell);
	buf_clear(&in->chunk);
	batch_free(in->batch);
	batch_free(in->more);
	for (size_t i = 0; i < in->nroutes; i++)
		free(in->routes[i]);
	free(in->routes);
	free(in->failed);
	free(in);
}

static void body_dropped(void *ctx, const struct batch_result *result)
{
	/* What stays behind is swept at the next start */
}

static void drop_body(struct intake *in)
{
	struct batch *batch;

	if (!in->body)
		return;
	batch = batch_new();
	batch_drop_body(batch, in->body);
	store_commit(in->store, batch, body_dropped, NULL);
	in->body = 0;
}

/* ---- the end ---- */

static void tell_done(struct intake *in, const struct intake_result *result)
{
	if (result->status != INTAKE_TAKEN)
		drop_body(in);
	in->done(in->done_ctx, result);
}

static void tell_failure(struct intake *in)
{
	struct intake_result result = {.status = INTAKE_FAILED, .why = &in->why};

	tell_done(in, &result);
	intake_free(in);
}

static void tell_later(void *ctx)
{
	tell_failure(ctx);
}

static void announce(struct intake *in, const struct batch_result *result)
{
	struct queue *q = in->pending.queue;

	in->event.message = result->message;
	in->event.id = result->event_ids[0];
	queue_tell(q, &in->event, 1);
	for (size_t i = 0; i < in->nroutes; i++)
		queue_poke(q, in->routes[i]);
	if (in->stands_by)
		queue_standby(q);
}

static void last_done(void *ctx, const struct batch_result *result)
{
	static const enum intake_status statuses[] = {
		[BATCH_DONE] = INTAKE_TAKEN,          [BATCH_KEY_SAME] = INTAKE_KEY_SAME,
		[BATCH_KEY_OTHER] = INTAKE_KEY_OTHER, [BATCH_REPEATED] = INTAKE_REPEATED,
		[BATCH_RUN_SAME] = INTAKE_MISSED,     [BATCH_PROOF_USED] = INTAKE_MISSED,
		[BATCH_MISSED] = INTAKE_MISSED,       [BATCH_FAILED] = INTAKE_FAILED,
	};
	struct intake *in = ctx;
	struct intake_result told = {
		.status = statuses[result->status], .message = result->message, .why = result->why};

	if (in->pending.queue) {
		tell_done(in, &told);
		if (told.status == INTAKE_TAKEN)
			announce(in, result);
	}
	intake_free(in);
}

static void commit_last(struct intake *in)
{
	in->phase = PHASE_COMMITTING;
	store_commit(in->store, TAKE(in->batch), last_done, in);
}

/* ---- chunks ---- */

static void chunks_done(void *ctx, const struct batch_result *result)
{
	struct intake *in = ctx;
	void (*ready)(void *ctx) = in->ready;

	in->under_way--;
	if (result->status != BATCH_DONE && in->why.kind == FAILURE_NONE) {
		failure_set(&in->why, FAILURE_LATER, "the queue could not be written");
		if (result->why)
			in->why = *result->why;
	}
	if (in->phase == PHASE_TAKING && in->pending.queue) {
		in->ready = NULL;
		if (ready)
			ready(in->ready_ctx);
		return;
	}
	if (in->under_way > 0)
		return;
	if (!in->pending.queue) {
		intake_free(in);
	} else if (in->phase == PHASE_CANCELED) {
		drop_body(in);
		intake_free(in);
	} else if (in->why.kind != FAILURE_NONE) {
		tell_failure(in);
	} else {
		commit_last(in);
	}
}

static void send_batch(struct intake *in)
{
	in->under_way++;
	in->batch_chunks = 0;
	store_commit(in->store, TAKE(in->batch), chunks_done, in);
}

static void flush_chunk(struct intake *in)
{
	if (!in->body)
		in->body = store_new_body(in->store);
	if (!in->batch)
		in->batch = batch_new();
	batch_put_chunk(in->batch, in->body, in->chunks++, buf_bytes(&in->chunk), in->chunk.len);
	buf_drain(&in->chunk, in->chunk.len);
	if (++in->batch_chunks == BATCH_CHUNKS)
		send_batch(in);
}

/* ---- the door ---- */

/* Nobody waits for its answer any more. */
static void orphaned(struct pending *p)
{
	struct intake *in = (struct intake *)p;

	if (in->phase != PHASE_COMMITTING && in->under_way == 0)
		intake_free(in);
}

struct intake *intake_new(struct queue *q)
{
	struct intake *in = xcalloc(1, sizeof(*in));

	in->store = queue_store(q);
	in->pending.orphaned = orphaned;
	buf_init(&in->chunk, STORE_CHUNK_BYTES);
	task_init(&in->tell, queue_loop(q), tell_later, in);
	pending_add(q, &in->pending);
	return in;
}

bool intake_write(struct intake *in, const void *bytes, size_t len, void (*ready)(void *ctx),
		  void *ctx)
{
	const char *at = bytes;

	if (in->why.kind != FAILURE_NONE)
		return true;
	in->size += len;
	while (len > 0) {
		size_t room = STORE_CHUNK_BYTES - in->chunk.len;
		size_t n = len < room ? len : room;

		buf_add(&in->chunk, at, n);
		at += n;
		len -= n;
		if (n == room)
			flush_chunk(in);
	}
	if (in->under_way < BATCHES_AHEAD)
		return true;
	in->ready = ready;
	in->ready_ctx = ctx;
	return false;
}

static void note_route(struct intake *in, const char *route)
{
	for (size_t i = 0; i < in->nroutes; i++)
		if (strcmp(in->routes[i], route) == 0)
			return;
	in->routes = xrealloc(in->routes, (in->nroutes + 1) * sizeof(*in->routes));
	in->routes[in->nroutes++] = xstrdup(route);
}

/* What there will be to tell, and whom to wake, once it is on disk. */
static void note(struct intake *in, const struct message_row *message,
		 const struct delivery_row *deliveries, size_t n)
{
	in->event = (struct event_row){
		.at_ms = message->created_ms,
		.uid = message->uid,
		.to = n ? deliveries[0].state : STATE_CANCELED,
		.recipient = "",
		.transport = "",
		.enhanced = "",
		.text = "",
	};
	for (size_t i = 0; i < n; i++)
		if (deliveries[i].state == STATE_QUEUED)
			note_route(in, deliveries[i].route);
		else if (deliveries[i].state == STATE_STANDBY)
			in->stands_by = true;
}

void intake_tells(struct intake *in, int64_t message, const int64_t *deliveries, size_t n)
{
	in->told = message;
	in->failed = xmemdup(deliveries, n * sizeof(*deliveries));
	in->nfailed = n;
}

void intake_joins(struct intake *in, struct batch *more)
{
	in->more = more;
}

void intake_finish(struct intake *in, struct message_row *message,
		   const struct delivery_row *deliveries, size_t n, int64_t dedup_since_ms,
		   intake_done_fn *done, void *ctx)
{
	bool is_small = in->size <= STORE_INLINE_BYTES;

	in->phase = PHASE_CLOSING;
	in->done = done;
	in->done_ctx = ctx;
	if (in->why.kind != FAILURE_NONE) {
		if (in->under_way == 0)
			task_start(&in->tell);
		return;
	}
	if (!is_small && in->chunk.len)
		flush_chunk(in);
	if (!in->batch)
		in->batch = batch_new();
	message->content_size = in->size;
	message->content = is_small ? buf_bytes(&in->chunk) : NULL;
	message->body = in->body;
	if (in->told)
		batch_tell(in->batch, in->told, in->failed, in->nfailed);
	batch_put_message(in->batch, message, deliveries, n, dedup_since_ms);
	if (in->more)
		batch_join(in->batch, TAKE(in->more));
	note(in, message, deliveries, n);
	if (in->under_way == 0)
		commit_last(in);
}

void intake_cancel(struct intake *in)
{
	in->phase = PHASE_CANCELED;
	in->ready = NULL;
	if (in->under_way > 0)
		return;
	drop_body(in);
	intake_free(in);
}
