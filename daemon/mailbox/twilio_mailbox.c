/* mailbox/twilio_mailbox.c - decides when the list is asked for, what an answer means, and
 * when the next text is handed over. Which ones are new is text_window.h's. */
#include "mailbox/twilio_mailbox.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "auto.h"
#include "buf.h"
#include "clock.h"
#include "config/mailbox_config.h"
#include "failure.h"
#include "log.h"
#include "mailbox/text_window.h"
#include "mailbox/twilio_errand.h"
#include "mailbox/twilio_text.h"
#include "mailbox/watcher.h"
#include "net/http.h"
#include "net/twilio_account.h"
#include "secret.h"

enum {
	PAGE_SIZE = 1000,
	PAGES_MAX = 100,
	REPLY_MAX = 16 * 1024 * 1024,
	TRIES_MAX = 5,                /* to get what came with a text; then it goes without */
	TELL_CURSOR_MS = 3600 * 1000, /* so far may what is on disk be behind */
};

struct mailbox {
	const struct mailbox_kind *kind;
	struct mailbox_env env;
	const struct mailbox_config *config; /* from config */
	const struct twilio_config *twilio;  /* from config */
	struct log log;
	struct text_way way;
	struct text_window window;
	struct text_errands errands;
	struct watcher watcher;
	struct deadline poll;
	struct task turn;         /* the next text, or the next round */
	struct http_call *call;   /* a page is asked for */
	struct text_fetch *fetch; /* a text is made whole */
	char cursor[TEXT_CURSOR_SIZE];
	size_t number;         /* whose texts are listed */
	char *path;            /* owned; of the next page */
	unsigned pages, tries; /* of this list; to get the first text whole */
	bool handed_over;
	int64_t not_before_ms; /* mono: so the provider said */
	int64_t told_ms;       /* the floor, as it was told; 0: not yet */
	int64_t heard_ms, newest_ms;
	uint64_t mails;
};

/* The last thing its caller does. */
static void tell_state(struct mailbox *m, const struct failure *why)
{
	m->env.events->state(m->env.events_ctx, m->watcher.state, why);
}

static void stop_asking(struct mailbox *m)
{
	http_cancel(TAKE(m->call));
	text_fetch_cancel(TAKE(m->fetch));
	free(TAKE(m->path));
	deadline_unset(&m->poll);
}

/* The last thing its caller does. */
static void go_down(struct mailbox *m, const struct failure *why)
{
	struct failure copy = *why;

	stop_asking(m);
	watcher_down(&m->watcher, &copy);
	tell_state(m, &copy);
}

/* ---- one text after the other ---- */

static void fetched(void *ctx, const struct mail *mail, const struct failure *why)
{
	struct mailbox *m = ctx;

	m->fetch = NULL;
	if (!mail) {
		m->tries++;
		go_down(m, why);
		return;
	}
	m->tries = 0;
	m->handed_over = true;
	m->mails++;
	m->newest_ms = clock_wall_ms();
	text_window_take(&m->window);
	text_window_print(&m->window, m->cursor);
	m->told_ms = m->window.floor_ms;
	m->env.events->mail(m->env.events_ctx, mail);
}

/* The last thing its caller does. */
static void rest(struct mailbox *m)
{
	deadline_set(&m->poll, text_window_left_some(&m->window) ? 0 : m->twilio->poll_ms);
	if (m->told_ms && m->window.floor_ms - m->told_ms < TELL_CURSOR_MS)
		return;
	m->told_ms = m->window.floor_ms;
	text_window_print(&m->window, m->cursor);
	m->env.events->cursor(m->env.events_ctx, m->cursor);
}

static void go_on(void *ctx)
{
	struct mailbox *m = ctx;
	const struct twilio_message *first = text_window_first(&m->window);

	if (m->handed_over || m->call || m->fetch || m->watcher.state != MAILBOX_POLLING)
		return;
	if (first)
		m->fetch = text_fetch_listed(&m->way, first, m->tries < TRIES_MAX, fetched, m);
	else if (!deadline_is_set(&m->poll))
		rest(m);
}

/* ---- the list ---- */

static void ask_page(struct mailbox *m);

static void day_of(char out[11], int64_t wall_ms)
{
	time_t at = (time_t)(wall_ms / 1000);
	struct tm when;

	if (!gmtime_r(&at, &when) || !strftime(out, 11, "%Y-%m-%d", &when))
		memcpy(out, "1970-01-01", 11);
}

/* From the day of the floor on; those that were never asked begin with now. */
static char *list_path(const struct mailbox *m)
{
	char day[11];
	struct buf query;

	buf_init(&query, 4096);
	twilio_add_field(&query, "To", m->twilio->numbers[m->number]);
	if (m->window.floor_ms) {
		day_of(day, m->window.floor_ms);
		twilio_add_field(&query, "DateSent%3E", day);
	}
	buf_printf(&query, "&PageSize=%d", m->window.floor_ms ? PAGE_SIZE : 1);
	char *path = xprintf("/2010-04-01/Accounts/%s/Messages.json?%s", m->twilio->account_sid,
			     buf_bytes(&query));
	buf_clear(&query);
	return path;
}

static void round_over(struct mailbox *m)
{
	bool was_up = m->watcher.state == MAILBOX_POLLING;

	text_window_end(&m->window);
	watcher_up(&m->watcher, false);
	task_start(&m->turn);
	if (!was_up)
		tell_state(m, NULL);
}

/* true: there is one more page. */
static bool next_list(struct mailbox *m)
{
	if (!m->twilio->numbers[m->number + 1])
		return false;
	m->number++;
	m->pages = 0;
	m->path = list_path(m);
	return true;
}

static void take_page(struct mailbox *m, struct twilio_page *page)
{
	for (size_t i = 0; i < page->n; i++) {
		struct twilio_message *one = &page->messages[i];

		/* one that is still received is not whole; and To is only what was asked for */
		if (one->inbound && one->status != TWILIO_STATUS_RECEIVING &&
		    strcmp(one->to, m->twilio->numbers[m->number]) == 0)
			text_window_add(&m->window, one);
	}
	if (page->next && page->n && ++m->pages < PAGES_MAX)
		m->path = xstrdup(page->next);
	else if (page->next && page->n)
		log_warn(&m->log, "more than %d pages of messages: the rest is not looked at",
			 PAGES_MAX);
}

static int read_page(struct mailbox *m, const struct http_reply *reply, struct failure *why)
{
	bool first = !m->window.floor_ms;
	struct twilio_page page = {0};

	m->heard_ms = clock_wall_ms();
	if (reply->status == 429 && reply->retry_after_ms)
		m->not_before_ms = clock_mono_ms() + reply->retry_after_ms;
	if (reply->status != 200)
		return text_answer_failure(reply->status, reply->body, reply->len, why);
	if (m->number == 0 && m->pages == 0)
		text_window_begin(&m->window, reply->date_ms ? reply->date_ms : clock_wall_ms());
	int result = twilio_read_page(reply->body, reply->len, &page, why);

	/* the very first answer only says what time it is */
	if (result == 0 && !first)
		take_page(m, &page);
	twilio_page_clear(&page);
	return result;
}

static void heard_page(void *ctx, const struct http_reply *reply, const struct failure *why,
		       bool written)
{
	struct mailbox *m = ctx;
	struct failure failure = {0};

	m->call = NULL;
	free(TAKE(m->path));
	if (reply ? read_page(m, reply, &failure) < 0 : false)
		go_down(m, &failure);
	else if (!reply)
		go_down(m, why);
	else if (m->path || next_list(m))
		ask_page(m);
	else
		round_over(m);
}

static void ask_page(struct mailbox *m)
{
	struct http_request request = twilio_account_request(m->twilio, m->way.password);
	AUTO(free) char *url = xprintf("%s%s", m->twilio->api, m->path);

	request.url = url;
	request.max_reply = REPLY_MAX;
	m->call = http_start(m->way.http, &request, heard_page, m);
}

static void begin_round(void *ctx)
{
	struct mailbox *m = ctx;
	struct failure why;

	stop_asking(m);
	/* anew each time: it may have been changed */
	if (twilio_account_secret(m->twilio, &m->way.password, &why) < 0) {
		go_down(m, &why);
		return;
	}
	m->number = 0;
	m->pages = 0;
	m->path = list_path(m);
	ask_page(m);
}

/* ---- the door ---- */

static void begin(void *ctx)
{
	struct mailbox *m = ctx;
	int64_t wait_ms = m->not_before_ms - clock_mono_ms();

	stop_asking(m);
	watcher_connecting(&m->watcher);
	deadline_set(&m->poll, wait_ms > 0 ? wait_ms : 0);
	tell_state(m, NULL);
}

static int open_twilio(const struct mailbox_env *env, const struct mailbox_config *config,
		       const char *cursor, struct mailbox **ret, struct failure *f)
{
	struct mailbox *m = xcalloc(1, sizeof(*m));

	m->kind = &mailbox_twilio;
	m->env = *env;
	m->config = config;
	m->twilio = config->twilio;
	log_init(&m->log, "mailbox %s", config->name);
	text_window_init(&m->window, cursor);
	m->told_ms = m->window.floor_ms;
	m->way = (struct text_way){.loop = env->loop,
				   .http = http_new(env->loop),
				   .config = config->twilio,
				   .cursor = m->cursor};
	text_errands_init(&m->errands, &m->way);
	deadline_init(&m->poll, env->loop, begin_round, m);
	task_init(&m->turn, env->loop, go_on, m);
	watcher_init(&m->watcher, env->loop, &m->log, begin, m);
	*ret = m;
	return 0;
}

static void next(struct mailbox *m)
{
	m->handed_over = false;
	task_start(&m->turn);
}

static void deed(struct mailbox *m, enum deed_on_mail what, const char *ref, const char *target,
		 mailbox_done_fn *done, void *ctx)
{
	text_errand_deed(&m->errands, what, ref, done, ctx);
}

static void fetch(struct mailbox *m, const char *ref, mailbox_fetched_fn *done, void *ctx)
{
	text_errand_fetch(&m->errands, ref, done, ctx);
}

static void status(const struct mailbox *m, struct mailbox_status *ret)
{
	*ret = (struct mailbox_status){
		.name = m->config->name,
		.type = mailbox_twilio.name,
		.state = m->watcher.state,
		.reason = m->watcher.why.text,
		.since_ms = m->watcher.since_ms,
		.next_try_ms = m->watcher.next_try_ms,
		.heard_ms = m->heard_ms,
		.newest_ms = m->newest_ms,
		.failures = m->watcher.failures,
		.mails = m->mails,
		.reconnects = m->watcher.reconnects,
	};
}

static void close_twilio(struct mailbox *m)
{
	watcher_clear(&m->watcher);
	stop_asking(m);
	deadline_clear(&m->poll);
	task_clear(&m->turn);
	text_errands_clear(&m->errands);
	text_window_clear(&m->window);
	http_free(m->way.http);
	secret_free(m->way.password);
	free(m);
}

const struct mailbox_kind mailbox_twilio = {
	.name = "twilio",
	.open = open_twilio,
	.next = next,
	.deed = deed,
	.fetch = fetch,
	.status = status,
	.close = close_twilio,
};
