/* transport/smtp_outcome.h - what a reply means: for the recipient, the mail or
 * the whole way out. Pure. */
#ifndef NUNCIO_TRANSPORT_SMTP_OUTCOME_H
#define NUNCIO_TRANSPORT_SMTP_OUTCOME_H
#include "failure.h"
#include "transport/transport.h"
struct smtp_reply;

enum smtp_moment { /* what was answered */
		   SMTP_AT_GREETING = 1,
		   SMTP_AT_HELLO = 2,
		   SMTP_AT_STARTTLS = 4,
		   SMTP_AT_AUTH = 8,
		   SMTP_AT_MAIL = 16,
		   SMTP_AT_RCPT = 32,
		   SMTP_AT_DATA = 64,
		   SMTP_AT_DOT = 128,
		   SMTP_AT_RSET = 256,
};
enum smtp_verdict {
	SMTP_YES,
	SMTP_GO_ON,        /* 334 to AUTH, 354 to DATA: say more */
	SMTP_NOT_NOW,      /* this recipient or mail: later */
	SMTP_NO,           /* this recipient or mail: never */
	SMTP_TOO_MANY,     /* this recipient in another transaction, where one was taken */
	SMTP_DOWN_LATER,   /* the whole server, for now */
	SMTP_DOWN_REFUSED, /* it does not let us in */
	SMTP_DOWN_SETUP,   /* it can't do what the configuration asks */
	SMTP_NONSENSE,     /* no answer to what was said */
};
enum smtp_verdict smtp_judge(enum smtp_moment at, const struct smtp_reply *reply);
enum failure_kind smtp_down_kind(enum smtp_verdict verdict); /* of one that says DOWN */
/* 421 as said to one who was idle for too long: 4.4.2, or no enhanced code at all, and
 * not one that says the server is going down. */
bool smtp_is_farewell(const struct smtp_reply *reply);

/* "550 5.1.1 no such user", one safe line, into out. Returns out. */
char *smtp_reply_line(char *out, size_t size, const struct smtp_reply *reply);
void smtp_outcome_of(struct outcome *ret, enum outcome_kind kind, const struct smtp_reply *reply);
/* One that is ours: no server said it. */
void smtp_outcome_own(struct outcome *ret, enum outcome_kind kind, int code, const char *enhanced,
		      const char *fmt, ...) __attribute__((format(printf, 5, 6)));
#endif
