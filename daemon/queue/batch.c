/* queue/batch.c - builds batches: copies what it is given, in order. What the
 * operations mean is the store's. */
#include "queue/batch.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "queue/store_inbound.h"
#include "queue/store_track.h"

struct batch *batch_new(void)
{
	struct batch *b = xcalloc(1, sizeof(*b));

	b->end = &b->first;
	return b;
}

void batch_free(struct batch *b)
{
	if (!b)
		return;
	arena_clear(&b->arena);
	free(b);
}

static struct op *op_add(struct batch *b, enum op_kind kind)
{
	struct op *op = arena_take(&b->arena, sizeof(*op));

	op->kind = kind;
	*b->end = op;
	b->end = &op->next;
	b->n++;
	return op;
}

void batch_put_chunk(struct batch *b, int64_t body, unsigned number, const void *bytes, size_t len)
{
	struct op *op = op_add(b, OP_PUT_CHUNK);

	op->chunk.body = body;
	op->chunk.number = number;
	op->chunk.bytes = arena_copy(&b->arena, bytes, len);
	op->chunk.len = len;
}

static void copy_texts(struct arena *a, const char **const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*texts[i] = arena_text(a, *texts[i]);
}

#define COPY_TEXTS(arena, ...)                                                                     \
	copy_texts(arena, (const char **const[]){__VA_ARGS__},                                     \
		   sizeof((const char **const[]){__VA_ARGS__}) / sizeof(const char **))

static const struct delivery_row *copy_deliveries(struct arena *a, const struct delivery_row *rows,
						  size_t n)
{
	struct delivery_row *copy = arena_take(a, n * sizeof(*copy));

	for (size_t i = 0; i < n; i++) {
		copy[i] = rows[i];
		COPY_TEXTS(a, &copy[i].recipient, &copy[i].route, &copy[i].enhanced, &copy[i].text,
			   &copy[i].transport, &copy[i].remote_id);
	}
	return copy;
}

void batch_put_message(struct batch *b, const struct message_row *message,
		       const struct delivery_row *deliveries, size_t n, int64_t dedup_since_ms)
{
	struct op *op = op_add(b, OP_PUT_MESSAGE);
	struct message_row *m = &op->put.message;

	*m = *message;
	COPY_TEXTS(&b->arena, &m->key, &m->digest, &m->dedup, &m->sender, &m->subject,
		   &m->message_id, &m->spec);
	m->content = arena_copy(&b->arena, m->content, m->content_size);
	op->put.deliveries = copy_deliveries(&b->arena, deliveries, n);
	op->put.n = n;
	op->put.dedup_since_ms = dedup_since_ms;
}

void batch_drop_body(struct batch *b, int64_t body)
{
	op_add(b, OP_DROP_BODY)->drop_body = body;
}

void batch_change(struct batch *b, const struct delivery_change *change)
{
	struct delivery_change *c = &op_add(b, OP_CHANGE)->change;

	*c = *change;
	COPY_TEXTS(&b->arena, &c->enhanced, &c->text, &c->transport, &c->remote_id);
}

static const int64_t *copy_ids(struct arena *a, const int64_t *ids, size_t n)
{
	int64_t *copy = arena_take(a, n * sizeof(*copy));

	if (n)
		memcpy(copy, ids, n * sizeof(*copy));
	return copy;
}

void batch_tell(struct batch *b, int64_t message, const int64_t *deliveries, size_t n)
{
	struct op *op = op_add(b, OP_TELL);

	op->tell.message = message;
	op->tell.deliveries = copy_ids(&b->arena, deliveries, n);
	op->tell.n = n;
}

void batch_renew(struct batch *b, const int64_t *deliveries, size_t n, int64_t lease_until_ms)
{
	struct op *op = op_add(b, OP_RENEW);

	op->renew.deliveries = copy_ids(&b->arena, deliveries, n);
	op->renew.n = n;
	op->renew.until_ms = lease_until_ms;
}

void batch_ask_again(struct batch *b, int64_t delivery, int64_t next_ms)
{
	struct op *op = op_add(b, OP_ASK_AGAIN);

	op->ask.delivery = delivery;
	op->ask.next_ms = next_ms;
}

void batch_pause(struct batch *b, const char *transport, const char *reason)
{
	struct op *op = op_add(b, OP_PAUSE);

	op->pause.transport = arena_text(&b->arena, transport);
	op->pause.reason = arena_text(&b->arena, reason);
}

void batch_resume(struct batch *b, const char *transport)
{
	op_add(b, OP_RESUME)->pause.transport = arena_text(&b->arena, transport);
}

void batch_lift(struct batch *b, const char *transport, int64_t until_ms)
{
	struct op *op = op_add(b, OP_LIFT);

	op->lift.transport = arena_text(&b->arena, transport);
	op->lift.until_ms = until_ms;
}

void batch_cost(struct batch *b, int64_t delivery, int64_t micros, unsigned segments)
{
	struct op *op = op_add(b, OP_COST);

	op->cost.delivery = delivery;
	op->cost.micros = micros;
	op->cost.segments = segments;
}

void batch_put_run(struct batch *b, const struct run_row *run)
{
	struct run_row *r = &op_add(b, OP_PUT_RUN)->run;

	*r = *run;
	COPY_TEXTS(&b->arena, &r->token, &r->rule, &r->origin, &r->ref, &r->contact, &r->identity,
		   &r->command, &r->plan, &r->text);
}

void batch_change_run(struct batch *b, const struct run_change *change)
{
	struct run_change *c = &op_add(b, OP_CHANGE_RUN)->run_change;

	*c = *change;
	COPY_TEXTS(&b->arena, &c->text, &c->plan);
}

void batch_use_proof(struct batch *b, const char *contact, const char *kind, const char *value,
		     int64_t forget_ms)
{
	struct op *op = op_add(b, OP_USE_PROOF);

	op->proof.contact = arena_text(&b->arena, contact);
	op->proof.kind = arena_text(&b->arena, kind);
	op->proof.value = arena_text(&b->arena, value);
	op->proof.forget_ms = forget_ms;
}

void batch_cursor(struct batch *b, const char *mailbox, const char *cursor)
{
	struct op *op = op_add(b, OP_CURSOR);

	op->cursor.mailbox = arena_text(&b->arena, mailbox);
	op->cursor.cursor = arena_text(&b->arena, cursor);
}

void batch_dispose(struct batch *b, const char *mailbox, const char *ref, unsigned deed,
		   const char *target)
{
	struct disposal_row *d = &op_add(b, OP_DISPOSE)->disposal;

	d->mailbox = arena_text(&b->arena, mailbox);
	d->ref = arena_text(&b->arena, ref);
	d->deed = deed;
	d->target = arena_text(&b->arena, target);
}

void batch_disposed(struct batch *b, int64_t disposal)
{
	op_add(b, OP_DISPOSED)->disposal.id = disposal;
}

void batch_strike(struct batch *b, const char *contact, const char *channel, int64_t at_ms)
{
	struct op *op = op_add(b, OP_STRIKE);

	op->strike.contact = arena_text(&b->arena, contact);
	op->strike.channel = arena_text(&b->arena, channel);
	op->strike.at_ms = at_ms;
}

static struct op *add_text(struct batch *b, enum op_kind kind, const char *origin, int64_t at_ms)
{
	struct op *op = op_add(b, kind);

	op->text.origin = arena_text(&b->arena, origin);
	op->text.at_ms = at_ms;
	return op;
}

void batch_took_text(struct batch *b, const char *origin, const char *ref, int64_t came_ms)
{
	add_text(b, OP_TOOK_TEXT, origin, came_ms)->text.ref = arena_text(&b->arena, ref);
}

void batch_stop_texts(struct batch *b, const char *number, int64_t at_ms, const char *why)
{
	add_text(b, OP_STOP_TEXTS, number, at_ms)->text.why = arena_text(&b->arena, why);
}

void batch_start_texts(struct batch *b, const char *number, int64_t at_ms)
{
	add_text(b, OP_START_TEXTS, number, at_ms);
}

void batch_clear_desk(struct batch *b, int64_t at_ms)
{
	op_add(b, OP_CLEAR_DESK)->cleared_ms = at_ms;
}

void batch_join(struct batch *b, struct batch *more)
{
	if (more->first) {
		*b->end = more->first;
		b->end = more->end;
		b->n += more->n;
	}
	arena_join(&b->arena, &more->arena);
	free(more);
}

static bool may_miss(enum op_kind kind)
{
	return kind == OP_CHANGE || kind == OP_PUT_MESSAGE || kind == OP_PUT_RUN ||
	       kind == OP_CHANGE_RUN || kind == OP_USE_PROOF || kind == OP_TOOK_TEXT;
}

bool batch_misses_late(const struct batch *b)
{
	bool written = false;

	for (const struct op *op = b->first; op; op = op->next) {
		/* telling several, each is a write and may miss */
		if (op->kind == OP_TELL || (written && may_miss(op->kind)))
			return true;
		written = true;
	}
	return false;
}
