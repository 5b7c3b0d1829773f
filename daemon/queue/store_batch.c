/* queue/store_batch.c - carries out batches: preconditions first, where they can
 * be seen before the first write, then each operation in order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "alloc.h"
#include "queue/batch.h"
#include "queue/store_change.h"
#include "queue/store_desk.h"
#include "queue/store_ids.h"
#include "queue/store_room.h"

/* Rows with their indexes and their share of a page, content apart */
#define MESSAGE_BYTES 1024
#define DELIVERY_BYTES 512

struct commit {
	struct write write;
	struct store *store;
	struct batch *batch; /* owned */
	struct batch_result result;
	int64_t *event_ids; /* owned; result's */
	size_t nevents;
	struct events others; /* of deliveries that went along */
	batch_done_fn *done;
	void *ctx;
};

/* 1: found, *ret_id is it; 0: none; -1. */
static int find_same_key(struct writer *w, const struct message_row *m, struct batch_result *ret)
{
	struct sqlite3_stmt *row = sql_ask(w->sql, SQL_FIND_KEY, "it", (int64_t)m->uid, m->key);
	int got = row ? sql_next(w->sql, row) : -1;

	if (got <= 0)
		return got;
	const char *digest = (const char *)sqlite3_column_text(row, 1);

	ret->message = sqlite3_column_int64(row, 0);
	ret->status = strcmp(digest ? digest : "", m->digest ? m->digest : "") == 0
			      ? BATCH_KEY_SAME
			      : BATCH_KEY_OTHER;
	sql_done(row);
	return 1;
}

static int find_repeated(struct writer *w, const struct op *op, struct batch_result *ret)
{
	const struct message_row *m = &op->put.message;
	struct sqlite3_stmt *row = sql_ask(w->sql, SQL_FIND_DEDUP, "iti", (int64_t)m->uid, m->dedup,
					   op->put.dedup_since_ms);
	int got = row ? sql_next(w->sql, row) : -1;

	if (got <= 0)
		return got;
	ret->message = sqlite3_column_int64(row, 0);
	ret->status = BATCH_REPEATED;
	sql_done(row);
	return sql_run(w->sql, SQL_COUNT_REPEAT, "i", ret->message) < 0 ? -1 : 1;
}

/* Was the message of this batch put before? 1: yes, ret says which. */
static int find_before(struct writer *w, const struct batch *b, struct batch_result *ret)
{
	int got = 0;

	for (const struct op *op = b->first; op && got == 0; op = op->next) {
		if (op->kind != OP_PUT_MESSAGE)
			continue;
		if (op->put.message.key)
			got = find_same_key(w, &op->put.message, ret);
		if (got == 0 && op->put.message.dedup)
			got = find_repeated(w, op, ret);
	}
	return got;
}

static int put_delivery(struct writer *w, const struct message_row *m, const struct delivery_row *d,
			int64_t message)
{
	int64_t id = ++w->last_delivery;
	int64_t life_ms = d->expires_ms > m->created_ms ? d->expires_ms - m->created_ms : 0;

	int64_t other = id + d->fallback;

	tally_add(&w->tally, w->counts, d->route, id, 0, d->state);
	return sql_run(w->sql, SQL_PUT_DELIVERY, "iiiiiiiiiittttttiii", id, message,
		       (int64_t)d->state, (int64_t)m->priority, (int64_t)d->attempt_no, d->next_ms,
		       d->expires_ms, life_ms, m->created_ms, (int64_t)d->code, d->recipient,
		       d->route, d->enhanced, d->text, d->transport, d->remote_id,
		       (int64_t)d->notice,
		       d->fallback > 0   ? other
		       : d->fallback < 0 ? -other
					 : 0,
		       d->fallback_ms);
}

static int64_t count_open(const struct op *op)
{
	int64_t n = 0;

	for (size_t i = 0; i < op->put.n; i++)
		n += !state_is_final(op->put.deliveries[i].state);
	return n;
}

static int put_message(struct writer *w, struct commit *c, const struct op *op)
{
	struct batch_result *ret = &c->result;
	const struct message_row *m = &op->put.message;
	enum delivery_state first = op->put.n ? op->put.deliveries[0].state : STATE_CANCELED;

	ret->message = ++w->last_message;
	ret->first_delivery = w->last_delivery + 1;
	if (sql_run(w->sql, SQL_PUT_MESSAGE, "iiiiiiiiiitttttttbi", ret->message, m->created_ms,
		    (int64_t)m->uid, (int64_t)m->pid, count_open(op), ret->first_delivery,
		    (int64_t)op->put.n, (int64_t)m->priority, m->body, (int64_t)m->content_size,
		    m->key, m->digest, m->dedup, m->sender, m->subject, m->message_id, m->spec,
		    m->content, (size_t)(m->content ? m->content_size : 0),
		    (int64_t)m->tell_delay) < 0)
		return -1;
	for (size_t i = 0; i < op->put.n; i++)
		if (put_delivery(w, m, &op->put.deliveries[i], ret->message) < 0)
			return -1;
	c->event_ids[c->nevents++] = ids_first(ret->message) + 1;
	return sql_run(w->sql, SQL_PUT_EVENT, "iii", ids_first(ret->message) + 1, m->created_ms,
		       (int64_t)first);
}

/* 0: done; 1: missed; -1. */
static int change(struct writer *w, struct commit *c, const struct delivery_change *to)
{
	struct sqlite3_stmt *row = sql_ask(w->sql, SQL_STANDING, "iiii", to->delivery, to->message,
					   (int64_t)to->from, (int64_t)to->attempt_no);
	int got = row ? sql_next(w->sql, row) : -1;
	struct change change = {.to = *to, .is_told = true};
	char route[40];

	if (got <= 0)
		return got < 0 ? -1 : 1;
	snprintf(route, sizeof(route), "%s", (const char *)sqlite3_column_text(row, 0));
	change.bundle = sqlite3_column_int64(row, 1);
	change.fallback = sqlite3_column_int64(row, 2);
	sql_done(row);
	change.route = route;
	got = change_state(w, &change, &c->others);
	if (got <= 0)
		return got < 0 ? -1 : 1;
	c->event_ids[c->nevents++] = change.event;
	return 0;
}

static int renew(struct writer *w, const struct op *op)
{
	for (size_t i = 0; i < op->renew.n; i++)
		for (enum statement s = SQL_RENEW; s <= SQL_RENEW_MATES; s++)
			if (sql_run(w->sql, s, "iti", op->renew.deliveries[i], w->instance,
				    op->renew.until_ms) < 0)
				return -1;
	return 0;
}

/* 0: done; 1: missed; -1. */
static int tell(struct writer *w, const struct op *op)
{
	if (!op->tell.n && sql_run(w->sql, SQL_TELL_DELAY, "i", op->tell.message) < 0)
		return -1;
	if (!op->tell.n)
		return sql_changes(w->sql) == 0;
	for (size_t i = 0; i < op->tell.n; i++) {
		if (sql_run(w->sql, SQL_TELL_FAILURE, "ii", op->tell.deliveries[i],
			    op->tell.message) < 0)
			return -1;
		if (sql_changes(w->sql) == 0)
			return 1;
	}
	return 0;
}

/* 0: done; 1: missed; -1. */
static int carry_out(struct writer *w, struct commit *c, const struct op *op)
{
	switch (op->kind) {
	case OP_PUT_CHUNK:
		return sql_run(w->sql, SQL_PUT_CHUNK, "ib",
			       ids_first(op->chunk.body) + op->chunk.number, op->chunk.bytes,
			       op->chunk.len);
	case OP_PUT_MESSAGE:
		return put_message(w, c, op);
	case OP_DROP_BODY:
		return sql_run(w->sql, SQL_DROP_CHUNKS, "ii", ids_first(op->drop_body),
			       ids_last(op->drop_body));
	case OP_CHANGE:
		return change(w, c, &op->change);
	case OP_TELL:
		return tell(w, op);
	case OP_RENEW:
		return renew(w, op);
	case OP_ASK_AGAIN:
		return sql_run(w->sql, SQL_ASK_AGAIN, "ii", op->ask.delivery, op->ask.next_ms);
	case OP_PAUSE:
		return sql_run(w->sql, SQL_PAUSE, "tt", op->pause.transport, op->pause.reason);
	case OP_RESUME:
		return sql_run(w->sql, SQL_RESUME, "t", op->pause.transport);
	case OP_LIFT:
		return sql_run(w->sql, SQL_TEXTS_LIFT, "ti", op->lift.transport, op->lift.until_ms);
	case OP_COST:
		return sql_run(w->sql, SQL_TEXTS_COST, "iii", op->cost.delivery, op->cost.micros,
			       (int64_t)op->cost.segments);
	case OP_PUT_RUN:
	case OP_CHANGE_RUN:
	case OP_USE_PROOF:
	case OP_CURSOR:
	case OP_DISPOSE:
	case OP_DISPOSED:
	case OP_STRIKE:
	case OP_TOOK_TEXT:
	case OP_STOP_TEXTS:
	case OP_START_TEXTS:
	case OP_CLEAR_DESK:
		return desk_write(w, op, &c->result);
	}
	return 0;
}

/* Nothing of the batch happened; the others of the transaction did. */
static int undo(struct writer *w, bool saved, bool wrote)
{
	if (saved)
		return sql_run(w->sql, SQL_UNDO, "") < 0 ? -1 : sql_run(w->sql, SQL_RELEASE, "");
	if (!wrote)
		return 0;
	sql_rollback(w->sql);
	return sql_begin(w->sql);
}

/* About what a new message, or a piece of one, adds to the database. 0: the batch is of
 * another kind; what the queue writes of its own work, notices too, is never refused. */
static int64_t bytes_of(const struct batch *b)
{
	int64_t bytes = 0;

	for (const struct op *op = b->first; op; op = op->next) {
		const struct message_row *m = &op->put.message;

		if (op->kind == OP_PUT_CHUNK)
			bytes += (int64_t)op->chunk.len + STORE_PAGE_BYTES;
		else if (op->kind == OP_PUT_MESSAGE)
			bytes += MESSAGE_BYTES + (int64_t)(op->put.n * DELIVERY_BYTES) +
				 (m->content ? (int64_t)m->content_size : 0);
		else
			return 0;
	}
	return bytes;
}

static int apply_batch(struct writer *w, struct write *write)
{
	struct commit *c = (struct commit *)write;
	bool saved = !w->alone && batch_misses_late(c->batch);
	size_t mark = w->tally.n;
	int got = find_before(w, c->batch, &c->result);
	int64_t bytes = got == 0 ? bytes_of(c->batch) : 0;

	if (got != 0)
		return got < 0 ? -1 : 0;
	got = bytes > 0 ? writer_admits(w, bytes, &write->why) : 1;
	if (got <= 0)
		return got;
	got = 0;
	if (saved && sql_run(w->sql, SQL_SAVEPOINT, "") < 0)
		return -1;
	for (const struct op *op = c->batch->first; op && got == 0; op = op->next) {
		got = carry_out(w, c, op);
		if (got <= 0)
			continue;
		tally_back(&w->tally, mark);
		c->nevents = c->others.n = 0;
		if (c->result.status == BATCH_DONE)
			c->result = (struct batch_result){.status = BATCH_MISSED};
		return undo(w, saved, op != c->batch->first || op->kind == OP_TELL);
	}
	c->result.event_ids = c->event_ids;
	c->result.others = c->others.rows;
	c->result.nothers = c->others.n;
	if (got == 0 && saved)
		got = sql_run(w->sql, SQL_RELEASE, "");
	return got;
}

static void answer(struct write *write)
{
	struct commit *c = (struct commit *)write;

	if (write->why.kind != FAILURE_NONE)
		c->result = (struct batch_result){.status = BATCH_FAILED, .why = &write->why};
	else if (c->result.status == BATCH_DONE)
		paused_follow(c->store, c->batch);
	c->done(c->ctx, &c->result);
	batch_free(c->batch);
	free(c->event_ids);
	events_clear(&c->others);
	free(c);
}

void store_commit(struct store *s, struct batch *batch, batch_done_fn *done, void *ctx)
{
	struct commit *c = xcalloc(1, sizeof(*c));

	c->write.apply = apply_batch;
	c->write.answer = answer;
	c->store = s;
	c->batch = batch;
	c->event_ids = xcalloc(batch->n ? batch->n : 1, sizeof(*c->event_ids));
	c->done = done;
	c->ctx = ctx;
	writer_do(&s->writer, &c->write);
}
