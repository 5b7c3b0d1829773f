/* transport/smtp_login.c - AUTH (RFC 4954): reads the secret where it is now,
 * carries the mechanism's words in base64, wipes all of it. The mechanisms are
 * net/sasl.h's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "base64.h"
#include "config/config.h"
#include "crash.h"
#include "net/line.h"
#include "net/sasl.h"
#include "secret.h"
#include "transport/smtp_parts.h"

struct smtp_login {
	struct secret *password, *token; /* owned */
	struct sasl_credentials credentials;
	struct sasl *sasl;     /* owned */
	struct buf words, b64; /* hold secrets */
	bool initial_waits;    /* in b64, too long to go with AUTH itself */
};

void smtp_login_free(struct smtp_login *login)
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

static int login_new(struct smtp_session *s, struct smtp_login **ret, struct failure *f)
{
	struct smtp_login *l = *ret = xcalloc(1, sizeof(*l));

	buf_init(&l->words, SMTP_RESPONSE_MAX);
	buf_init(&l->b64, SMTP_RESPONSE_MAX);
	if (secret_ref_get(&s->config->password, &l->password, f) < 0 ||
	    secret_ref_get(&s->config->token, &l->token, f) < 0)
		return -1;
	l->credentials = (struct sasl_credentials){
		.user = s->config->user,
		.password = l->password,
		.token = l->token,
		.host = s->config->host,
		.port = s->config->port,
		.allowed = s->config->auth,
		.secure = line_is_secure(s->line),
	};
	return sasl_new(&l->credentials, s->caps.auth, &l->sasl, f);
}

static int to_base64(struct smtp_login *l, struct failure *f)
{
	int done;

	buf_wipe(&l->b64);
	done = base64_encode(&l->b64, buf_bytes(&l->words), l->words.len);
	buf_wipe(&l->words);
	if (done < 0)
		return failure_set(f, FAILURE_SETUP, "the credentials are too long for SMTP");
	return 0;
}

static void send_response(struct smtp_session *s)
{
	smtp_add_response(&s->out, buf_bytes(&s->login->b64));
	buf_wipe(&s->login->b64);
	smtp_send(s);
	buf_wipe(&s->out);
}

static void send_auth(struct smtp_session *s)
{
	struct smtp_login *l = s->login;
	const char *mechanism = sasl_mechanism(l->sasl);
	struct failure f;

	if (!sasl_initial(l->sasl, &l->words)) {
		smtp_add_auth(&s->out, mechanism, NULL);
	} else if (to_base64(l, &f) < 0) {
		smtp_end(s, f.kind, "login: %s", f.text);
		return;
	} else if (smtp_add_auth(&s->out, mechanism, buf_bytes(&l->b64)) < 0) {
		l->initial_waits = true; /* RFC 4954 4: then it answers an empty challenge */
		smtp_add_auth(&s->out, mechanism, NULL);
	} else {
		buf_wipe(&l->b64);
	}
	log_debug(&s->log, "AUTH %s", mechanism);
	smtp_send(s);
	buf_wipe(&s->out);
}

void smtp_login_say(struct smtp_session *s)
{
	struct failure f = {0};

	if (login_new(s, &s->login, &f) < 0)
		smtp_end(s, f.kind, "login: %s", f.text);
	else
		send_auth(s);
}

static void answer(struct smtp_session *s, const struct smtp_reply *reply)
{
	struct smtp_login *l = s->login;
	struct failure f = {0};
	struct buf challenge;
	int done;

	if (l->initial_waits) {
		l->initial_waits = false;
		send_response(s);
		return;
	}
	buf_init(&challenge, SMTP_RESPONSE_MAX);
	done = base64_decode(&challenge, reply->text, reply->text_len);
	if (done < 0)
		failure_set(&f, FAILURE_LATER, "the server's challenge is not base64");
	else
		done = sasl_step(l->sasl, buf_bytes(&challenge), challenge.len, &l->words, &f);
	if (done == 0)
		done = to_base64(l, &f);
	buf_clear(&challenge);
	if (done < 0)
		smtp_end(s, f.kind, "login: %s", f.text);
	else
		send_response(s);
}

static void won(struct smtp_session *s)
{
	struct failure f = {0};

	if (sasl_finish(s->login->sasl, &f) < 0) {
		smtp_end(s, f.kind, "login: %s", f.text);
		return;
	}
	smtp_login_free(s->login);
	s->login = NULL;
	CRASH_POINT("smtp.auth");
	smtp_step_to(s, STEP_READY);
}

static void lost(struct smtp_session *s, enum smtp_verdict verdict, const struct smtp_reply *reply)
{
	const char *hint = verdict == SMTP_DOWN_REFUSED ? s->config->hint : NULL;
	const char *said = sasl_said(s->login->sasl);
	char line[128], more[80] = "";

	if (verdict == SMTP_DOWN_REFUSED) {
		secret_ref_doubt(&s->config->password);
		secret_ref_doubt(&s->config->token);
	}
	if (said)
		snprintf(more, sizeof(more), ", saying %.60s", said);
	smtp_end(s, verdict == SMTP_DOWN_REFUSED ? FAILURE_REFUSED : FAILURE_LATER,
		 "login refused: %s%s%s%s%s", smtp_reply_line(line, sizeof(line), reply), more,
		 hint ? " (" : "", hint ? hint : "", hint ? ")" : "");
}

void smtp_login_hear(struct smtp_session *s, const struct smtp_reply *reply)
{
	enum smtp_verdict verdict = smtp_judge(SMTP_AT_AUTH, reply);

	if (verdict == SMTP_GO_ON)
		answer(s, reply);
	else if (verdict == SMTP_YES)
		won(s);
	else if (verdict == SMTP_DOWN_REFUSED || verdict == SMTP_DOWN_LATER)
		lost(s, verdict, reply);
	else
		smtp_end_reply(s, verdict, "AUTH", reply);
}
