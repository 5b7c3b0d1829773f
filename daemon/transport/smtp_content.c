/* transport/smtp_content.c - the message itself: as fast as the line drains, dot
 * and all, and what the answer to the dot makes of who was accepted. */
#include <string.h>

#include "crash.h"
#include "net/line.h"
#include "transport/pump.h"
#include "transport/smtp_parts.h"

#define PIECE_BYTES (64 * 1024)
#define UNSENT_MAX (256 * 1024) /* more is not made before the line has drained */
#define AWAIT_BLOCK_MS (3 * 60 * 1000)

/* Half a message is on the line: it can't be taken back, the connection must go. */
static void break_off(struct smtp_session *s, const struct failure *f)
{
	struct outcome o;

	smtp_outcome_own(&o, f->kind == FAILURE_REFUSED ? OUTCOME_REFUSED : OUTCOME_LATER, 0, "",
			 "%s", f->text);
	smtp_mail_settle(s, &o);
	smtp_end_well(s);
}

void smtp_content_say(struct smtp_session *s)
{
	struct failure f = {0};

	if (!s->mail->load->read) {
		s->mail->load->read = true;
		s->dots = (struct smtp_dots){0};
		CRASH_POINT("smtp.data");
	}
	while (line_unsent(s->line) < UNSENT_MAX) {
		enum pump_state state = pump_run(s->mail->pump, &s->raw, PIECE_BYTES, &f);

		smtp_dots_add(&s->dots, &s->out, buf_bytes(&s->raw), s->raw.len);
		buf_drain(&s->raw, s->raw.len);
		if (state == PUMP_BROKEN) {
			break_off(s, &f);
			return;
		}
		if (state == PUMP_END) {
			smtp_dot_say(s);
			return;
		}
		smtp_send(s);
		if (state == PUMP_WAITING)
			break;
	}
	smtp_await(s, AWAIT_BLOCK_MS);
}

void smtp_dot_say(struct smtp_session *s)
{
	struct smtp_mail *m = s->mail;

	if (m->accepted == 0 || m->mail_refused)
		s->dots = (struct smtp_dots){0};
	smtp_dots_end(&s->dots, &s->out);
	smtp_send(s);
	m->dot_said = true;
	pump_free(m->pump);
	m->pump = NULL;
	smtp_mail_chain(s);
	smtp_step_to(s, STEP_DOT);
}

/* Some servers don't wait for the dot to refuse what they already dislike. */
void smtp_content_hear(struct smtp_session *s, const struct smtp_reply *reply)
{
	enum smtp_verdict verdict = smtp_judge(SMTP_AT_DOT, reply);
	struct outcome o;

	if (verdict != SMTP_NO && verdict != SMTP_NOT_NOW) {
		smtp_end_reply(s, verdict == SMTP_YES ? SMTP_NONSENSE : verdict, "half a message",
			       reply);
		return;
	}
	smtp_outcome_of(&o, verdict == SMTP_NO ? OUTCOME_REFUSED : OUTCOME_LATER, reply);
	smtp_mail_settle(s, &o);
	smtp_end_well(s);
}

void smtp_dot_hear(struct smtp_session *s, const struct smtp_reply *reply)
{
	struct smtp_mail *m = s->mail;
	enum smtp_verdict verdict = smtp_judge(SMTP_AT_DOT, reply);
	bool lone = m->accepted == 0 || m->mail_refused;
	struct outcome o;

	CRASH_POINT("smtp.answered");
	m->answered = verdict != SMTP_NONSENSE;
	if (lone ? reply->code == 421 : verdict >= SMTP_DOWN_LATER) {
		smtp_end_reply(s, verdict, "the message", reply);
		return;
	}
	s->done++;
	s->refused |= verdict == SMTP_NO;
	smtp_outcome_of(&o,
			verdict == SMTP_YES  ? OUTCOME_SENT
			: verdict == SMTP_NO ? OUTCOME_REFUSED
					     : OUTCOME_LATER,
			reply);
	smtp_mail_settle(s, lone && m->refusal ? m->refusal : &o);
	smtp_go_on(s);
}
