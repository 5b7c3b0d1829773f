/* rules/judge.c - decides, in this order: is the rule meant; is the sender one who may;
 * does the provider vouch; is it whole, new and not old; does the proof hold. */
#include "rules/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "auto.h"
#include "config/config.h"
#include "config/mailbox_config.h"
#include "config/secret_ref.h"
#include "duration.h"
#include "message/parse.h"
#include "secret.h"

bool rule_obeys(const struct rule_config *rule)
{
	return rule_run(rule) ||
	       (rule->when.proof != PROOF_UNSAID && rule->when.proof != PROOF_NONE);
}

static bool answers_sender(const struct rule_config *rule)
{
	for (char **to = rule->report_to; to && *to; to++)
		if (strcmp(*to, "sender") == 0)
			return true;
	return false;
}

bool rule_sorts(const struct rule_config *rule)
{
	for (size_t i = 0; i < rule->nactions; i++)
		if (rule->actions[i].kind == ACTION_RUN || rule->actions[i].kind == ACTION_SEND)
			return false;
	return !rule_obeys(rule) && !answers_sender(rule);
}

const char *rule_ignores(const struct rule_config *rule, const struct parsed *mail,
			 const char *own_marker)
{
	return rule_sorts(rule) ? parsed_is_notice(mail, own_marker)
				: parsed_is_automatic(mail, own_marker);
}

struct provider provider_of(const struct mailbox_config *mailbox)
{
	return (struct provider){
		.authserv = mailbox->authserv ? mailbox->authserv : "",
		.received_by = (const char *const *)mailbox->received_by,
	};
}

bool sender_is_vouched(const struct incoming *in, const struct mailbox_config *mailbox,
		       enum authres_verdict *ret_word, struct failure *why)
{
	struct provider provider;

	*ret_word = AUTHRES_SILENT;
	if (!mailbox)
		return true;
	if (!mailbox->authserv) {
		failure_set(why, FAILURE_SETUP, "mailbox %s names no `authserv`", mailbox->name);
		return false;
	}
	provider = provider_of(mailbox);
	*ret_word = authres_judge(in->mail, &provider, why);
	return *ret_word == AUTHRES_VOUCHED;
}

static void refuse(struct judgement *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void refuse(struct judgement *j, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(j->why, sizeof(j->why), fmt, args);
	va_end(args);
	j->verdict = VERDICT_REFUSES;
}

/* Is `from` all that does not hold? Then it was meant, by somebody who may not. */
static bool only_from_differs(const struct match *match)
{
	bool differs = false;

	for (size_t i = 0; i < match->nsteps; i++) {
		if (match->steps[i].verdict == MATCH_YES)
			continue;
		if (strcmp(match->steps[i].condition, "from") != 0)
			return false;
		differs = true;
	}
	return differs;
}

/* true: go on. */
static bool check_meant(const struct rule_config *rule, struct judgement *j)
{
	if (j->match.matches)
		return true;
	if (rule_obeys(rule) && rule->when.command && only_from_differs(&j->match))
		refuse(j, j->contact ? "%s may not use this rule" : "the sender is no contact",
		       j->contact ? j->contact->name : "");
	return false;
}

static bool check_sender(const struct rule_config *rule, const struct mailbox_config *mailbox,
			 const struct incoming *in, struct judgement *j)
{
	if (in->mail && in->mail->flaws & (FLAW_TWO_FROM | FLAW_FROM_LIST)) {
		refuse(j, "a field that may stand once stands twice, or From is not one address");
		return false;
	}
	if (in->mail && in->mail->flaws & FLAW_DOUBTFUL) {
		refuse(j, "its header is broken: others may read other fields in it");
		return false;
	}
	if (!j->contact) {
		refuse(j, "the sender is no contact");
		return false;
	}
	j->word_asked = true;
	j->vouched = sender_is_vouched(in, mailbox, &j->word, &j->word_why);
	if (!j->vouched)
		refuse(j, "the provider does not vouch for the sender: %s", j->word_why.text);
	return j->vouched;
}

static bool check_state(const struct rule_config *rule, const struct incoming *in, int64_t now_ms,
			struct judgement *j)
{
	int64_t age_ms = now_ms - in->received_ms;
	char age[40], limit[40];

	if (in->cut)
		refuse(j, in->is_text ? "not all that came with the text could be taken"
				      : "the mail is too large to be read whole");
	else if (in->stale)
		refuse(j, "the mailbox was made anew, and this mail may have been here before");
	else if (in->mail && in->mail->flaws & (FLAW_LARGE | FLAW_DEEP | FLAW_PARTS))
		refuse(j, "the mail is too large or too deep to be read whole");
	else if (rule->when.max_age_ms && age_ms > rule->when.max_age_ms)
		refuse(j, "the command is %s old, and not obeyed after %s",
		       duration_print(age, sizeof(age), age_ms),
		       duration_print(limit, sizeof(limit), rule->when.max_age_ms));
	else
		return true;
	return false;
}

/* ---- the proof ---- */

static const struct secret_ref *key_of(const struct contact_config *contact, enum proof_kind kind)
{
	switch (kind) {
	case PROOF_SECRET:
		return &contact->secret;
	case PROOF_TOTP:
		return &contact->totp;
	case PROOF_HMAC:
		return &contact->hmac;
	case PROOF_UNSAID:
	case PROOF_NONE:
	case PROOF_CONFIRM:
		break;
	}
	return NULL;
}

static void judge_proof(const struct rule_config *rule, const struct incoming *in,
			const struct command_line *command, struct judgement *j)
{
	const struct secret_ref *ref = key_of(j->contact, rule->when.proof);
	AUTO(secret_free) struct secret *key = NULL;

	if (secret_ref_get(ref, &key, &j->proof_why) < 0) {
		j->proof_verdict = PROOF_BROKEN;
		return;
	}
	struct proof_request request = {
		.kind = rule->when.proof,
		.key = key,
		.value = command->proof,
		.contact = j->contact->name,
		.rule = rule->name,
		.command = command->text ? command->text : "",
		.text = in->mail ? in->mail->text : in->body,
		.date_ms = in->mail && in->mail->has_date ? in->mail->date_ms : 0,
		.received_ms = in->received_ms,
	};
	j->proof_verdict = proof_judge(&request, &j->proof, &j->proof_why);
}

static void weigh_proof(struct judgement *j, bool is_text)
{
	switch (j->proof_verdict) {
	case PROOF_HOLDS:
		j->used = true;
		j->verdict = VERDICT_ACTS;
		return;
	case PROOF_WRONG:
		j->wrong = true;
		refuse(j, "the proof is wrong");
		return;
	case PROOF_MISSING:
		refuse(j, is_text ? "there is no proof: #VALUE as the last word is wanted"
				  : "there is no proof: one line `key: VALUE` is wanted");
		return;
	case PROOF_STALE:
		refuse(j, "the proof is of another time");
		return;
	case PROOF_BROKEN:
		refuse(j, "the proof can't be checked: %s", j->proof_why.text);
		return;
	}
}

static void check_proof(const struct rule_config *rule, const struct incoming *in,
			const struct command_line *command, struct judgement *j)
{
	switch (rule->when.proof) {
	case PROOF_UNSAID:
	case PROOF_NONE:
		j->verdict = VERDICT_ACTS;
		return;
	case PROOF_CONFIRM:
		j->is_keyed = true;
		j->verdict = VERDICT_ASKS;
		return;
	case PROOF_SECRET:
	case PROOF_TOTP:
	case PROOF_HMAC:
		break;
	}
	j->is_keyed = true;
	judge_proof(rule, in, command, j);
	if (j->proof_verdict == PROOF_MISSING && command->ambiguous)
		refuse(j, "there is more than one line `key: VALUE`");
	else
		weigh_proof(j, in->is_text);
}

static bool forwards(const struct rule_config *rule)
{
	for (size_t i = 0; i < rule->nactions; i++)
		if (rule->actions[i].kind == ACTION_FORWARD)
			return true;
	return false;
}

/* What was seen before is not sorted a second time. What is not here whole can't go on
 * whole, and what the rule does besides, delete it perhaps, would lose the rest. */
static void check_sorted(const struct rule_config *rule, const struct incoming *in,
			 struct judgement *j)
{
	j->verdict = in->stale ? VERDICT_PASSES : VERDICT_ACTS;
	if (j->verdict == VERDICT_ACTS && in->cut && !in->is_text && forwards(rule))
		refuse(j, "the mail is larger than the mailbox's `max_mail`, and can't be "
			  "forwarded whole");
}

void judge(const struct config *config, const struct rule_config *rule,
	   const struct mailbox_config *mailbox, const struct incoming *in,
	   const struct command_line *command, int64_t now_ms, struct judgement *ret)
{
	bool obeys = rule_obeys(rule);

	*ret = (struct judgement){.verdict = VERDICT_PASSES};
	ret->contact = match_sender(config, in);
	match_rule(config, rule, in, command, obeys, &ret->match);
	if (!check_meant(rule, ret))
		return;
	if (!obeys) {
		check_sorted(rule, in, ret);
		return;
	}
	if (check_sender(rule, mailbox, in, ret) && check_state(rule, in, now_ms, ret))
		check_proof(rule, in, command, ret);
}

void judgement_clear(struct judgement *j)
{
	match_clear(&j->match);
	secret_wipe(&j->proof, sizeof(j->proof));
}
