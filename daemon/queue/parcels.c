/* queue/parcels.c - decides how a claimed message looks to a transport, and
 * where its content comes from: memory, or the store chunk by chunk. */
#include "queue/parcels.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "failure.h"
#include "message/letter.h"
#include "queue/store.h"
#include "queue/store_read.h"
#include "queue/store_work.h"
#include "text.h"

struct entry {
	struct parcel parcel;            /* first, so that one is the other */
	struct claimed_message *message; /* owned */
	struct letter *letter;           /* owned */
	bool *settled;                   /* owned, of parcel.nrecipients */
	size_t unsettled;
	bool taken;
	struct entry *next, **link; /* of the window */

	/* content */
	uint64_t at; /* bytes told */
	unsigned chunk;
	struct chunk_read *reading; /* NULL: none under way */
	content_done_fn *done;
	void *done_ctx;
};

struct parcels {
	struct store *store;
	struct entry *first, **tail; /* owned, of struct entry, by .next; oldest first */
	size_t ready, taken;
};

struct parcels *parcels_new(struct store *store)
{
	struct parcels *w = xcalloc(1, sizeof(*w));

	w->store = store;
	w->tail = &w->first;
	return w;
}

static void entry_free(struct entry *e)
{
	chunk_read_cancel(e->reading);
	letter_free(e->letter);
	claimed_message_free(e->message);
	free(e->settled);
	free(e->parcel.recipients);
	free(e);
}

static void entry_unlink(struct parcels *w, struct entry *e)
{
	*e->link = e->next;
	if (e->next)
		e->next->link = e->link;
	else
		w->tail = e->link;
}

void parcels_free(struct parcels *w)
{
	if (!w)
		return;
	while (w->first) {
		struct entry *e = w->first;

		entry_unlink(w, e);
		entry_free(e);
	}
	free(w);
}

/* As the clock that nobody sets has it: the row's follows a jump, what is claimed doesn't. */
static int64_t expires_boot_ms(const struct claimed_message *m, const struct claimed_delivery *d)
{
	return d->expires_ms ? d->expires_ms - m->ahead_ms : 0;
}

static struct entry *entry_new(struct store *store, struct claimed_message *m)
{
	struct entry *e = xcalloc(1, sizeof(*e));
	struct parcel *p = &e->parcel;

	e->message = m;
	e->unsettled = m->n;
	e->settled = xcalloc(m->n, sizeof(*e->settled));
	p->message = m->id;
	p->sender = m->sender;
	p->instance = store_instance(store);
	p->nrecipients = m->n;
	p->recipients = xcalloc(m->n, sizeof(*p->recipients));
	for (size_t i = 0; i < m->n; i++) {
		const struct claimed_delivery *d = &m->deliveries[i];

		p->recipients[i] = (struct parcel_recipient){
			.address = d->recipient,
			.needs_smtputf8 = !text_is_ascii(d->recipient, strlen(d->recipient)),
			.delivery = d->id,
			.attempt_no = d->attempt_no,
			.expires_boot_ms = expires_boot_ms(m, d),
		};
	}
	return e;
}

int parcels_add(struct parcels *w, struct claimed_message *m, struct parcel **ret,
		struct failure *f)
{
	struct entry *e = entry_new(w->store, m);
	int result = letter_from_spec(m->spec, strlen(m->spec), &e->letter, f);

	e->parcel.letter = e->letter;
	e->link = w->tail;
	*w->tail = e;
	w->tail = &e->next;
	*ret = &e->parcel;
	if (result < 0) {
		e->taken = true;
		w->taken++;
		return failure_set(f, FAILURE_REFUSED, "the stored message is damaged");
	}
	w->ready++;
	return 0;
}

struct parcel *parcels_next(struct parcels *w)
{
	struct entry *e = w->first;

	if (w->ready == 0)
		return NULL;
	while (e->taken)
		e = e->next;
	e->taken = true;
	w->ready--;
	w->taken++;
	return &e->parcel;
}

size_t parcels_ready(const struct parcels *w)
{
	return w->ready;
}

size_t parcels_taken(const struct parcels *w)
{
	return w->taken;
}

static void chunk_came(void *ctx, const void *bytes, size_t len, const struct failure *why)
{
	static const struct failure lost = {.kind = FAILURE_REFUSED,
					    .text = "the stored content is incomplete"};
	struct entry *e = ctx;

	e->reading = NULL;
	if (!why && (!bytes || len == 0 || len > e->message->content_size - e->at))
		why = &lost;
	if (!why) {
		e->at += len;
		e->chunk++;
	}
	e->done(e->done_ctx, why ? NULL : bytes, why ? 0 : len, why);
}

void parcels_content(struct parcels *w, struct parcel *p, content_done_fn *done, void *ctx)
{
	struct entry *e = (struct entry *)p;
	uint64_t at = e->at;

	assert(!e->reading);
	e->done = done;
	e->done_ctx = ctx;
	if (at == e->message->content_size) {
		done(ctx, "", 0, NULL);
	} else if (e->message->content) {
		e->at = e->message->content_size;
		done(ctx, e->message->content, e->message->content_size, NULL);
	} else {
		e->reading = store_read_chunk(w->store, e->message->body, e->chunk, chunk_came, e);
	}
}

void parcels_rewind(struct parcels *w, struct parcel *p)
{
	struct entry *e = (struct entry *)p;

	chunk_read_cancel(e->reading);
	e->reading = NULL;
	e->at = 0;
	e->chunk = 0;
}

void parcels_settle(struct parcel *p, size_t recipient, struct parcel_delivery *ret)
{
	struct entry *e = (struct entry *)p;

	assert(recipient < p->nrecipients && !e->settled[recipient]);
	const struct claimed_delivery *d = &e->message->deliveries[recipient];

	e->settled[recipient] = true;
	e->unsettled--;
	*ret = (struct parcel_delivery){
		.delivery = d->id,
		.message = e->message->id,
		.expires_boot_ms = expires_boot_ms(e->message, d),
		.uid = e->message->uid,
		.attempt_no = d->attempt_no,
		.recipient = d->recipient,
	};
}

void parcels_remove(struct parcels *w, struct parcel *p)
{
	struct entry *e = (struct entry *)p;

	assert(e->unsettled == 0 && e->taken);
	w->taken--;
	entry_unlink(w, e);
	entry_free(e);
}

size_t parcels_unsettled(const struct parcels *w, int64_t **ret)
{
	size_t n = 0;

	for (const struct entry *e = w->first; e; e = e->next)
		n += e->unsettled;
	*ret = xcalloc(n, sizeof(**ret));
	n = 0;
	for (const struct entry *e = w->first; e; e = e->next)
		for (size_t i = 0; i < e->parcel.nrecipients; i++)
			if (!e->settled[i])
				(*ret)[n++] = e->message->deliveries[i].id;
	return n;
}
