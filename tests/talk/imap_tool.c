/* tests/talk/imap_tool.c - a mailbox of the kind `imap`, for tests with real servers:
 *
 *   imap_tool KEY=VALUE...     host port tls (implicit, starttls) user password token
 *                              auth ca folder cursor idle_ms poll_ms disabled delete copies debug
 *
 * A line of JSON on stdout for each event: {"event", "at_ms", ...}. On stdin a line for
 * each deed: "delete REF", "move REF FOLDER", "flag REF NAME", "fetch REF", "status".
 * delete=1: each mail is deleted as it comes; copies=N: N times the same mailbox. It
 * ends when stdin does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "alloc.h"
#include "base/loop.h"
#include "clock.h"
#include "config/mailbox_config.h"
#include "failure.h"
#include "log.h"
#include "mailbox/mailbox.h"
#include "net/resolve.h"
#include "secret.h"

static struct loop *loop;
static struct resolver *resolver;
static struct mailbox_config config;
static struct mailbox **mailboxes;
static const char *cursor;
static bool deletes;
static unsigned copies = 1;
static char line[4096];
static size_t line_len;
/* what done() is told */
static char names[][8] = {[MAIL_FLAG] = "flag", [MAIL_MOVE] = "move", [MAIL_DELETE] = "delete"};

static void print(json_t *object)
{
	char *text;

	json_object_set_new(object, "at_ms", json_integer(clock_wall_ms()));
	text = json_dumps(object, JSON_COMPACT);
	printf("%s\n", text);
	fflush(stdout);
	free(text);
	json_decref(object);
}

static json_t *text_of(const char *bytes, size_t len)
{
	json_t *text = json_stringn(bytes, len);

	return text ? text : json_string("(no UTF-8)");
}

static json_t *mail_of(const char *event, const struct mail *mail)
{
	const char *at = memmem(mail->bytes, mail->len, "Subject: ", 9);
	const char *end = at ? memchr(at, '\r', mail->len - (size_t)(at - mail->bytes)) : NULL;

	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:b, s:b, s:o}", "event", event, "ref",
			 mail->ref, "cursor", mail->cursor, "received_ms",
			 (json_int_t)mail->received_ms, "size", (json_int_t)mail->size, "len",
			 (json_int_t)mail->len, "cut", mail->cut, "stale", mail->stale, "subject",
			 at && end ? text_of(at + 9, (size_t)(end - at) - 9) : json_null());
}

static void done(void *ctx, const struct failure *why)
{
	print(json_pack("{s:s, s:s, s:s}", "event", "done", "deed", ctx, "why",
			why ? why->text : ""));
}

static void fetched(void *ctx, const struct mail *mail, const struct failure *why)
{
	if (mail)
		print(mail_of("fetched", mail));
	else
		print(json_pack("{s:s, s:s}", "event", "fetched", "why", why ? why->text : "gone"));
}

static struct mailbox *mailbox_of(void *ctx)
{
	return *(struct mailbox **)ctx;
}

static void mail_came(void *ctx, const struct mail *mail)
{
	print(mail_of("mail", mail));
	if (deletes)
		mailbox_deed(mailbox_of(ctx), MAIL_DELETE, mail->ref, NULL, done,
			     names[MAIL_DELETE]);
	mailbox_next(mailbox_of(ctx));
}

static void cursor_stands(void *ctx, const char *at)
{
	print(json_pack("{s:s, s:s}", "event", "cursor", "cursor", at));
}

static void state_changed(void *ctx, enum mailbox_state state, const struct failure *why)
{
	print(json_pack("{s:s, s:s, s:i, s:s}", "event", "state", "state",
			mailbox_state_name(state), "kind", why ? (int)why->kind : 0, "why",
			why ? why->text : ""));
}

static const struct mailbox_events events = {
	.mail = mail_came,
	.cursor = cursor_stands,
	.state = state_changed,
};

static void say_status(void)
{
	struct mailbox_status s;

	mailbox_status(mailboxes[0], &s);
	print(json_pack("{s:s, s:s, s:s, s:I, s:I, s:i}", "event", "status", "state",
			mailbox_state_name(s.state), "reason", s.reason, "mails",
			(json_int_t)s.mails, "reconnects", (json_int_t)s.reconnects, "failures",
			(int)s.failures));
}

static void obey(char *order)
{
	char *verb = strtok(order, " "), *ref = strtok(NULL, " "), *rest = strtok(NULL, "");

	if (!verb)
		return;
	if (strcmp(verb, "status") == 0)
		say_status();
	else if (ref && strcmp(verb, "delete") == 0)
		mailbox_deed(mailboxes[0], MAIL_DELETE, ref, NULL, done, names[MAIL_DELETE]);
	else if (ref && rest && strcmp(verb, "move") == 0)
		mailbox_deed(mailboxes[0], MAIL_MOVE, ref, rest, done, names[MAIL_MOVE]);
	else if (ref && rest && strcmp(verb, "flag") == 0)
		mailbox_deed(mailboxes[0], MAIL_FLAG, ref, rest, done, names[MAIL_FLAG]);
	else if (ref && strcmp(verb, "fetch") == 0)
		mailbox_fetch(mailboxes[0], ref, fetched, NULL);
}

static void stdin_ready(void *ctx, unsigned ready)
{
	ssize_t n = read(0, line + line_len, sizeof(line) - line_len - 1);
	char *end;

	if (n <= 0) {
		loop_stop(loop);
		return;
	}
	line_len += (size_t)n;
	line[line_len] = '\0';
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		obey(line);
		line_len -= (size_t)(end + 1 - line);
		memmove(line, end + 1, line_len + 1);
	}
}

static void set_secret(struct secret_ref *ref, const char *value)
{
	ref->kind = SECRET_INLINE;
	ref->value = secret_new(value, strlen(value));
}

static int set(const char *key, char *value)
{
	static char *allowed[2];
	struct imap_config *imap = &config.imap;
	const struct {
		const char *key;
		char **place;
	} texts[] = {{"host", &imap->host},
		     {"user", &imap->user},
		     {"ca", &imap->ca_file},
		     {"folder", &imap->folder}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (strcmp(key, texts[i].key) == 0) {
			*texts[i].place = value;
			return 0;
		}
	if (strcmp(key, "port") == 0) {
		imap->port = (uint16_t)atoi(value);
	} else if (strcmp(key, "tls") == 0) {
		imap->tls = strcmp(value, "starttls") == 0 ? TLS_STARTTLS : TLS_IMPLICIT;
	} else if (strcmp(key, "password") == 0) {
		set_secret(&imap->password, value);
	} else if (strcmp(key, "token") == 0) {
		set_secret(&imap->token, value);
	} else if (strcmp(key, "auth") == 0) {
		allowed[0] = value;
		imap->auth = allowed;
	} else if (strcmp(key, "idle_ms") == 0) {
		imap->idle_ms = atoll(value);
	} else if (strcmp(key, "poll_ms") == 0) {
		imap->poll_ms = atoll(value);
	} else if (strcmp(key, "disabled") == 0) {
		imap->disabled = (unsigned)atoi(value);
	} else if (strcmp(key, "cursor") == 0) {
		cursor = value;
	} else if (strcmp(key, "delete") == 0) {
		deletes = true;
	} else if (strcmp(key, "copies") == 0) {
		copies = (unsigned)atoi(value);
	} else if (strcmp(key, "debug") == 0) {
		log_set_level(LOG_LEVEL_DEBUG);
	} else {
		return -1;
	}
	return 0;
}

static void open_all(void)
{
	const struct mailbox_env env = {.loop = loop, .resolver = resolver, .events = &events};
	struct failure f;

	mailboxes = xcalloc(copies, sizeof(struct mailbox *));
	for (unsigned i = 0; i < copies; i++) {
		struct mailbox_env one = env;

		one.events_ctx = &mailboxes[i];
		if (mailbox_open(&one, &config, cursor, &mailboxes[i], &f) < 0) {
			fprintf(stderr, "%s\n", f.text);
			exit(1);
		}
	}
}

int main(int argc, char **argv)
{
	static char name[] = "tool", type[] = "imap", inbox[] = "INBOX", localhost[] = "localhost";
	struct watch watch;

	config = (struct mailbox_config){
		.name = name,
		.type = type,
		.max_mail_bytes = 50 << 20,
		.imap = {.host = localhost,
			 .folder = inbox,
			 .connect_timeout_ms = 30000,
			 .answer_timeout_ms = 60000,
			 .idle_ms = 540000,
			 .poll_ms = 60000},
	};
	for (int i = 1; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		if (value)
			*value++ = '\0';
		if (!value || set(argv[i], value) < 0) {
			fprintf(stderr, "what is %s?\n", argv[i]);
			return 2;
		}
	}
	loop = loop_new();
	resolver = resolver_new(loop);
	open_all();
	watch_init(&watch, loop, 0, stdin_ready, NULL);
	watch_want(&watch, WATCH_READ);
	loop_run(loop);
	watch_clear(&watch);
	for (unsigned i = 0; i < copies; i++)
		mailbox_close(mailboxes[i]);
	free(mailboxes);
	resolver_free(resolver);
	loop_free(loop);
	secret_free(config.imap.password.value);
	secret_free(config.imap.token.value);
	return 0;
}
