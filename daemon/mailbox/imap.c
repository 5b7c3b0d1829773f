/* mailbox/imap.c - the steps of one IMAP conversation, what moves it from one to the
 * next, and how it ends. */
#include "mailbox/imap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "config/mailbox_config.h"
#include "crash.h"
#include "mailbox/imap_steps.h"
#include "net/line.h"
#include "text.h"

#define IN_MAX (64 * 1024)
#define SHORT_MS (30 * 1000) /* a greeting, and the end of an IDLE, are no work */

/* clang-format off */
static const struct step {
	const char *name;
	void (*say)(struct imap *m);
	void (*hear)(struct imap *m, const struct imap_reply *reply); /* tagged, or "+" */
	void (*late)(struct imap *m); /* NULL: waiting in vain ends it */
	enum { WAIT_OWN, WAIT_SHORT, WAIT_ANSWER, WAIT_BYTES } wait; /* BYTES: for each piece of the answer */
} steps[] = {
	[STEP_CONNECT]      = { "connection",   NULL,                  NULL,                 NULL,            WAIT_OWN },
	[STEP_GREETING]     = { "greeting",     NULL,                  imap_hear_greeting,   NULL,            WAIT_SHORT },
	[STEP_CAPABILITY]   = { "CAPABILITY",   imap_say_capability,   imap_hear_capability, NULL,            WAIT_ANSWER },
	[STEP_STARTTLS]     = { "STARTTLS",     imap_say_starttls,     imap_hear_starttls,   NULL,            WAIT_ANSWER },
	[STEP_SECURE]       = { "TLS",          imap_say_secure,       NULL,                 NULL,            WAIT_SHORT },
	[STEP_LOGIN]        = { "login",        imap_say_login,        imap_hear_login,      NULL,            WAIT_ANSWER },
	[STEP_INSIDE]       = { "CAPABILITY",   imap_say_capability,   imap_hear_inside,     NULL,            WAIT_ANSWER },
	[STEP_ID]           = { "ID",           imap_say_id,           imap_hear_id,         NULL,            WAIT_ANSWER },
	[STEP_ENABLE]       = { "ENABLE",       imap_say_enable,       imap_hear_enable,     NULL,            WAIT_ANSWER },
	[STEP_SELECT]       = { "SELECT",       imap_say_select,       imap_hear_select,     NULL,            WAIT_ANSWER },
	[STEP_HIGHEST]      = { "UID SEARCH *", imap_say_highest,      imap_hear_search,     NULL,            WAIT_ANSWER },
	[STEP_SEARCH]       = { "UID SEARCH",   imap_say_search,       imap_hear_search,     NULL,            WAIT_BYTES },
	[STEP_DATES]        = { "dates",        imap_say_dates,        imap_hear_dates,      NULL,            WAIT_BYTES },
	[STEP_NEWEST]       = { "newest",       imap_say_newest,       imap_hear_newest,     NULL,            WAIT_BYTES },
	[STEP_FETCH]        = { "UID FETCH",    imap_say_fetch,        imap_hear_fetch,      NULL,            WAIT_BYTES },
	[STEP_REST_OF_MAIL] = { "whole mail",   imap_say_rest_of_mail, imap_hear_fetch,      NULL,            WAIT_BYTES },
	[STEP_FIND]         = { "LIST",         imap_say_find,         imap_hear_find,       NULL,            WAIT_BYTES },
	[STEP_COPY]         = { "UID COPY",     imap_say_copy,         imap_hear_copy,       NULL,            WAIT_ANSWER },
	[STEP_MOVE]         = { "UID MOVE",     imap_say_move,         imap_hear_deed,       NULL,            WAIT_ANSWER },
	[STEP_MARK]         = { "UID STORE",    imap_say_mark,         imap_hear_mark,       NULL,            WAIT_ANSWER },
	[STEP_EXPUNGE]      = { "UID EXPUNGE",  imap_say_expunge,      imap_hear_deed,       NULL,            WAIT_ANSWER },
	[STEP_READ]         = { "UID FETCH",    imap_say_read,         imap_hear_read,       NULL,            WAIT_BYTES },
	[STEP_NOOP]         = { "NOOP",         imap_say_noop,         imap_hear_noop,       NULL,            WAIT_ANSWER },
	[STEP_PAUSE]        = { "pause",        imap_say_pause,        NULL,                 imap_pause_late, WAIT_OWN },
	[STEP_IDLE_ASKED]   = { "IDLE",         imap_say_idle,         imap_hear_idle_asked, NULL,            WAIT_ANSWER },
	[STEP_IDLE]         = { "idling",       imap_idle_wait,        imap_hear_idle,       imap_idle_leave, WAIT_OWN },
	[STEP_ENDED]        = { "ended",        NULL,                  NULL,                 NULL,            WAIT_OWN },
};
/* clang-format on */

static void await(struct imap *m)
{
	int64_t answer_ms = m->config->answer_timeout_ms;
	bool is_short = steps[m->step].wait == WAIT_SHORT || m->idle_tag;

	if (steps[m->step].wait != WAIT_OWN)
		line_wait(m->line, is_short && answer_ms > SHORT_MS ? SHORT_MS : answer_ms);
}

void imap_step_to(struct imap *m, enum imap_step next)
{
	log_debug(&m->log, "%s -> %s", steps[m->step].name, steps[next].name);
	m->step = next;
	if (m->line)
		await(m);
	if (steps[next].say)
		steps[next].say(m);
}

bool imap_can(const struct imap *m, unsigned cap)
{
	return (m->caps & cap) && !(m->config->disabled & cap);
}

/* --- how it ends --- */

void imap_end(struct imap *m, enum failure_kind kind, const char *fmt, ...)
{
	char text[sizeof(m->why.text)];
	va_list args;

	if (m->step == STEP_ENDED)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	failure_set(&m->why, kind, "%s", text);
	line_free(TAKE(m->line));
	imap_login_free(TAKE(m->login));
	imap_command_wipe(&m->out);
	imap_news_ended(m);
	imap_step_to(m, STEP_ENDED);
	task_start(&m->report);
}

static char *reply_line(char *out, size_t size, const struct imap_reply *reply)
{
	char text[140];

	text_safe_line(text, sizeof(text), reply->text, strlen(reply->text));
	if (*reply->code)
		snprintf(out, size, "[%.30s] %s", reply->code, text);
	else
		snprintf(out, size, "%s", *text ? text : "no reason given");
	return out;
}

void imap_end_reply(struct imap *m, enum failure_kind kind, const char *what,
		    const struct imap_reply *reply)
{
	char line[180];

	if (imap_is_passing(reply))
		kind = FAILURE_LATER;
	imap_end(m, kind, "%s: %s", what, reply_line(line, sizeof(line), reply));
}

bool imap_is_passing(const struct imap_reply *reply)
{
	static const char *const codes[] = {"UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG",
					    "EXPUNGEISSUED"};

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (text_equal_nocase(reply->code, codes[i]))
			return true;
	return false;
}

static void lost(struct imap *m, const struct failure *why)
{
	if (m->step == STEP_CONNECT || m->step == STEP_SECURE)
		imap_end(m, why->kind, "%s", why->text);
	else
		imap_end(m, why->kind, "%s (at: %s)", why->text, steps[m->step].name);
}

static void timed_out(struct imap *m)
{
	if (steps[m->step].late)
		steps[m->step].late(m);
	else
		imap_end(m, FAILURE_LATER, "the server did not answer (%s)", steps[m->step].name);
}

/* --- what is said --- */

void imap_begin(struct imap *m, const char *text)
{
	imap_command_wipe(&m->out);
	buf_printf(&m->out.bytes, "A%u %s", ++m->tag, text);
	m->stop = 0;
	m->sent = false;
}

/* Up to where the server must say "+". */
static void send_part(struct imap *m)
{
	size_t begin = m->stop ? m->out.stops[m->stop - 1] : 0;
	size_t end = m->stop < m->out.nstops ? m->out.stops[m->stop] : m->out.bytes.len;

	line_write(m->line, buf_bytes(&m->out.bytes) + begin, end - begin);
	if (m->stop++ < m->out.nstops)
		return;
	m->sent = true;
	imap_command_wipe(&m->out);
}

void imap_say(struct imap *m)
{
	buf_add_text(&m->out.bytes, "\r\n");
	send_part(m);
}

void imap_say_simple(struct imap *m, const char *text)
{
	imap_begin(m, text);
	imap_say(m);
}

void imap_go_on(struct imap *m)
{
	task_start(&m->report);
	if (!imap_deed_begin(m) && !imap_news_begin(m))
		imap_rest(m);
}

/* While it idles: is there mail to ask for? What was read goes first. */
static bool wants_mail(const struct imap *m)
{
	if (m->news.nfresh > 0)
		return m->news.fresh[0].want != IMAP_WANT_NOTHING;
	return m->news.due || m->news.nuids > 0;
}

void imap_poke(struct imap *m)
{
	bool waits = m->options.deeds->waiting != NULL;

	if (m->step == STEP_PAUSE)
		imap_pause_poke(m);
	else if (m->step == STEP_IDLE && (waits || wants_mail(m)))
		imap_idle_leave(m);
	task_start(&m->report);
}

/* --- what is heard --- */

static void hear_exists(struct imap *m, uint32_t n)
{
	m->news.grew += n > m->exists ? n - m->exists : 0;
	m->exists = n;
	m->news.due = true;
}

static void hear_status(struct imap *m, const struct imap_reply *reply)
{
	char line[180];

	reply_line(line, sizeof(line), reply);
	if (m->step == STEP_GREETING)
		steps[m->step].hear(m, reply);
	else if (reply->status == IMAP_BYE)
		imap_end(m, FAILURE_LATER, "the server said goodbye: %s", line);
	else if (text_equal_nocase(reply->code, "ALERT"))
		log_warn(&m->log, "the server says: %s", line);
	else if (text_equal_nocase(reply->code, "CAPABILITY"))
		imap_take_caps(m, reply->code_text);
	else
		imap_folder_data(m, reply);
}

static void hear_tagged(struct imap *m, const struct imap_reply *reply)
{
	char tag[16];

	snprintf(tag, sizeof(tag), "A%u", m->idle_tag);
	if (m->idle_tag && strcmp(reply->tag, tag) == 0) {
		m->idle_tag = 0;
		await(m);
		return;
	}
	/* the server ended IDLE by itself just when we did */
	if (strcmp(reply->tag, "DONE") == 0)
		return;
	snprintf(tag, sizeof(tag), "A%u", m->tag);
	if (strcmp(reply->tag, tag) != 0 || !steps[m->step].hear)
		imap_end(m, FAILURE_LATER, "the server answers what was not asked: %.40s",
			 reply->tag);
	else
		steps[m->step].hear(m, reply);
}

static void hear_go_on(struct imap *m, const struct imap_reply *reply)
{
	if (!m->sent && m->out.nstops > 0)
		send_part(m);
	else if (m->step == STEP_LOGIN || m->step == STEP_IDLE_ASKED)
		steps[m->step].hear(m, reply);
	else
		imap_end(m, FAILURE_LATER, "the server waits for what is not due (%s)",
			 steps[m->step].name);
}

static void hear_one(struct imap *m, const struct imap_reply *reply)
{
	switch (reply->kind) {
	case IMAP_TAGGED:
		hear_tagged(m, reply);
		break;
	case IMAP_GO_ON:
		hear_go_on(m, reply);
		break;
	case IMAP_STATUS:
		hear_status(m, reply);
		break;
	case IMAP_CAPABILITY:
		imap_take_caps(m, reply->words);
		break;
	case IMAP_EXISTS:
		hear_exists(m, reply->number);
		break;
	case IMAP_EXPUNGE:
		m->exists -= m->exists > 0;
		break;
	case IMAP_FETCH:
	case IMAP_SEARCH:
		imap_news_data(m, reply);
		imap_deed_data(m, reply);
		break;
	case IMAP_LIST:
	case IMAP_ENABLED:
		imap_folder_data(m, reply);
		imap_deed_data(m, reply);
		break;
	case IMAP_OTHER:
		break;
	}
}

static void hear(struct imap *m)
{
	struct imap_reply reply;
	struct failure f = {0};
	size_t len, used;

	/* while TLS begins nothing is read: line_secure() looks for it */
	while (m->line && m->step != STEP_SECURE) {
		const char *bytes = line_bytes(m->line, &len);
		enum imap_parsed parsed;

		if (len == 0)
			break;
		parsed = imap_parser_feed(&m->parser, bytes, len, &used, &reply, &f);
		line_drain(m->line, used);
		if (parsed == IMAP_PARSED_BAD)
			imap_end(m, f.kind, "%s", f.text);
		else if (parsed == IMAP_PARSED_REPLY)
			hear_one(m, &reply);
	}
}

/* Nothing is expected for long: what thousands of mailboxes need not hold is given back. */
static void rest(struct imap *m)
{
	imap_idle_wait(m);
	if (m->parser.complete)
		imap_parser_clear(&m->parser);
	line_rest(m->line);
}

static void readable(struct imap *m)
{
	enum imap_step before = m->step;

	m->heard_ms = clock_wall_ms();
	hear(m);
	if (!m->line)
		return;
	if (m->step == STEP_IDLE && wants_mail(m))
		imap_idle_leave(m);
	else if (m->step == STEP_IDLE)
		rest(m);
	else if (m->step == STEP_PAUSE && m->news.due) /* some tell although they were not asked */
		imap_pause_poke(m);
	else if (m->step == before && steps[m->step].wait == WAIT_BYTES)
		await(m);
}

static void closed(struct imap *m)
{
	struct failure why = {FAILURE_LATER, "the server closed the connection"};

	hear(m);
	if (m->line)
		lost(m, &why);
}

static void line_said(void *ctx, enum line_word word, const struct failure *why)
{
	struct imap *m = ctx;

	switch (word) {
	case LINE_CONNECTED:
		log_debug(&m->log, "connected to %s", line_peer(m->line));
		imap_step_to(m, STEP_GREETING);
		break;
	case LINE_SECURED:
		log_debug(&m->log, "%s", line_tls_version(m->line));
		imap_step_to(m, STEP_CAPABILITY);
		break;
	case LINE_READABLE:
		readable(m);
		break;
	case LINE_DRAINED:
		break;
	case LINE_TIMED_OUT:
		timed_out(m);
		break;
	case LINE_CLOSED:
		closed(m);
		break;
	case LINE_FAILED:
		lost(m, why);
		break;
	}
}

/* --- its life --- */

/* What there is to tell, one in a turn: each may free m. */
static void report(void *ctx)
{
	struct imap *m = ctx;
	struct imap_place *place = m->options.place;
	struct imap_mail mail;

	if (m->step == STEP_ENDED) {
		m->events->ended(m->ctx, &m->why);
		return;
	}
	task_start(&m->report);
	if (m->tell_up) {
		m->tell_up = false;
		m->events->up(m->ctx, imap_idles(m));
	} else if (imap_news_hand(m, &mail)) {
		bool stale = imap_place_judge(place, mail.uid, mail.date_s) == IMAP_MAIL_STALE;

		CRASH_POINT("imap.mail");
		imap_place_hand(place, mail.uid, mail.date_s);
		m->events->mail(m->ctx, &mail, stale);
		imap_mail_clear(&mail);
	} else if (m->selected && place->moved && !place->out && !m->news.nfresh &&
		   !m->news.nuids && !m->news.due) {
		place->moved = false;
		m->events->stands(m->ctx);
	} else {
		task_clear(&m->report);
	}
}

struct imap *imap_new(const struct imap_options *options, const struct imap_events *events,
		      void *ctx)
{
	const struct line_options line = {
		.host = options->config->host,
		.port = options->config->port,
		.tls = options->tls,
		.tls_at_once = options->config->tls == TLS_IMPLICIT,
		.max_in = IN_MAX,
		.connect_ms = options->config->connect_timeout_ms,
	};
	struct imap *m = xcalloc(1, sizeof(*m));

	m->options = *options;
	m->config = options->config;
	m->events = events;
	m->ctx = ctx;
	log_init(&m->log, "imap %s", options->name);
	imap_parser_init(&m->parser);
	imap_command_init(&m->out);
	task_init(&m->report, options->loop, report, m);
	m->line = line_dial(options->loop, options->resolver, &line, line_said, m);
	return m;
}

void imap_free(struct imap *m)
{
	struct failure why = {FAILURE_LATER, "the connection ended"};

	if (!m)
		return;
	if (m->deed)
		imap_deed_finish(m->options.deeds, TAKE(m->deed), &why);
	line_free(m->line);
	imap_login_free(m->login);
	imap_parser_clear(&m->parser);
	imap_command_wipe(&m->out);
	imap_news_clear(&m->news);
	task_clear(&m->report);
	free(m->folder);
	free(m);
}

int64_t imap_heard_ms(const struct imap *m)
{
	return m->heard_ms;
}
