/* transport/twilio.c - decides whether Twilio can be talked to, and when texts are
 * taken. Sending is in twilio_send.c, asking in twilio_ask.c. There is no session: it is up
 * until an answer says otherwise; then one small question shows whether it is again. */
#include "transport/twilio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "clock.h"
#include "config/config.h"
#include "failure.h"
#include "message/letter.h"
#include "message/text_message.h"
#include "net/twilio_account.h"
#include "secret.h"
#include "transport/twilio_codes.h"
#include "transport/twilio_room.h"

struct http_request twilio_request(const struct transport *t)
{
	return twilio_account_request(t->config, t->password);
}

char *twilio_url(const struct transport *t, const char *rest)
{
	return twilio_account_url(t->config, rest);
}

void twilio_note_clock(struct transport *t, const struct http_reply *reply)
{
	if (!reply->date_ms)
		return;
	t->skew_ms = reply->date_ms - clock_boot_ms();
	t->knows_skew = true;
}

/* A picture message is none of segments: Twilio's own ceiling alone counts. */
static size_t twilio_segments(const struct twilio_config *config, const struct letter *letter)
{
	return letter->media ? 0 : config->segments;
}

int twilio_text(const struct transport *t, const char *number, const struct letter *letter,
		const char *content, size_t len, bool *ret_cut, char **ret, struct failure *f)
{
	bool mailed = letter_is_mailed(letter, number);
	struct text_message_options options = {.exact = t->config->exact,
					       .segments = twilio_segments(t->config, letter),
					       .cut = mailed ||
						      t->config->too_long != TOO_LONG_REFUSE,
					       .characters = TWILIO_BODY_MAX,
					       .tail = mailed ? TEXT_MESSAGE_TAIL : NULL,
					       .ret_cut = ret_cut};

	return text_message_make(letter, content, len, &options, ret, f);
}

static bool twilio_wants_mail(const struct transport_config *config, const char *number,
			      const struct letter *letter, const char *content, size_t len)
{
	const struct text_message_options options = {
		.exact = config->twilio.exact,
		.segments = twilio_segments(&config->twilio, letter),
		.characters = TWILIO_BODY_MAX};
	AUTO(free) char *text = NULL;

	if (config->twilio.too_long != TOO_LONG_MAIL)
		return false;
	return letter->nattachments ||
	       text_message_make(letter, content, len, &options, &text, NULL) < 0;
}

void twilio_go_down(struct transport *t, const struct failure *why)
{
	t->woken = false;
	if (!t->falling)
		t->why = *why;
	t->falling = true;
	deadline_unset(&t->busy_until);
	sendings_give_back(t, &t->why);
	twilio_fall(t);
}

void twilio_fall(struct transport *t)
{
	if (!t->falling || t->nsendings)
		return;
	t->falling = false;
	t->env.host->down(t->env.host_ctx, &t->why);
}

/* ---- is it there? ---- */

static int explain(const struct http_reply *reply, struct failure *f)
{
	struct twilio_error error;
	struct twilio_code code;

	twilio_read_error(reply->body, reply->len, reply->status, &error);
	code = twilio_code_find(TWILIO_REQUEST, error.code, reply->status);
	if (code.class == TWILIO_ACCOUNT)
		return failure_set(f, FAILURE_REFUSED, "%s%s%s", error.text, code.hint ? ": " : "",
				   code.hint ? code.hint : "");
	return failure_set(f, code.class == TWILIO_REFUSED ? FAILURE_SETUP : FAILURE_LATER, "%s",
			   error.text);
}

static void probed(void *ctx, const struct http_reply *reply, const struct failure *why,
		   bool written)
{
	struct transport *t = ctx;
	struct failure f;

	t->probe = NULL;
	if (reply) {
		twilio_note_clock(t, reply);
		if (reply->status == 200) {
			t->env.host->up(t->env.host_ctx);
			task_start(&t->turn);
			return;
		}
		if (reply->status == 401)
			secret_ref_doubt(t->config->api_key ? &t->config->api_secret
							    : &t->config->auth_token);
		explain(reply, &f);
		why = &f;
	}
	twilio_go_down(t, why);
}

static void probe(struct transport *t)
{
	AUTO(free) char *url = twilio_url(t, "Messages.json?PageSize=1");
	struct http_request request = twilio_request(t);

	t->probing = false;
	if (t->probe)
		return;
	request.url = url;
	t->probe = http_start(t->http, &request, probed, t);
}

int twilio_read_secret(struct transport *t, struct failure *f)
{
	return twilio_account_secret(t->config, &t->password, f);
}

/* ---- the transport ---- */

static void turn(void *ctx)
{
	struct transport *t = ctx;
	struct parcel *parcel;
	struct failure f;

	if (t->woken && twilio_read_secret(t, &f) < 0) {
		t->probing = false;
		twilio_go_down(t, &f);
		return;
	}
	if (t->probing)
		probe(t);
	else if (t->woken)
		t->env.host->up(t->env.host_ctx);
	t->woken = false;
	while (!t->idle && !t->probe && !t->falling && t->nsendings < t->concurrency &&
	       !deadline_is_set(&t->busy_until) && t->password &&
	       (parcel = t->env.host->next(t->env.host_ctx)))
		sending_start(t, parcel);
	if (t->idle && !t->nsendings && !t->askings)
		t->idle(t->idle_ctx);
}

static void busy_over(void *ctx)
{
	struct transport *t = ctx;

	sendings_go_on(t);
	task_start(&t->turn);
}

static int open_twilio(const struct transport_env *env, const struct transport_config *config,
		       struct transport **ret, struct failure *f)
{
	struct transport *t = xcalloc(1, sizeof(*t));

	t->env = *env;
	t->config = &config->twilio;
	t->concurrency = config->concurrency;
	t->http = http_new(env->loop);
	task_init(&t->turn, env->loop, turn, t);
	deadline_init(&t->busy_until, env->loop, busy_over, t);
	*ret = t;
	return 0;
}

static void wake(struct transport *t, size_t wanted)
{
	t->woken = true;
	t->probing |= wanted == 0;
	task_start(&t->turn);
}

static void retire(struct transport *t, void (*idle)(void *ctx), void *ctx)
{
	t->idle = idle;
	t->idle_ctx = ctx;
	t->woken = t->probing = false;
	task_start(&t->turn);
}

static void close_twilio(struct transport *t)
{
	sendings_drop(t);
	askings_drop(t);
	http_free(t->http);
	task_clear(&t->turn);
	deadline_clear(&t->busy_until);
	secret_free(t->password);
	free(t);
}

const struct transport_kind transport_twilio = {
	.name = "twilio",
	.carries = CARRIES_TEXTS,
	.max_recipients = 1,
	.bears_twins = false,
	.open = open_twilio,
	.wake = wake,
	.retire = retire,
	.wants_mail = twilio_wants_mail,
	.ask = twilio_ask,
	.close = close_twilio,
};
