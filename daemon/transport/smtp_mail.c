/* transport/smtp_mail.c - one transaction's envelope: MAIL, RCPT and DATA in one
 * flight where the server takes PIPELINING (RFC 2920), step by step elsewhere;
 * what each answer makes of each recipient. The content is smtp_content.c's, the
 * end smtp_settle.c's. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "config/config.h"
#include "crash.h"
#include "message/outgoing.h"
#include "text.h"
#include "transport/pump.h"
#include "transport/smtp_parts.h"

#define RCPT_MAX 100 /* where the configuration names none; RFC 5321 4.5.3.1.8 */
#define AWAIT_ENVELOPE_MS (5 * 60 * 1000)
#define AWAIT_DATA_MS (2 * 60 * 1000)

static void content_ready(void *ctx)
{
	struct smtp_session *s = ctx;

	if (s->step == STEP_CONTENT)
		smtp_content_say(s);
}

static bool fits_rcpt(const char *address)
{
	struct buf scratch;
	bool fits;

	buf_init(&scratch, SMTP_COMMAND_MAX);
	fits = smtp_add_rcpt(&scratch, address) == 0;
	buf_clear(&scratch);
	return fits;
}

static bool fits_sender(const char *sender)
{
	struct smtp_mail_line line = {.sender = sender, UINT64_MAX, true, true};
	struct buf scratch;
	bool fits;

	buf_init(&scratch, SMTP_MAIL_MAX);
	fits = smtp_add_mail(&scratch, &line) == 0;
	buf_clear(&scratch);
	return fits;
}

/* What this server can't take at all, whoever it is for. */
static bool refuse_whole(const struct smtp_session *s, const struct smtp_mail *m,
			 struct outcome *ret)
{
	const struct outgoing *message = pump_outgoing(m->pump);
	const char *sender = m->load->parcel->sender;

	if (s->caps.size_max && outgoing_size_least(message) > s->caps.size_max) {
		smtp_outcome_own(ret, OUTCOME_REFUSED, 552, "5.3.4",
				 "message of %" PRIu64 " bytes, server takes %" PRIu64,
				 outgoing_size_least(message), s->caps.size_max);
		return true;
	}
	if (!fits_sender(sender)) {
		smtp_outcome_own(ret, OUTCOME_REFUSED, 501, "5.1.7",
				 "the sender's address does not fit into SMTP");
		return true;
	}
	if (!s->caps.smtputf8 &&
	    (outgoing_needs_smtputf8(message) || !text_is_ascii(sender, strlen(sender)))) {
		smtp_outcome_own(ret, OUTCOME_REFUSED, 553, "5.6.7",
				 "the server does not take mail with non-ASCII addresses");
		return true;
	}
	return false;
}

static bool refuse_rcpt(const struct smtp_session *s, const struct parcel_recipient *rcpt,
			struct outcome *ret)
{
	if (rcpt->needs_smtputf8 && !s->caps.smtputf8) {
		smtp_outcome_own(ret, OUTCOME_REFUSED, 553, "5.6.7",
				 "the server does not take non-ASCII addresses");
		return true;
	}
	if (!fits_rcpt(rcpt->address)) {
		smtp_outcome_own(ret, OUTCOME_REFUSED, 501, "5.1.3",
				 "the address does not fit into SMTP");
		return true;
	}
	return false;
}

static size_t most_rcpts(const struct smtp_session *s)
{
	size_t most = s->config->recipients_per_mail ? s->config->recipients_per_mail : RCPT_MAX;

	return s->rcpt_max && s->rcpt_max < most ? s->rcpt_max : most;
}

static void choose_rcpts(struct smtp_session *s, struct smtp_mail *m)
{
	struct parcel *parcel = m->load->parcel;
	size_t most = most_rcpts(s);
	struct outcome o;

	m->rcpts =
		xcalloc(most < parcel->nrecipients ? most : parcel->nrecipients, sizeof(*m->rcpts));
	for (size_t i = 0; i < parcel->nrecipients && m->nrcpts < most; i++) {
		if (m->load->places[i] != SMTP_WAITING)
			continue;
		if (refuse_rcpt(s, &parcel->recipients[i], &o)) {
			smtp_load_settle(m->load, i, &o);
			continue;
		}
		m->load->places[i] = SMTP_IN_MAIL;
		m->smtputf8 |= parcel->recipients[i].needs_smtputf8;
		m->rcpts[m->nrcpts++].recipient = i;
	}
}

/* NULL: there is nobody left to send it to; the load may be gone. */
static struct smtp_mail *mail_new(struct smtp_session *s, struct smtp_load *load)
{
	struct smtp_mail *m = xcalloc(1, sizeof(*m));
	struct outcome o;

	if (load->read)
		load->env->host->rewind(load->env->host_ctx, load->parcel);
	load->read = false;
	m->load = load;
	m->pump = pump_new(s->env, load->parcel,
			   s->caps.eight_bit ? OUTGOING_EIGHT_BIT : OUTGOING_SEVEN_BIT,
			   content_ready, s);
	m->smtputf8 = outgoing_needs_smtputf8(pump_outgoing(m->pump)) ||
		      !text_is_ascii(load->parcel->sender, strlen(load->parcel->sender));
	if (refuse_whole(s, m, &o))
		smtp_load_settle_waiting(load, &o);
	choose_rcpts(s, m);
	if (m->nrcpts > 0)
		return m;
	smtp_mail_free(m);
	smtp_load_finish(load);
	return NULL;
}

static struct smtp_load *load_take(struct smtp_session *s)
{
	struct smtp_load *load = s->waiting;
	struct parcel *parcel;

	s->waiting = NULL;
	if (load)
		return load;
	if (s->leaving || s->begun >= s->config->mails_per_session)
		return NULL;
	parcel = s->events->next(s->ctx);
	return parcel ? smtp_load_new(s->env, parcel) : NULL;
}

struct smtp_mail *smtp_mail_take(struct smtp_session *s)
{
	struct smtp_load *load;

	while ((load = load_take(s))) {
		struct smtp_mail *m = mail_new(s, load);

		if (!m)
			continue;
		if (smtp_load_waits(load))
			s->waiting = load;
		s->begun++;
		return m;
	}
	return NULL;
}

static size_t ncommands(const struct smtp_mail *m)
{
	return (m->reset_first ? 1 : 0) + 1 + m->nrcpts + 1;
}

/* An estimate may be too high: that alone is no reason to be refused. */
static uint64_t said_size(const struct smtp_session *s, const struct outgoing *message)
{
	uint64_t size = outgoing_size(message), max = s->caps.size_max;

	return max && size > max ? max : size;
}

static void add_mail_line(struct smtp_session *s, const struct smtp_mail *m)
{
	const struct outgoing *message = pump_outgoing(m->pump);
	struct smtp_mail_line line = {
		.sender = m->load->parcel->sender,
		.size = s->caps.size ? said_size(s, message) : 0,
		.eight_bit = s->caps.eight_bit && outgoing_is_eight_bit(message),
		.smtputf8 = m->smtputf8,
	};

	smtp_add_mail(&s->out, &line);
}

static void add_command(struct smtp_session *s, struct smtp_mail *m)
{
	size_t number = m->said++ + (m->reset_first ? 0 : 1);

	if (number == 0)
		buf_add_text(&s->out, "RSET\r\n");
	else if (number == 1)
		add_mail_line(s, m);
	else if (number < m->nrcpts + 2)
		smtp_add_rcpt(&s->out,
			      m->load->parcel->recipients[m->rcpts[number - 2].recipient].address);
	else
		buf_add_text(&s->out, "DATA\r\n");
}

static void say_envelope(struct smtp_session *s, struct smtp_mail *m)
{
	log_debug(&s->log, "message %" PRId64 ": %zu of %zu recipients", m->load->parcel->message,
		  m->nrcpts, m->load->parcel->nrecipients);
	m->reset_first = s->reset_due;
	s->reset_due = false;
	do {
		add_command(s, m);
	} while (s->caps.pipelining && m->said < ncommands(m));
	smtp_send(s);
	CRASH_POINT("smtp.envelope");
}

static void await_next(struct smtp_session *s)
{
	bool data = s->mail->heard + 1 == ncommands(s->mail);

	smtp_await(s, data ? AWAIT_DATA_MS : AWAIT_ENVELOPE_MS);
}

void smtp_mail_say(struct smtp_session *s)
{
	if (s->mail->said == 0)
		say_envelope(s, s->mail);
	await_next(s);
}

bool smtp_mail_chain(struct smtp_session *s)
{
	if (!s->caps.pipelining || s->next)
		return false;
	s->next = smtp_mail_take(s);
	if (s->next)
		say_envelope(s, s->next);
	return s->next != NULL;
}

static struct outcome *outcome_new(struct smtp_session *s, enum smtp_verdict verdict,
				   const struct smtp_reply *reply)
{
	struct outcome *o = xcalloc(1, sizeof(*o));

	s->refused |= verdict == SMTP_NO;
	smtp_outcome_of(o, verdict == SMTP_NO ? OUTCOME_REFUSED : OUTCOME_LATER, reply);
	return o;
}

/* There was no DATA, or it was refused. */
static void end_early(struct smtp_session *s)
{
	struct smtp_mail *m = s->mail;
	struct outcome none = {.kind = OUTCOME_UNTOUCHED}, o = m->refusal ? *m->refusal : none;

	s->reset_due = !m->mail_refused;
	smtp_mail_settle(s, &o);
	smtp_go_on(s);
}

static void hear_mail(struct smtp_session *s, enum smtp_verdict verdict,
		      const struct smtp_reply *reply)
{
	if (verdict == SMTP_YES)
		return;
	s->mail->mail_refused = true;
	s->mail->refusal = outcome_new(s, verdict, reply);
}

static void hear_rcpt(struct smtp_session *s, struct smtp_rcpt *rcpt, enum smtp_verdict verdict,
		      const struct smtp_reply *reply)
{
	struct smtp_mail *m = s->mail;

	if (verdict == SMTP_YES) {
		rcpt->heard = SMTP_ACCEPTED;
		m->accepted++;
	} else if (verdict == SMTP_TOO_MANY && m->accepted > 0) {
		rcpt->heard = SMTP_AGAIN;
		m->load->places[rcpt->recipient] = SMTP_WAITING;
		s->waiting = m->load;
	} else {
		if (verdict == SMTP_TOO_MANY)
			verdict = reply->code < 500 ? SMTP_NOT_NOW : SMTP_NO;
		rcpt->heard = SMTP_TURNED_DOWN;
		rcpt->outcome = outcome_new(s, verdict, reply);
	}
}

/* Was it a limit that the last recipients met? Then the next transactions keep it. */
static void learn_limit(struct smtp_session *s)
{
	const struct smtp_mail *m = s->mail;

	if (m->rcpts[m->nrcpts - 1].heard != SMTP_AGAIN)
		return;
	for (size_t i = m->nrcpts; i > 0 && m->rcpts[i - 1].heard != SMTP_ACCEPTED; i--)
		if (m->rcpts[i - 1].heard != SMTP_AGAIN)
			return;
	s->rcpt_max = m->accepted;
}

/* MAIL was refused, and yet the server waits for a message to somebody. Even a lone
 * dot would be one: an empty mail. */
static void leave_open(struct smtp_session *s)
{
	smtp_mail_settle(s, s->mail->refusal);
	smtp_end_well(s);
}

static void hear_data(struct smtp_session *s, enum smtp_verdict verdict,
		      const struct smtp_reply *reply)
{
	struct smtp_mail *m = s->mail;
	bool taken = m->accepted > 0 && !m->mail_refused;

	if (verdict == SMTP_GO_ON && taken)
		smtp_step_to(s, STEP_CONTENT);
	else if (verdict == SMTP_GO_ON && m->accepted > 0)
		leave_open(s);
	else if (verdict == SMTP_GO_ON) /* RFC 2920 3.1: it waits for a message nobody is to get */
		smtp_dot_say(s);
	else {
		if (taken)
			m->refusal = outcome_new(s, verdict, reply);
		end_early(s);
	}
}

static void say_next(struct smtp_session *s)
{
	struct smtp_mail *m = s->mail;
	bool rcpts_heard = m->heard + 1 == ncommands(m);

	if (m->said > m->heard) {
		await_next(s);
	} else if (m->mail_refused || (rcpts_heard && m->accepted == 0)) {
		end_early(s);
	} else {
		add_command(s, m);
		smtp_send(s);
		await_next(s);
	}
}

static enum smtp_moment moment_of(const struct smtp_mail *m, size_t number)
{
	if (number == 0)
		return SMTP_AT_RSET;
	if (number == 1)
		return SMTP_AT_MAIL;
	return number < m->nrcpts + 2 ? SMTP_AT_RCPT : SMTP_AT_DATA;
}

static const char *name_of(enum smtp_moment at)
{
	return at == SMTP_AT_RSET   ? "RSET"
	       : at == SMTP_AT_MAIL ? "MAIL"
	       : at == SMTP_AT_RCPT ? "RCPT"
				    : "DATA";
}

/* Once MAIL is refused, what the server says to the rest of the flight means
 * nothing, unless it goes away. */
static bool breaks(const struct smtp_mail *m, enum smtp_verdict verdict,
		   const struct smtp_reply *reply)
{
	if (m->mail_refused)
		return reply->code == 421;
	return verdict >= SMTP_DOWN_LATER;
}

void smtp_mail_hear(struct smtp_session *s, const struct smtp_reply *reply)
{
	struct smtp_mail *m = s->mail;
	size_t number = m->heard + (m->reset_first ? 0 : 1);
	enum smtp_moment at = moment_of(m, number);
	enum smtp_verdict verdict = smtp_judge(at, reply);

	if (m->heard == m->said)
		verdict = SMTP_NONSENSE;
	if (breaks(m, verdict, reply)) {
		smtp_end_reply(s, verdict, name_of(at), reply);
		return;
	}
	m->heard++;
	if (at == SMTP_AT_MAIL)
		hear_mail(s, verdict, reply);
	else if (at == SMTP_AT_RCPT && !m->mail_refused)
		hear_rcpt(s, &m->rcpts[number - 2], verdict, reply);
	else if (at == SMTP_AT_RCPT && verdict == SMTP_YES)
		m->accepted++; /* of a mail that was refused */
	if (at == SMTP_AT_RCPT && number == m->nrcpts + 1)
		learn_limit(s);
	if (at == SMTP_AT_DATA)
		hear_data(s, verdict, reply);
	else
		say_next(s);
}
