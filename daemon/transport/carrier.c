/* transport/carrier.c - stands between the queue and an SMTP transport: takes parcels for
 * telephone numbers from the one, and lays parcels for gateways before the other. Sessions,
 * classes of failure and outages are the SMTP transport's; which mail a text becomes is
 * carrier_mail.c's. */
#include "transport/carrier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "buf.h"
#include "clock.h"
#include "config/config.h"
#include "failure.h"
#include "message/letter.h"
#include "text.h"
#include "transport/carrier_mail.h"
#include "transport/smtp.h"
#include "transport/transport.h"

enum {
	PIECE_BYTES = 64 * 1024,
	WORDS_MAX = 256 * 1024, /* of content, besides the attachments */
};

/* A text on its way. */
struct errand {
	struct parcel parcel; /* first: as the SMTP transport sees it */
	struct parcel_recipient recipient;
	struct transport *transport;
	struct parcel *asked; /* the queue's */
	const struct gateway *gateway;
	struct buf content; /* as it comes from the queue */
	struct carrier_mail mail;
	size_t at; /* of the mail's content: told */
	enum { ERRAND_READING, ERRAND_READY, ERRAND_TAKEN } state;
	struct errand *next, **link; /* of the transport */
};

struct transport {
	struct transport_env env;            /* the queue's */
	const struct carrier_config *config; /* from config */
	const struct transport_config *own;  /* from config */
	struct transport_config by;          /* a copy: the SMTP transport's, under our name */
	char *name;                          /* owned; of by */
	struct transport *smtp;              /* owned */
	struct errand *errands;              /* owned, by .next; oldest first */
	struct errand **tail;
	bool retiring;
};

/* ---- errands ---- */

static void errand_free(struct errand *e)
{
	struct transport *t = e->transport;

	*e->link = e->next;
	if (e->next)
		e->next->link = e->link;
	else
		t->tail = e->link;
	buf_clear(&e->content);
	carrier_mail_clear(&e->mail);
	free(e);
}

static void settle(struct errand *e, const struct outcome *o)
{
	struct transport *t = e->transport;
	struct parcel *asked = e->asked;

	errand_free(e);
	t->env.host->settle(t->env.host_ctx, asked, 0, o);
	t->env.host->finished(t->env.host_ctx, asked);
}

static void settle_as(struct errand *e, enum outcome_kind kind, const char *text)
{
	struct outcome o = {.kind = kind};

	snprintf(o.text, sizeof(o.text), "%s", text);
	settle(e, &o);
}

/* What no session has taken is the queue's again. */
static void give_back(struct transport *t, const char *why)
{
	struct errand *next;

	for (struct errand *e = t->errands; e; e = next) {
		next = e->next;
		if (e->state != ERRAND_TAKEN)
			settle_as(e, OUTCOME_UNTOUCHED, why);
	}
}

static size_t count_ready(const struct transport *t)
{
	size_t n = 0;

	for (const struct errand *e = t->errands; e; e = e->next)
		n += e->state == ERRAND_READY;
	return n;
}

/* Makes the mail; false: it was settled. */
static bool make(struct errand *e)
{
	const struct carrier_config *config = e->transport->config;
	const struct parcel *asked = e->asked;
	struct failure f;

	if (carrier_mail_make(config, e->gateway, asked->recipients[0].address, asked->letter,
			      buf_bytes(&e->content), e->content.len, &e->mail, &f) < 0) {
		settle_as(e, OUTCOME_REFUSED, f.text);
		return false;
	}
	buf_clear(&e->content);
	e->recipient = asked->recipients[0];
	e->recipient.address = e->mail.address;
	e->recipient.needs_smtputf8 = false;
	e->parcel = *asked;
	e->parcel.letter = e->mail.letter;
	e->parcel.recipients = &e->recipient;
	e->state = ERRAND_READY;
	return true;
}

static void read_content(struct errand *e);

/* Once all is there the SMTP transport is told, if it was not asking itself just now. */
static void got_content(void *ctx, const void *bytes, size_t len, const struct failure *why)
{
	struct errand *e = ctx;
	struct transport *t = e->transport;

	if (why) {
		settle_as(e, why->kind == FAILURE_LATER ? OUTCOME_LATER : OUTCOME_REFUSED,
			  why->text);
		return;
	}
	bool full = buf_add(&e->content, bytes, len) < 0;
	size_t wanted = carrier_mail_wants(t->config, e->gateway, e->asked->recipients[0].address,
					   e->asked->letter);

	if (!full && len && e->content.len < wanted)
		read_content(e);
	else if (make(e) && !t->retiring)
		transport_smtp.wake(t->smtp, count_ready(t));
}

static void read_content(struct errand *e)
{
	struct transport *t = e->transport;

	t->env.host->content(t->env.host_ctx, e->asked, got_content, e);
}

static void errand_start(struct transport *t, struct parcel *asked)
{
	const char *number = asked->recipients[0].address;
	struct errand *e = xcalloc(1, sizeof(*e));

	e->transport = t;
	e->asked = asked;
	e->link = t->tail;
	*t->tail = e;
	t->tail = &e->next;
	buf_init(&e->content, WORDS_MAX + (size_t)t->config->max_attached);
	e->gateway = gateway_of(t->own, number);
	if (e->gateway)
		read_content(e);
	else
		settle_as(e, OUTCOME_REFUSED,
			  "whose number it is nobody says: carrier is missing at the contact, or "
			  "at the transport");
}

static struct errand *take_ready(struct transport *t)
{
	for (struct errand *e = t->errands; e; e = e->next)
		if (e->state == ERRAND_READY) {
			e->state = ERRAND_TAKEN;
			return e;
		}
	return NULL;
}

/* ---- what the SMTP transport asks for ---- */

static struct parcel *host_next(void *ctx)
{
	struct transport *t = ctx;
	struct errand *e;
	struct parcel *asked;

	while (!(e = take_ready(t)) && (asked = t->env.host->next(t->env.host_ctx)))
		errand_start(t, asked);
	return e ? &e->parcel : NULL;
}

static void host_content(void *ctx, struct parcel *p, content_done_fn *done, void *done_ctx)
{
	struct errand *e = (struct errand *)p;
	size_t left = e->mail.len - e->at, n = left < PIECE_BYTES ? left : PIECE_BYTES;
	const char *bytes = e->mail.content + e->at;

	e->at += n;
	done(done_ctx, bytes, n, NULL);
}

static void host_rewind(void *ctx, struct parcel *p)
{
	((struct errand *)p)->at = 0;
}

/* The server's word, and what is to be known besides. */
static void add_note(const struct errand *e, struct outcome *o)
{
	bool mailed = letter_is_mailed(e->asked->letter, e->asked->recipients[0].address);
	const char *loss = mailed            ? "; all of it goes by mail, too"
			   : e->mail.was_cut ? "; it was cut"
					     : "";
	AUTO(free) char *warning = gateway_warning(e->gateway, clock_wall_ms());
	AUTO(free)
	char *note = xprintf("unconfirmable: no carrier tells what became of it%s%s%s; %s", loss,
			     warning ? "; " : "", warning ? warning : "", o->text);

	text_safe_line(o->text, sizeof(o->text), note, strlen(note));
}

static void host_settle(void *ctx, struct parcel *p, size_t recipient, const struct outcome *o)
{
	struct errand *e = (struct errand *)p;
	struct transport *t = ctx;
	struct outcome copy = *o;

	if (o->kind == OUTCOME_SENT)
		add_note(e, &copy);
	t->env.host->settle(t->env.host_ctx, e->asked, 0, &copy);
}

static void host_finished(void *ctx, struct parcel *p)
{
	struct errand *e = (struct errand *)p;
	struct transport *t = ctx;
	struct parcel *asked = e->asked;

	errand_free(e);
	t->env.host->finished(t->env.host_ctx, asked);
}

static void host_up(void *ctx)
{
	struct transport *t = ctx;

	t->env.host->up(t->env.host_ctx);
}

static void host_down(void *ctx, const struct failure *why)
{
	struct transport *t = ctx;
	struct failure f = *why;

	give_back(t, f.text);
	t->env.host->down(t->env.host_ctx, &f);
}

static const struct transport_host smtp_host = {
	.next = host_next,
	.content = host_content,
	.rewind = host_rewind,
	.settle = host_settle,
	.finished = host_finished,
	.up = host_up,
	.down = host_down,
};

/* ---- what the queue asks for ---- */

static void carrier_close(struct transport *t)
{
	if (!t)
		return;
	transport_smtp.close(t->smtp);
	while (t->errands)
		errand_free(t->errands);
	free(t->name);
	free(t);
}

static int carrier_open(const struct transport_env *env, const struct transport_config *config,
			struct transport **ret, struct failure *f)
{
	struct transport *t = xcalloc(1, sizeof(*t));
	struct transport_env smtp_env = *env;

	t->env = *env;
	t->own = config;
	t->config = &config->carrier;
	t->tail = &t->errands;
	t->name = xprintf("%s of %s", config->carrier.by->name, config->name);
	t->by = *config->carrier.by;
	t->by.name = t->name;
	t->by.concurrency = config->concurrency;
	smtp_env.host = &smtp_host;
	smtp_env.host_ctx = t;
	if (transport_smtp.open(&smtp_env, &t->by, &t->smtp, f) < 0) {
		carrier_close(t);
		return -1;
	}
	*ret = t;
	return 0;
}

static bool carrier_wants_mail(const struct transport_config *config, const char *number,
			       const struct letter *letter, const char *content, size_t len)
{
	const struct gateway *gateway = gateway_of(config, number);

	return config->carrier.too_long == TOO_LONG_MAIL && gateway &&
	       !carrier_mail_fits(&config->carrier, gateway, letter, content, len);
}

static void carrier_wake(struct transport *t, size_t wanted)
{
	transport_smtp.wake(t->smtp, wanted);
}

static void carrier_retire(struct transport *t, void (*idle)(void *ctx), void *ctx)
{
	t->retiring = true;
	give_back(t, "the transport's settings were changed");
	transport_smtp.retire(t->smtp, idle, ctx);
}

const struct transport_kind transport_carrier = {
	.name = "carrier",
	.carries = CARRIES_TEXTS,
	.max_recipients = 1,
	.bears_twins = true,
	.open = carrier_open,
	.wake = carrier_wake,
	.retire = carrier_retire,
	.wants_mail = carrier_wants_mail,
	.close = carrier_close,
};
