/* mailbox/twilio_text.c - the message, the list of its media, each medium: three kinds of
 * question. A medium lies elsewhere: the answer is a redirection, which is followed without the
 * login, and not to where nothing is encrypted. */
#include "mailbox/twilio_text.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "clock.h"
#include "config/transport_config.h"
#include "failure.h"
#include "message/attachment.h"
#include "message/letter.h"
#include "net/http.h"
#include "net/twilio_account.h"
#include "net/twilio_wire.h"

enum { MEDIA_MAX = 10, REDIRECTS_MAX = 3 };

struct text_fetch {
	const struct text_way *way;
	bool patient, cut;
	char sid[TWILIO_SID_SIZE];
	struct twilio_message message;
	struct twilio_media_list media;
	struct mail_attachment attachments[MEDIA_MAX]; /* what they point to is owned */
	size_t nattachments;
	uint64_t bytes; /* of them */
	size_t at;      /* the medium that is asked for */
	unsigned redirects;
	struct http_call *call;
	struct task turn;
	mailbox_fetched_fn *done;
	void *ctx;
};

void text_fetch_cancel(struct text_fetch *f)
{
	if (!f)
		return;
	http_cancel(f->call);
	task_clear(&f->turn);
	for (size_t i = 0; i < f->nattachments; i++) {
		free((char *)(uintptr_t)f->attachments[i].name);
		free((char *)(uintptr_t)f->attachments[i].bytes);
	}
	twilio_media_clear(&f->media);
	twilio_message_clear(&f->message);
	free(f);
}

int text_answer_failure(unsigned status, const char *body, size_t len, struct failure *f)
{
	struct twilio_error error;
	enum failure_kind kind = FAILURE_LATER;

	twilio_read_error(body, len, status, &error);
	if (status == 401 || status == 403)
		kind = FAILURE_REFUSED;
	else if (status >= 400 && status < 500 && status != 429 && status != 408)
		kind = FAILURE_SETUP;
	return failure_set(f, kind, "%s", error.text);
}

/* ---- the end ---- */

static void end(struct text_fetch *f, const struct mail *mail, const struct failure *why)
{
	struct failure copy = why ? *why : (struct failure){0};

	/* done may close the mailbox, and with it what fetches */
	mailbox_fetched_fn *done = f->done;
	void *ctx = f->ctx;

	done(ctx, mail, why ? &copy : NULL);
	text_fetch_cancel(f);
}

static void hand_over(void *ctx)
{
	struct text_fetch *f = ctx;
	const struct twilio_message *m = &f->message;
	struct mail_text text = {.from = m->from,
				 .body = m->body,
				 .attachments = f->attachments,
				 .nattachments = f->nattachments};
	int64_t created_ms = m->created_ms ? m->created_ms : m->sent_ms;

	end(f,
	    &(struct mail){.ref = m->sid,
			   .cursor = f->way->cursor,
			   .received_ms = created_ms ? created_ms : clock_wall_ms(),
			   .size = strlen(m->body) + f->bytes,
			   .bytes = "",
			   .cut = f->cut,
			   .text = &text},
	    NULL);
}

/* ---- what came with it ---- */

static void ask_media(struct text_fetch *f);
static void heard_medium(void *ctx, const struct http_reply *reply, const struct failure *why,
			 bool written);

static uint64_t room_left(const struct text_fetch *f)
{
	return f->way->config->max_media_bytes - f->bytes;
}

static void ask_at(struct text_fetch *f, struct http_request *request, const char *url,
		   http_done_fn *heard)
{
	request->url = url;
	f->call = http_start(f->way->http, request, heard, f);
}

/* It is not to be had, now or ever. true: the text goes without it. */
static bool goes_without(struct text_fetch *f, const struct failure *why)
{
	if (f->patient && why->kind == FAILURE_LATER) {
		end(f, NULL, why);
		return false;
	}
	f->cut = true;
	f->at++;
	return true;
}

static bool may_follow(const struct text_fetch *f, const char *url)
{
	bool plain = strncmp(f->way->config->api, "http://", strlen("http://")) == 0;

	return f->redirects < REDIRECTS_MAX &&
	       (strncmp(url, "https://", strlen("https://")) == 0 ||
		(plain && strncmp(url, "http://", strlen("http://")) == 0));
}

static void follow(struct text_fetch *f, const char *url)
{
	struct http_request request = {.ca_file = f->way->config->ca_file,
				       .timeout_ms = f->way->config->timeout_ms,
				       .max_reply = room_left(f),
				       .may_be_cut = true};

	f->redirects++;
	ask_at(f, &request, url, heard_medium);
}

static void keep_medium(struct text_fetch *f, const struct http_reply *reply)
{
	const char *ending = attachment_ending(f->media.media[f->at].type);
	struct mail_attachment *a = &f->attachments[f->nattachments++];

	a->name = xprintf("%zu.%s", f->at + 1, ending ? ending : "bin");
	a->bytes = xmemdup(reply->body, reply->len);
	a->len = reply->len;
	f->bytes += reply->len;
	f->at++;
}

static void heard_medium(void *ctx, const struct http_reply *reply, const struct failure *why,
			 bool written)
{
	struct text_fetch *f = ctx;
	struct failure failure = {0};

	f->call = NULL;
	if (reply && reply->location && may_follow(f, reply->location)) {
		follow(f, reply->location);
		return;
	}
	if (reply && reply->status == 200 && !reply->cut) {
		keep_medium(f, reply);
	} else {
		if (reply && reply->cut)
			failure_set(&failure, FAILURE_REFUSED, "it is too large");
		else if (reply)
			text_answer_failure(reply->status, reply->body, reply->len, &failure);
		if (!goes_without(f, reply ? &failure : why))
			return;
	}
	ask_media(f);
}

static void ask_media(struct text_fetch *f)
{
	struct http_request request = twilio_account_request(f->way->config, f->way->password);

	f->cut |= f->media.n > MEDIA_MAX;
	if (f->at == f->media.n || f->at == MEDIA_MAX) {
		hand_over(f);
		return;
	}
	if (!room_left(f)) {
		f->cut = true;
		hand_over(f);
		return;
	}
	AUTO(free) char *rest = xprintf("Messages/%s/Media/%s", f->sid, f->media.media[f->at].sid);
	AUTO(free) char *url = twilio_account_url(f->way->config, rest);

	request.max_reply = room_left(f);
	request.may_be_cut = true;
	f->redirects = 0;
	ask_at(f, &request, url, heard_medium);
}

static void heard_list(void *ctx, const struct http_reply *reply, const struct failure *why,
		       bool written)
{
	struct text_fetch *f = ctx;
	struct failure failure = {0};

	f->call = NULL;
	if (!reply)
		failure = *why;
	else if (reply->status != 200)
		text_answer_failure(reply->status, reply->body, reply->len, &failure);
	else
		twilio_read_media(reply->body, reply->len, &f->media, &failure);
	f->cut |= f->media.more;
	if (!failure.kind) {
		ask_media(f);
	} else if (goes_without(f, &failure)) {
		f->media.n = f->at = 0;
		hand_over(f);
	}
}

static void ask_list(void *ctx)
{
	struct text_fetch *f = ctx;
	struct http_request request = twilio_account_request(f->way->config, f->way->password);

	if (!f->message.media) {
		hand_over(f);
		return;
	}
	AUTO(free) char *rest = xprintf("Messages/%s/Media.json", f->sid);
	AUTO(free) char *url = twilio_account_url(f->way->config, rest);
	ask_at(f, &request, url, heard_list);
}

/* ---- the message ---- */

static void heard_message(void *ctx, const struct http_reply *reply, const struct failure *why,
			  bool written)
{
	struct text_fetch *f = ctx;
	struct failure failure = {0};

	f->call = NULL;
	if (reply && reply->status == 404) {
		end(f, NULL, NULL);
		return;
	}
	if (!reply)
		failure = *why;
	else if (reply->status != 200)
		text_answer_failure(reply->status, reply->body, reply->len, &failure);
	else
		twilio_read_message(reply->body, reply->len, &f->message, &failure);
	if (failure.kind)
		end(f, NULL, &failure);
	else
		ask_list(f);
}

static struct text_fetch *make(const struct text_way *way, const char *sid,
			       mailbox_fetched_fn *done, void *ctx)
{
	struct text_fetch *f = xcalloc(1, sizeof(*f));

	f->way = way;
	memcpy(f->sid, sid, sizeof(f->sid) - 1);
	f->done = done;
	f->ctx = ctx;
	task_init(&f->turn, way->loop, ask_list, f);
	return f;
}

struct text_fetch *text_fetch_listed(const struct text_way *way, const struct twilio_message *m,
				     bool patient, mailbox_fetched_fn *done, void *ctx)
{
	struct text_fetch *f = make(way, m->sid, done, ctx);

	f->patient = patient;
	f->message = *m;
	f->message.from = xstrdup(m->from);
	f->message.to = xstrdup(m->to);
	f->message.body = xstrdup(m->body);
	task_start(&f->turn);
	return f;
}

struct text_fetch *text_fetch_sid(const struct text_way *way, const char *sid,
				  mailbox_fetched_fn *done, void *ctx)
{
	struct text_fetch *f = make(way, sid, done, ctx);
	struct http_request request = twilio_account_request(way->config, way->password);
	AUTO(free) char *rest = xprintf("Messages/%s.json", sid);
	AUTO(free) char *url = twilio_account_url(way->config, rest);

	f->patient = true;
	ask_at(f, &request, url, heard_message);
	return f;
}
