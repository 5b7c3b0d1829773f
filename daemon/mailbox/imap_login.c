/* mailbox/imap_login.c - from the greeting to being logged in: what the server can do,
 * STARTTLS, LOGIN or AUTHENTICATE. Reads the secret where it is now, wipes all of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "base64.h"
#include "config/mailbox_config.h"
#include "mailbox/imap_steps.h"
#include "net/line.h"
#include "net/sasl.h"
#include "secret.h"
#include "text.h"

#define RESPONSE_MAX 12288 /* as SMTP's (RFC 4954 4) */

struct imap_login {
	struct secret *password, *token; /* owned */
	struct sasl_credentials credentials;
	struct sasl *sasl;     /* owned */
	struct buf words, b64; /* hold secrets */
	bool by_command;       /* LOGIN, no AUTHENTICATE */
	bool initial_waits;    /* in b64, for the first "+" */
};

/* --- what the server can do --- */

static const struct {
	const char *name;
	unsigned cap;
} caps[] = {
	{"STARTTLS", CAP_STARTTLS},
	{"LOGINDISABLED", CAP_LOGINDISABLED},
	{"LITERAL-", CAP_LITERAL_MINUS},
	{"UTF8=ACCEPT", CAP_UTF8},
	{"LIST-EXTENDED", CAP_LIST_EXTENDED},
	{"ID", IMAP_EXT_ID},
	{"IDLE", IMAP_EXT_IDLE},
	{"UIDPLUS", IMAP_EXT_UIDPLUS},
	{"MOVE", IMAP_EXT_MOVE},
	{"SASL-IR", IMAP_EXT_SASL_IR},
	{"SPECIAL-USE", IMAP_EXT_SPECIAL_USE},
	{"CONDSTORE", IMAP_EXT_CONDSTORE},
	{"ENABLE", IMAP_EXT_ENABLE},
	{"LITERAL+", IMAP_EXT_LITERAL_PLUS},
};

static void take_mechanism(struct imap *m, const char *name, size_t len)
{
	size_t used = strlen(m->auth);

	if (used + len + 2 <= sizeof(m->auth))
		snprintf(m->auth + used, sizeof(m->auth) - used, "%s%.*s", used ? " " : "",
			 (int)len, name);
}

static void take_cap(struct imap *m, const char *word, size_t len)
{
	if (len > 5 && strncasecmp(word, "AUTH=", 5) == 0)
		take_mechanism(m, word + 5, len - 5);
	for (size_t i = 0; i < sizeof(caps) / sizeof(*caps); i++)
		if (strlen(caps[i].name) == len && strncasecmp(word, caps[i].name, len) == 0)
			m->caps |= caps[i].cap;
}

void imap_take_caps(struct imap *m, const char *words)
{
	const char *word;
	size_t len;

	m->caps = 0;
	m->auth[0] = '\0';
	m->caps_known = true;
	while ((word = imap_next_word(&words, &len)))
		take_cap(m, word, len);
}

static void forget_caps(struct imap *m)
{
	m->caps = 0;
	m->caps_known = false;
	m->auth[0] = '\0';
}

static bool needs_starttls(const struct imap *m)
{
	return m->config->tls == TLS_STARTTLS && !line_is_secure(m->line);
}

/* It is known what the server can do. */
static void choose_way_in(struct imap *m)
{
	if (!needs_starttls(m))
		imap_step_to(m, STEP_LOGIN);
	else if (m->caps & CAP_STARTTLS)
		imap_step_to(m, STEP_STARTTLS);
	else
		imap_end(m, FAILURE_SETUP, "the server offers no STARTTLS");
}

void imap_hear_greeting(struct imap *m, const struct imap_reply *reply)
{
	bool inside = reply->status == IMAP_PREAUTH;

	if (reply->kind != IMAP_STATUS || (reply->status != IMAP_OK && !inside)) {
		imap_end_reply(m, FAILURE_LATER, "the server turns us away", reply);
		return;
	}
	if (inside && needs_starttls(m)) {
		/* RFC 3501 6.2.1 knows no STARTTLS from here on: somebody may be in between */
		imap_end(m, FAILURE_SETUP, "the server logs us in without STARTTLS");
		return;
	}
	if (text_equal_nocase(reply->code, "CAPABILITY"))
		imap_take_caps(m, reply->code_text);
	if (inside)
		imap_step_to(m, STEP_INSIDE);
	else if (m->caps_known)
		choose_way_in(m);
	else
		imap_step_to(m, STEP_CAPABILITY);
}

void imap_say_capability(struct imap *m)
{
	imap_say_simple(m, "CAPABILITY");
}

void imap_hear_capability(struct imap *m, const struct imap_reply *reply)
{
	if (reply->status != IMAP_OK)
		imap_end_reply(m, FAILURE_LATER, "CAPABILITY", reply);
	else
		choose_way_in(m);
}

void imap_say_starttls(struct imap *m)
{
	imap_say_simple(m, "STARTTLS");
}

void imap_hear_starttls(struct imap *m, const struct imap_reply *reply)
{
	if (reply->status != IMAP_OK)
		imap_end_reply(m, FAILURE_SETUP, "STARTTLS", reply);
	else
		imap_step_to(m, STEP_SECURE);
}

/* What was said in the clear is forgotten: RFC 3501 6.2.1. */
void imap_say_secure(struct imap *m)
{
	forget_caps(m);
	line_secure(m->line);
}

/* --- logging in --- */

void imap_login_free(struct imap_login *login)
{
	if (!login)
		return;
	sasl_free(login->sasl);
	secret_free(login->password);
	secret_free(login->token);
	buf_wipe(&login->words);
	buf_wipe(&login->b64);
	free(login);
}

static bool offers(const struct imap *m, const char *mechanism)
{
	const char *at = m->auth, *word;
	size_t len;

	while ((word = imap_next_word(&at, &len)))
		if (strlen(mechanism) == len && strncasecmp(word, mechanism, len) == 0)
			return true;
	return false;
}

static int login_new(struct imap *m, struct imap_login **ret, struct failure *f)
{
	struct imap_login *l = *ret = xcalloc(1, sizeof(*l));
	bool command = !(m->caps & CAP_LOGINDISABLED);
	char offered[IMAP_AUTH_SIZE + 8];

	buf_init(&l->words, RESPONSE_MAX);
	buf_init(&l->b64, RESPONSE_MAX);
	if (secret_ref_get(&m->config->password, &l->password, f) < 0 ||
	    secret_ref_get(&m->config->token, &l->token, f) < 0)
		return -1;
	l->credentials = (struct sasl_credentials){
		.user = m->config->user,
		.password = l->password,
		.token = l->token,
		.host = m->config->host,
		.port = m->config->port,
		.allowed = m->config->auth,
		.secure = line_is_secure(m->line),
	};
	snprintf(offered, sizeof(offered), "%s%s", m->auth,
		 command && !offers(m, "LOGIN") ? " LOGIN" : "");
	if (sasl_new(&l->credentials, offered, &l->sasl, f) < 0)
		return -1;
	l->by_command = command && text_equal_nocase(sasl_mechanism(l->sasl), "LOGIN");
	return 0;
}

static enum imap_literals literals(const struct imap *m)
{
	if (m->config->disabled & IMAP_EXT_LITERAL_PLUS)
		return IMAP_LITERALS_WAIT;
	if (m->caps & IMAP_EXT_LITERAL_PLUS)
		return IMAP_LITERALS_PLUS;
	return m->caps & CAP_LITERAL_MINUS ? IMAP_LITERALS_MINUS : IMAP_LITERALS_WAIT;
}

static void say_login_command(struct imap *m)
{
	struct imap_login *l = m->login;
	const char *user = m->config->user;
	int bad;

	imap_begin(m, "LOGIN ");
	bad = imap_add_string(&m->out, literals(m), user, strlen(user));
	bad |= buf_add_text(&m->out.bytes, " ");
	bad |= imap_add_string(&m->out, literals(m), secret_bytes(l->password),
			       secret_len(l->password));
	if (bad)
		imap_end(m, FAILURE_SETUP, "login: the user name or password can't be said");
	else
		imap_say(m);
}

static int to_base64(struct imap_login *l, struct failure *f)
{
	int done;

	buf_wipe(&l->b64);
	done = base64_encode(&l->b64, buf_bytes(&l->words), l->words.len);
	buf_wipe(&l->words);
	return done < 0 ? failure_set(f, FAILURE_SETUP, "the credentials are too long") : 0;
}

static void send_response(struct imap *m)
{
	struct imap_login *l = m->login;

	line_write(m->line, buf_bytes(&l->b64), l->b64.len);
	line_write(m->line, "\r\n", 2);
	buf_wipe(&l->b64);
}

static void say_authenticate(struct imap *m)
{
	struct imap_login *l = m->login;
	bool initial = sasl_initial(l->sasl, &l->words);
	struct failure f;

	if (initial && to_base64(l, &f) < 0) {
		imap_end(m, f.kind, "login: %s", f.text);
		return;
	}
	imap_begin(m, "AUTHENTICATE ");
	buf_add_text(&m->out.bytes, sasl_mechanism(l->sasl));
	if (initial && imap_can(m, IMAP_EXT_SASL_IR)) {
		buf_add_text(&m->out.bytes, " ");
		buf_add_text(&m->out.bytes, l->b64.len ? buf_bytes(&l->b64) : "=");
		buf_wipe(&l->b64);
	} else {
		l->initial_waits = initial;
	}
	imap_say(m);
}

void imap_say_login(struct imap *m)
{
	struct failure f = {0};

	m->caps_known = false;
	if (login_new(m, &m->login, &f) < 0) {
		imap_end(m, f.kind, "login: %s", f.text);
		return;
	}
	log_debug(&m->log, "logs in by %s", sasl_mechanism(m->login->sasl));
	if (m->login->by_command)
		say_login_command(m);
	else
		say_authenticate(m);
}

static void answer(struct imap *m, const char *text)
{
	struct imap_login *l = m->login;
	struct failure f = {0};
	struct buf challenge;
	int done;

	if (l->initial_waits) {
		l->initial_waits = false;
		send_response(m);
		return;
	}
	buf_init(&challenge, RESPONSE_MAX);
	done = base64_decode(&challenge, text, strlen(text));
	if (done < 0 || l->by_command)
		done = failure_set(&f, FAILURE_LATER, "the server's challenge makes no sense");
	else
		done = sasl_step(l->sasl, buf_bytes(&challenge), challenge.len, &l->words, &f);
	if (done == 0)
		done = to_base64(l, &f);
	buf_clear(&challenge);
	if (done < 0)
		imap_end(m, f.kind, "login: %s", f.text);
	else
		send_response(m);
}

static void refused(struct imap *m, const struct imap_reply *reply)
{
	const char *said = sasl_said(m->login->sasl), *hint = m->config->hint;
	char what[200] = "login refused", more[150] = "";

	secret_ref_doubt(&m->config->password);
	secret_ref_doubt(&m->config->token);
	if (said)
		snprintf(more, sizeof(more), ", saying %.60s", said);
	else if (hint)
		snprintf(more, sizeof(more), " (%.140s)", hint);
	snprintf(what, sizeof(what), "login refused%s", more);
	imap_end_reply(m, FAILURE_REFUSED, what, reply);
}

void imap_hear_login(struct imap *m, const struct imap_reply *reply)
{
	struct failure f = {0};

	if (reply->kind == IMAP_GO_ON) {
		answer(m, reply->text);
		return;
	}
	if (reply->status == IMAP_NO) {
		refused(m, reply);
		return;
	}
	if (reply->status != IMAP_OK) {
		imap_end_reply(m, FAILURE_LATER, "login", reply);
		return;
	}
	if (!m->login->by_command && sasl_finish(m->login->sasl, &f) < 0) {
		imap_end(m, f.kind, "login: %s", f.text);
		return;
	}
	imap_login_free(TAKE(m->login));
	if (text_equal_nocase(reply->code, "CAPABILITY"))
		imap_take_caps(m, reply->code_text);
	if (m->caps_known)
		imap_folder_begin(m);
	else
		imap_step_to(m, STEP_INSIDE);
}

void imap_hear_inside(struct imap *m, const struct imap_reply *reply)
{
	if (reply->status != IMAP_OK)
		imap_end_reply(m, FAILURE_LATER, "CAPABILITY", reply);
	else
		imap_folder_begin(m);
}
