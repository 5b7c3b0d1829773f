/* mailbox/twilio_errand.c - decides what an answer means for who asked. */
#include "mailbox/twilio_errand.h"

#include <stdlib.h>

#include "alloc.h"
#include "auto.h"
#include "base/loop.h"
#include "failure.h"
#include "mailbox/twilio_text.h"
#include "net/http.h"
#include "net/twilio_account.h"
#include "net/twilio_wire.h"

struct text_errand {
	struct text_errands *all;
	struct task turn; /* it is over */
	struct http_call *call;
	struct text_fetch *fetch;
	struct failure why; /* FAILURE_NONE: it went well */
	mailbox_done_fn *done;
	mailbox_fetched_fn *fetched; /* NULL: a deed */
	void *ctx;
	struct text_errand *next, **link;
};

static void drop(struct text_errand *e)
{
	*e->link = e->next;
	if (e->next)
		e->next->link = e->link;
	http_cancel(e->call);
	text_fetch_cancel(e->fetch);
	task_clear(&e->turn);
	free(e);
}

/* Whoever is answered may close the mailbox: the errand is gone before. */
static void answer(struct text_errand *e, const struct mail *mail)
{
	struct text_errand copy = *e;
	const struct failure *why = copy.why.kind ? &copy.why : NULL;

	drop(e);
	if (copy.fetched)
		copy.fetched(copy.ctx, mail, why);
	else
		copy.done(copy.ctx, why);
}

static void over(void *ctx)
{
	answer(ctx, NULL);
}

static struct text_errand *add(struct text_errands *all, void *ctx)
{
	struct text_errand *e = xcalloc(1, sizeof(*e));

	e->all = all;
	e->ctx = ctx;
	task_init(&e->turn, all->way->loop, over, e);
	e->next = all->first;
	e->link = &all->first;
	if (e->next)
		e->next->link = &e->next;
	all->first = e;
	return e;
}

void text_errands_init(struct text_errands *e, const struct text_way *way)
{
	*e = (struct text_errands){.way = way};
}

void text_errands_clear(struct text_errands *e)
{
	while (e->first)
		drop(e->first);
}

/* Nothing can be asked: it is answered in a turn of its own. */
static bool can_ask(struct text_errand *e, const char *ref)
{
	if (!twilio_sid_is_good(ref, "SM") && !twilio_sid_is_good(ref, "MM"))
		failure_set(&e->why, FAILURE_REFUSED, "\"%.40s\" is no text's sid", ref);
	else if (!e->all->way->password)
		failure_set(&e->why, FAILURE_LATER, "the account was not spoken to yet");
	else
		return true;
	task_start(&e->turn);
	return false;
}

/* ---- to delete ---- */

static void deleted(void *ctx, const struct http_reply *reply, const struct failure *why,
		    bool written)
{
	struct text_errand *e = ctx;

	e->call = NULL;
	if (!reply)
		failure_set(&e->why, FAILURE_LATER, "%s", why->text);
	else if (reply->status != 204 && reply->status != 404)
		text_answer_failure(reply->status, reply->body, reply->len, &e->why);
	/* a login that is refused may be mended */
	if (reply && e->why.kind && (reply->status == 401 || reply->status == 403))
		e->why.kind = FAILURE_LATER;
	else if (e->why.kind == FAILURE_SETUP)
		e->why.kind = FAILURE_REFUSED;
	answer(e, NULL);
}

void text_errand_deed(struct text_errands *all, enum deed_on_mail deed, const char *ref,
		      mailbox_done_fn *done, void *ctx)
{
	struct text_errand *e = add(all, ctx);

	e->done = done;
	if (deed != MAIL_DELETE) {
		task_start(&e->turn);
		return;
	}
	if (!can_ask(e, ref))
		return;
	struct http_request request = twilio_account_request(all->way->config, all->way->password);
	AUTO(free) char *rest = xprintf("Messages/%s.json", ref);
	AUTO(free) char *url = twilio_account_url(all->way->config, rest);

	request.url = url;
	request.method = "DELETE";
	e->call = http_start(all->way->http, &request, deleted, e);
}

/* ---- to show ---- */

static void shown(void *ctx, const struct mail *mail, const struct failure *why)
{
	struct text_errand *e = ctx;

	e->fetch = NULL; /* it ends by itself */
	if (why)
		e->why = *why;
	answer(e, mail);
}

void text_errand_fetch(struct text_errands *all, const char *ref, mailbox_fetched_fn *fetched,
		       void *ctx)
{
	struct text_errand *e = add(all, ctx);

	e->fetched = fetched;
	if (can_ask(e, ref))
		e->fetch = text_fetch_sid(all->way, ref, shown, e);
}
