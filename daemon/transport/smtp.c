/* transport/smtp.c - decides how many sessions there are, and whether the transport
 * as a whole is up. What is said on a session is smtp_session.c's; when to try
 * again after an outage is the queue's. */
#include "transport/smtp.h"

#include <stdlib.h>

#include "alloc.h"
#include "base/deadline.h"
#include "base/loop.h"
#include "config/config.h"
#include "failure.h"
#include "log.h"
#include "net/tls.h"
#include "transport/smtp_session.h"

/* After a session failed while others work, no new ones are opened for this long. */
#define FEWER_FOR_MS (60 * 1000)

struct transport {
	struct transport_env env;              /* the queue's */
	const struct transport_config *config; /* from config */
	struct log log;
	struct tls *tls;                /* owned; NULL where none is wanted */
	struct smtp_session **sessions; /* owned, of nsessions; room for as many as concurrency */
	size_t nsessions, most;         /* sessions allowed just now */
	unsigned number;                /* of the last session, for logs */
	size_t wanted;                  /* parcels known to wait */
	bool works;                     /* a session logged in, and no outage since */
	bool probing, retiring;
	struct task work;      /* after wake() and retire() */
	struct deadline fewer; /* passed: most is concurrency again */
	void (*idle)(void *ctx);
	void *idle_ctx;
};

static size_t count(const struct transport *t, enum smtp_phase phase)
{
	size_t n = 0;

	for (size_t i = 0; i < t->nsessions; i++)
		n += smtp_session_phase(t->sessions[i]) == phase;
	return n;
}

static size_t count_up(const struct transport *t)
{
	return count(t, SMTP_IDLE) + count(t, SMTP_BUSY);
}

static size_t allowed(const struct transport *t)
{
	/* An outage costs one attempt at a time, however much waits. */
	return t->works ? t->most : 1;
}

/* --- sessions --- */

static void session_ready(void *ctx, struct smtp_session *s)
{
	struct transport *t = ctx;

	t->works = true;
	t->probing = false;
	t->env.host->up(t->env.host_ctx);
	if (t->wanted > 1)
		task_start(&t->work);
}

static struct parcel *session_next(void *ctx)
{
	struct transport *t = ctx;
	struct parcel *parcel = t->retiring ? NULL : t->env.host->next(t->env.host_ctx);

	if (!parcel)
		t->wanted = 0;
	else if (t->wanted > 0)
		t->wanted--;
	return parcel;
}

static void session_ended(void *ctx, struct smtp_session *s, const struct failure *why);

static const struct smtp_session_events session_events = {
	.ready = session_ready,
	.next = session_next,
	.ended = session_ended,
};

static void open_session(struct transport *t, struct parcel *first)
{
	const struct smtp_session_options options = {
		.env = &t->env,
		.config = &t->config->smtp,
		.tls = t->tls,
		.name = t->config->name,
		.number = ++t->number,
		.first = first,
	};

	t->sessions[t->nsessions++] = smtp_session_new(&options, &session_events, t);
}

static void forget(struct transport *t, const struct smtp_session *s)
{
	for (size_t i = 0; i < t->nsessions; i++)
		if (t->sessions[i] == s) {
			t->sessions[i] = t->sessions[--t->nsessions];
			return;
		}
}

/* Where others still work or may come to work it is no outage yet, but the
 * server may not want this many. */
static void session_failed(struct transport *t, const struct failure *why)
{
	size_t left = count_up(t) + count(t, SMTP_CONNECTING);

	if (left > 0) {
		t->most = left;
		deadline_set(&t->fewer, FEWER_FOR_MS);
		log_info(&t->log, "keeps %zu of %u connections: %s", left, t->config->concurrency,
			 why->text);
		if (t->probing && count_up(t) > 0) {
			t->probing = false;
			t->env.host->up(t->env.host_ctx);
		}
		return;
	}
	t->works = false;
	t->probing = false;
	t->wanted = 0;
	t->most = t->config->concurrency;
	t->env.host->down(t->env.host_ctx, why);
}

static void session_ended(void *ctx, struct smtp_session *s, const struct failure *why)
{
	struct transport *t = ctx;
	struct failure copy = {0};
	struct parcel *parcel;
	size_t wanted = t->wanted;

	if (why)
		copy = *why;
	forget(t, s);
	smtp_session_free(s);
	if (why)
		session_failed(t, &copy);
	else if (t->nsessions < allowed(t) && (parcel = session_next(t)))
		open_session(t, parcel);
	else if (t->nsessions == 0) /* the queue claims only once a session is up */
		t->wanted = wanted;
	if (t->retiring || t->probing || t->wanted > 0)
		task_start(&t->work);
}

static void more_again(void *ctx)
{
	struct transport *t = ctx;

	t->most = t->config->concurrency;
	task_start(&t->work);
}

/* --- what the queue asks for --- */

static void probe(struct transport *t)
{
	if (t->nsessions < t->config->concurrency && count(t, SMTP_CONNECTING) == 0)
		open_session(t, NULL);
	else if (count_up(t) > 0) {
		t->probing = false;
		t->env.host->up(t->env.host_ctx);
	}
}

/* Sessions that are there first, then new ones. */
static void hand_out(struct transport *t)
{
	bool rests = false;
	size_t missing;

	for (size_t i = 0; i < t->nsessions && t->wanted > 0; i++) {
		smtp_session_poke(t->sessions[i]);
		rests |= smtp_session_phase(t->sessions[i]) == SMTP_IDLE;
	}
	if (rests) /* it was woken, has a session, and yet nothing lies ready */
		t->env.host->up(t->env.host_ctx);
	missing = count(t, SMTP_CONNECTING);
	missing = t->wanted > missing ? t->wanted - missing : 0;
	for (; missing > 0 && t->nsessions < allowed(t); missing--)
		open_session(t, NULL);
}

/* It may be closed in there. */
static void tell_idle(struct transport *t)
{
	void (*idle)(void *ctx) = t->idle;

	t->idle = NULL;
	if (idle)
		idle(t->idle_ctx);
}

static void work(void *ctx)
{
	struct transport *t = ctx;

	if (t->retiring) {
		if (t->nsessions == 0)
			tell_idle(t);
		return;
	}
	if (t->probing)
		probe(t);
	hand_out(t);
}

static void smtp_wake(struct transport *t, size_t wanted)
{
	t->wanted = wanted;
	if (wanted == 0)
		t->probing = true;
	task_start(&t->work);
}

static void smtp_retire(struct transport *t, void (*idle)(void *ctx), void *ctx)
{
	t->retiring = true;
	t->idle = idle;
	t->idle_ctx = ctx;
	for (size_t i = 0; i < t->nsessions; i++)
		smtp_session_leave(t->sessions[i]);
	task_start(&t->work);
}

static void smtp_close(struct transport *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->nsessions; i++)
		smtp_session_free(t->sessions[i]);
	task_clear(&t->work);
	deadline_clear(&t->fewer);
	tls_free(t->tls);
	free(t->sessions);
	free(t);
}

static int smtp_open(const struct transport_env *env, const struct transport_config *config,
		     struct transport **ret, struct failure *f)
{
	const struct tls_options tls = {.ca_file = config->smtp.ca_file, .pin = config->smtp.pin};
	struct transport *t = xcalloc(1, sizeof(*t));

	t->env = *env;
	t->config = config;
	log_init(&t->log, "smtp %s", config->name);
	t->most = config->concurrency;
	t->sessions = xcalloc(config->concurrency, sizeof(*t->sessions));
	task_init(&t->work, env->loop, work, t);
	deadline_init(&t->fewer, env->loop, more_again, t);
	if (config->smtp.tls != TLS_NONE && tls_new(&tls, &t->tls, f) < 0) {
		smtp_close(t);
		return failure_wrap(f, "transport %s", config->name);
	}
	*ret = t;
	return 0;
}

const struct transport_kind transport_smtp = {
	.name = "smtp",
	.carries = CARRIES_MAIL,
	.bears_twins = true,
	.open = smtp_open,
	.wake = smtp_wake,
	.retire = smtp_retire,
	.close = smtp_close,
};
