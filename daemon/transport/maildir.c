/* transport/maildir.c - carries parcels into a Maildir: a recipient at a time, its
 * bytes piece by piece to a thread that may wait for the disk. Any trouble with
 * the disk is the transport's, but for a mail that finds no room where a small file
 * does: that is its own. */
#include "transport/maildir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "base/loop.h"
#include "base/worker.h"
#include "buf.h"
#include "config/config.h"
#include "failure.h"
#include "message/letter.h"
#include "transport/maildir_file.h"
#include "transport/pump.h"
#include "transport/transport.h"

#define PIECE_BYTES (256 * 1024)
#define PIECE_MAX_BYTES (2 * 1024 * 1024)

enum readiness { UNPREPARED, PREPARING, PREPARED, FAILING /* until no parcel is under way */ };

struct transport {
	struct transport_env env;
	const struct maildir_config *config; /* from config */
	unsigned concurrency;
	struct worker *worker; /* owned */
	enum readiness readiness;
	struct failure why;    /* it fails */
	struct carry *carries; /* owned, of struct carry, by .next */
	unsigned ncarries;
	bool woken, closing;
	void (*idle)(void *ctx); /* set: it retires */
	void *idle_ctx;
	struct task turn;
};

/* What a thread does, with what it needs and what came of it. */
struct step {
	struct job job; /* first */
	void *owner;    /* the transport, when preparing; else the carry */
	const char *path;
	char name[MAILDIR_NAME_SIZE];
	int fd; /* -1: not open */
	bool search_cur, last, drop;
	struct buf bytes;
	bool delivered;
	struct failure why; /* FAILURE_NONE: went well */
	bool alone;         /* it did not, and a small file would */
};

/* A parcel on its way: recipients before .recipient are settled. */
struct carry {
	struct step step; /* first */
	struct transport *maildir;
	struct parcel *parcel; /* the queue's */
	size_t recipient;
	struct pump *pump;          /* owned; of this recipient's copy */
	struct buf crlf;            /* as pumped */
	struct outcome broken;      /* set with step.drop */
	struct carry *next, **link; /* of the transport */
};

static void carry_on(void *ctx);

/* ---- on the thread ---- */

static void write_step(struct step *s)
{
	struct failure *f = &s->why, ignored;

	if (s->fd < 0 && maildir_has(s->path, s->name, s->search_cur)) {
		s->delivered = maildir_keep(s->path, f) == 0;
		return;
	}
	if (s->fd < 0 && maildir_create(s->path, s->name, &s->fd, f) < 0)
		return;
	int fd = s->fd;

	if (maildir_write(fd, buf_bytes(&s->bytes), s->bytes.len, f) < 0) {
		s->fd = -1;
		maildir_drop(s->path, s->name, fd);
		s->alone = maildir_try(s->path, &ignored) == 0;
	} else if (s->last) {
		s->fd = -1;
		s->delivered = maildir_deliver(s->path, s->name, fd, f) == 0;
	}
}

static void step_run(struct job *job)
{
	struct step *s = (struct step *)job;

	if (!s->drop)
		write_step(s);
	else if (s->fd >= 0)
		maildir_drop(s->path, s->name, s->fd);
	if (s->drop)
		s->fd = -1;
}

static void prepare_run(struct job *job)
{
	struct step *s = (struct step *)job;

	maildir_prepare(s->path, &s->why);
}

/* ---- one parcel ---- */

static void carry_free(struct carry *c)
{
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	c->maildir->ncarries--;
	pump_free(c->pump);
	buf_clear(&c->crlf);
	buf_clear(&c->step.bytes);
	free(c);
}

static void settle(struct carry *c, size_t recipient, const struct outcome *o)
{
	const struct transport_env *env = &c->maildir->env;

	env->host->settle(env->host_ctx, c->parcel, recipient, o);
}

/* All that are not settled yet get o. */
static void finish(struct carry *c, const struct outcome *o)
{
	struct transport *t = c->maildir;
	struct parcel *parcel = c->parcel;

	while (c->recipient < parcel->nrecipients)
		settle(c, c->recipient++, o);
	carry_free(c);
	t->env.host->finished(t->env.host_ctx, parcel);
	task_start(&t->turn);
}

/* What else waits goes first the next time: it may find room. */
static void fail(struct carry *c, const struct failure *why)
{
	struct outcome o = {.kind = OUTCOME_UNTOUCHED, .tried = true};
	struct transport *t = c->maildir;

	snprintf(o.text, sizeof(o.text), "%s", why->text);
	if (t->readiness != FAILING)
		t->why = *why;
	t->readiness = FAILING;
	finish(c, &o);
}

static void wait_alone(struct carry *c, const struct failure *why)
{
	struct outcome o = {.kind = OUTCOME_LATER};

	snprintf(o.text, sizeof(o.text), "%s", why->text);
	finish(c, &o);
}

static void give_to_thread(struct carry *c)
{
	worker_do(c->maildir->worker, &c->step.job);
}

/* The content is not to be had: this mail's trouble. */
static void break_off(struct carry *c, const struct failure *why)
{
	c->broken = (struct outcome){.kind = why->kind == FAILURE_LATER ? OUTCOME_LATER
									: OUTCOME_REFUSED};
	snprintf(c->broken.text, sizeof(c->broken.text), "%s", why->text);
	c->step.drop = true;
	give_to_thread(c);
}

/* Lines end with LF in a Maildir. A CR at the end waits for what follows it. */
static void take_lines(struct buf *crlf, struct buf *out, bool last)
{
	while (crlf->len > 0) {
		const char *bytes = buf_bytes(crlf);
		const char *cr = memchr(bytes, '\r', crlf->len);
		size_t len = cr ? (size_t)(cr - bytes) : crlf->len;
		bool is_end = cr && len + 1 == crlf->len;

		buf_add(out, bytes, len);
		if (is_end && !last) {
			buf_drain(crlf, len);
			return;
		}
		if (cr && (is_end || cr[1] != '\n'))
			buf_add(out, "\r", 1);
		buf_drain(crlf, cr ? len + 1 : len);
	}
}

static void carry_on(void *ctx)
{
	struct carry *c = ctx;
	struct failure f;
	/* what came before it had to wait stays there: the rest of the piece is wanted */
	size_t want = c->crlf.len < PIECE_BYTES ? PIECE_BYTES - c->crlf.len : 0;
	enum pump_state state = pump_run(c->pump, &c->crlf, want, &f);

	if (state == PUMP_WAITING)
		return;
	if (state == PUMP_BROKEN) {
		break_off(c, &f);
		return;
	}
	c->step.last = state == PUMP_END;
	take_lines(&c->crlf, &c->step.bytes, c->step.last);
	give_to_thread(c);
}

/* The present recipient's copy, from its start. */
static void copy_start(struct carry *c)
{
	const struct parcel_recipient *r = &c->parcel->recipients[c->recipient];
	struct step *s = &c->step;

	maildir_name(s->name, c->parcel->letter->date_ms, c->parcel->instance, r->delivery);
	s->search_cur = r->attempt_no > 1;
	s->last = s->delivered = false;
	s->fd = -1;
	buf_drain(&s->bytes, s->bytes.len);
	buf_drain(&c->crlf, c->crlf.len);
	buf_printf(&s->bytes, "Delivered-To: %s\n", r->address);
	pump_free(c->pump);
	c->pump = pump_new(&c->maildir->env, c->parcel, OUTGOING_ANY_OCTETS, carry_on, c);
	carry_on(c);
}

static void copy_delivered(struct carry *c)
{
	static const struct outcome sent = {.kind = OUTCOME_SENT, .text = "delivered"};
	struct transport *t = c->maildir;

	settle(c, c->recipient++, &sent);
	if (c->recipient == c->parcel->nrecipients) {
		finish(c, &sent);
		return;
	}
	pump_free(TAKE(c->pump));
	t->env.host->rewind(t->env.host_ctx, c->parcel);
	copy_start(c);
}

static void step_done(struct job *job)
{
	struct carry *c = (struct carry *)job;
	struct step *s = &c->step;

	if (c->maildir->closing)
		return;
	buf_drain(&s->bytes, s->bytes.len);
	if (s->drop)
		finish(c, &c->broken);
	else if (s->alone)
		wait_alone(c, &s->why);
	else if (s->why.kind != FAILURE_NONE)
		fail(c, &s->why);
	else if (s->delivered)
		copy_delivered(c);
	else
		carry_on(c);
}

static void carry_start(struct transport *t, struct parcel *parcel)
{
	struct carry *c = xcalloc(1, sizeof(*c));

	c->maildir = t;
	c->parcel = parcel;
	c->step.job = (struct job){.run = step_run, .done = step_done};
	c->step.path = t->config->path;
	buf_init(&c->crlf, PIECE_MAX_BYTES);
	buf_init(&c->step.bytes, PIECE_MAX_BYTES);
	c->next = t->carries;
	c->link = &t->carries;
	if (c->next)
		c->next->link = &c->next;
	t->carries = c;
	t->ncarries++;
	copy_start(c);
}

/* ---- the transport ---- */

static void prepared(struct job *job)
{
	struct step *s = (struct step *)job;
	struct transport *t = s->owner;

	if (!t->closing) {
		t->readiness = s->why.kind == FAILURE_NONE ? PREPARED : FAILING;
		t->why = s->why;
		task_start(&t->turn);
	}
	free(s);
}

static void prepare(struct transport *t)
{
	struct step *s = xcalloc(1, sizeof(*s));

	s->job = (struct job){.run = prepare_run, .done = prepared};
	s->owner = t;
	s->path = t->config->path;
	t->readiness = PREPARING;
	worker_do(t->worker, &s->job);
}

static void go_down(struct transport *t)
{
	t->readiness = UNPREPARED;
	t->woken = false;
	t->env.host->down(t->env.host_ctx, &t->why);
}

static void work(struct transport *t)
{
	struct parcel *parcel;

	if (t->woken) {
		t->woken = false;
		t->env.host->up(t->env.host_ctx);
	}
	while (t->readiness == PREPARED && t->ncarries < t->concurrency &&
	       (parcel = t->env.host->next(t->env.host_ctx)))
		carry_start(t, parcel);
}

static void turn(void *ctx)
{
	struct transport *t = ctx;

	if (t->readiness == FAILING && t->ncarries == 0)
		go_down(t);
	else if (t->readiness == UNPREPARED && t->woken && !t->idle)
		prepare(t);
	else if (t->readiness == PREPARED && !t->idle)
		work(t);
	if (t->idle && t->ncarries == 0 && t->readiness != PREPARING)
		t->idle(t->idle_ctx);
}

static int maildir_open(const struct transport_env *env, const struct transport_config *config,
			struct transport **ret, struct failure *f)
{
	struct transport *t = xcalloc(1, sizeof(*t));

	t->env = *env;
	t->config = &config->maildir;
	t->concurrency = config->concurrency ? config->concurrency : 1;
	t->worker = worker_new(env->loop, "maildir", t->concurrency, NULL, NULL);
	task_init(&t->turn, env->loop, turn, t);
	*ret = t;
	return 0;
}

static void maildir_wake(struct transport *t, size_t wanted)
{
	t->woken = true;
	task_start(&t->turn);
}

static void maildir_retire(struct transport *t, void (*idle)(void *ctx), void *ctx)
{
	t->idle = idle;
	t->idle_ctx = ctx;
	task_start(&t->turn);
}

static void maildir_close(struct transport *t)
{
	t->closing = true;
	task_clear(&t->turn);
	worker_free(t->worker);
	while (t->carries) {
		struct step *s = &t->carries->step;

		if (s->fd >= 0)
			maildir_drop(s->path, s->name, s->fd);
		carry_free(t->carries);
	}
	free(t);
}

const struct transport_kind transport_maildir = {
	.name = "maildir",
	.carries = CARRIES_MAIL,
	.bears_twins = true,
	.open = maildir_open,
	.wake = maildir_wake,
	.retire = maildir_retire,
	.close = maildir_close,
};
