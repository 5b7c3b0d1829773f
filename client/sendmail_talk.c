/* client/sendmail_talk.c - see sendmail_talk.h. A mail goes the same way as every other
 * one once its last line is there; the answer says what became of it. */
#include "sendmail_talk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "buf.h"
#include "command.h"
#include "failure.h"
#include "memfd.h"
#include "post.h"
#include "sendmail_options.h"
#include "text.h"
#include "version.h"

enum {
	LINE_MAX_BYTES = 1024 * 1024,
	MAIL_MAX = 512 * 1024 * 1024,
};

struct talk {
	struct context *context;
	const struct sendmail_options *options;
	struct buf in;
	char *line; /* owned; the last one read, without its end */
	size_t line_len;
	bool has_sender;
	char *sender; /* owned */
	struct post post;
	bool ended;
	int status;
};

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	vprintf(fmt, arguments);
	va_end(arguments);
	fputs("\r\n", stdout);
	fflush(stdout);
}

static void end(struct talk *t, int status)
{
	t->ended = true;
	t->status = status;
}

static void take_line(struct talk *t, size_t len)
{
	const char *bytes = buf_bytes(&t->in);
	size_t text = len && bytes[len - 1] == '\r' ? len - 1 : len;

	free(t->line);
	t->line = xmemdup(bytes, text);
	t->line_len = text;
	buf_drain(&t->in, len + 1);
}

/* False: there is none any more, and the conversation has ended. */
static bool read_line(struct talk *t)
{
	size_t seen = 0;

	for (;;) {
		const char *lf = memchr(buf_bytes(&t->in) + seen, '\n', t->in.len - seen);

		if (lf) {
			take_line(t, (size_t)(lf - buf_bytes(&t->in)));
			return true;
		}
		seen = t->in.len;
		char *room = buf_room(&t->in, 65536);
		if (!room) {
			say("500 5.5.2 The line is too long");
			end(t, EX_DATAERR);
			return false;
		}
		ssize_t got = read(STDIN_FILENO, room, 65536);
		if (got == 0 || (got < 0 && errno != EINTR)) {
			end(t, got == 0 ? 0 : EX_IOERR);
			return false;
		}
		buf_wrote(&t->in, got > 0 ? (size_t)got : 0);
	}
}

static void reset(struct talk *t)
{
	post_clear(&t->post);
	free(t->sender);
	t->sender = NULL;
	t->has_sender = false;
}

static void hear_hello(struct talk *t, const char *rest)
{
	reset(t);
	say("250 nuncio");
}

static void hear_extended_hello(struct talk *t, const char *rest)
{
	reset(t);
	say("250-nuncio\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
	    "250-ENHANCEDSTATUSCODES\r\n250 HELP");
}

/* "FROM:<a@b> SIZE=1": what stands in the brackets, the caller's; NULL: none do. */
static char *read_path(const char *rest, const char *word)
{
	if (!text_starts_nocase(rest, word))
		return NULL;
	rest += strlen(word);
	rest += strspn(rest, " ");
	if (*rest != '<')
		return NULL;
	bool quoted = false;
	for (size_t i = 1; rest[i]; i++) {
		if (rest[i] == '\\' && rest[i + 1])
			i++;
		else if (rest[i] == '"')
			quoted = !quoted;
		else if (rest[i] == '>' && !quoted)
			return xstrndup(rest + 1, i - 1);
	}
	return NULL;
}

static void hear_mail(struct talk *t, const char *rest)
{
	AUTO(free) char *path = read_path(rest, "FROM:");

	if (t->has_sender) {
		say("503 5.5.1 The sender is known already");
	} else if (!path) {
		say("501 5.5.4 MAIL FROM:<address> is wanted");
	} else {
		t->has_sender = true;
		t->sender = TAKE(path);
		say("250 2.1.0 Good");
	}
}

static void hear_rcpt(struct talk *t, const char *rest)
{
	AUTO(free) char *path = read_path(rest, "TO:");
	struct failure f;

	if (!t->has_sender)
		say("503 5.5.1 MAIL comes first");
	else if (!path || !*path)
		say("501 5.5.4 RCPT TO:<address> is wanted");
	else if (address_list_add(&t->post.to, path, strlen(path), &f) < 0)
		say("452 4.5.3 %s", f.text);
	else
		say("250 2.1.5 Good");
}

static int add_text(struct talk *t, const struct buf *text, size_t *all, struct failure *f)
{
	*all += text->len;
	if (*all > MAIL_MAX)
		return failure_set(f, FAILURE_REFUSED, "the mail is larger than %d MiB",
				   MAIL_MAX / 1024 / 1024);
	return memfd_add(t->post.fd, buf_bytes(text), text->len, f);
}

/* Up to the lone dot; dots that were doubled at the begin of a line are single again.
 * -1: f says why, or the conversation has ended. */
static int read_text(struct talk *t, struct failure *f)
{
	struct buf text;
	size_t all = 0;
	int result = 0;

	buf_init(&text, 2 * LINE_MAX_BYTES);
	while (read_line(t)) {
		bool dot = t->line_len && t->line[0] == '.';

		if (dot && t->line_len == 1)
			break;
		if (result < 0)
			continue;
		buf_add(&text, t->line + dot, t->line_len - dot);
		buf_add_text(&text, "\n");
		if (text.len >= 65536) {
			result = add_text(t, &text, &all, f);
			buf_drain(&text, text.len);
		}
	}
	if (result == 0 && !t->ended)
		result = add_text(t, &text, &all, f);
	buf_clear(&text);
	return t->ended ? -1 : result;
}

static void answer(int status)
{
	if (!status)
		say("250 2.0.0 It is on disk");
	else if (status == EX_TEMPFAIL || status == EX_UNAVAILABLE || status == EX_OSERR)
		say("451 4.3.0 Not taken now");
	else if (status == EX_NOUSER)
		say("550 5.1.1 One of the recipients is none");
	else if (status == EX_NOPERM)
		say("550 5.7.1 Not permitted");
	else
		say("554 5.6.0 Not taken");
}

static void hear_data(struct talk *t, const char *rest)
{
	struct failure f;

	if (!t->post.to.n) {
		say("503 5.5.1 RCPT comes first");
		return;
	}
	t->post.fd = memfd_open(&f);
	if (t->post.fd < 0) {
		say("451 4.3.0 %s", f.text);
		return;
	}
	say("354 The mail, please; a dot alone ends it");
	int result = read_text(t, &f);
	if (t->ended)
		return;
	if (result < 0 || memfd_seal(t->post.fd, &f) < 0) {
		say("552 5.3.4 %s", f.text);
	} else {
		t->post.sender = t->sender;
		answer(post_mail(t->context, &t->post, t->options->verbose));
	}
	reset(t);
}

static void hear_reset(struct talk *t, const char *rest)
{
	reset(t);
	say("250 2.0.0 Good");
}

static void hear_nothing(struct talk *t, const char *rest)
{
	say("250 2.0.0 Good");
}

static void hear_verify(struct talk *t, const char *rest)
{
	say("252 2.5.2 Send, and it will be tried");
}

static void hear_help(struct talk *t, const char *rest)
{
	say("214 2.0.0 See sendmail in nuncio's manual");
}

static void hear_quit(struct talk *t, const char *rest)
{
	say("221 2.0.0 Good bye");
	end(t, 0);
}

/* clang-format off */
static const struct verb {
	const char *name;
	void (*hear)(struct talk *t, const char *rest);
} verbs[] = {
	{ "HELO", hear_hello },
	{ "EHLO", hear_extended_hello },
	{ "MAIL", hear_mail },
	{ "RCPT", hear_rcpt },
	{ "DATA", hear_data },
	{ "RSET", hear_reset },
	{ "NOOP", hear_nothing },
	{ "VRFY", hear_verify },
	{ "HELP", hear_help },
	{ "QUIT", hear_quit },
};
/* clang-format on */

static void hear(struct talk *t)
{
	size_t word = strcspn(t->line, " ");

	if (!text_is_utf8(t->line, t->line_len) || !text_is_one_line(t->line, t->line_len)) {
		say("501 5.5.4 That is not text");
		return;
	}
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (word != 4 || !text_starts_nocase(t->line, verbs[i].name))
			continue;
		/* what it says of the line is over before the next one is read */
		AUTO(free) char *rest = xstrdup(t->line + word + strspn(t->line + word, " "));
		verbs[i].hear(t, rest);
		return;
	}
	say("500 5.5.1 That is not a command");
}

int sendmail_talk(struct context *context, const struct sendmail_options *o)
{
	struct talk t = {.context = context, .options = o, .post.fd = -1};

	buf_init(&t.in, LINE_MAX_BYTES + 65536);
	say("220 nuncio " NUNCIO_VERSION " ESMTP");
	while (!t.ended && read_line(&t))
		hear(&t);
	reset(&t);
	free(t.line);
	buf_clear(&t.in);
	return t.status;
}
