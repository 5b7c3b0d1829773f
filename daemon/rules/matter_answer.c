/* rules/matter_answer.c - decides whether a mail brings the code that somebody was asked
 * for; then the mail that was asked about is fetched, and obeyed. */
#include <string.h>

#include "config/config.h"
#include "failure.h"
#include "mailbox/mailbox.h"
#include "message/parse.h"
#include "rules/desk.h"
#include "rules/lockout.h"
#include "rules/matter.h"
#include "rules/matter_room.h"
#include "rules/question.h"

#define CODE_DIGITS 8

static bool is_code(const char *text)
{
	return strlen(text) == CODE_DIGITS && strspn(text, "0123456789") == CODE_DIGITS;
}

/* Beside the command line; of a text it may be all that it says. NULL: none. */
static const char *code_of(const struct matter *m)
{
	const struct command_line *c = &m->own.command;

	return !c->proof && m->own.in.is_text && is_code(c->text) ? c->text : c->proof;
}

static struct question *question_of(struct matter *m)
{
	return questions_find(m->engine->questions, m->judgement.contact->name, code_of(m),
			      m->own.in.received_ms);
}

static void give_up(struct matter *m, struct question *q, const char *why)
{
	if (q)
		q->taken = false;
	m->question = 0;
	matter_refuse(m, why, true, false);
}

static void fetched(void *ctx, const struct mail *mail, const struct failure *why)
{
	struct matter *m = ctx;
	struct question *q = questions_by_run(m->engine->questions, m->question);

	m->fetches = false;
	if (m->engine->stopped)
		return;
	if (!mail || !q) {
		give_up(m, q, why ? why->text : "the mail that was asked about is gone");
		return;
	}
	received_init(&m->original, q->mailbox, mail);
	m->what = &m->original;
	memcpy(m->obedience.token, q->token, TOKEN_SIZE - 1);
	matter_forget_judgement(m);
	judge(m->config, m->rule, received_voucher(&m->original, m->config), &m->original.in,
	      &m->original.command, m->original.in.received_ms, &m->judgement);
	m->judged = true;
	if (m->judgement.verdict == VERDICT_ASKS)
		matter_act(m);
	else
		give_up(m, q, "the rule it was for is not the same any more");
}

static void fetch(struct matter *m, struct question *q)
{
	struct desk *desk = desk_find(m->engine->desks, q->mailbox);

	m->rule = config_rule(m->config, q->rule);
	if (!desk || !m->rule) {
		give_up(m, NULL, "its rule or its mailbox is there no more");
		return;
	}
	q->taken = true;
	m->question = q->run;
	m->fetches = true;
	mailbox_fetch(desk_mailbox(desk), q->ref, fetched, m);
}

static void fetch_anew(struct matter *m)
{
	struct question *q = questions_by_run(m->engine->questions, m->question);

	if (q) {
		q->taken = false;
		fetch(m, q);
	} else {
		give_up(m, NULL, "this was confirmed before, or too late");
	}
}

void matters_closed(struct engine *e, const char *mailbox)
{
	for (struct matter *m = e->matters; m; m = m->next) {
		const struct question *q =
			m->fetches ? questions_by_run(e->questions, m->question) : NULL;

		if (!q || strcmp(q->mailbox, mailbox) != 0)
			continue;
		m->fetches = false;
		m->deed = fetch_anew;
		deadline_set(&m->again, ENGINE_AGAIN_MS);
	}
}

static void weighed(void *ctx, unsigned strikes, const struct failure *why)
{
	struct matter *m = ctx;
	struct question *q;

	if (m->engine->stopped)
		return;
	if (why) {
		matter_again(m, matter_start_over, why);
		return;
	}
	q = question_of(m);
	if (strikes >= LOCKOUT_STRIKES)
		matter_refuse(m, "too many proofs were wrong within 15 minutes", false, false);
	else if (!q)
		matter_refuse(m, "this was confirmed before, or too late", true, false);
	else
		fetch(m, q);
}

/* Is it from a contact for whom the provider vouches, new and whole? m->judgement says who. */
static bool is_heard(struct matter *m)
{
	struct judgement *j = &m->judgement;
	const struct received *own = &m->own;

	*j = (struct judgement){.contact = match_sender(m->config, &own->in)};
	if (!j->contact || (own->mail && own->mail->flaws & (FLAW_TWO_FROM | FLAW_FROM_LIST)) ||
	    own->in.cut || own->in.stale || !questions_open(m->engine->questions, j->contact->name))
		return false;
	j->vouched = sender_is_vouched(&own->in, received_voucher(own, m->config), &j->word,
				       &j->word_why);
	return j->vouched;
}

void matter_refuse_code(struct matter *m)
{
	static const char why[] = "the code answers no question";

	matter_forget_judgement(m);
	bool heard = is_heard(m);
	m->judged = true;
	m->rule = NULL;
	m->judgement.verdict = VERDICT_REFUSES;
	m->judgement.is_keyed = m->judgement.wrong = heard;
	memcpy(m->judgement.why, why, sizeof(why));
	matter_weigh(m);
}

bool matter_answers(struct matter *m)
{
	if (!code_of(m) || !is_heard(m))
		return false;
	m->judged = true;
	if (question_of(m)) {
		lockouts_ask(m->engine->lockouts, m->judgement.contact->name,
			     received_channel(&m->own), weighed, m);
		return true;
	}
	m->code_wrong = is_code(code_of(m));
	matter_forget_judgement(m);
	return false;
}
