/* transport/twilio_ask.c - what became of texts: by one listing for many, by one
 * question for a single one; and whether a text of which no answer came is there at all, which
 * only a complete listing can deny. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "auto.h"
#include "buf.h"
#include "clock.h"
#include "config/config.h"
#include "failure.h"
#include "media.h"
#include "message/letter.h"
#include "transport/twilio_codes.h"
#include "transport/twilio_room.h"

enum {
	PAGE_SIZE = 1000,
	PAGES_MAX = 100,
	SINGLES_MAX = 20,      /* asked for one by one, in one round */
	CLOCK_SLACK_MS = 5000, /* FACTS of their clock: what was created before is another text */
	RESEND_MS = 60 * 1000,
	RESEND_LATE_MS = 2 * 60 * 60 * 1000,
	REPLY_MAX = 16 * 1024 * 1024,
};

struct asking {
	struct transport *transport;
	const struct inquiry *inquiries; /* the asker's, of n */
	size_t n;
	struct report *reports; /* owned, of n */
	bool *done;             /* owned, of n */
	reported_fn *reported;
	void *ctx;
	struct http_call *call; /* under way, or NULL */
	size_t single;          /* of the inquiry that is asked by itself; n: a listing */
	size_t lost; /* of the inquiry whose recipient's texts are listed; n: everyone's */
	char *path;  /* owned; of the listing's next page */
	unsigned pages, singles;
	bool listed; /* those whose sid is known */
	struct task turn;
	struct failure why; /* kind set: it ends by this */
	struct asking *next, **link;
};

static void ask_on(void *ctx);

static void asking_free(struct asking *a)
{
	*a->link = a->next;
	if (a->next)
		a->next->link = a->link;
	http_cancel(a->call);
	task_clear(&a->turn);
	free(a->reports);
	free(a->done);
	free(a->path);
	free(a);
}

void askings_drop(struct transport *t)
{
	while (t->askings)
		asking_free(t->askings);
}

static void finish(struct asking *a)
{
	struct transport *t = a->transport;
	struct report *reports = TAKE(a->reports);
	struct failure why = a->why;
	reported_fn *reported = a->reported;
	void *ctx = a->ctx;
	size_t n = a->n;

	asking_free(a);
	task_start(&t->turn);
	reported(ctx, reports, n, why.kind ? &why : NULL);
	free(reports);
}

/* ---- what a status means ---- */

static void judge_failure(struct report *r, const struct twilio_message *m)
{
	struct twilio_code code = twilio_code_find(TWILIO_DELIVERY, m->error_code, 0);

	r->finding = m->status == TWILIO_STATUS_FAILED ? FINDING_FAILED : FINDING_UNDELIVERED;
	r->resend_ms = RESEND_MS;
	switch (code.class) {
	case TWILIO_EXPIRED:
		r->finding = FINDING_EXPIRED;
		break;
	case TWILIO_SUPPRESS:
		r->finding = FINDING_SUPPRESSED;
		break;
	case TWILIO_RESEND:
	case TWILIO_ACCOUNT:
		r->resends = UINT_MAX;
		break;
	case TWILIO_TWICE:
		r->resends = 2;
		r->resend_ms = RESEND_LATE_MS;
		break;
	case TWILIO_ONCE:
		r->resends = 1;
		break;
	case TWILIO_REFUSED:
	case TWILIO_BUSY:
	case TWILIO_AMBIGUOUS:
	case TWILIO_SETTINGS:
	case TWILIO_LATER:
		break;
	}
}

static enum finding finding_of(enum twilio_status status)
{
	switch (status) {
	case TWILIO_STATUS_SENT:
		return FINDING_SENT;
	case TWILIO_STATUS_PARTIALLY_DELIVERED:
	case TWILIO_STATUS_DELIVERED:
	case TWILIO_STATUS_READ:
		return FINDING_DELIVERED;
	case TWILIO_STATUS_CANCELED:
		return FINDING_CANCELED;
	case TWILIO_STATUS_UNKNOWN:
	case TWILIO_STATUS_ACCEPTED:
	case TWILIO_STATUS_SCHEDULED:
	case TWILIO_STATUS_QUEUED:
	case TWILIO_STATUS_SENDING:
	case TWILIO_STATUS_UNDELIVERED:
	case TWILIO_STATUS_FAILED:
	case TWILIO_STATUS_RECEIVING:
	case TWILIO_STATUS_RECEIVED:
		break;
	}
	return FINDING_PENDING;
}

static void describe(struct report *r, const struct twilio_message *m)
{
	const char *hint = twilio_code_find(TWILIO_DELIVERY, m->error_code, 0).hint;
	char sent[40] = "";
	time_t at = (time_t)(m->sent_ms / 1000);
	struct tm when;

	if (m->sent_ms && gmtime_r(&at, &when))
		strftime(sent, sizeof(sent), ", sent %Y-%m-%dT%H:%M:%SZ", &when);
	snprintf(r->text, sizeof(r->text), "%s%s, %u segment%s%s%s%s%s",
		 twilio_status_name(m->status), sent, m->segments, m->segments == 1 ? "" : "s",
		 m->price[0] ? ", " : "", m->price, hint ? ": " : "", hint ? hint : "");
}

/* "-0.00790 USD": what was taken from the account. */
static int64_t cost_of(const struct twilio_message *m)
{
	const char *amount = m->price + (m->price[0] == '-');
	char *end;
	double price = strtod(amount, &end);

	return end == amount || !(price >= 0 && price < 1000) ? -1 : (int64_t)(price * 1e6 + 0.5);
}

static void found(struct asking *a, size_t i, const struct twilio_message *m)
{
	struct report *r = &a->reports[i];

	a->done[i] = true;
	r->code = m->error_code;
	r->cost = cost_of(m);
	r->segments = m->segments;
	r->finding = finding_of(m->status);
	if (m->status == TWILIO_STATUS_UNDELIVERED || m->status == TWILIO_STATUS_FAILED)
		judge_failure(r, m);
	snprintf(r->remote_id, sizeof(r->remote_id), "%s", m->sid);
	describe(r, m);
}

/* ---- which text is which ---- */

static bool is_owned(const struct asking *a, const struct inquiry *inquiry, const char *sid)
{
	for (const char *const *o = inquiry->owned; o && *o; o++)
		if (strcmp(*o, sid) == 0)
			return true;
	for (size_t i = 0; i < a->n; i++)
		if (a->done[i] && strcmp(a->reports[i].remote_id, sid) == 0)
			return true;
	return false;
}

/* How a text that is looked for stands in the list. A trial account puts words before it;
 * but another text may end like that, so whole ones are looked for first. */
enum likeness { LIKE_WHOLE, LIKE_END };

/* "Sent from your Twilio trial account - ", before nothing: pictures alone. */
static bool is_trial_word(const char *body)
{
	static const char word[] = "trial account";
	const char *found = strstr(body, word);

	return found && found[strlen(word) + strspn(found + strlen(word), " -")] == '\0';
}

static bool is_body(const char *body, const char *text, enum likeness like)
{
	size_t body_len = strlen(body), text_len = strlen(text);

	if (like == LIKE_WHOLE)
		return strcmp(body, text) == 0;
	if (!text_len)
		return is_trial_word(body);
	return body_len >= text_len && strcmp(body + body_len - text_len, text) == 0;
}

/* Of what was just made with media Twilio may not have counted them yet: its sid tells. */
static bool has_media(const struct twilio_message *m, size_t wanted)
{
	return m->media == wanted || (wanted && !m->media && strncmp(m->sid, "MM", 2) == 0);
}

/* By the server's clock: when it was made at the earliest. */
static int64_t created_after(const struct asking *a, size_t i)
{
	const struct transport *t = a->transport;
	int64_t skew_ms = t->knows_skew ? t->skew_ms : clock_ahead_ms();

	return a->inquiries[i].since_boot_ms + skew_ms - CLOCK_SLACK_MS;
}

static bool is_lost_one(const struct asking *a, size_t i, const char *text, enum likeness like,
			const struct twilio_message *m)
{
	const struct inquiry *inquiry = &a->inquiries[i];

	return !m->inbound && strcmp(m->to, inquiry->recipient) == 0 &&
	       is_body(m->body, text, like) && has_media(m, media_count(inquiry->letter->media)) &&
	       m->created_ms >= created_after(a, i) && !is_owned(a, inquiry, m->sid);
}

/* Of several that fit the oldest: pages come newest first. What can't be looked for is not
 * absent: nothing was found out about it. */
static void look_for_lost(struct asking *a, size_t i, const struct twilio_page *page,
			  enum likeness like)
{
	const struct inquiry *inquiry = &a->inquiries[i];
	AUTO(free) char *text = NULL;
	struct failure f;

	if (!inquiry->letter || sendings_have(a->transport, inquiry->recipient) ||
	    twilio_text(a->transport, inquiry->recipient, inquiry->letter, inquiry->content,
			inquiry->content_len, NULL, &text, &f) < 0) {
		a->done[i] = true;
		return;
	}
	for (size_t k = page->n; k-- > 0 && !a->done[i];)
		if (is_lost_one(a, i, text, like, &page->messages[k]))
			found(a, i, &page->messages[k]);
}

static bool is_same_listing(const struct asking *a, size_t i)
{
	const struct inquiry *inquiry = &a->inquiries[i];

	if (a->lost == a->n)
		return inquiry->remote_id[0];
	return !inquiry->remote_id[0] &&
	       strcmp(inquiry->recipient, a->inquiries[a->lost].recipient) == 0;
}

static void look_for_known(struct asking *a, size_t i, const struct twilio_page *page)
{
	for (size_t k = 0; k < page->n; k++)
		if (strcmp(page->messages[k].sid, a->inquiries[i].remote_id) == 0) {
			found(a, i, &page->messages[k]);
			return;
		}
}

/* Is there something on later pages, or might be? */
static bool wants_more(const struct asking *a, const struct twilio_page *page)
{
	int64_t oldest = page->n ? page->messages[page->n - 1].created_ms : 0;

	if (!page->next || !page->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!a->done[i] && is_same_listing(a, i) && created_after(a, i) <= oldest)
			return true;
	return false;
}

/* All pages were seen: who was not there is absent. */
static void listing_over(struct asking *a)
{
	free(a->path);
	a->path = NULL;
	for (size_t i = 0; i < a->n; i++)
		if (!a->done[i] && a->lost < a->n && is_same_listing(a, i)) {
			a->done[i] = true;
			a->reports[i].finding = FINDING_ABSENT;
			snprintf(a->reports[i].text, sizeof(a->reports[i].text),
				 "Twilio does not have it");
		}
	a->lost = a->n;
}

static void look_through(struct asking *a, const struct twilio_page *page, enum likeness like)
{
	for (size_t i = 0; i < a->n; i++) {
		if (a->done[i] || !is_same_listing(a, i))
			continue;
		if (!a->inquiries[i].remote_id[0])
			look_for_lost(a, i, page, like);
		else if (like == LIKE_WHOLE)
			look_for_known(a, i, page);
	}
}

static void page_came(struct asking *a, const struct twilio_page *page)
{
	for (enum likeness like = LIKE_WHOLE; like <= LIKE_END; like++)
		look_through(a, page, like);
	free(a->path);
	a->path = NULL;
	if (!wants_more(a, page))
		listing_over(a);
	else if (++a->pages < PAGES_MAX)
		a->path = xstrdup(page->next);
	else
		failure_set(&a->why, FAILURE_LATER, "too many pages of messages");
}

/* ---- questions ---- */

static void refused(struct asking *a, const struct http_reply *reply)
{
	struct twilio_error error;

	twilio_read_error(reply->body, reply->len, reply->status, &error);
	if (reply->status == 404 && a->single < a->n) /* it was deleted there */
		snprintf(a->reports[a->single].text, sizeof(a->reports->text), "%s", error.text);
	else
		failure_set(&a->why, FAILURE_LATER, "%s", error.text);
}

static void single_came(struct asking *a, const struct http_reply *reply)
{
	struct twilio_message m;

	if (twilio_read_message(reply->body, reply->len, &m, &a->why) == 0)
		found(a, a->single, &m);
	twilio_message_clear(&m);
}

static void answered(void *ctx, const struct http_reply *reply, const struct failure *why,
		     bool written)
{
	struct asking *a = ctx;
	struct twilio_page page;

	a->call = NULL;
	if (!reply) {
		a->why = *why;
	} else if (reply->status != 200) {
		twilio_note_clock(a->transport, reply);
		refused(a, reply);
	} else if (a->single < a->n) {
		single_came(a, reply);
	} else {
		twilio_note_clock(a->transport, reply);
		if (twilio_read_page(reply->body, reply->len, &page, &a->why) == 0)
			page_came(a, &page);
		twilio_page_clear(&page);
	}
	a->single = a->n;
	ask_on(a);
}

static void ask_url(struct asking *a, const char *url)
{
	struct http_request request = twilio_request(a->transport);

	request.url = url;
	request.max_reply = REPLY_MAX;
	a->call = http_start(a->transport->http, &request, answered, a);
}

static void ask_path(struct asking *a)
{
	AUTO(free) char *url = xprintf("%s%s", a->transport->config->api, a->path);

	ask_url(a, url);
}

static void ask_single(struct asking *a, size_t i)
{
	AUTO(free) char *rest = xprintf("Messages/%s.json", a->inquiries[i].remote_id);
	AUTO(free) char *url = twilio_url(a->transport, rest);

	a->single = i;
	a->done[i] = true; /* once, whatever the answer is */
	a->singles++;
	ask_url(a, url);
}

static void ask_listing(struct asking *a, const char *to)
{
	const struct twilio_config *c = a->transport->config;
	struct buf query;

	buf_init(&query, 4096);
	twilio_add_field(&query, "To", to);
	/* one that is lost may have left under the `from` of before */
	twilio_add_field(&query, "From", to || c->service ? NULL : c->from);
	buf_printf(&query, "%sPageSize=%d", query.len ? "&" : "", PAGE_SIZE);
	a->path = xprintf("/2010-04-01/Accounts/%s/Messages.json?%s", c->account_sid,
			  buf_bytes(&query));
	a->pages = 0;
	buf_clear(&query);
	ask_path(a);
}

static size_t known_left(const struct asking *a, size_t *ret_first)
{
	size_t n = 0;

	for (size_t i = a->n; i-- > 0;)
		if (!a->done[i] && a->inquiries[i].remote_id[0]) {
			*ret_first = i;
			n++;
		}
	return n;
}

static size_t lost_left(const struct asking *a)
{
	size_t i = 0;

	while (i < a->n && (a->done[i] || a->inquiries[i].remote_id[0]))
		i++;
	return i;
}

/* The next question, or the end. */
static void ask_on(void *ctx)
{
	struct asking *a = ctx;
	size_t first = 0, known = known_left(a, &first), lost = lost_left(a);

	if (a->why.kind) {
		finish(a);
	} else if (a->path) {
		ask_path(a);
	} else if (known > 1 && !a->listed) {
		a->listed = true;
		a->lost = a->n;
		ask_listing(a, NULL);
	} else if (known > 0 && a->singles < SINGLES_MAX) {
		ask_single(a, first);
	} else if (lost < a->n) {
		a->lost = lost;
		ask_listing(a, a->inquiries[lost].recipient);
	} else {
		finish(a);
	}
}

void twilio_ask(struct transport *t, const struct inquiry *inquiries, size_t n,
		reported_fn *reported, void *ctx)
{
	struct asking *a = xcalloc(1, sizeof(*a));

	a->transport = t;
	a->inquiries = inquiries;
	a->n = a->single = a->lost = n;
	a->reports = xcalloc(n + 1, sizeof(*a->reports));
	a->done = xcalloc(n + 1, sizeof(*a->done));
	a->reported = reported;
	a->ctx = ctx;
	task_init(&a->turn, t->env.loop, ask_on, a);
	a->next = t->askings;
	a->link = &t->askings;
	if (a->next)
		a->next->link = &a->next;
	t->askings = a;
	/* one of those that are under way may be the very text that is looked for */
	for (size_t i = 0; i < n; i++)
		a->done[i] = !inquiries[i].remote_id[0] && sendings_have(t, inquiries[i].recipient);
	twilio_read_secret(t, &a->why);
	task_start(&a->turn);
}
