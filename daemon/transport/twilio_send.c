/* transport/twilio_send.c - one text on its way: its content, the request, and what the
 * answer makes of it. Each text is created by one POST on a connection of its own; whatever
 * leaves open whether Twilio has it is said to be uncertain, never tried again from here. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "buf.h"
#include "clock.h"
#include "config/config.h"
#include "crash.h"
#include "failure.h"
#include "message/letter.h"
#include "message/text_message.h"
#include "transport/twilio_codes.h"
#include "transport/twilio_room.h"

enum {
	CONTENT_MAX = 256 * 1024,
	FORM_MAX = 128 * 1024, /* 1600 characters and ten URLs, percent-encoded */
	BUSY_FIRST_MS = 100,
	BUSY_MAX_MS = 30000,
	BUSY_TRIES = 12,
	RETRY_AFTER_MAX_MS = 600000,
	VALIDITY_MIN_S = 5,
	VALIDITY_MAX_S = 36000,
};

struct sending {
	struct transport *transport;
	struct parcel *parcel; /* the queue's, of one recipient */
	struct buf content;
	char *form;             /* owned; once the content is there */
	struct http_call *call; /* under way, or NULL */
	unsigned tries;         /* times it was turned away as one too many */
	bool was_cut;
	struct sending *next, **link;
};

static void sending_free(struct sending *s)
{
	struct transport *t = s->transport;

	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	t->nsendings--;
	http_cancel(s->call);
	buf_clear(&s->content);
	free(s->form);
	free(s);
}

static void settle(struct sending *s, const struct outcome *o)
{
	struct transport *t = s->transport;
	struct parcel *parcel = s->parcel;

	sending_free(s);
	t->env.host->settle(t->env.host_ctx, parcel, 0, o);
	t->env.host->finished(t->env.host_ctx, parcel);
	task_start(&t->turn);
	twilio_fall(t);
}

static void settle_as(struct sending *s, enum outcome_kind kind, int code, const char *text)
{
	struct outcome o = {.kind = kind, .code = code, .tried = s->call || s->form};

	snprintf(o.text, sizeof(o.text), "%s", text);
	settle(s, &o);
}

void sendings_drop(struct transport *t)
{
	while (t->sendings)
		sending_free(t->sendings);
}

void sendings_give_back(struct transport *t, const struct failure *why)
{
	struct sending *next;

	for (struct sending *s = t->sendings; s; s = next) {
		next = s->next;
		if (!s->call)
			settle_as(s, OUTCOME_UNTOUCHED, 0, why->text);
	}
}

bool sendings_have(const struct transport *t, const char *number)
{
	for (const struct sending *s = t->sendings; s; s = s->next)
		if (strcmp(s->parcel->recipients[0].address, number) == 0)
			return true;
	return false;
}

/* ---- answers ---- */

/* What its reader does not get, or not this way. */
static const char *loss_of(const struct sending *s)
{
	const struct letter *l = s->parcel->letter;
	bool attached = l->nattachments > 0;

	if (!s->was_cut && !attached)
		return "";
	if (letter_is_mailed(l, s->parcel->recipients[0].address))
		return s->was_cut ? "; cut, all of it goes by mail" : "; attachments go by mail";
	if (s->was_cut)
		return attached ? "; cut, and without its attachments" : "; cut, it was too long";
	return "; without its attachments";
}

static void taken(struct sending *s, const struct http_reply *reply)
{
	struct outcome o = {.kind = OUTCOME_ACCEPTED, .code = (int)reply->status};
	struct twilio_message m;
	struct failure f;

	s->transport->busy = 0;
	if (twilio_read_message(reply->body, reply->len, &m, &f) < 0) {
		o.kind = OUTCOME_UNCERTAIN;
		snprintf(o.text, sizeof(o.text), "%s", f.text);
	} else {
		snprintf(o.remote_id, sizeof(o.remote_id), "%s", m.sid);
		snprintf(o.text, sizeof(o.text), "%s%s", twilio_status_name(m.status), loss_of(s));
	}
	twilio_message_clear(&m);
	CRASH_POINT("twilio.answered");
	settle(s, &o);
}

/* It was turned away unread: the same again when Twilio has caught its breath. */
static void busy(struct sending *s, const struct http_reply *reply, const char *text)
{
	struct transport *t = s->transport;
	int64_t wait_ms = BUSY_FIRST_MS;

	if (++s->tries > BUSY_TRIES) {
		settle_as(s, OUTCOME_LATER, (int)reply->status, text);
		return;
	}
	for (unsigned i = 0; i < t->busy && wait_ms < BUSY_MAX_MS; i++)
		wait_ms = wait_ms * 2 < BUSY_MAX_MS ? wait_ms * 2 : BUSY_MAX_MS;
	t->busy++;
	if (wait_ms < reply->retry_after_ms)
		wait_ms = reply->retry_after_ms;
	deadline_set(&t->busy_until, wait_ms < RETRY_AFTER_MAX_MS ? wait_ms : RETRY_AFTER_MAX_MS);
}

/* What Twilio said, and what to do. */
static void explain(struct failure *why, enum failure_kind kind, const struct twilio_code *code,
		    const struct twilio_error *error)
{
	failure_set(why, kind, "%s%s%s", error->text, code->hint ? ": " : "",
		    code->hint ? code->hint : "");
}

static void settle_error(struct sending *s, enum outcome_kind kind, const struct twilio_code *code,
			 const struct twilio_error *error)
{
	struct failure why;

	explain(&why, FAILURE_REFUSED, code, error);
	settle_as(s, kind, error->code, why.text);
}

static void transport_trouble(struct sending *s, const struct twilio_code *code,
			      const struct twilio_error *error)
{
	struct transport *t = s->transport;
	struct failure why;

	explain(&why, code->class == TWILIO_ACCOUNT ? FAILURE_REFUSED : FAILURE_SETUP, code, error);
	settle_as(s, OUTCOME_UNTOUCHED, error->code, why.text);
	twilio_go_down(t, &why);
}

static void ambiguous(struct sending *s, int code, const char *text)
{
	struct transport *t = s->transport;
	struct failure why;

	failure_set(&why, FAILURE_LATER, "%s", text);
	settle_as(s, OUTCOME_UNCERTAIN, code, text);
	twilio_go_down(t, &why);
}

static void refused(struct sending *s, const struct http_reply *reply)
{
	struct twilio_error error;
	struct twilio_code code;

	twilio_read_error(reply->body, reply->len, reply->status, &error);
	code = twilio_code_find(TWILIO_REQUEST, error.code, reply->status);
	switch (code.class) {
	case TWILIO_BUSY:
		busy(s, reply, error.text);
		return;
	case TWILIO_ACCOUNT:
	case TWILIO_SETTINGS:
		transport_trouble(s, &code, &error);
		return;
	case TWILIO_LATER:
		settle_as(s, OUTCOME_LATER, error.code, error.text);
		return;
	case TWILIO_SUPPRESS:
		settle_as(s, OUTCOME_SUPPRESSED, error.code, error.text);
		return;
	case TWILIO_REFUSED:
	case TWILIO_EXPIRED:
		settle_error(s, OUTCOME_REFUSED, &code, &error);
		return;
	case TWILIO_AMBIGUOUS:
	case TWILIO_RESEND:
	case TWILIO_TWICE:
	case TWILIO_ONCE:
		ambiguous(s, error.code, error.text);
		return;
	}
}

static void answered(void *ctx, const struct http_reply *reply, const struct failure *why,
		     bool written)
{
	struct sending *s = ctx;
	struct transport *t = s->transport;

	s->call = NULL;
	if (reply)
		twilio_note_clock(t, reply);
	if (reply && reply->status / 100 == 2) {
		taken(s, reply);
	} else if (reply) {
		refused(s, reply);
	} else if (written) {
		ambiguous(s, 0, why->text);
	} else {
		struct failure f = *why;

		settle_as(s, OUTCOME_UNTOUCHED, 0, f.text);
		twilio_go_down(t, &f);
	}
}

/* ---- the request ---- */

static void post(struct sending *s)
{
	struct transport *t = s->transport;
	AUTO(free) char *url = twilio_url(t, "Messages.json");
	struct http_request request = twilio_request(t);

	request.url = url;
	request.type = "application/x-www-form-urlencoded";
	request.body = s->form;
	request.body_len = strlen(s->form);
	request.once = true;
	CRASH_POINT("twilio.post");
	s->call = http_start(t->http, &request, answered, s);
}

void sendings_go_on(struct transport *t)
{
	for (struct sending *s = t->sendings; s; s = s->next)
		if (s->form && !s->call)
			post(s);
}

static int64_t validity_s(const struct parcel_recipient *r)
{
	int64_t left_s =
		r->expires_boot_ms ? (r->expires_boot_ms - clock_boot_ms()) / 1000 : VALIDITY_MAX_S;

	if (left_s < VALIDITY_MIN_S)
		return VALIDITY_MIN_S;
	return left_s < VALIDITY_MAX_S ? left_s : VALIDITY_MAX_S;
}

static char *make_form(const struct transport *t, const struct parcel_recipient *r,
		       const char *text, char *const *media)
{
	const struct twilio_config *c = t->config;
	struct buf form;
	char validity[24];

	snprintf(validity, sizeof(validity), "%lld", (long long)validity_s(r));
	buf_init(&form, FORM_MAX);
	twilio_add_field(&form, "To", r->address);
	twilio_add_field(&form, "From", c->service ? NULL : c->from);
	twilio_add_field(&form, "MessagingServiceSid", c->service);
	twilio_add_field(&form, "Body", *text ? text : NULL);
	for (; media && *media; media++)
		twilio_add_field(&form, "MediaUrl", *media);
	twilio_add_field(&form, "ValidityPeriod", validity);
	twilio_add_field(&form, "StatusCallback", c->status_callback);
	twilio_add_field(&form, "SmartEncoded", c->smart_encoded ? "true" : NULL);
	twilio_add_field(&form, "RiskCheck", c->risk_check);
	return buf_take(&form, NULL);
}

static void content_is_there(struct sending *s)
{
	AUTO(free) char *text = NULL;
	struct failure f;

	if (twilio_text(s->transport, s->parcel->recipients[0].address, s->parcel->letter,
			buf_bytes(&s->content), s->content.len, &s->was_cut, &text, &f) < 0) {
		settle_as(s, OUTCOME_REFUSED, 0, f.text);
		return;
	}
	s->form =
		make_form(s->transport, &s->parcel->recipients[0], text, s->parcel->letter->media);
	if (!deadline_is_set(&s->transport->busy_until))
		post(s);
}

static void got_content(void *ctx, const void *bytes, size_t len, const struct failure *why)
{
	struct sending *s = ctx;
	struct transport *t = s->transport;

	if (why) {
		settle_as(s, why->kind == FAILURE_LATER ? OUTCOME_LATER : OUTCOME_REFUSED, 0,
			  why->text);
		return;
	}
	bool full = buf_add(&s->content, bytes, len) < 0;

	/* attachments, behind the words, are not even read */
	if (full || len == 0 || s->content.len >= text_message_wants(s->parcel->letter, false))
		content_is_there(s);
	else
		t->env.host->content(t->env.host_ctx, s->parcel, got_content, s);
}

void sending_start(struct transport *t, struct parcel *parcel)
{
	struct sending *s = xcalloc(1, sizeof(*s));

	s->transport = t;
	s->parcel = parcel;
	buf_init(&s->content, CONTENT_MAX);
	s->next = t->sendings;
	s->link = &t->sendings;
	if (s->next)
		s->next->link = &s->next;
	t->sendings = s;
	t->nsendings++;
	t->env.host->content(t->env.host_ctx, parcel, got_content, s);
}
