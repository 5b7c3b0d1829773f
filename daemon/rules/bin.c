/* rules/bin.c - decides when a disposal is tried, and when it is over: done, or the
 * server says no again and again. */
#include "rules/bin.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "base/deadline.h"
#include "crash.h"
#include "failure.h"
#include "log.h"
#include "queue/store_run.h"
#include "rules/desk.h"
#include "rules/room.h"

#define RETRY_MS (60 * 1000)
#define REFUSALS_MAX 3 /* servers say no, too, when they are busy, and do not say that */

enum stage { STAGE_WAITS, STAGE_TRIED, STAGE_OVER /* which the store is told */ };

struct disposal {
	struct bin *bin;
	int64_t id;
	unsigned deed;
	char *mailbox, *ref, *target; /* owned */
	enum stage stage;
	unsigned refusals;
	struct disposal *next;
};

struct bin {
	struct engine *engine;
	struct disposal *first; /* owned, by .next; oldest first */
	struct task look;
	struct deadline retry;
	bool asking, again;
	bool stale; /* what is being read may name one that was forgotten meanwhile */
};

static void free_disposal(struct disposal *d)
{
	free(d->mailbox);
	free(d->ref);
	free(d->target);
	free(d);
}

static void drop(struct disposal *d)
{
	struct disposal **at = &d->bin->first;

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	free_disposal(d);
}

/* ---- one of them ---- */

static void forgotten(void *ctx, const struct batch_result *result)
{
	struct disposal *d = ctx;

	/* not forgotten: it is found again, and the mail is not */
	if (result->status == BATCH_FAILED)
		log_warn(&d->bin->engine->log, "what became of a mail could not be written: %s",
			 result->why->text);
	d->bin->stale = d->bin->asking;
	drop(d);
}

static void done(void *ctx, const struct failure *why)
{
	struct disposal *d = ctx;
	struct bin *b = d->bin;

	if (why && (why->kind == FAILURE_LATER || ++d->refusals < REFUSALS_MAX)) {
		log_debug(&b->engine->log, "mailbox %s: a mail waits: %s", d->mailbox, why->text);
		d->stage = STAGE_WAITS;
		deadline_set(&b->retry, RETRY_MS);
		return;
	}
	CRASH_POINT("rules.disposed");
	if (why)
		log_error(&b->engine->log, "mailbox %s: a mail stays as it is: %s", d->mailbox,
			  why->text);
	struct batch *batch = batch_new();

	d->stage = STAGE_OVER;
	batch_disposed(batch, d->id);
	store_commit(b->engine->store, batch, forgotten, d);
}

static void try(struct bin *b, struct disposal *d)
{
	struct desk *desk = desk_find(b->engine->desks, d->mailbox);

	if (d->stage != STAGE_WAITS || !desk || !desk_is_up(desk))
		return;
	d->stage = STAGE_TRIED;
	mailbox_deed(desk_mailbox(desk), d->deed, d->ref, d->target, done, d);
}

static void try_all(struct bin *b, const char *mailbox)
{
	for (struct disposal *d = b->first; d; d = d->next)
		if (!mailbox || strcmp(d->mailbox, mailbox) == 0)
			try(b, d);
}

/* ---- all of them ---- */

static bool is_known(const struct bin *b, int64_t id)
{
	for (const struct disposal *d = b->first; d; d = d->next)
		if (d->id == id)
			return true;
	return false;
}

static void add(struct bin *b, const struct disposal_row *row)
{
	struct disposal **at = &b->first;
	struct disposal *d = xcalloc(1, sizeof(*d));

	while (*at)
		at = &(*at)->next;
	*d = (struct disposal){.bin = b,
			       .id = row->id,
			       .deed = row->deed,
			       .mailbox = xstrdup(row->mailbox),
			       .ref = xstrdup(row->ref),
			       .target = xstrdup(row->target ? row->target : "")};
	*at = d;
}

void bin_take(struct bin *b, const struct desk_result *kept)
{
	for (size_t i = 0; i < kept->ndisposals; i++)
		if (!is_known(b, kept->disposals[i].id))
			add(b, &kept->disposals[i]);
	try_all(b, NULL);
}

static void looked(void *ctx, const struct desk_result *kept)
{
	struct bin *b = ctx;
	bool again = b->again || b->stale;

	b->asking = false;
	if (b->engine->stopped)
		return;
	if (kept->why)
		deadline_set(&b->retry, ENGINE_AGAIN_MS);
	else if (!b->stale)
		bin_take(b, kept);
	if (again)
		task_start(&b->look);
	b->again = b->stale = false;
}

static void look_now(void *ctx)
{
	struct bin *b = ctx;

	if (b->asking) {
		b->again = true;
		return;
	}
	b->asking = true;
	store_desk(b->engine->store, looked, b);
}

void bin_look(struct bin *b)
{
	if (!b->engine->stopped)
		task_start(&b->look);
}

static void retry(void *ctx)
{
	struct bin *b = ctx;

	look_now(b);
	try_all(b, NULL);
}

void bin_retry(struct bin *b, const char *mailbox)
{
	try_all(b, mailbox);
}

void bin_closed(struct bin *b, const char *mailbox)
{
	for (struct disposal *d = b->first; d; d = d->next)
		if (d->stage == STAGE_TRIED && strcmp(d->mailbox, mailbox) == 0)
			d->stage = STAGE_WAITS;
}

struct bin *bin_new(struct engine *e)
{
	struct bin *b = xcalloc(1, sizeof(*b));

	b->engine = e;
	task_init(&b->look, e->loop, look_now, b);
	deadline_init(&b->retry, e->loop, retry, b);
	return b;
}

void bin_stop(struct bin *b)
{
	task_clear(&b->look);
	deadline_unset(&b->retry);
}

void bin_free(struct bin *b)
{
	task_clear(&b->look);
	deadline_clear(&b->retry);
	while (b->first) {
		struct disposal *d = b->first;

		b->first = d->next;
		free_disposal(d);
	}
	free(b);
}
