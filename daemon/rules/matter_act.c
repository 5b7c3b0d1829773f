/* rules/matter_act.c - decides what is committed for a rule that is meant: it acts, asks or
 * refuses; whichever, ledger and cursor know of it before anybody else does. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "config/config.h"
#include "crash.h"
#include "failure.h"
#include "log.h"
#include "mailbox/mailbox.h"
#include "message/parse.h"
#include "queue/mailing.h"
#include "rules/bin.h"
#include "rules/lockout.h"
#include "rules/matter_room.h"
#include "rules/question.h"
#include "rules/reply.h"
#include "rules/runner.h"
#include "rules/running.h"
#include "secret.h"
#include "text.h"

#define SHOWN 200 /* of a command, in the log */

static const char *command_of(const struct received *r)
{
	return r->command.text ? r->command.text : "";
}

static const char *contact_name(const struct matter *m)
{
	const struct contact_config *contact = m->judgement.contact;

	return m->judged && contact ? contact->name : "";
}

/* ---- refusing ---- */

struct refusal {
	struct matter *matter;
	char why[240];
	bool told, strike;
};

static void refused(void *ctx, const struct batch_result *result);

static void log_refusal(const struct matter *m, const struct refusal *r)
{
	char command[SHOWN], from[SHOWN];
	const struct parsed *mail = m->own.mail;
	const char *address = mail && mail->from.n ? mail->from.at[0].address : "";

	if (m->own.in.is_text)
		address = m->own.in.from;

	log_warn(&m->engine->log, "rule %s: refused \"%s\" from %s (%s) by mailbox %s: %s",
		 m->rule ? m->rule->name : "-",
		 text_safe_line(command, sizeof(command), command_of(&m->own),
				strlen(command_of(&m->own))),
		 text_safe_line(from, sizeof(from), address, strlen(address)),
		 *contact_name(m) ? contact_name(m) : "a stranger", m->own.origin, r->why);
}

static void put_refused(struct matter *m, const struct refusal *r, struct batch *batch)
{
	char token[TOKEN_SIZE];
	int64_t now_ms = clock_wall_ms();

	token_make(token);
	batch_put_run(batch, &(struct run_row){
				     .token = token,
				     .rule = m->rule ? m->rule->name : "",
				     .origin = m->own.origin,
				     .ref = m->own.ref,
				     .contact = contact_name(m),
				     .command = command_of(&m->own),
				     .plan = "",
				     .state = RUN_REFUSED,
				     .started_ms = now_ms,
				     .ended_ms = now_ms,
				     .text = r->why,
			     });
	matter_add_place(m, batch);
}

/* A mail is counted once, however often it is begun anew because of the store. */
static bool may_tell(struct matter *m, const struct contact_config *contact)
{
	if (!m->counted)
		m->counted = lockouts_may_send(m->engine->lockouts, contact->name, PACE_REFUSALS);
	if (!m->counted)
		log_info(&m->engine->log, "%s was told enough within the hour", contact->name);
	return m->counted;
}

static void commit_refusal(struct matter *m, struct refusal *r)
{
	struct engine *e = m->engine;
	struct batch *batch = batch_new();
	struct mailing *mailing = mailing_new(e->queue);
	const struct contact_config *contact = m->judged ? m->judgement.contact : NULL;
	const char *channel = received_channel(&m->own);

	put_refused(m, r, batch);
	if (r->strike && contact) {
		batch_strike(batch, contact->name, channel, clock_wall_ms());
		lockouts_strike(e->lockouts, contact->name, channel);
	}
	if (r->told && contact && may_tell(m, contact))
		reply_refusal(e, mailing, m->config, contact, &m->own, r->why);
	if (m->locked_out && contact && lockouts_tell(e->lockouts, contact->name, channel))
		reply_lockout(e, mailing, m->config, contact, channel);
	mailing_commit(mailing, batch, refused, r);
}

/* Nothing is lost by saying nothing: the mail is looked at again. */
void matter_start_over(struct matter *m)
{
	matter_forget_judgement(m);
	m->locked_out = false;
	m->code_wrong = false;
	m->passed = NULL;
	m->at = 0;
	m->what = &m->own;
	m->question = 0;
	received_clear(&m->original);
	task_start(&m->turn);
}

static void refused(void *ctx, const struct batch_result *result)
{
	struct refusal *r = ctx;
	struct matter *m = r->matter;
	bool done = result->status == BATCH_DONE;

	free(r);
	if (m->engine->stopped)
		return;
	if (!done) {
		matter_again(m, matter_start_over, result->why);
		return;
	}
	m->cursor_kept = true;
	matter_end(m);
}

void matter_refuse(struct matter *m, const char *why, bool told, bool strike)
{
	struct refusal *r = xcalloc(1, sizeof(*r));

	*r = (struct refusal){.matter = m, .told = told, .strike = strike};
	strncpy(r->why, why, sizeof(r->why) - 1);
	log_refusal(m, r);
	commit_refusal(m, r);
}

/* ---- who is locked out ---- */

static void weighed(void *ctx, unsigned strikes, const struct failure *why)
{
	struct matter *m = ctx;
	const struct judgement *j = &m->judgement;

	if (m->engine->stopped)
		return;
	if (why) {
		matter_again(m, matter_start_over, why);
		return;
	}
	if (strikes >= LOCKOUT_STRIKES) {
		matter_refuse(m, "too many proofs were wrong within 15 minutes", false, false);
		return;
	}
	m->locked_out = j->wrong && strikes + 1 >= LOCKOUT_STRIKES;
	if (j->verdict == VERDICT_REFUSES)
		matter_refuse(m, j->why, !m->locked_out, j->wrong);
	else
		matter_act(m);
}

void matter_weigh(struct matter *m)
{
	const struct judgement *j = &m->judgement;

	if (j->is_keyed)
		lockouts_ask(m->engine->lockouts, j->contact->name, received_channel(&m->own),
			     weighed, m);
	else if (j->verdict == VERDICT_REFUSES)
		matter_refuse(m, j->why, j->vouched, false);
	else
		matter_act(m);
}

/* ---- acting ---- */

static void log_act(const struct matter *m, int64_t run)
{
	char command[SHOWN];
	const char *text = command_of(m->what);

	log_info(&m->engine->log, "rule %s: %s \"%s\" from %s by mailbox %s: run %lld",
		 m->rule->name, m->obedience.row.state == RUN_ASKED ? "asks about" : "obeys",
		 text_safe_line(command, sizeof(command), text, strlen(text)),
		 *contact_name(m) ? contact_name(m) : "anyone", m->own.origin, (long long)run);
}

static void carry_out(struct matter *m, int64_t run)
{
	struct engine *e = m->engine;
	struct run_row *row = &m->obedience.row;

	CRASH_POINT("rules.started");
	row->id = run;
	m->spent |= m->judgement.used;
	if (m->question)
		questions_close(e->questions, m->question);
	if (row->state == RUN_STARTED)
		running_start(running_new(e, row), m->what, TAKE(m->prepared));
	else if (row->state == RUN_ASKED)
		questions_add(e->questions, row);
	log_act(m, run);
	bin_look(e->bin);
}

static void acted(void *ctx, const struct batch_result *result)
{
	struct matter *m = ctx;

	if (m->engine->stopped)
		return;
	if (result->status != BATCH_DONE)
		runner_drop(TAKE(m->prepared));
	m->cursor_kept &= result->status == BATCH_DONE;
	switch (result->status) {
	case BATCH_DONE:
		carry_out(m, m->question ? m->question : result->run);
		matter_go_on(m);
		return;
	case BATCH_RUN_SAME:
		log_info(&m->engine->log,
			 "rule %s: a mail of mailbox %s was obeyed before: run %lld", m->rule->name,
			 m->own.origin, (long long)result->run);
		m->spent = true;
		matter_go_on(m);
		return;
	case BATCH_PROOF_USED:
		matter_refuse(m, "this proof was used before", m->judgement.vouched, false);
		return;
	case BATCH_MISSED:
		if (!m->question) { /* a text that was dealt with before */
			m->cursor_kept = true;
			matter_end(m);
			return;
		}
		questions_close(m->engine->questions, m->question);
		matter_refuse(m, "this was confirmed before, or too late", m->judgement.vouched,
			      false);
		return;
	case BATCH_KEY_SAME:
	case BATCH_KEY_OTHER:
	case BATCH_REPEATED:
	case BATCH_FAILED:
		matter_again(m, matter_act, result->why);
		return;
	}
}

/* A code for the other channel, whose digest goes into the plan. */
static int ask(struct matter *m, struct mailing *mailing, char digest[QUESTION_DIGEST_SIZE])
{
	struct engine *e = m->engine;
	char code[9];

	if (!may_tell(m, m->judgement.contact))
		return -1;
	token_make(m->obedience.token);
	proof_make_code(code);
	question_digest(m->obedience.token, code, digest);
	int got = reply_question(e, mailing, m->config, m->judgement.contact, m->what, code);

	secret_wipe(code, sizeof(code));
	return got;
}

static void add_proof(const struct matter *m, struct batch *batch)
{
	const struct judgement *j = &m->judgement;

	if (j->used && !m->spent)
		batch_use_proof(batch, j->contact->name, j->proof.kind, j->proof.value,
				j->proof.forget_ms);
}

static void add_cursor(struct matter *m, struct batch *batch)
{
	m->cursor_kept = !m->rule->more || m->question;
	if (m->cursor_kept)
		matter_add_place(m, batch);
	/* the mail that brought the code needs no more */
	if (m->question && (!m->own.in.is_text || m->rule->dispose_said))
		batch_dispose(batch, m->own.origin, m->own.ref,
			      m->rule->dispose == DISPOSE_DELETE ? MAIL_DELETE : MAIL_FLAG,
			      m->rule->dispose == DISPOSE_DELETE ? "" : "seen");
}

void matter_act(struct matter *m)
{
	struct batch *batch = batch_new();
	struct mailing *mailing = mailing_new(m->engine->queue);
	struct obedience *o = &m->obedience;
	char digest[QUESTION_DIGEST_SIZE], token[TOKEN_SIZE];
	struct failure why = {0};
	bool asks = m->judgement.verdict == VERDICT_ASKS && !m->question, good = true;

	memcpy(token, o->token, sizeof(token));
	obedience_clear(o);
	*o = (struct obedience){.engine = m->engine,
				.config = m->config,
				.rule = m->rule,
				.what = m->what,
				.command = command_of(m->what),
				.contact_name = contact_name(m),
				.contact = m->judgement.contact,
				.captures = &m->judgement.match.captures,
				.question = m->question};
	if (m->question)
		memcpy(o->token, token, sizeof(token));
	if (asks && ask(m, mailing, digest) < 0) {
		failure_set(&why, FAILURE_LATER, "its sender was asked too often, or can't be");
		good = false;
	}
	if (asks)
		o->digest = digest;
	if (!good || !obey(o, batch, mailing, &why)) {
		batch_free(batch);
		mailing_free(mailing);
		matter_refuse(m, why.text, m->judgement.vouched, false);
		return;
	}
	o->digest = NULL;
	add_proof(m, batch);
	add_cursor(m, batch);
	if (o->row.state == RUN_STARTED)
		m->prepared = running_prepare(m->engine, &o->row, m->what);
	mailing_commit(mailing, batch, acted, m);
}
