/* queue/store_deed.c - operators' and owners' deeds: which state each fits, and
 * what it makes of it. Who may do them is the server's to say. */
#include <stdlib.h>

#include "alloc.h"
#include "queue/store_change.h"
#include "queue/store_filter.h"
#include "queue/store_room.h"

#define BIT(state) (1u << STATE_##state)

/* clang-format off */
static const struct deed_kind {
	unsigned fits;  /* bits of states */
	enum delivery_state to;
	unsigned fresh; /* of these, the life begins anew */
} deeds[] = {
	[DEED_CANCEL]  = { BIT(HELD) | BIT(QUEUED) | BIT(UNCERTAIN) | BIT(STANDBY), STATE_CANCELED, 0 },
	[DEED_HOLD]    = { BIT(QUEUED), STATE_HELD, 0 },
	[DEED_RELEASE] = { BIT(HELD), STATE_QUEUED, 0 },
	[DEED_RETRY]   = { BIT(QUEUED) | BIT(UNCERTAIN) | BIT(FAILED) | BIT(EXPIRED) | BIT(CANCELED) | BIT(UNDELIVERED),
			   STATE_QUEUED, BIT(FAILED) | BIT(EXPIRED) | BIT(CANCELED) | BIT(UNDELIVERED) },
};
/* clang-format on */

struct doing {
	struct write write;
	const struct deed_kind *deed;
	struct walk walk;
	int64_t now_ms;
	struct subjects subjects;
	struct events events;
	size_t passed_over;
	deed_done_fn *done;
	void *ctx;
};

/* What comes back when it is named, and only then: another way that was not needed; before
 * its date, what has one. */
static bool unasked(const struct doing *doing, const struct delivery_row *d, bool dated)
{
	if (doing->walk.delivery)
		return false;
	if (d->state == STATE_CANCELED)
		return d->fallback < 0;
	return dated && d->state == STATE_QUEUED && doing->deed->to == STATE_QUEUED &&
	       !doing->walk.message && !doing->walk.recipient;
}

static void collect(void *ctx, const struct delivery_row *d, const struct message_row *m)
{
	struct doing *doing = ctx;
	bool dated = d->attempt_no == 0 && d->next_ms > doing->now_ms;
	int64_t next_ms = dated && d->state == STATE_HELD ? d->next_ms : doing->now_ms;

	if (unasked(doing, d, dated) || !(doing->deed->fits & (1u << d->state))) {
		doing->passed_over++;
		return;
	}
	struct change *c = subjects_add(&doing->subjects);
	bool late = d->expires_ms > 0 && d->expires_ms <= doing->now_ms;

	c->to = (struct delivery_change){.delivery = d->id,
					 .message = d->message,
					 .from = d->state,
					 .to = doing->deed->to,
					 .attempt_no = d->attempt_no,
					 .new_attempt = d->attempt_no,
					 .at_ms = doing->now_ms,
					 .next_ms = next_ms};
	c->uid = m->uid;
	c->bundle = d->bundle;
	c->fallback = d->fallback;
	c->alone = true;
	c->route = arena_text(&doing->subjects.texts, d->route);
	c->recipient = arena_text(&doing->subjects.texts, d->recipient);
	/* what was held until it was too late is let go to be sent */
	c->fresh_life =
		(doing->deed->fresh & (1u << d->state)) != 0 || (d->state == STATE_HELD && late);
}

static int apply_deed(struct writer *w, struct write *write)
{
	struct doing *doing = (struct doing *)write;

	if (walk_step(&doing->walk, w->sql, collect, doing) < 0)
		return -1;
	for (size_t i = 0; i < doing->subjects.n; i++)
		if (change_state(w, &doing->subjects.rows[i], &doing->events) < 0)
			return -1;
	return 0;
}

static void answer(struct write *write)
{
	struct doing *doing = (struct doing *)write;
	struct deed_result result = {.why = &write->why};

	if (write->why.kind == FAILURE_NONE)
		result = (struct deed_result){.events = doing->events.rows,
					      .nevents = doing->events.n,
					      .passed_over = doing->passed_over,
					      .last = doing->walk.last,
					      .done = doing->walk.done};
	doing->done(doing->ctx, &result);
	walk_clear(&doing->walk);
	subjects_clear(&doing->subjects);
	events_clear(&doing->events);
	free(doing);
}

void store_do(struct store *s, enum deed deed, const struct filter *filter, int64_t after,
	      int64_t now_ms, deed_done_fn *done, void *ctx)
{
	struct doing *doing = xcalloc(1, sizeof(*doing));

	doing->write.apply = apply_deed;
	doing->write.answer = answer;
	doing->deed = &deeds[deed];
	walk_init(&doing->walk, filter, after, STORE_PAGE_MAX);
	doing->now_ms = now_ms;
	doing->done = done;
	doing->ctx = ctx;
	writer_do(&s->writer, &doing->write);
}
