/* queue/tracker.c - decides when the provider is asked and what its answer makes of a
 * delivery: one question at a time, and between them it holds the moment of the next. */
#include "queue/tracker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "base/deadline.h"
#include "clock.h"
#include "config/config.h"
#include "crash.h"
#include "failure.h"
#include "log.h"
#include "message/letter.h"
#include "queue/jump.h"
#include "queue/schedule.h"
#include "queue/state.h"
#include "queue/store.h"
#include "queue/store_track.h"

enum {
	ROUND_MAX = STORE_PAGE_MAX,
	LOOK_AGAIN_MS = 60 * 1000, /* the wall clock may be set, the machine may sleep */
	BETWEEN_MS = 5 * 1000,     /* rounds: so that each asks for many */
	FAILED_WAIT_MS = 15 * 1000,
	FAILED_MAX_MS = 10 * 60 * 1000,
	NEAR_MS = 10,              /* so far apart two clocks are read, one after the other */
	NOT_LOOKED_MS = 15 * 1000, /* after a round that could not tell whether it is there */
};

/* A delivery that is asked for. */
struct subject {
	int64_t delivery, message, since_ms, expires_ms;
	uint32_t uid;
	enum delivery_state state;
	unsigned attempt_no;
	char *recipient, *remote_id, *content; /* owned */
	struct letter *letter;                 /* owned, or NULL */
	char **owned;                          /* owned, NULL-ended */
	struct delivery_change change;         /* to 0: none */
	char text[240], found_id[80];
	int64_t cost;
	unsigned segments;
};

/* What is under way outlives the tracker it was for. */
struct round {
	struct tracker *tracker;   /* NULL: freed meanwhile */
	struct subject *subjects;  /* owned, of n */
	struct inquiry *inquiries; /* owned, of n */
	size_t n, pending;         /* subjects; of them not yet on disk */
	int64_t ahead_ms;          /* what the times of all subjects have on clock_boot_ms() */
	bool asking;               /* the transport is; it will not when it was closed */
	bool failed;
};

/* One subject's batch under way. */
struct settlement {
	struct round *round;
	struct subject *subject;
};

struct tracker {
	struct store *store;
	const struct transport_kind *kind;
	struct transport *transport;
	const struct transport_config *config;
	const struct log *log;
	const struct tracker_events *events;
	void *ctx;
	struct round *round; /* under way, or NULL */
	bool poked;          /* while it was */
	unsigned failures;   /* questions in a row without an answer */
	int64_t rest_ms;     /* mono: nothing is asked before */
	struct deadline next;
};

static void round_free(struct round *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct subject *s = &r->subjects[i];

		for (char **o = s->owned; o && *o; o++)
			free(*o);
		free(s->owned);
		free(s->recipient);
		free(s->remote_id);
		free(s->content);
		letter_free(s->letter);
	}
	free(r->subjects);
	free(r->inquiries);
	free(r);
}

static void look_in(struct tracker *t, int64_t in_ms)
{
	int64_t rest_ms = t->rest_ms - clock_mono_ms();

	if (in_ms > LOOK_AGAIN_MS)
		in_ms = LOOK_AGAIN_MS;
	if (in_ms < rest_ms)
		in_ms = rest_ms;
	deadline_set(&t->next, in_ms > 0 ? in_ms : 1);
}

static void round_over(struct tracker *t, int64_t in_ms)
{
	round_free(t->round);
	t->round = NULL;
	if (t->poked)
		in_ms = 0;
	t->poked = false;
	look_in(t, in_ms);
}

static void rest(struct tracker *t, int64_t ms)
{
	t->rest_ms = clock_mono_ms() + ms;
}

/* ---- what a report makes of a delivery ---- */

static void change_to(struct subject *s, enum delivery_state to, int64_t next_ms, const char *text)
{
	snprintf(s->text, sizeof(s->text), "%s", text);
	s->change.to = to;
	s->change.next_ms = next_ms;
}

/* It did not arrive: another attempt, where the code leaves room for one. */
static void judge_failure(struct subject *s, const struct report *r, int64_t now_ms)
{
	int64_t next_ms = now_ms + r->resend_ms;
	bool lives = s->expires_ms == 0 || next_ms < s->expires_ms;

	change_to(s, r->finding == FINDING_FAILED ? STATE_FAILED : STATE_UNDELIVERED, 0, r->text);
	if (s->attempt_no <= r->resends && lives)
		change_to(s, STATE_QUEUED, next_ms, r->text);
}

static void judge_absent(struct tracker *t, struct subject *s, const struct report *r,
			 int64_t now_ms)
{
	if (!schedule_is_lost(now_ms - s->since_ms))
		return;
	if (s->expires_ms && now_ms >= s->expires_ms)
		change_to(s, STATE_EXPIRED, 0, r->text);
	else if (t->config->twilio.on_uncertain == UNCERTAIN_HOLD)
		change_to(s, STATE_HELD, 0,
			  "it is not known to the provider: release or cancel it");
	else
		change_to(s, STATE_QUEUED, now_ms, "it is not known to the provider: again");
}

static void judge(struct tracker *t, struct subject *s, const struct report *r, int64_t now_ms)
{
	static const char unconfirmed[] = "unconfirmed: nothing was heard for a day";
	bool uncertain = s->state == STATE_UNCERTAIN;
	int64_t age_ms = now_ms - s->since_ms;
	int64_t wait_ms = schedule_ask_ms(uncertain && !r->remote_id[0], age_ms);
	if (uncertain && r->finding == FINDING_NOTHING && wait_ms > NOT_LOOKED_MS)
		wait_ms = NOT_LOOKED_MS;
	/* the last round, for what is not yet known as sent, is followed by one more */
	bool more = wait_ms > 0 || s->state != STATE_SENT;
	int64_t next_ms = more ? now_ms + wait_ms : 0;

	s->change = (struct delivery_change){.from = s->state, .next_ms = next_ms};
	snprintf(s->found_id, sizeof(s->found_id), "%s", r->remote_id);
	s->cost = r->remote_id[0] ? r->cost : -1;
	s->segments = r->segments;
	switch (r->finding) {
	case FINDING_NOTHING:
	case FINDING_PENDING:
		if (uncertain && r->finding == FINDING_PENDING)
			change_to(s, STATE_ACCEPTED, next_ms, r->text);
		else if (wait_ms == 0)
			change_to(s, STATE_SENT, next_ms, unconfirmed);
		break;
	case FINDING_SENT:
		if (s->state != STATE_SENT || !more)
			change_to(s, STATE_SENT, next_ms, more ? r->text : unconfirmed);
		break;
	case FINDING_DELIVERED:
		change_to(s, STATE_DELIVERED, 0, r->text);
		break;
	case FINDING_UNDELIVERED:
	case FINDING_FAILED:
		judge_failure(s, r, now_ms);
		break;
	case FINDING_EXPIRED:
		change_to(s, s->state == STATE_ACCEPTED ? STATE_EXPIRED : STATE_UNDELIVERED, 0,
			  r->text);
		break;
	case FINDING_CANCELED:
		change_to(s,
			  uncertain || s->state == STATE_ACCEPTED ? STATE_CANCELED : STATE_FAILED,
			  0, r->text);
		break;
	case FINDING_SUPPRESSED:
		change_to(s, s->state == STATE_ACCEPTED ? STATE_SUPPRESSED : STATE_FAILED, 0,
			  r->text);
		break;
	case FINDING_ABSENT:
		judge_absent(t, s, r, now_ms);
		break;
	}
	s->change.code = r->code;
}

/* ---- to disk ---- */

static void add_change(struct tracker *t, struct batch *batch, const struct subject *s)
{
	struct delivery_change change = s->change;

	if (!change.to) {
		batch_ask_again(batch, s->delivery, change.next_ms);
		return;
	}
	change.delivery = s->delivery;
	change.message = s->message;
	change.attempt_no = change.new_attempt = s->attempt_no;
	change.at_ms = clock_wall_ms();
	change.enhanced = "";
	change.text = s->text;
	change.transport = t->config->name;
	change.remote_id = s->found_id[0] ? s->found_id : s->remote_id;
	batch_change(batch, &change);
}

/* The cost last: the change may miss. */
static void add_subject(struct tracker *t, struct batch *batch, const struct subject *s)
{
	add_change(t, batch, s);
	if (s->cost >= 0 || s->segments)
		batch_cost(batch, s->delivery, s->cost, s->segments);
}

static void tell(struct tracker *t, const struct subject *s, int64_t event_id)
{
	struct event_row event = {.id = event_id,
				  .at_ms = clock_wall_ms(),
				  .message = s->message,
				  .delivery = s->delivery,
				  .uid = s->uid,
				  .from = s->state,
				  .to = s->change.to,
				  .attempt_no = s->attempt_no,
				  .code = s->change.code,
				  .recipient = s->recipient,
				  .transport = t->config->name,
				  .enhanced = "",
				  .text = s->text};

	t->events->happened(t->ctx, &event, 1, event.to == STATE_QUEUED);
}

static void committed(void *ctx, const struct batch_result *result)
{
	struct settlement *settlement = ctx;
	struct round *r = settlement->round;
	struct tracker *t = r->tracker;

	if (t && result->status == BATCH_DONE && settlement->subject->change.to)
		tell(t, settlement->subject, result->event_ids[0]);
	if (t && result->status == BATCH_DONE && result->nothers)
		t->events->happened(t->ctx, result->others, result->nothers,
				    result->others[0].to == STATE_QUEUED);
	if (result->status == BATCH_FAILED) {
		r->failed = true;
		if (t)
			log_error(t->log, "what became of a text can't be written: %s",
				  result->why ? result->why->text : "unknown");
	}
	free(settlement);
	if (--r->pending > 0)
		return;
	if (!t) {
		round_free(r);
		return;
	}
	if (r->n < ROUND_MAX || r->failed)
		rest(t, r->failed ? FAILED_WAIT_MS : BETWEEN_MS);
	round_over(t, 0);
}

/* A batch each, so that one which was changed by another holds nothing up. The writer
 * takes them into one transaction all the same. */
static void commit(struct tracker *t, struct round *r)
{
	int64_t set_ms = jump_since_ms(r->ahead_ms);

	r->pending = r->n;
	for (size_t i = 0; i < r->n; i++) {
		if (set_ms && r->subjects[i].change.next_ms)
			r->subjects[i].change.next_ms += set_ms + NEAR_MS;
		struct settlement *settlement = xcalloc(1, sizeof(*settlement));
		struct batch *batch = batch_new();

		settlement->round = r;
		settlement->subject = &r->subjects[i];
		add_subject(t, batch, &r->subjects[i]);
		CRASH_POINT("tracker.settle");
		store_commit(t->store, batch, committed, settlement);
	}
}

/* ---- a round ---- */

static void not_answered(struct tracker *t, const struct failure *why)
{
	int64_t wait_ms = FAILED_WAIT_MS;

	if (t->failures == 0)
		log_warn(t->log, "what became of texts can't be asked: %s", why->text);
	for (unsigned i = 0; i < t->failures && wait_ms < FAILED_MAX_MS; i++)
		wait_ms *= 2;
	t->failures++;
	rest(t, wait_ms < FAILED_MAX_MS ? wait_ms : FAILED_MAX_MS);
	round_over(t, 0);
}

static void reported(void *ctx, const struct report *reports, size_t n, const struct failure *why)
{
	struct tracker *t = ctx;
	struct round *r = t->round;
	int64_t now_ms = clock_boot_ms() + r->ahead_ms;

	r->asking = false;
	if (why) {
		not_answered(t, why);
		return;
	}
	t->failures = 0;
	for (size_t i = 0; i < n; i++)
		judge(t, &r->subjects[i], &reports[i], now_ms);
	commit(t, r);
}

/* It can't be asked: what was interrupted goes out again, as a mail does, whose twin is told
 * by its Message-ID. */
static void send_again(struct tracker *t, struct round *r)
{
	int64_t now_ms = clock_boot_ms() + r->ahead_ms;

	for (size_t i = 0; i < r->n; i++) {
		struct subject *s = &r->subjects[i];

		s->change = (struct delivery_change){.from = s->state};
		s->cost = -1;
		if (s->state != STATE_UNCERTAIN)
			change_to(s, STATE_SENT, 0, "unconfirmed: nobody can be asked");
		else if (s->expires_ms && now_ms >= s->expires_ms)
			change_to(s, STATE_EXPIRED, 0, "interrupted, and too late now");
		else
			change_to(s, STATE_QUEUED, now_ms, "interrupted: again");
	}
	commit(t, r);
}

static char **copy_owned(const char *const *owned)
{
	size_t n = 0;

	while (owned && owned[n])
		n++;
	char **copy = xcalloc(n + 1, sizeof(*copy));

	for (size_t i = 0; i < n; i++)
		copy[i] = xstrdup(owned[i]);
	return copy;
}

static void subject_init(struct subject *s, struct inquiry *inquiry, const struct tracked *row,
			 int64_t ahead_ms)
{
	struct failure f;

	*s = (struct subject){.delivery = row->delivery,
			      .message = row->message,
			      .uid = row->uid,
			      .state = row->state,
			      .attempt_no = row->attempt_no,
			      .since_ms = row->since_ms,
			      .expires_ms = row->expires_ms,
			      .recipient = xstrdup(row->recipient),
			      .remote_id = xstrdup(row->remote_id),
			      .owned = copy_owned(row->owned)};
	if (row->spec)
		letter_from_spec(row->spec, strlen(row->spec), &s->letter, &f);
	if (row->content)
		s->content = xmemdup(row->content, row->content_len);
	*inquiry = (struct inquiry){.delivery = s->delivery,
				    .remote_id = s->remote_id,
				    .recipient = s->recipient,
				    .letter = s->letter,
				    .content = s->content ? s->content : "",
				    .content_len = s->content ? row->content_len : 0,
				    .since_boot_ms = s->since_ms - ahead_ms,
				    .owned = (const char *const *)s->owned};
}

static void begin(struct tracker *t, const struct track_result *result)
{
	struct round *r = t->round;

	r->n = result->n;
	r->ahead_ms = result->ahead_ms;
	r->subjects = xcalloc(r->n, sizeof(*r->subjects));
	r->inquiries = xcalloc(r->n, sizeof(*r->inquiries));
	for (size_t i = 0; i < r->n; i++)
		subject_init(&r->subjects[i], &r->inquiries[i], &result->rows[i], r->ahead_ms);
	if (!t->kind->ask) {
		send_again(t, r);
		return;
	}
	r->asking = true;
	log_debug(t->log, "asks what became of %zu text%s", r->n, r->n == 1 ? "" : "s");
	t->kind->ask(t->transport, r->inquiries, r->n, reported, t);
}

static void looked(void *ctx, const struct track_result *result)
{
	struct round *r = ctx;
	struct tracker *t = r->tracker;

	if (!t) {
		round_free(r);
		return;
	}
	if (result->why)
		rest(t, FAILED_WAIT_MS);
	if (result->n) {
		begin(t, result);
	} else if (result->next_ms || result->why || t->poked) {
		round_over(t, result->next_ms - result->ahead_ms - clock_boot_ms());
	} else {
		round_free(r);
		t->round = NULL;
	}
}

static void look(void *ctx)
{
	struct tracker *t = ctx;

	if (t->round)
		return;
	t->round = xcalloc(1, sizeof(*t->round));
	t->round->tracker = t;
	store_track(t->store, t->config->name, clock_boot_ms(), ROUND_MAX, looked, t->round);
}

struct tracker *tracker_new(struct loop *loop, struct store *store,
			    const struct transport_kind *kind, struct transport *transport,
			    const struct transport_config *config, const struct log *log,
			    const struct tracker_events *events, void *ctx)
{
	struct tracker *t;

	if (!(kind->carries & CARRIES_TEXTS))
		return NULL;
	t = xcalloc(1, sizeof(*t));
	t->store = store;
	t->kind = kind;
	t->transport = transport;
	t->config = config;
	t->log = log;
	t->events = events;
	t->ctx = ctx;
	deadline_init(&t->next, loop, look, t);
	look_in(t, 0);
	return t;
}

/* The transport, closed before, asks no more: a round is then the store's, or nobody's. */
void tracker_free(struct tracker *t)
{
	if (!t)
		return;
	if (t->round && t->round->asking)
		round_free(t->round);
	else if (t->round)
		t->round->tracker = NULL;
	deadline_clear(&t->next);
	free(t);
}

void tracker_poke(struct tracker *t)
{
	if (!t || !t->kind->ask)
		return;
	if (t->round)
		t->poked = true;
	else
		look_in(t, 0);
}
