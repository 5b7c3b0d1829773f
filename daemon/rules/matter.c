/* rules/matter.c - decides which rule is meant: the first that fits, and those behind it
 * for as long as they say `continue`. */
#include "rules/matter.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "config/config.h"
#include "failure.h"
#include "log.h"
#include "mailbox/mailbox.h"
#include "message/parse.h"
#include "rules/desk.h"
#include "rules/matter_room.h"
#include "rules/question.h"
#include "rules/runner.h"

void matter_forget_judgement(struct matter *m)
{
	if (m->judged)
		judgement_clear(&m->judgement);
	m->judged = false;
}

static void free_matter(struct matter *m)
{
	*m->link = m->next;
	if (m->next)
		m->next->link = m->link;
	matter_forget_judgement(m);
	obedience_clear(&m->obedience);
	if (!m->engine->stopped)
		runner_drop(m->prepared);
	task_clear(&m->turn);
	deadline_clear(&m->again);
	received_clear(&m->own);
	received_clear(&m->original);
	config_unref(m->config);
	free(m->cursor);
	free(m);
}

void matters_stop(struct engine *e)
{
	for (struct matter *m = e->matters; m; m = m->next) {
		task_clear(&m->turn);
		deadline_unset(&m->again);
	}
}

void matters_free(struct engine *e)
{
	while (e->matters)
		free_matter(e->matters);
}

void matter_end(struct matter *m)
{
	if (matter_is_to_be_kept(m))
		return;
	if (!m->engine->stopped)
		desk_done(m->engine->desks, m->serial, m->cursor, !m->cursor_kept);
	free_matter(m);
}

/* ---- again, later ---- */

static void try_again(void *ctx)
{
	struct matter *m = ctx;

	m->deed(m);
}

void matter_again(struct matter *m, void (*deed)(struct matter *m), const struct failure *why)
{
	log_error(&m->engine->log, "mailbox %s: a mail waits: %s", m->own.origin,
		  why ? why->text : "the store could not be written");
	m->deed = deed;
	deadline_set(&m->again, ENGINE_AGAIN_MS);
}

/* ---- the walk ---- */

static bool is_on(const struct rule_config *rule, const struct received *r)
{
	char **name = r->in.is_text ? rule->on_sms : rule->on_mail;

	for (; name && *name && !rule->disabled; name++)
		if (strcmp(*name, r->origin) == 0)
			return true;
	return false;
}

static void warn_of_cost(const struct matter *m, const struct rule_config *rule)
{
	const struct match *match = &m->judgement.match;

	for (size_t i = 0; i < match->nsteps; i++)
		if (match->steps[i].verdict == MATCH_TOO_COSTLY)
			log_warn(&m->engine->log,
				 "rule %s: its pattern for %s takes too long for a mail of %s: "
				 "that counts as no match",
				 rule->name, match->steps[i].condition, m->own.origin);
}

/* Is this rule meant? Then m->rule and m->judgement say how. */
static bool look_at(struct matter *m, const struct rule_config *rule)
{
	struct judgement *j = &m->judgement;

	judge(m->config, rule, received_voucher(&m->own, m->config), &m->own.in, &m->own.command,
	      clock_wall_ms(), j);
	m->judged = true;
	warn_of_cost(m, rule);
	if (j->verdict != VERDICT_PASSES && j->match.matches) {
		m->rule = rule;
		return true;
	}
	if (j->verdict == VERDICT_REFUSES && !m->passed) {
		m->passed = rule;
		memcpy(m->passed_why, j->why, sizeof(m->passed_why));
	}
	matter_forget_judgement(m);
	return false;
}

/* No rule is left. */
static void run_out(struct matter *m)
{
	if (m->automatic && !m->sorted)
		log_info(&m->engine->log, "mailbox %s: a mail is passed over: %s", m->own.origin,
			 m->automatic);
	if (m->code_wrong) {
		matter_refuse_code(m);
	} else if (m->passed) {
		m->rule = m->passed;
		m->passed = NULL;
		matter_refuse(m, m->passed_why, false, false);
	} else {
		matter_end(m);
	}
}

/* A code that answers no question is a guess, whatever stands beside it, unless it is the
 * proof that the rule itself wants, or a guess at that one. */
static bool is_guess(const struct matter *m)
{
	return m->code_wrong && !m->judgement.used && !m->judgement.wrong;
}

void matter_walk(struct matter *m)
{
	for (; m->at < m->config->nrules; m->at++) {
		const struct rule_config *rule = &m->config->rules[m->at];

		if (m->automatic && !rule_sorts(rule))
			continue;
		if (is_on(rule, &m->own) && look_at(m, rule)) {
			m->sorted = true;
			if (is_guess(m))
				matter_refuse_code(m);
			else
				matter_weigh(m);
			return;
		}
	}
	run_out(m);
}

void matter_go_on(struct matter *m)
{
	bool more = m->rule->more && !m->question;

	matter_forget_judgement(m);
	obedience_clear(&m->obedience);
	m->passed = NULL;
	m->code_wrong = false;
	m->counted = false;
	m->at++;
	if (more)
		matter_walk(m);
	else
		matter_end(m);
}

/* ---- the beginning ---- */

static void begin(void *ctx)
{
	struct matter *m = ctx;
	struct engine *e = m->engine;
	const char *marker = store_instance(e->store);

	if (!m->mailbox) {
		matter_end(m);
		return;
	}
	if (m->own.in.is_text) {
		matter_begin_text(m);
		return;
	}
	m->automatic = parsed_is_automatic(m->own.mail, marker);
	if (parsed_is_notice(m->own.mail, marker))
		run_out(m);
	else if (m->automatic || !matter_answers(m))
		matter_walk(m);
}

void matter_begin(struct engine *e, const char *mailbox, uint64_t serial, const struct mail *mail)
{
	struct matter *m = xcalloc(1, sizeof(*m));

	m->engine = e;
	m->config = config_ref(e->config);
	m->mailbox = config_mailbox(m->config, mailbox);
	m->serial = serial;
	m->cursor = xstrdup(mail->cursor);
	received_init(&m->own, mailbox, mail);
	m->what = &m->own;
	m->next = e->matters;
	m->link = &e->matters;
	if (m->next)
		m->next->link = &m->next;
	e->matters = m;
	task_init(&m->turn, e->loop, begin, m);
	deadline_init(&m->again, e->loop, try_again, m);
	/* the mailbox is not to be asked for the next one from within its own call */
	task_start(&m->turn);
}
