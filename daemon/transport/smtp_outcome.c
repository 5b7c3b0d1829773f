/* transport/smtp_outcome.c - the table that tells a recipient's fault from the
 * server's. What is done about it is left to the session and the queue. */
#include "transport/smtp_outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"
#include "transport/smtp_wire.h"

#define ANYWHERE (~0u)
#define ENVELOPE (SMTP_AT_MAIL | SMTP_AT_RCPT | SMTP_AT_DATA)
#define TRANSACTION (ENVELOPE | SMTP_AT_DOT)
#define LETTING_IN (SMTP_AT_GREETING | SMTP_AT_HELLO | SMTP_AT_STARTTLS | SMTP_AT_AUTH)

/* clang-format off */
static const struct row {
	unsigned at; /* of enum smtp_moment */
	int first, last;
	const char *enhanced; /* NULL: whatever it is; "": none */
	enum smtp_verdict verdict;
} rows[] = { /* the first that fits counts */
	{ ANYWHERE,                        421, 421, NULL,    SMTP_DOWN_LATER },
	{ ANYWHERE,                        550, 550, "5.4.5", SMTP_DOWN_LATER },   /* Gmail: the day's limit */
	{ ANYWHERE,                        454, 454, "4.7.0", SMTP_DOWN_LATER },   /* Gmail: too many logins */
	{ SMTP_AT_AUTH,                    334, 334, NULL,    SMTP_GO_ON },
	{ SMTP_AT_AUTH,                    235, 235, NULL,    SMTP_YES },
	{ SMTP_AT_AUTH,                    500, 599, NULL,    SMTP_DOWN_REFUSED },
	{ ENVELOPE,                        530, 530, NULL,    SMTP_DOWN_REFUSED }, /* authentication required */
	{ ENVELOPE,                        534, 535, NULL,    SMTP_DOWN_REFUSED },
	{ ENVELOPE,                        538, 538, NULL,    SMTP_DOWN_REFUSED },
	{ SMTP_AT_MAIL | SMTP_AT_RCPT,     503, 503, NULL,    SMTP_DOWN_LATER },   /* out of step: not the mail's fault */
	{ SMTP_AT_STARTTLS,                220, 220, NULL,    SMTP_YES },
	{ SMTP_AT_STARTTLS,                500, 599, NULL,    SMTP_DOWN_SETUP },
	{ SMTP_AT_GREETING,                220, 220, NULL,    SMTP_YES },
	{ SMTP_AT_GREETING,                500, 599, NULL,    SMTP_DOWN_LATER },
	{ LETTING_IN,                      400, 499, NULL,    SMTP_DOWN_LATER },
	{ SMTP_AT_HELLO,                   250, 250, NULL,    SMTP_YES },
	{ SMTP_AT_HELLO,                   500, 599, NULL,    SMTP_NO },
	{ SMTP_AT_RCPT,                    452, 452, "4.5.3", SMTP_TOO_MANY },
	{ SMTP_AT_RCPT,                    452, 452, "",      SMTP_TOO_MANY },
	{ SMTP_AT_RCPT,                    552, 552, "5.5.3", SMTP_TOO_MANY },
	{ SMTP_AT_RCPT,                    552, 552, "",      SMTP_TOO_MANY },
	{ SMTP_AT_DATA,                    354, 354, NULL,    SMTP_GO_ON },
	{ SMTP_AT_MAIL | SMTP_AT_RCPT | SMTP_AT_DOT | SMTP_AT_RSET,
	                                   200, 299, NULL,    SMTP_YES },
	{ TRANSACTION,                     400, 499, NULL,    SMTP_NOT_NOW },
	{ TRANSACTION,                     500, 599, NULL,    SMTP_NO },
};
/* clang-format on */

enum smtp_verdict smtp_judge(enum smtp_moment at, const struct smtp_reply *reply)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *row = &rows[i];

		if ((row->at & at) && reply->code >= row->first && reply->code <= row->last &&
		    (!row->enhanced || strcmp(row->enhanced, reply->enhanced) == 0))
			return row->verdict;
	}
	return SMTP_NONSENSE;
}

enum failure_kind smtp_down_kind(enum smtp_verdict verdict)
{
	if (verdict == SMTP_DOWN_REFUSED)
		return FAILURE_REFUSED;
	return verdict == SMTP_DOWN_SETUP ? FAILURE_SETUP : FAILURE_LATER;
}

bool smtp_is_farewell(const struct smtp_reply *reply)
{
	return reply->code == 421 && (!*reply->enhanced || strcmp(reply->enhanced, "4.4.2") == 0);
}

/* The lines of the text as one. */
static void one_line(char *out, size_t size, const struct smtp_reply *reply)
{
	char flat[512];
	size_t len = reply->text_len < sizeof(flat) ? reply->text_len : sizeof(flat);

	memcpy(flat, reply->text, len);
	for (size_t i = 0; i < len; i++)
		if (flat[i] == '\n')
			flat[i] = ' ';
	text_safe_line(out, size, flat, len);
}

char *smtp_reply_line(char *out, size_t size, const struct smtp_reply *reply)
{
	char text[160];

	one_line(text, sizeof(text), reply);
	snprintf(out, size, "%d%s%s%s%s", reply->code, *reply->enhanced ? " " : "", reply->enhanced,
		 *text ? " " : "", text);
	return out;
}

void smtp_outcome_of(struct outcome *ret, enum outcome_kind kind, const struct smtp_reply *reply)
{
	memset(ret, 0, sizeof(*ret));
	ret->kind = kind;
	ret->code = reply->code;
	memcpy(ret->enhanced, reply->enhanced, sizeof(ret->enhanced));
	one_line(ret->text, sizeof(ret->text), reply);
}

void smtp_outcome_own(struct outcome *ret, enum outcome_kind kind, int code, const char *enhanced,
		      const char *fmt, ...)
{
	char text[sizeof(ret->text)];
	va_list args;

	memset(ret, 0, sizeof(*ret));
	ret->kind = kind;
	ret->code = code;
	snprintf(ret->enhanced, sizeof(ret->enhanced), "%s", enhanced);
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	text_safe_line(ret->text, sizeof(ret->text), text, strlen(text));
}
