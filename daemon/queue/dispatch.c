/* queue/dispatch.c - decides when a transport is asked for a session, when it gets parcels, and
 * what its going up and down leads to. It claims only for one that is up, so an outage touches no
 * row. Claiming (claimer.h), the window (parcels.h), outcomes (settle.h), rest (circuit.h) are apart. */
#include "queue/dispatch.h"

#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "base/loop.h"
#include "clock.h"
#include "config/config.h"
#include "crash.h"
#include "failure.h"
#include "log.h"
#include "queue/allowance.h"
#include "queue/circuit.h"
#include "queue/claimer.h"
#include "queue/leases.h"
#include "queue/parcels.h"
#include "queue/probes.h"
#include "queue/scores.h"
#include "queue/settle.h"
#include "queue/tracker.h"
#include "queue/window.h"
#include "transport/transport.h"

#define OUTCOMES_MAX 4096
/* So long after its last parcel a transport still counts as up without being asked */
#define LINGER_MS 5000

struct dispatch {
	const struct transport_config *config;
	const struct transport_kind *kind;
	struct transport *transport; /* owned */
	const struct dispatch_events *events;
	void *ctx;
	struct log log;
	struct circuit circuit;
	struct claimer *claimer; /* owned */
	struct parcels *parcels; /* owned */
	struct settle *settle;   /* owned */
	struct tracker *tracker; /* owned; NULL: it carries no texts */
	struct probes probes;
	struct leases leases;
	struct window window; /* of messages claimed ahead */
	struct task turn;
	int64_t busy_ms; /* mono: when it last had a parcel, or came up */
	char *paused;    /* owned: an operator's reason; NULL: not paused */
	int64_t paused_since_ms;
	enum { RETIRE_NOT, RETIRE_WORKING, RETIRE_IDLE } retire; /* what the transport says */
	void (*retired)(void *ctx);
	void *retired_ctx;
	struct scores scores;
	struct allowance allowance; /* of a day */
};

static size_t in_flight(const struct dispatch *d)
{
	return parcels_ready(d->parcels) + parcels_taken(d->parcels);
}

/* ---- outcomes ---- */

static void settle_one(struct dispatch *d, struct parcel *p, size_t recipient,
		       const struct outcome *o)
{
	struct parcel_delivery delivery;

	parcels_settle(p, recipient, &delivery);
	settle_add(d->settle, &delivery, o);
	if (o->kind != OUTCOME_UNTOUCHED)
		circuit_proved(&d->circuit);
	scores_add(&d->scores, o->kind, clock_mono_ms());
}

static void settle_whole(struct dispatch *d, struct parcel *p, enum outcome_kind kind,
			 const char *text)
{
	struct outcome o = {.kind = kind};

	snprintf(o.text, sizeof(o.text), "%s", text);
	for (size_t i = 0; i < p->nrecipients; i++)
		settle_one(d, p, i, &o);
	parcels_remove(d->parcels, p);
}

/* What no session has taken yet waits in the queue again, as if never claimed. */
static void give_back(struct dispatch *d)
{
	struct parcel *p;

	while ((p = parcels_next(d->parcels)))
		settle_whole(d, p, OUTCOME_UNTOUCHED, "");
}

static void settled(void *ctx, const struct event_row *events, size_t n, int64_t next_ms)
{
	struct dispatch *d = ctx;

	claimer_note(d->claimer, next_ms);
	task_start(&d->turn);
	tracker_poke(d->tracker);
	d->events->happened(d->ctx, events, n);
}

static void tracked(void *ctx, const struct event_row *events, size_t n, bool again)
{
	struct dispatch *d = ctx;

	if (again)
		claimer_poke(d->claimer);
	d->events->happened(d->ctx, events, n);
}

static void stuck(void *ctx, bool is_stuck)
{
	struct dispatch *d = ctx;

	task_start(&d->turn);
	if (!is_stuck && parcels_ready(d->parcels) && d->retire == RETIRE_NOT)
		d->kind->wake(d->transport, parcels_ready(d->parcels));
}

/* ---- up and down ---- */

static void tell_circuit(struct dispatch *d, const char *text)
{
	struct event_row event = {
		.at_ms = clock_wall_ms(),
		.to = circuit_is_open(&d->circuit) ? STATE_UNCERTAIN : STATE_QUEUED,
		.recipient = "",
		.transport = d->config->name,
		.enhanced = "",
		.text = text,
	};
	d->events->happened(d->ctx, &event, 1);
	if (d->retire == RETIRE_NOT)
		d->events->circuit(d->ctx, d);
}

static void host_up(void *ctx)
{
	struct dispatch *d = ctx;

	d->busy_ms = clock_mono_ms();
	probes_answer(&d->probes, NULL);
	task_start(&d->turn);
	tracker_poke(d->tracker);
	if (circuit_up(&d->circuit))
		tell_circuit(d, "works again");
}

static void host_down(void *ctx, const struct failure *why)
{
	struct dispatch *d = ctx;

	probes_answer(&d->probes, why);
	give_back(d);
	window_shrink(&d->window);
	task_start(&d->turn);
	if (circuit_down(&d->circuit, why))
		tell_circuit(d, d->circuit.why.text);
}

static void probe_now(struct dispatch *d)
{
	if (d->circuit.state != CIRCUIT_UP)
		circuit_try(&d->circuit);
	d->kind->wake(d->transport, 0);
}

/* It has rested, or nothing was heard of the session that was asked for. */
static void rested(void *ctx)
{
	struct dispatch *d = ctx;

	if (d->retire == RETIRE_NOT && !d->paused)
		probe_now(d);
}

/* ---- parcels ---- */

static struct parcel *host_next(void *ctx)
{
	struct dispatch *d = ctx;

	if (d->retire != RETIRE_NOT || d->paused || settle_is_stuck(d->settle))
		return NULL;
	struct parcel *p = parcels_next(d->parcels);

	d->window.starved |= !p && claimer_is_asking(d->claimer);
	if (parcels_ready(d->parcels) <= d->window.size / 2)
		task_start(&d->turn);
	return p;
}

static void host_content(void *ctx, struct parcel *p, content_done_fn *done, void *done_ctx)
{
	struct dispatch *d = ctx;

	parcels_content(d->parcels, p, done, done_ctx);
}

static void host_rewind(void *ctx, struct parcel *p)
{
	struct dispatch *d = ctx;

	parcels_rewind(d->parcels, p);
}

static void host_settle(void *ctx, struct parcel *p, size_t recipient, const struct outcome *o)
{
	settle_one(ctx, p, recipient, o);
}

static void host_finished(void *ctx, struct parcel *p)
{
	struct dispatch *d = ctx;

	parcels_remove(d->parcels, p);
	d->busy_ms = clock_mono_ms();
	task_start(&d->turn);
}

static const struct transport_host host = {
	.next = host_next,
	.content = host_content,
	.rewind = host_rewind,
	.settle = host_settle,
	.finished = host_finished,
	.up = host_up,
	.down = host_down,
};

static void lay_ready(struct dispatch *d, struct claimed_message *m)
{
	struct parcel *p;
	struct failure f;

	if (parcels_add(d->parcels, m, &p, &f) < 0) {
		log_error(&d->log, "message %lld: %s", (long long)p->message, f.text);
		settle_whole(d, p, OUTCOME_REFUSED, f.text);
	}
}

static void claimed(void *ctx, struct claim_result *result)
{
	struct dispatch *d = ctx;

	CRASH_POINT("dispatch.claimed");
	for (size_t i = 0; i < result->n; i++)
		lay_ready(d, result->messages[i]);
	if (result->nevents)
		d->events->happened(d->ctx, result->events, result->nevents);
	if (allowance_note(&d->allowance, d->config, result))
		d->events->used(d->ctx, d);
	window_claimed(&d->window);
	if (parcels_ready(d->parcels) == 0)
		return;
	leases_begin(&d->leases);
	if (d->retire != RETIRE_NOT || d->paused || circuit_is_open(&d->circuit))
		give_back(d);
	else
		d->kind->wake(d->transport, parcels_ready(d->parcels));
}

static void stirred(void *ctx)
{
	struct dispatch *d = ctx;

	task_start(&d->turn);
}

/* ---- the turn: what can be done now ---- */

static void retire_on(struct dispatch *d)
{
	if (d->retire != RETIRE_IDLE || !d->retired || in_flight(d) > 0 ||
	    settle_pending(d->settle) > 0 || claimer_is_asking(d->claimer))
		return;
	void (*done)(void *ctx) = d->retired;

	d->retired = NULL;
	done(d->retired_ctx); /* d may be gone */
}

/* How many messages may be claimed now. What bears no twin is claimed when it can go at
 * once: the fate of all that is claimed would be unknown after a crash. */
static size_t room(const struct dispatch *d)
{
	size_t ready = parcels_ready(d->parcels), flight = in_flight(d);

	if (!d->kind->bears_twins)
		return flight < d->config->concurrency ? d->config->concurrency - flight : 0;
	return ready <= d->window.size / 2 ? d->window.size - ready : 0;
}

static bool may_claim(const struct dispatch *d)
{
	enum circuit_state state = d->circuit.state;

	return !d->paused && (state == CIRCUIT_IDLE || state == CIRCUIT_UP) &&
	       !settle_is_stuck(d->settle) && settle_pending(d->settle) < OUTCOMES_MAX &&
	       room(d) > 0 && !claimer_is_busy(d->claimer);
}

/* Sessions end by themselves when there is no work for them. */
static void notice_idleness(struct dispatch *d)
{
	if (d->circuit.state == CIRCUIT_UP && in_flight(d) == 0 &&
	    clock_mono_ms() - d->busy_ms > LINGER_MS) {
		circuit_idle(&d->circuit);
		window_shrink(&d->window);
	}
}

static void turn(void *ctx)
{
	struct dispatch *d = ctx;
	enum due due = claimer_due(d->claimer);

	if (d->retire != RETIRE_NOT) {
		retire_on(d);
		return;
	}
	notice_idleness(d);
	if (due == DUE_NOTHING || !may_claim(d))
		return;
	if (d->circuit.state == CIRCUIT_UP) {
		claimer_claim(d->claimer, room(d));
	} else if (due == DUE_UNKNOWN) {
		claimer_ask(d->claimer);
	} else {
		circuit_try(&d->circuit);
		d->kind->wake(d->transport, 1);
	}
}

/* ---- the door ---- */

static const struct claimer_events claimer_events = {.stirred = stirred, .claimed = claimed};
static const struct settle_events settle_events = {.settled = settled, .stuck = stuck};
static const struct tracker_events tracker_events = {.happened = tracked};

int dispatch_new(struct loop *loop, struct store *store, struct resolver *resolver,
		 const struct transport_config *config, const struct dispatch_events *events,
		 void *ctx, struct dispatch **ret, struct failure *f)
{
	const struct transport_kind *kind = transport_kind_find(config->type);
	struct dispatch *d;

	if (!kind)
		return failure_set(f, FAILURE_SETUP, "transport %s: there is no type \"%s\"",
				   config->name, config->type);
	d = xcalloc(1, sizeof(*d));
	d->config = config;
	d->kind = kind;
	d->events = events;
	d->ctx = ctx;
	log_init(&d->log, "%s %s", config->type, config->name);
	circuit_init(&d->circuit, loop, &d->log, config->name, rested, d);
	d->claimer = claimer_new(loop, store, config, kind, &d->log, &claimer_events, d);
	d->parcels = parcels_new(store);
	d->settle = settle_new(loop, store, config, &d->log, &settle_events, d);
	probes_init(&d->probes, loop);
	leases_init(&d->leases, loop, store, d->parcels, d->settle, &d->log);
	task_init(&d->turn, loop, turn, d);
	window_init(&d->window, config->concurrency);
	struct transport_env env = {
		.loop = loop, .resolver = resolver, .host = &host, .host_ctx = d};

	if (kind->open(&env, config, &d->transport, f) < 0) {
		dispatch_free(d);
		return failure_wrap(f, "transport %s", config->name);
	}
	d->tracker =
		tracker_new(loop, store, kind, d->transport, config, &d->log, &tracker_events, d);
	*ret = d;
	return 0;
}

void dispatch_free(struct dispatch *d)
{
	if (!d)
		return;
	if (d->transport)
		d->kind->close(d->transport);
	tracker_free(d->tracker);
	task_clear(&d->turn);
	leases_clear(&d->leases);
	probes_clear(&d->probes);
	settle_free(d->settle);
	parcels_free(d->parcels);
	claimer_free(d->claimer);
	circuit_clear(&d->circuit);
	free(d->paused);
	free(d);
}

const struct transport_config *dispatch_config(const struct dispatch *d)
{
	return d->config;
}

unsigned dispatch_carries(const struct dispatch *d)
{
	return d->kind->carries;
}

void dispatch_serve(struct dispatch *d, const char *const *routes, size_t n)
{
	claimer_serve(d->claimer, routes, n);
}

void dispatch_probe(struct dispatch *d, probe_done_fn *done, void *ctx)
{
	enum circuit_state state = d->circuit.state;

	probes_add(&d->probes, done, ctx);
	if (state != CIRCUIT_CONNECTING && state != CIRCUIT_PROBING)
		probe_now(d);
}

void dispatch_poke(struct dispatch *d)
{
	claimer_poke(d->claimer);
}

void dispatch_pause(struct dispatch *d, const char *reason)
{
	if (reason && !d->paused)
		d->paused_since_ms = clock_wall_ms();
	free(d->paused);
	d->paused = reason ? xstrdup(reason) : NULL;
	if (reason)
		give_back(d);
	else if (d->circuit.state == CIRCUIT_DOWN)
		probe_now(d);
	task_start(&d->turn);
}

void dispatch_wake(struct dispatch *d)
{
	if (d->circuit.state == CIRCUIT_DOWN && !d->paused && d->retire == RETIRE_NOT)
		probe_now(d);
	claimer_poke(d->claimer);
}

bool dispatch_is_down(const struct dispatch *d)
{
	return d->paused || circuit_is_open(&d->circuit);
}

static void transport_idle(void *ctx)
{
	struct dispatch *d = ctx;

	d->retire = RETIRE_IDLE;
	task_start(&d->turn);
}

void dispatch_retire(struct dispatch *d, void (*done)(void *ctx), void *ctx)
{
	static const struct failure leaving = {.kind = FAILURE_LATER,
					       .text = "the transport's settings were changed"};

	d->retired = done;
	d->retired_ctx = ctx;
	if (d->retire != RETIRE_NOT)
		return;
	d->retire = RETIRE_WORKING;
	probes_answer(&d->probes, &leaving);
	give_back(d);
	d->kind->retire(d->transport, transport_idle, d);
}

void dispatch_status(const struct dispatch *d, struct transport_status *ret)
{
	const struct circuit *c = &d->circuit;
	bool lingers = c->state == CIRCUIT_UP && in_flight(d) == 0 &&
		       clock_mono_ms() - d->busy_ms > LINGER_MS;

	*ret = (struct transport_status){
		.name = d->config->name,
		.type = d->config->type,
		.state = d->paused ? "paused"
			 : lingers ? "idle"
				   : circuit_name(c),
		.reason = d->paused ? d->paused : c->why.text,
		.price = d->config->twilio.price ? d->config->twilio.price : "",
		.since_ms = d->paused ? d->paused_since_ms : c->since_ms,
		.next_try_ms = c->next_try_ms,
		.failures = c->failures,
		.in_flight = (unsigned)parcels_taken(d->parcels),
	};
	scores_tell(&d->scores, ret);
	allowance_tell(&d->allowance, ret);
}
