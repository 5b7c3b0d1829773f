/* transport/smtp_settle.c - the end of a transaction: what became of each recipient,
 * whether the server answered to the last or went away before. */
#include <stdlib.h>

#include "alloc.h"
#include "transport/pump.h"
#include "transport/smtp_parts.h"

void smtp_mail_free(struct smtp_mail *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->nrcpts; i++)
		free(m->rcpts[i].outcome);
	free(m->rcpts);
	free(m->refusal);
	pump_free(m->pump);
	free(m);
}

/* Everybody in the transaction; who was accepted, or not heard of, shares o. */
static void settle_rcpts(struct smtp_mail *m, const struct outcome *o)
{
	for (size_t i = 0; i < m->nrcpts; i++) {
		const struct smtp_rcpt *rcpt = &m->rcpts[i];

		if (rcpt->heard == SMTP_AGAIN)
			continue;
		smtp_load_settle(m->load, rcpt->recipient,
				 rcpt->heard == SMTP_TURNED_DOWN && !m->mail_refused ? rcpt->outcome
										     : o);
	}
}

void smtp_mail_settle(struct smtp_session *s, const struct outcome *o)
{
	struct smtp_mail *m = s->mail;
	struct smtp_load *load = m->load;

	s->mail = NULL;
	settle_rcpts(m, o);
	if (m->mail_refused) {
		smtp_load_settle_waiting(load, o);
		if (s->waiting == load)
			s->waiting = NULL;
	}
	smtp_mail_free(m);
	smtp_load_finish(load);
}

/* The last transaction was not answered to its end. Those who were refused in it have
 * their answer: unsaid, it would be asked for, and break the session, again and again. */
static void settle_heard(struct smtp_mail *m)
{
	for (size_t i = 0; i < m->nrcpts; i++)
		if (m->rcpts[i].heard == SMTP_TURNED_DOWN)
			smtp_load_settle(m->load, m->rcpts[i].recipient, m->rcpts[i].outcome);
	if (m->mail_refused) {
		settle_rcpts(m, m->refusal);
		smtp_load_settle_waiting(m->load, m->refusal);
	}
}

/* It may send us away for all it refused before (Postfix: smtpd_hard_error_limit). */
bool smtp_mail_got_on(const struct smtp_session *s)
{
	return s->step == STEP_ENVELOPE && s->refused && !s->astray;
}

/* Frees the transactions; ret gets each load that is left, once. */
static size_t take_loads(struct smtp_session *s, struct smtp_load *ret[3])
{
	struct smtp_load *all[] = {s->waiting, s->mail ? s->mail->load : NULL,
				   s->next ? s->next->load : NULL};
	size_t n = 0;

	for (size_t i = 0; i < 3; i++)
		if (all[i] && (n < 1 || all[i] != ret[0]) && (n < 2 || all[i] != ret[1]))
			ret[n++] = all[i];
	smtp_mail_free(s->mail);
	smtp_mail_free(s->next);
	s->mail = s->next = NULL;
	s->waiting = NULL;
	return n;
}

void smtp_mail_give_up(struct smtp_session *s, const struct failure *why)
{
	struct smtp_load *loads[3];
	struct outcome o;
	size_t n;

	if (s->mail && s->mail->dot_said && !s->mail->answered) {
		smtp_outcome_own(&o, OUTCOME_LATER, 0, "",
				 "connection lost after the message was sent; it may arrive "
				 "twice, with the same Message-ID");
		settle_rcpts(s->mail, s->mail->refusal ? s->mail->refusal : &o);
	}
	if (s->mail && !s->astray)
		settle_heard(s->mail);
	n = take_loads(s, loads);
	for (size_t i = 0; i < n; i++)
		smtp_load_give_back(loads[i], why, s->failed); /* no fault was found: at once */
}

void smtp_mail_drop(struct smtp_session *s)
{
	struct smtp_load *loads[3];
	size_t n = take_loads(s, loads);

	for (size_t i = 0; i < n; i++)
		smtp_load_free(loads[i]);
}
