/* queue/mailing.c - small contents go with their messages; larger ones go to disk ahead,
 * a batch of chunks at a time, before the one that makes all of it count. */
#include "queue/mailing.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "failure.h"
#include "queue/arena.h"
#include "queue/room.h"

#define BATCH_CHUNKS 16

/* One message, and how far its content is on disk. */
struct item {
	struct message_row message;      /* its texts in the mailing's arena */
	struct delivery_row *deliveries; /* in the arena, of n; so are their texts */
	size_t n;
	char *content; /* owned */
	size_t len, written;
	unsigned chunks;
	struct item *next;
};

struct mailing {
	struct pending pending; /* first */
	struct store *store;
	struct arena arena; /* of the items */
	struct item *first, **end;
	struct batch *batch; /* owned until it is committed */
	batch_done_fn *done;
	void *ctx;
};

struct mailing *mailing_new(struct queue *q)
{
	struct mailing *m = xcalloc(1, sizeof(*m));

	m->store = queue_store(q);
	m->end = &m->first;
	pending_add(q, &m->pending);
	return m;
}

void mailing_free(struct mailing *m)
{
	if (!m)
		return;
	pending_remove(&m->pending);
	for (struct item *item = m->first; item; item = item->next)
		free(item->content);
	batch_free(m->batch);
	arena_clear(&m->arena);
	free(m);
}

static const char *text_or_empty(struct arena *a, const char *text)
{
	return arena_text(a, text ? text : "");
}

static struct delivery_row *copy_deliveries(struct arena *a, const struct delivery_row *rows,
					    size_t n)
{
	struct delivery_row *copy = arena_take(a, (n ? n : 1) * sizeof(*copy));

	for (size_t i = 0; i < n; i++) {
		copy[i] = rows[i];
		copy[i].recipient = arena_text(a, rows[i].recipient);
		copy[i].route = arena_text(a, rows[i].route);
		copy[i].enhanced = text_or_empty(a, rows[i].enhanced);
		copy[i].text = text_or_empty(a, rows[i].text);
		copy[i].transport = text_or_empty(a, rows[i].transport);
		copy[i].remote_id = text_or_empty(a, rows[i].remote_id);
	}
	return copy;
}

void mailing_add(struct mailing *m, const struct message_row *message, char *content, size_t len,
		 const struct delivery_row *deliveries, size_t n)
{
	struct item *item = arena_take(&m->arena, sizeof(*item));
	struct message_row *row = &item->message;

	*row = *message;
	row->key = arena_text(&m->arena, message->key);
	row->digest = arena_text(&m->arena, message->digest);
	row->dedup = arena_text(&m->arena, message->dedup);
	row->sender = arena_text(&m->arena, message->sender);
	row->subject = arena_text(&m->arena, message->subject);
	row->message_id = arena_text(&m->arena, message->message_id);
	row->spec = arena_text(&m->arena, message->spec);
	item->deliveries = copy_deliveries(&m->arena, deliveries, n);
	item->n = n;
	item->content = content;
	item->len = len;
	*m->end = item;
	m->end = &item->next;
}

/* ---- the end ---- */

static void announce(struct mailing *m, const struct batch_result *result)
{
	struct queue *q = m->pending.queue;
	size_t at = 0;

	for (const struct item *item = m->first; item; item = item->next, at++) {
		struct event_row event = {.at_ms = item->message.created_ms,
					  .uid = item->message.uid,
					  .to = item->n ? item->deliveries[0].state
							: STATE_CANCELED,
					  .recipient = "",
					  .transport = "",
					  .enhanced = "",
					  .text = ""};

		event.id = result->event_ids[at];
		event.message = result->message;
		for (const struct item *later = item->next; later; later = later->next)
			event.message--;
		queue_tell(q, &event, 1);
		for (size_t i = 0; i < item->n; i++)
			queue_poke(q, item->deliveries[i].route);
	}
}

/* What was written for nothing is swept at the next start, too. */
static void dropped(void *ctx, const struct batch_result *result)
{
}

static void drop_bodies(struct mailing *m)
{
	struct batch *batch = batch_new();

	for (const struct item *item = m->first; item; item = item->next)
		if (item->message.body)
			batch_drop_body(batch, item->message.body);
	store_commit(m->store, batch, dropped, NULL);
}

static void committed(void *ctx, const struct batch_result *result)
{
	struct mailing *m = ctx;

	m->done(m->ctx, result);
	if (m->pending.queue && result->status == BATCH_DONE)
		announce(m, result);
	else if (m->pending.queue)
		drop_bodies(m);
	mailing_free(m);
}

static void give_up(struct mailing *m, const struct failure *why)
{
	struct batch_result result = {.status = BATCH_FAILED, .why = why};

	if (m->pending.queue)
		drop_bodies(m);
	m->done(m->ctx, &result);
	mailing_free(m);
}

static void commit(struct mailing *m)
{
	for (struct item *item = m->first; item; item = item->next) {
		item->message.content_size = item->len;
		item->message.content = item->message.body ? NULL : item->content;
		batch_put_message(m->batch, &item->message, item->deliveries, item->n, 0);
	}
	store_commit(m->store, TAKE(m->batch), committed, m);
}

/* ---- what goes ahead ---- */

static void go_on(struct mailing *m);

static void chunks_written(void *ctx, const struct batch_result *result)
{
	static const struct failure gone = {.kind = FAILURE_LATER, .text = "the queue is closed"};
	struct mailing *m = ctx;

	if (!m->pending.queue)
		give_up(m, &gone);
	else if (result->status != BATCH_DONE)
		give_up(m, result->why);
	else
		go_on(m);
}

static void write_chunks(struct mailing *m, struct item *item)
{
	struct batch *batch = batch_new();

	if (!item->message.body)
		item->message.body = store_new_body(m->store);
	for (int i = 0; i < BATCH_CHUNKS && item->written < item->len; i++) {
		size_t left = item->len - item->written;
		size_t n = left < STORE_CHUNK_BYTES ? left : STORE_CHUNK_BYTES;

		batch_put_chunk(batch, item->message.body, item->chunks++,
				item->content + item->written, n);
		item->written += n;
	}
	store_commit(m->store, batch, chunks_written, m);
}

static void go_on(struct mailing *m)
{
	for (struct item *item = m->first; item; item = item->next)
		if (item->len > STORE_INLINE_BYTES && item->written < item->len) {
			write_chunks(m, item);
			return;
		}
	commit(m);
}

void mailing_commit(struct mailing *m, struct batch *batch, batch_done_fn *done, void *ctx)
{
	m->batch = batch;
	m->done = done;
	m->ctx = ctx;
	go_on(m);
}
