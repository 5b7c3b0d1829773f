/* transport/smtp_session.c - the steps of one SMTP connection and what moves it from
 * one to the next. AUTH, envelope and content have their own files (smtp_parts.h). */
#include "transport/smtp_session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "config/config.h"
#include "crash.h"
#include "net/line.h"
#include "transport/smtp_parts.h"

#define IN_MAX (64 * 1024)
#define RAW_MAX (512 * 1024)
#define OUT_MAX (2 * 1024 * 1024)
#define MINUTE_MS (60 * 1000)
#define QUIT_MS (5 * 1000)
#define FIRST_MS 1000 /* the queue lays parcels ready only once it hears of the session */

static void say_ehlo(struct smtp_session *s);
static void say_helo(struct smtp_session *s);
static void say_starttls(struct smtp_session *s);
static void say_secure(struct smtp_session *s);
static void say_ready(struct smtp_session *s);
static void say_quit(struct smtp_session *s);
static void say_ended(struct smtp_session *s);
static void hear_greeting(struct smtp_session *s, const struct smtp_reply *reply);
static void hear_ehlo(struct smtp_session *s, const struct smtp_reply *reply);
static void hear_helo(struct smtp_session *s, const struct smtp_reply *reply);
static void hear_starttls(struct smtp_session *s, const struct smtp_reply *reply);
static void hear_idle(struct smtp_session *s, const struct smtp_reply *reply);
static void hear_quit(struct smtp_session *s, const struct smtp_reply *reply);

/* clang-format off */
static const struct step { /* waits are RFC 5321 4.5.3.2's */
	const char *name;
	void (*say)(struct smtp_session *s);
	void (*hear)(struct smtp_session *s, const struct smtp_reply *reply); /* NULL: nothing may be said */
	int64_t wait_ms; /* 0: say() decides */
	enum smtp_phase phase;
} steps[] = {
	[STEP_CONNECT]  = { "connection",    NULL,             NULL,              0,              SMTP_CONNECTING },
	[STEP_GREETING] = { "greeting",      NULL,             hear_greeting,     5 * MINUTE_MS,  SMTP_CONNECTING },
	[STEP_EHLO]     = { "EHLO",          say_ehlo,         hear_ehlo,         5 * MINUTE_MS,  SMTP_CONNECTING },
	[STEP_HELO]     = { "HELO",          say_helo,         hear_helo,         5 * MINUTE_MS,  SMTP_CONNECTING },
	[STEP_STARTTLS] = { "STARTTLS",      say_starttls,     hear_starttls,     2 * MINUTE_MS,  SMTP_CONNECTING },
	[STEP_SECURE]   = { "TLS",           say_secure,       NULL,              2 * MINUTE_MS,  SMTP_CONNECTING },
	[STEP_AUTH]     = { "AUTH",          smtp_login_say,   smtp_login_hear,   2 * MINUTE_MS,  SMTP_CONNECTING },
	[STEP_READY]    = { "ready",         say_ready,        hear_idle,         0,              SMTP_IDLE },
	[STEP_ENVELOPE] = { "envelope",      smtp_mail_say,    smtp_mail_hear,    0,              SMTP_BUSY },
	[STEP_CONTENT]  = { "content",       smtp_content_say, smtp_content_hear, 0,              SMTP_BUSY },
	[STEP_DOT]      = { "the final dot", NULL,             smtp_dot_hear,     10 * MINUTE_MS, SMTP_BUSY },
	[STEP_QUIT]     = { "QUIT",          say_quit,         hear_quit,         0,              SMTP_LEAVING },
	[STEP_ENDED]    = { "ended",         say_ended,        NULL,              0,              SMTP_LEAVING },
};
/* clang-format on */

void smtp_step_to(struct smtp_session *s, enum smtp_step next)
{
	log_debug(&s->log, "%s -> %s", steps[s->step].name, steps[next].name);
	s->step = next;
	if (steps[next].wait_ms)
		smtp_await(s, steps[next].wait_ms);
	if (steps[next].say)
		steps[next].say(s);
}

void smtp_send(struct smtp_session *s)
{
	if (s->out.len > 0)
		line_write(s->line, buf_bytes(&s->out), s->out.len);
	buf_drain(&s->out, s->out.len);
}

enum smtp_phase smtp_session_phase(const struct smtp_session *s)
{
	return steps[s->step].phase;
}

/* --- how it ends --- */

static void say_ended(struct smtp_session *s)
{
	line_free(s->line);
	s->line = NULL;
	smtp_login_free(s->login);
	s->login = NULL;
	task_start(&s->report);
	smtp_mail_give_up(s, &s->why);
}

void smtp_end(struct smtp_session *s, enum failure_kind kind, const char *fmt, ...)
{
	char text[sizeof(s->why.text)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	failure_set(&s->why, kind, "%s", text);
	log_debug(&s->log, "%s", s->why.text);
	s->failed = true;
	smtp_step_to(s, STEP_ENDED);
}

void smtp_end_well(struct smtp_session *s)
{
	failure_set(&s->why, FAILURE_LATER, "the connection ended before its turn came");
	smtp_step_to(s, STEP_ENDED);
}

/* A connection that carried mail may be closed for having been idle, just when
 * the next envelope is on its way: that is no outage. */
static bool is_stale(const struct smtp_session *s)
{
	return s->step == STEP_ENVELOPE && s->done > 0 && s->mail->heard == 0;
}

void smtp_end_reply(struct smtp_session *s, enum smtp_verdict verdict, const char *what,
		    const struct smtp_reply *reply)
{
	char line[190];

	smtp_reply_line(line, sizeof(line), reply);
	s->astray |= verdict == SMTP_NONSENSE;
	if (verdict == SMTP_NONSENSE)
		smtp_end(s, FAILURE_LATER, "unexpected answer to %s: %s", what, line);
	else if (reply->code == 421 &&
		 (smtp_mail_got_on(s) || (is_stale(s) && smtp_is_farewell(reply))))
		smtp_end_well(s);
	else
		smtp_end(s, smtp_down_kind(verdict), "%s: %s", what, line);
}

static void lost(struct smtp_session *s, const struct failure *why)
{
	if (s->step == STEP_READY || s->step == STEP_QUIT || is_stale(s) || smtp_mail_got_on(s))
		smtp_end_well(s);
	else if (s->step == STEP_CONNECT || s->step == STEP_SECURE)
		smtp_end(s, why->kind, "%s", why->text);
	else
		smtp_end(s, why->kind, "%s (at: %s)", why->text, steps[s->step].name);
}

static void timed_out(struct smtp_session *s)
{
	if (s->step == STEP_READY)
		smtp_step_to(s, STEP_QUIT);
	else if (s->step == STEP_QUIT)
		smtp_end_well(s);
	else if (smtp_await_more(s))
		return;
	else if (s->step == STEP_CONTENT)
		smtp_end(s, FAILURE_LATER, "the server stopped taking the message");
	else
		smtp_end(s, FAILURE_LATER, "the server did not answer (%s)", steps[s->step].name);
}

/* --- steps up to ready --- */

static void hear_greeting(struct smtp_session *s, const struct smtp_reply *reply)
{
	enum smtp_verdict verdict = smtp_judge(SMTP_AT_GREETING, reply);

	CRASH_POINT("smtp.greeting");
	if (verdict == SMTP_YES)
		smtp_step_to(s, STEP_EHLO);
	else
		smtp_end_reply(s, verdict, "the connection", reply);
}

static void say_hello(struct smtp_session *s, const char *verb)
{
	char host[256] = "", name[256];

	if (!s->config->hello && gethostname(host, sizeof(host) - 1) < 0)
		host[0] = '\0';
	if (smtp_add_hello(&s->out, verb,
			   s->config->hello ? s->config->hello
					    : smtp_hello_name(name, sizeof(name), host)) < 0)
		smtp_end(s, FAILURE_SETUP, "the name in 'hello' does not fit into SMTP");
	else
		smtp_send(s);
}

static void say_ehlo(struct smtp_session *s)
{
	say_hello(s, "EHLO");
}

static void say_helo(struct smtp_session *s)
{
	say_hello(s, "HELO");
}

static bool needs_starttls(const struct smtp_session *s)
{
	return s->config->tls == TLS_STARTTLS && !line_is_secure(s->line);
}

static void greeted(struct smtp_session *s)
{
	if (needs_starttls(s) && !s->caps.starttls)
		smtp_end(s, FAILURE_SETUP, "the server offers no STARTTLS");
	else if (needs_starttls(s))
		smtp_step_to(s, STEP_STARTTLS);
	else
		smtp_step_to(s, s->config->user ? STEP_AUTH : STEP_READY);
}

static void hear_ehlo(struct smtp_session *s, const struct smtp_reply *reply)
{
	enum smtp_verdict verdict = smtp_judge(SMTP_AT_HELLO, reply);

	if (verdict == SMTP_YES) {
		smtp_caps_parse(reply, &s->caps);
		greeted(s);
	} else if (verdict == SMTP_NO && !needs_starttls(s) && !s->config->user) {
		smtp_step_to(s, STEP_HELO);
	} else {
		smtp_end_reply(s, verdict == SMTP_NO ? SMTP_DOWN_SETUP : verdict, "EHLO", reply);
	}
}

static void hear_helo(struct smtp_session *s, const struct smtp_reply *reply)
{
	enum smtp_verdict verdict = smtp_judge(SMTP_AT_HELLO, reply);

	if (verdict == SMTP_YES)
		smtp_step_to(s, STEP_READY);
	else
		smtp_end_reply(s, verdict == SMTP_NO ? SMTP_DOWN_SETUP : verdict, "HELO", reply);
}

static void say_starttls(struct smtp_session *s)
{
	buf_add_text(&s->out, "STARTTLS\r\n");
	smtp_send(s);
}

static void hear_starttls(struct smtp_session *s, const struct smtp_reply *reply)
{
	enum smtp_verdict verdict = smtp_judge(SMTP_AT_STARTTLS, reply);

	if (verdict == SMTP_YES)
		smtp_step_to(s, STEP_SECURE);
	else
		smtp_end_reply(s, verdict, "STARTTLS", reply);
}

/* What was said in the clear is forgotten: RFC 3207 4.2. */
static void say_secure(struct smtp_session *s)
{
	s->caps = (struct smtp_caps){0};
	line_secure(s->line);
}

/* --- ready --- */

static int64_t idle_ms(const struct smtp_session *s)
{
	int64_t least = s->begun == 0 ? FIRST_MS : 1;

	return s->config->idle_ms > least ? s->config->idle_ms : least;
}

static void say_ready(struct smtp_session *s)
{
	if (!s->ready) {
		s->ready = true;
		s->events->ready(s->ctx, s);
	}
	s->mail = smtp_mail_take(s);
	if (s->mail)
		smtp_step_to(s, STEP_ENVELOPE);
	else if (s->leaving || s->begun >= s->config->mails_per_session)
		smtp_step_to(s, STEP_QUIT);
	else
		line_wait(s->line, idle_ms(s));
}

void smtp_go_on(struct smtp_session *s)
{
	s->mail = s->next;
	s->next = NULL;
	smtp_step_to(s, s->mail ? STEP_ENVELOPE : STEP_READY);
}

static void hear_idle(struct smtp_session *s, const struct smtp_reply *reply)
{
	if (reply->code == 421)
		smtp_end_well(s);
	else
		smtp_end_reply(s, SMTP_NONSENSE, "nothing", reply);
}

static void say_quit(struct smtp_session *s)
{
	buf_add_text(&s->out, "QUIT\r\n");
	smtp_send(s);
	smtp_await(s, QUIT_MS);
}

static void hear_quit(struct smtp_session *s, const struct smtp_reply *reply)
{
	smtp_end_well(s);
}

/* --- the line --- */

/* Is an answer due behind the one that comes now? */
static bool more_is_due(const struct smtp_session *s)
{
	return s->next || (s->step == STEP_ENVELOPE && s->mail->said > s->mail->heard + 1);
}

/* What lies behind the last answer that was due was said before our next words were
 * heard. It is no answer to them, however it reads: least of all to the dot. */
static void hear_one(struct smtp_session *s, const struct smtp_reply *reply)
{
	bool early = s->early && s->step != STEP_QUIT && reply->code != 421;
	bool more = more_is_due(s);
	size_t unread = 0;

	s->early = false;
	if (early)
		smtp_end_reply(s, SMTP_NONSENSE, "nothing", reply);
	else
		steps[s->step].hear(s, reply);
	if (s->line)
		line_bytes(s->line, &unread);
	s->early = unread > 0 && !more;
}

static void hear(struct smtp_session *s)
{
	struct smtp_reply reply;
	struct failure f = {0};

	while (s->step != STEP_ENDED && steps[s->step].hear) {
		size_t len, used;
		const char *bytes = line_bytes(s->line, &len);
		enum smtp_parsed parsed;

		if (len == 0)
			return;
		parsed = smtp_parser_feed(&s->parser, bytes, len, &used, &reply, &f);
		s->astray |= parsed == SMTP_PARSED_BAD;
		if (parsed == SMTP_PARSED_BAD) {
			if (s->step == STEP_QUIT) /* whatever it says to that */
				smtp_end_well(s);
			else
				smtp_end(s, f.kind, "%s", f.text);
			return;
		}
		line_drain(s->line, used);
		if (parsed == SMTP_PARSED_REPLY)
			hear_one(s, &reply);
	}
}

static void closed(struct smtp_session *s)
{
	struct failure why = {FAILURE_LATER, "the server closed the connection"};

	hear(s);
	if (s->step != STEP_ENDED)
		lost(s, &why);
}

static void drained(struct smtp_session *s)
{
	if (s->step == STEP_CONTENT)
		smtp_content_say(s);
	else if (s->step == STEP_DOT)
		CRASH_POINT("smtp.dot"); /* it has left: the server may have the message */
}

static void line_said(void *ctx, enum line_word word, const struct failure *why)
{
	struct smtp_session *s = ctx;

	switch (word) {
	case LINE_CONNECTED:
		log_debug(&s->log, "connected to %s", line_peer(s->line));
		smtp_step_to(s, STEP_GREETING);
		break;
	case LINE_SECURED:
		log_debug(&s->log, "%s", line_tls_version(s->line));
		smtp_step_to(s, STEP_EHLO);
		break;
	case LINE_READABLE:
		hear(s);
		break;
	case LINE_DRAINED:
		drained(s);
		break;
	case LINE_TIMED_OUT:
		timed_out(s);
		break;
	case LINE_CLOSED:
		closed(s);
		break;
	case LINE_FAILED:
		lost(s, why);
		break;
	}
}

/* --- its life --- */

static void report_end(void *ctx)
{
	struct smtp_session *s = ctx;

	s->events->ended(s->ctx, s, s->failed ? &s->why : NULL);
}

static struct line *dial(struct smtp_session *s)
{
	const struct line_options options = {
		.host = s->config->host,
		.port = s->config->port,
		.tls = s->tls,
		.tls_at_once = s->config->tls == TLS_IMPLICIT,
		.max_in = IN_MAX,
		.connect_ms = s->config->connect_timeout_ms,
	};

	return line_dial(s->env->loop, s->env->resolver, &options, line_said, s);
}

struct smtp_session *smtp_session_new(const struct smtp_session_options *options,
				      const struct smtp_session_events *events, void *ctx)
{
	struct smtp_session *s = xcalloc(1, sizeof(*s));

	s->env = options->env;
	s->config = options->config;
	s->tls = options->tls;
	s->events = events;
	s->ctx = ctx;
	log_init(&s->log, "smtp %s/%u", options->name, options->number);
	smtp_parser_init(&s->parser);
	buf_init(&s->raw, RAW_MAX);
	buf_init(&s->out, OUT_MAX);
	task_init(&s->report, s->env->loop, report_end, s);
	if (options->first)
		s->waiting = smtp_load_new(s->env, options->first);
	s->line = dial(s);
	return s;
}

void smtp_session_free(struct smtp_session *s)
{
	if (!s)
		return;
	smtp_mail_drop(s);
	smtp_login_free(s->login);
	line_free(s->line);
	smtp_parser_clear(&s->parser);
	buf_clear(&s->raw);
	buf_clear(&s->out);
	task_clear(&s->report);
	free(s);
}

bool smtp_session_poke(struct smtp_session *s)
{
	if (s->step == STEP_DOT)
		return smtp_mail_chain(s);
	if (s->step != STEP_READY || s->leaving)
		return false;
	s->mail = smtp_mail_take(s);
	if (s->mail)
		smtp_step_to(s, STEP_ENVELOPE);
	return s->mail != NULL;
}

void smtp_session_leave(struct smtp_session *s)
{
	s->leaving = true;
	if (s->step == STEP_READY)
		smtp_step_to(s, STEP_QUIT);
	else if (steps[s->step].phase == SMTP_CONNECTING && !s->waiting)
		smtp_end_well(s);
}
