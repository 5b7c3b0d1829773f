/* tests/talk/imap_stage.c - see imap_stage.h. */
#include "imap_stage.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "base/loop.h"
#include "failure.h"
#include "mailbox/imap_mailbox.h"
#include "mailbox/imap_place.h"
#include "net/resolve.h"
#include "secret.h"
#include "tests/unit/expect.h"

static void say(struct imap_stage *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct imap_stage *s, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		abort();
	va_end(args);
	buf_printf(&s->said, "%s\n", text);
	free(text);
	s->seen |= s->wanted && strstr(buf_bytes(&s->said), s->wanted);
}

static const char *kind_name(const struct failure *why)
{
	static const char *const names[] = {[FAILURE_NONE] = "none",
					    [FAILURE_LATER] = "later",
					    [FAILURE_REFUSED] = "refused",
					    [FAILURE_SETUP] = "setup"};

	return names[why->kind];
}

/* Without the mailbox's home, which differs with its port. */
static const char *plain(const struct imap_stage *s, char out[64], const char *name)
{
	char home[32];
	size_t len = strlen(name), home_len;

	snprintf(home, sizeof(home), "@%" PRIx64, imap_home(&s->config.imap));
	home_len = strlen(home);
	assert_true(len > home_len && len < 64 + home_len &&
		    strcmp(name + len - home_len, home) == 0);
	len -= home_len;
	len -= name[len - 1] == ' ';
	memcpy(out, name, len);
	out[len] = '\0';
	return out;
}

static char *subject(const struct mail *mail)
{
	const char *begin = mail->len > 9 ? mail->bytes + 9 : "";

	return xstrndup(begin, strcspn(begin, "\r\n"));
}

static void mail_came(void *ctx, const struct mail *mail)
{
	struct imap_stage *s = ctx;
	char *text = subject(mail), ref[64], cursor[64];

	snprintf(s->ref, sizeof(s->ref), "%s", mail->ref);
	plain(s, ref, mail->ref);
	plain(s, cursor, mail->cursor);
	if (mail->size == 14)
		say(s, "mail %s at %lld: %s%s%s, after %s", ref,
		    (long long)mail->received_ms / 1000, text, mail->cut ? " cut" : "",
		    mail->stale ? " stale" : "", cursor);
	else
		say(s, "mail %s: %s of %llu, %zu here%s, after %s", ref, text,
		    (unsigned long long)mail->size, mail->len, mail->cut ? ", cut" : "", cursor);
	free(text);
	if (s->closes) {
		mailbox_close(s->mailbox);
		s->mailbox = NULL;
	} else if (!s->holds) {
		mailbox_next(s->mailbox);
	}
}

static void cursor_stands(void *ctx, const char *cursor)
{
	char text[64];

	say(ctx, "cursor %s", plain(ctx, text, cursor));
}

static void state_changed(void *ctx, enum mailbox_state state, const struct failure *why)
{
	if (why)
		say(ctx, "%s, %s: %s", mailbox_state_name(state), kind_name(why), why->text);
	else
		say(ctx, "%s", mailbox_state_name(state));
}

static const struct mailbox_events events = {
	.mail = mail_came,
	.cursor = cursor_stands,
	.state = state_changed,
};

static void deed_done(void *ctx, const struct failure *why)
{
	if (why)
		say(ctx, "done: %s: %s", kind_name(why), why->text);
	else
		say(ctx, "done: ok");
}

static void mail_fetched(void *ctx, const struct mail *mail, const struct failure *why)
{
	char *text = mail ? subject(mail) : NULL;

	if (why)
		say(ctx, "fetched: %s: %s", kind_name(why), why->text);
	else if (mail)
		say(ctx, "fetched %s: %s", mail->ref, text);
	else
		say(ctx, "fetched nothing");
	free(text);
}

void stage_begin(struct imap_stage *s, const char *script, const struct talk_options *options)
{
	struct address_list list = {.count = 1};
	struct sockaddr_in *in = (struct sockaddr_in *)&list.at[0].address;

	memset(s, 0, sizeof(*s));
	s->loop = loop_new();
	s->resolver = resolver_new(s->loop);
	s->talk = options ? talk_with(s->loop, script, options) : talk_new(s->loop, script);
	in->sin_family = AF_INET;
	in->sin_port = htons(talk_port(s->talk));
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	list.at[0].len = sizeof(*in);
	resolver_pretend(s->resolver, "localhost", &list, 0);
	buf_init(&s->said, SIZE_MAX);
	s->config = (struct mailbox_config){
		.name = xstrdup("inbox"),
		.type = xstrdup("imap"),
		.max_mail_bytes = 200000,
		.imap =
			{
				.host = xstrdup("localhost"),
				.port = talk_port(s->talk),
				.tls = TLS_NONE,
				.user = xstrdup("box"),
				.folder = xstrdup("INBOX"),
				.connect_timeout_ms = 30000,
				.answer_timeout_ms = 60000,
				.idle_ms = 540000,
				.poll_ms = 60000,
			},
	};
}

void stage_login(struct imap_stage *s, enum tls_mode tls)
{
	struct imap_config *imap = &s->config.imap;

	imap->tls = tls;
	imap->ca_file = xstrdup(talk_ca_file());
	imap->password.kind = SECRET_INLINE;
	imap->password.value = secret_new("s3cret", 6);
}

void stage_open_at(struct imap_stage *s, const char *cursor)
{
	const struct mailbox_env env = {
		.loop = s->loop, .resolver = s->resolver, .events = &events, .events_ctx = s};
	struct failure f;

	expect_ok(mailbox_open(&env, &s->config, cursor, &s->mailbox, &f), &f);
}

void stage_open(struct imap_stage *s, const char *cursor)
{
	char *whole = cursor ? xprintf("%s @%" PRIx64, cursor, imap_home(&s->config.imap)) : NULL;

	stage_open_at(s, whole);
	free(whole);
}

void stage_until(struct imap_stage *s, const char *part)
{
	s->wanted = part;
	s->seen = strstr(buf_bytes(&s->said), part) != NULL;
	talk_until(s->loop, &s->seen);
	s->wanted = NULL;
}

void stage_settle(struct imap_stage *s)
{
	for (int i = 0; i < 100; i++)
		loop_turn(s->loop, false);
}

void stage_deed(struct imap_stage *s, enum deed_on_mail deed, const char *ref, const char *target)
{
	mailbox_deed(s->mailbox, deed, ref, target, deed_done, s);
}

void stage_fetch(struct imap_stage *s, const char *ref)
{
	mailbox_fetch(s->mailbox, ref, mail_fetched, s);
}

void stage_said(struct imap_stage *s, const char *want)
{
	talk_run(s->talk);
	if (talk_problem(s->talk))
		expect_stop(__FILE__, __LINE__, "%s\nsaid: %s", talk_problem(s->talk),
			    buf_bytes(&s->said));
	for (int i = 0; i < 5 && strcmp(buf_bytes(&s->said), want) != 0; i++)
		loop_turn(s->loop, false);
	expect_text(buf_bytes(&s->said), want);
	buf_drain(&s->said, s->said.len);
}

void stage_end(struct imap_stage *s)
{
	struct imap_config *imap = &s->config.imap;

	talk_finished(s->talk);
	mailbox_close(s->mailbox);
	resolver_free(s->resolver);
	loop_free(s->loop);
	buf_clear(&s->said);
	free(s->config.name);
	free(s->config.type);
	free(imap->host);
	free(imap->user);
	free(imap->folder);
	free(imap->ca_file);
	secret_free(imap->password.value);
	secret_free(imap->token.value);
}
