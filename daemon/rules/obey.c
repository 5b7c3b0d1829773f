/* rules/obey.c - decides which of a rule's actions happen at once and which with the end
 * of its run: forwards, and messages that stand before the run, at once; the rest then. */
#include "rules/obey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "alloc.h"
#include "auto.h"
#include "clock.h"
#include "config/config.h"
#include "failure.h"
#include "mailbox/mailbox.h"
#include "queue/mailing.h"
#include "rules/audience.h"
#include "rules/note.h"
#include "rules/plan.h"
#include "rules/question.h"
#include "rules/room.h"
#include "text.h"

#define COMMAND_SHOWN 2000

void token_make(char ret[TOKEN_SIZE])
{
	unsigned char bits[(TOKEN_SIZE - 1) / 2];

	if (getrandom(bits, sizeof(bits), 0) != (ssize_t)sizeof(bits))
		abort();
	for (size_t i = 0; i < sizeof(bits); i++)
		snprintf(ret + i * 2, 3, "%02x", bits[i]);
}

void obedience_clear(struct obedience *o)
{
	free(o->plan);
	o->plan = NULL;
}

/* ---- texts ---- */

static char *fill(const struct obedience *o, const char *text, struct failure *why)
{
	const char *missing = NULL;
	char *filled = text ? match_fill(text, o->captures, &missing) : NULL;

	if (text && !filled)
		failure_set(why, FAILURE_SETUP,
			    "the rule's text \"%.80s\" names something that no "
			    "pattern captures",
			    text);
	return filled;
}

/* ---- actions ---- */

static bool add_send(const struct obedience *o, const struct action_config *action, bool later,
		     struct plan *plan, struct mailing *m, struct failure *why)
{
	AUTO(free) char *subject = fill(o, action->send_subject, why);
	AUTO(free) char *text = fill(o, action->send_text ? action->send_text : "", why);
	struct audience to = {0};

	if (!text || (action->send_subject && !subject))
		return false;
	audience_add(&to, o->config, action->send_to, o->contact, action->send_by, BY_EITHER);
	if (later) {
		*plan_add_send(plan) =
			(struct plan_send){.to = to, .subject = TAKE(subject), .text = TAKE(text)};
		return true;
	}
	if (!audience_is_empty(&to))
		note_add(m, o->engine->queue, o->config,
			 &(struct note){.to = &to, .subject = subject, .text = text});
	audience_clear(&to);
	return true;
}

static void add_forward(const struct obedience *o, const struct action_config *action,
			struct mailing *m)
{
	struct audience to = {0};

	if (!o->what)
		return;
	audience_add(&to, o->config, action->forward_to, o->contact, action->forward_by, BY_EITHER);
	if (!audience_is_empty(&to))
		note_add_forward(m, o->engine->queue, o->config, &to, o->what);
	audience_clear(&to);
}

/* Which has no flags and lies in no folder. */
static bool is_text(const struct obedience *o)
{
	return o->what && o->what->in.is_text;
}

static bool add_action(const struct obedience *o, const struct action_config *action, bool later,
		       struct plan *plan, struct mailing *m, struct failure *why)
{
	switch (action->kind) {
	case ACTION_RUN: /* the runner makes its arguments */
		return true;
	case ACTION_SEND:
		return add_send(o, action, later, plan, m, why);
	case ACTION_FORWARD:
		if (!o->digest)
			add_forward(o, action, m);
		return true;
	case ACTION_MOVE:
		if (!is_text(o))
			plan_add_deed(plan, MAIL_MOVE, action->move);
		return true;
	case ACTION_FLAG:
		if (!is_text(o))
			plan_add_deed(plan, MAIL_FLAG, action->flag);
		return true;
	case ACTION_DELETE:
		plan_add_deed(plan, MAIL_DELETE, NULL);
		return true;
	}
	return true;
}

static void add_disposition(const struct rule_config *rule, struct plan *plan)
{
	switch (rule->dispose) {
	case DISPOSE_KEEP:
		return;
	case DISPOSE_SEEN:
		plan_add_deed(plan, MAIL_FLAG, "seen");
		return;
	case DISPOSE_MOVE:
		plan_add_deed(plan, MAIL_MOVE, rule->dispose_folder);
		return;
	case DISPOSE_DELETE:
		plan_add_deed(plan, MAIL_DELETE, NULL);
		return;
	}
}

/* Flags first: a mail that was moved or deleted bears none. */
static void order_deeds(struct plan *plan)
{
	size_t flags = 0;

	for (size_t i = 0; i < plan->ndeeds; i++) {
		struct plan_deed deed = plan->deeds[i];

		if (deed.deed != MAIL_FLAG)
			continue;
		memmove(&plan->deeds[flags + 1], &plan->deeds[flags], (i - flags) * sizeof(deed));
		plan->deeds[flags++] = deed;
	}
}

/* Who gave a command that runs something hears of it, unless the rule says otherwise. */
static void add_report_to(const struct obedience *o, struct plan *plan)
{
	const struct rule_config *rule = o->rule;
	enum by as_it_came = is_text(o) ? BY_SMS : BY_MAIL;
	enum by by = by_of(rule->report_by, as_it_came);

	if (rule->report_to)
		audience_add(&plan->report, o->config, rule->report_to, o->contact, rule->report_by,
			     as_it_came);
	else if (rule_run(rule) && o->contact)
		audience_add_contact(&plan->report, o->config, o->contact, by);
}

static bool make_plan(const struct obedience *o, struct plan *plan, struct mailing *m,
		      struct failure *why)
{
	bool has_run = rule_run(o->rule), ran = false;

	for (size_t i = 0; i < o->rule->nactions; i++) {
		const struct action_config *action = &o->rule->actions[i];

		ran |= action->kind == ACTION_RUN;
		if (!add_action(o, action, has_run && ran, plan, m, why))
			return false;
	}
	if (!o->what)
		return true;
	if (!is_text(o) || (o->rule->dispose_said && o->rule->dispose == DISPOSE_DELETE))
		add_disposition(o->rule, plan);
	order_deeds(plan);
	received_thread(o->what, &plan->thread);
	return true;
}

/* ---- the row ---- */

static void fill_row(struct obedience *o, enum run_state state)
{
	int64_t now_ms = clock_wall_ms();

	o->row = (struct run_row){
		.token = o->token,
		.rule = o->rule->name,
		.origin = o->what ? o->what->origin : "",
		.ref = o->what ? o->what->ref : "",
		.contact = o->contact_name,
		.identity = o->what ? o->identity : NULL,
		.command = o->command,
		.plan = o->plan,
		.state = state,
		.started_ms = now_ms,
		.ended_ms = state == RUN_DONE ? now_ms : 0,
		.expires_ms = state == RUN_ASKED ? o->what->in.received_ms + QUESTION_LIFE_MS : 0,
		.text = state == RUN_DONE ? "Done." : "",
	};
	if (state == RUN_ASKED && o->row.expires_ms < now_ms + QUESTION_LIFE_MS)
		o->row.expires_ms = now_ms + QUESTION_LIFE_MS;
}

static void put_row(struct obedience *o, struct batch *batch)
{
	struct run_change change = {.id = o->question,
				    .from = RUN_ASKED,
				    .to = o->row.state,
				    .at_ms = o->row.state == RUN_DONE ? o->row.ended_ms : 0,
				    .text = o->row.text,
				    .plan = o->plan};

	if (o->question)
		batch_change_run(batch, &change);
	else
		batch_put_run(batch, &o->row);
}

static void add_done_report(const struct obedience *o, const struct plan *plan, struct mailing *m)
{
	AUTO(free)
	char *text = xprintf("%.*s\n\nThe rule %s was followed.\n",
			     (int)text_whole(o->command, strnlen(o->command, COMMAND_SHOWN)),
			     o->command, o->rule->name);

	if (!audience_is_empty(&plan->report))
		note_add(m, o->engine->queue, o->config,
			 &(struct note){
				 .to = &plan->report, .answers = &plan->thread, .text = text});
}

bool obey(struct obedience *o, struct batch *batch, struct mailing *m, struct failure *why)
{
	struct plan plan = {.digest = o->digest ? xstrdup(o->digest) : NULL};
	enum run_state state = o->digest ? RUN_ASKED : rule_run(o->rule) ? RUN_STARTED : RUN_DONE;

	add_report_to(o, &plan);
	/* one that only asks sends nothing yet: all of it is planned again when it is confirmed */
	struct mailing *unsent = o->digest ? mailing_new(o->engine->queue) : NULL;
	bool good = make_plan(o, &plan, unsent ? unsent : m, why);

	mailing_free(unsent);
	if (good) {
		o->plan = plan_print(&plan);
		if (!*o->token)
			token_make(o->token);
		if (o->what)
			received_identity(o->what, o->rule->name, o->identity);
		fill_row(o, state);
		put_row(o, batch);
	}
	if (good && state == RUN_DONE) {
		for (size_t i = 0; i < plan.ndeeds && o->what; i++)
			batch_dispose(batch, o->what->origin, o->what->ref, plan.deeds[i].deed,
				      plan.deeds[i].target ? plan.deeds[i].target : "");
		add_done_report(o, &plan, m);
	}
	plan_clear(&plan);
	return good;
}
