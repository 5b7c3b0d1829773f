/* queue/settle.c - decides what an outcome makes of its delivery (state, next
 * time, attempt counted or not) and how many go to disk together. A commit takes all
 * that came since the last one. */
#include "queue/settle.h"

#include <stdlib.h>

#include "alloc.h"
#include "base/deadline.h"
#include "base/loop.h"
#include "clock.h"
#include "config/config.h"
#include "crash.h"
#include "failure.h"
#include "log.h"
#include "jitter.h"
#include "queue/parcels.h"
#include "queue/schedule.h"
#include "queue/store.h"
#include "transport/transport.h"

#define BATCH_MAX 512
#define BEHIND_OTHERS_MS 5000
#define ASK_FIRST_MS 5000 /* what became of a text is asked so much later */
#define STUCK_FIRST_MS 1000
#define STUCK_MAX_MS (60 * 1000)

struct verdict {
	struct outcome outcome;
	int64_t delivery, message;
	uint32_t uid;
	unsigned attempt_no, new_attempt;
	char *recipient; /* owned */
	enum delivery_state to;
	int64_t at_ms, next_ms, ahead_ms; /* ahead_ms: what these have on clock_boot_ms() */
	struct verdict *next;
};

/* A commit under way outlives the settle it was for. */
struct commit {
	struct settle *settle; /* NULL: freed meanwhile */
};

struct settle {
	struct loop *loop;
	struct store *store;
	const struct transport_config *config;
	const struct log *log;
	const struct settle_events *events;
	void *ctx;
	struct verdict *first, **tail; /* owned, of struct verdict, by .next; oldest first */
	size_t pending;
	struct commit *commit; /* under way, for the first `committing`; or NULL */
	size_t committing;
	size_t batch_max;  /* smaller while one that can't be is looked for */
	unsigned failures; /* commits in a row that failed; 0: not stuck */
	struct task turn;
	struct deadline again;
};

static void verdict_free(struct verdict *v)
{
	free(v->recipient);
	free(v);
}

static void wait_again(struct settle *s, struct verdict *v, const struct parcel_delivery *d)
{
	int64_t wait_ms = schedule_retry_ms(d->attempt_no, s->config->retry_first_ms,
					    s->config->retry_max_ms, jitter());

	v->next_ms = v->at_ms + wait_ms;
	v->to = STATE_QUEUED;
	if (d->expires_boot_ms && clock_boot_ms() + wait_ms >= d->expires_boot_ms) {
		v->to = STATE_EXPIRED;
		v->next_ms = 0;
	}
}

static void judge(struct settle *s, struct verdict *v, const struct parcel_delivery *d)
{
	v->at_ms = clock_wall_ms();
	v->ahead_ms = clock_ahead_ms();
	v->new_attempt = d->attempt_no;
	switch (v->outcome.kind) {
	case OUTCOME_SENT:
		v->to = STATE_SENT;
		break;
	case OUTCOME_LATER:
		wait_again(s, v, d);
		break;
	case OUTCOME_REFUSED:
		v->to = STATE_FAILED;
		break;
	case OUTCOME_UNTOUCHED:
		v->to = STATE_QUEUED;
		v->next_ms = v->at_ms + (v->outcome.tried ? BEHIND_OTHERS_MS : 0);
		v->new_attempt = d->attempt_no - 1;
		break;
	case OUTCOME_UNCERTAIN:
		v->to = STATE_UNCERTAIN;
		v->next_ms = v->at_ms + ASK_FIRST_MS;
		break;
	case OUTCOME_ACCEPTED:
		v->to = STATE_ACCEPTED;
		v->next_ms = v->at_ms + ASK_FIRST_MS;
		break;
	case OUTCOME_SUPPRESSED:
		v->to = STATE_SUPPRESSED;
		break;
	}
}

static void add_change(struct settle *s, struct batch *batch, const struct verdict *v)
{
	struct delivery_change change = {
		.delivery = v->delivery,
		.message = v->message,
		.from = STATE_SENDING,
		.to = v->to,
		.attempt_no = v->attempt_no,
		.new_attempt = v->new_attempt,
		.at_ms = v->at_ms,
		.next_ms = v->next_ms,
		.code = v->outcome.code,
		.enhanced = v->outcome.enhanced,
		.text = v->outcome.text,
		.transport = s->config->name,
		.remote_id = v->outcome.remote_id,
	};
	batch_change(batch, &change);
}

static struct event_row event_of(struct settle *s, const struct verdict *v, int64_t id)
{
	return (struct event_row){
		.id = id,
		.at_ms = v->at_ms,
		.message = v->message,
		.delivery = v->delivery,
		.uid = v->uid,
		.from = STATE_SENDING,
		.to = v->to,
		.attempt_no = v->attempt_no,
		.code = v->outcome.code,
		.recipient = v->recipient,
		.transport = s->config->name,
		.enhanced = v->outcome.enhanced,
		.text = v->outcome.text,
	};
}

/* The first n leave the list. */
static struct verdict *take_first(struct settle *s, size_t n)
{
	struct verdict *taken = s->first, **end = &s->first;

	s->pending -= n;
	while (n-- > 0)
		end = &(*end)->next;
	s->first = *end;
	*end = NULL;
	if (!s->first)
		s->tail = &s->first;
	return taken;
}

static void tell(struct settle *s, const struct verdict *list, size_t n, const int64_t *event_ids)
{
	struct event_row *events = xcalloc(n, sizeof(*events));
	int64_t next_ms = 0;
	size_t i = 0;

	for (const struct verdict *v = list; v; v = v->next) {
		events[i] = event_of(s, v, event_ids[i]);
		i++;
		if (v->to == STATE_QUEUED && (next_ms == 0 || v->next_ms < next_ms))
			next_ms = v->next_ms;
	}
	s->events->settled(s->ctx, events, n, next_ms);
	free(events);
}

static void verdicts_free(struct verdict *list)
{
	while (list) {
		struct verdict *next = list->next;

		verdict_free(list);
		list = next;
	}
}

static void committed(struct settle *s, size_t n, const struct batch_result *result)
{
	struct verdict *list = take_first(s, n);
	bool was_stuck = s->failures > 0;

	s->failures = 0;
	s->batch_max = BATCH_MAX;
	if (was_stuck) {
		log_info(s->log, "outcomes are being written again");
		s->events->stuck(s->ctx, false);
	}
	tell(s, list, n, result->event_ids);
	if (result->nothers)
		s->events->settled(s->ctx, result->others, result->nothers, 0);
	verdicts_free(list);
}

/* One of n was not as it should be: the batch is halved until that one is alone. */
static void missed(struct settle *s, size_t n)
{
	if (n > 1) {
		s->batch_max = n / 2;
		return;
	}
	struct verdict *v = take_first(s, 1);

	log_warn(s->log, "delivery %lld was changed by another while it was sent; its outcome: %s",
		 (long long)v->delivery, v->outcome.text);
	verdict_free(v);
	s->batch_max = BATCH_MAX;
}

static void failed(struct settle *s, const struct failure *why)
{
	int64_t wait_ms = STUCK_FIRST_MS;

	for (unsigned i = 0; i < s->failures && wait_ms < STUCK_MAX_MS; i++)
		wait_ms *= 2;
	deadline_set(&s->again, wait_ms < STUCK_MAX_MS ? wait_ms : STUCK_MAX_MS);
	s->failures++;
	if (s->failures > 1)
		return;
	log_error(s->log, "outcomes can't be written, nothing more is sent until they can: %s",
		  why ? why->text : "unknown");
	s->events->stuck(s->ctx, true);
}

static void commit_done(void *ctx, const struct batch_result *result)
{
	struct commit *commit = ctx;
	struct settle *s = commit->settle;

	free(commit);
	if (!s)
		return;
	size_t n = s->committing;

	s->commit = NULL;
	s->committing = 0;
	if (result->status == BATCH_DONE)
		committed(s, n, result);
	else if (result->status == BATCH_MISSED)
		missed(s, n);
	else
		failed(s, result->why);
	if (s->first && !deadline_is_set(&s->again))
		task_start(&s->turn);
}

/* The clock was set while it waited to be written. */
static void follow_clock(struct verdict *v)
{
	int64_t ms = clock_ahead_ms() - v->ahead_ms;

	v->ahead_ms += ms;
	v->at_ms += ms;
	v->next_ms += v->next_ms ? ms : 0;
}

static void commit_some(void *ctx)
{
	struct settle *s = ctx;
	struct batch *batch;

	if (s->commit || !s->first)
		return;
	batch = batch_new();
	for (struct verdict *v = s->first; v && s->committing < s->batch_max; v = v->next) {
		follow_clock(v);
		add_change(s, batch, v);
		s->committing++;
	}
	s->commit = xcalloc(1, sizeof(*s->commit));
	s->commit->settle = s;
	CRASH_POINT("dispatch.settle");
	store_commit(s->store, batch, commit_done, s->commit);
}

struct settle *settle_new(struct loop *loop, struct store *store,
			  const struct transport_config *config, const struct log *log,
			  const struct settle_events *events, void *ctx)
{
	struct settle *s = xcalloc(1, sizeof(*s));

	s->loop = loop;
	s->store = store;
	s->config = config;
	s->log = log;
	s->events = events;
	s->ctx = ctx;
	s->tail = &s->first;
	s->batch_max = BATCH_MAX;
	task_init(&s->turn, loop, commit_some, s);
	deadline_init(&s->again, loop, commit_some, s);
	return s;
}

void settle_free(struct settle *s)
{
	if (!s)
		return;
	if (s->commit)
		s->commit->settle = NULL;
	task_clear(&s->turn);
	deadline_clear(&s->again);
	verdicts_free(s->first);
	free(s);
}

void settle_add(struct settle *s, const struct parcel_delivery *d, const struct outcome *o)
{
	struct verdict *v = xcalloc(1, sizeof(*v));

	v->outcome = *o;
	v->delivery = d->delivery;
	v->message = d->message;
	v->uid = d->uid;
	v->attempt_no = d->attempt_no;
	v->recipient = xstrdup(d->recipient);
	judge(s, v, d);
	*s->tail = v;
	s->tail = &v->next;
	s->pending++;
	if (!s->commit && !deadline_is_set(&s->again))
		task_start(&s->turn);
}

size_t settle_pending(const struct settle *s)
{
	return s->pending;
}

bool settle_is_stuck(const struct settle *s)
{
	return s->failures > 0;
}

size_t settle_unsettled(const struct settle *s, int64_t **ret)
{
	size_t n = 0;

	*ret = xcalloc(s->pending, sizeof(**ret));
	for (const struct verdict *v = s->first; v; v = v->next)
		(*ret)[n++] = v->delivery;
	return n;
}
