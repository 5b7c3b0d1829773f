/* transport/smtp_parts.h - one SMTP session from within: what its files share and
 * nobody else includes. smtp_session.c: steps and connection; smtp_login.c: AUTH;
 * smtp_mail.c: a transaction's envelope; smtp_content.c: its message;
 * smtp_settle.c: what became of it; smtp_wait.c: how long each takes. */
#ifndef NUNCIO_TRANSPORT_SMTP_PARTS_H
#define NUNCIO_TRANSPORT_SMTP_PARTS_H
#include "base/loop.h"
#include "failure.h"
#include "log.h"
#include "transport/smtp_load.h"
#include "transport/smtp_outcome.h"
#include "transport/smtp_session.h"
#include "transport/smtp_wire.h"
#include "transport/transport.h"

/* One transaction. Commands: RSET where one is due, MAIL, a RCPT each, DATA. */
enum smtp_heard { SMTP_UNHEARD, SMTP_ACCEPTED, SMTP_TURNED_DOWN, SMTP_AGAIN };
struct smtp_rcpt {
	size_t recipient; /* of the parcel */
	enum smtp_heard heard;
	struct outcome *outcome; /* owned; SMTP_TURNED_DOWN */
};
struct smtp_mail {
	struct smtp_load *load;  /* the session's */
	struct pump *pump;       /* owned; NULL once all is written */
	struct smtp_rcpt *rcpts; /* owned, of nrcpts */
	size_t nrcpts, accepted;
	bool smtputf8, reset_first;
	size_t said, heard;      /* commands */
	struct outcome *refusal; /* owned; of MAIL or DATA: for all who were accepted */
	bool mail_refused, dot_said, answered;
};

enum smtp_step {
	STEP_CONNECT,
	STEP_GREETING,
	STEP_EHLO,
	STEP_HELO,
	STEP_STARTTLS,
	STEP_SECURE,
	STEP_AUTH,
	STEP_READY,
	STEP_ENVELOPE,
	STEP_CONTENT,
	STEP_DOT,
	STEP_QUIT,
	STEP_ENDED,
};
struct smtp_session {
	const struct transport_env *env;  /* the transport's */
	const struct smtp_config *config; /* from config */
	struct tls *tls;                  /* the transport's */
	const struct smtp_session_events *events;
	void *ctx;
	struct log log;
	struct line *line; /* owned; NULL once ended */
	struct smtp_parser parser;
	struct smtp_caps caps;
	enum smtp_step step;
	struct smtp_login *login; /* owned, during AUTH */
	unsigned begun, done;     /* transactions */
	size_t rcpt_max;          /* what the server showed to take; 0: not known */
	bool ready, leaving;
	bool refused;              /* somebody, for good: this session got on */
	bool astray;               /* what was heard may have been meant for another question */
	bool early;                /* what is unread came before it was due */
	bool reset_due;            /* a transaction was left open */
	struct smtp_mail *mail;    /* owned; the one whose answers come first */
	struct smtp_mail *next;    /* owned; said together with mail's dot */
	struct smtp_load *waiting; /* owned, or one of theirs; goes on with the next mail */
	struct buf raw, out;
	struct smtp_dots dots;
	int64_t wait_ms;
	size_t untaken;     /* of what we said, when the wait began */
	struct task report; /* of the end */
	bool failed;
	struct failure why;
};

/* smtp_session.c */
void smtp_step_to(struct smtp_session *s, enum smtp_step next);
void smtp_send(struct smtp_session *s); /* what is in s->out */
void smtp_end_well(struct smtp_session *s);
void smtp_end(struct smtp_session *s, enum failure_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Ends it because of a verdict that is no mail's business. */
void smtp_end_reply(struct smtp_session *s, enum smtp_verdict verdict, const char *what,
		    const struct smtp_reply *reply);
void smtp_go_on(struct smtp_session *s); /* a transaction is over: the next, rest, or leave */

/* smtp_login.c */
void smtp_login_say(struct smtp_session *s);
void smtp_login_hear(struct smtp_session *s, const struct smtp_reply *reply);
void smtp_login_free(struct smtp_login *login); /* wipes; NULL is fine */

/* smtp_mail.c */
struct smtp_mail *smtp_mail_take(struct smtp_session *s); /* NULL: nothing is there to carry */
void smtp_mail_say(struct smtp_session *s);               /* s->mail's envelope */
bool smtp_mail_chain(struct smtp_session *s); /* another behind a dot that waits for its answer */
void smtp_mail_hear(struct smtp_session *s, const struct smtp_reply *reply);

/* smtp_content.c */
void smtp_content_say(struct smtp_session *s);
void smtp_content_hear(struct smtp_session *s, const struct smtp_reply *reply);
void smtp_dot_hear(struct smtp_session *s, const struct smtp_reply *reply);
void smtp_dot_say(struct smtp_session *s);

/* smtp_settle.c */
void smtp_mail_free(struct smtp_mail *m); /* NULL is fine */
/* s->mail is over: o for who was accepted. */
void smtp_mail_settle(struct smtp_session *s, const struct outcome *o);
bool smtp_mail_got_on(const struct smtp_session *s); /* an end in this envelope is no outage */
void smtp_mail_give_up(struct smtp_session *s, const struct failure *why); /* all it has */
void smtp_mail_drop(struct smtp_session *s); /* the same, telling nobody */

/* smtp_wait.c */
void smtp_await(struct smtp_session *s, int64_t ms); /* within the configured ceiling */
bool smtp_await_more(struct smtp_session *s);        /* it passed; did we get on, and wait again? */
#endif
