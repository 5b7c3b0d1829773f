/* rules/trial.c - what would become of a mail, step by step, for people who write rules. */
#include <stdlib.h>
#include <string.h>

#include "argument.h"
#include "auto.h"
#include "clock.h"
#include "config/config.h"
#include "failure.h"
#include "mailbox/mailbox.h"
#include "pattern.h"
#include "rules/judge.h"
#include "rules/received.h"
#include "rules/room.h"

static json_t *text_or_null(const char *text)
{
	json_t *json = text ? json_string(text) : NULL;

	return json ? json : json_null();
}

static const char *verdict_word(const struct judgement *j, const char *automatic)
{
	if (automatic)
		return "ignored";
	switch (j->verdict) {
	case VERDICT_PASSES:
		break;
	case VERDICT_ACTS:
		return "acts";
	case VERDICT_ASKS:
		return "asks";
	case VERDICT_REFUSES:
		return "refuses";
	}
	return "differs";
}

static const char *proof_word(enum proof_verdict verdict)
{
	switch (verdict) {
	case PROOF_HOLDS:
		return "holds";
	case PROOF_WRONG:
		return "wrong";
	case PROOF_MISSING:
		return "missing";
	case PROOF_STALE:
		return "stale";
	case PROOF_BROKEN:
		break;
	}
	return "broken";
}

static json_t *steps_of(const struct match *match)
{
	json_t *steps = json_array();

	for (size_t i = 0; i < match->nsteps; i++) {
		const struct match_step *s = &match->steps[i];
		const char *verdict = s->verdict == MATCH_YES  ? "yes"
				      : s->verdict == MATCH_NO ? "no"
							       : "too costly";

		json_array_append_new(steps,
				      json_pack("{s:s, s:s, s:o}", "condition", s->condition,
						"verdict", verdict, "text", text_or_null(s->text)));
	}
	return steps;
}

/* What would run, made as the runner makes it: of the command line alone. */
static json_t *argv_of(const struct rule_config *rule, const char *command)
{
	const struct action_config *run = rule_run(rule);
	struct captures captures = {.n = 0};
	json_t *argv = json_array();

	if (run && rule->when.command_pattern)
		pattern_match(rule->when.command_pattern, command, strlen(command), &captures);
	for (char **argument = run ? run->run : NULL; argument && *argument; argument++) {
		struct failure f;
		AUTO(free) char *filled = argument_fill(*argument, &captures, "{attachments}", &f);

		json_array_append_new(argv, text_or_null(filled ? filled : *argument));
	}
	captures_clear(&captures);
	return argv;
}

static json_t *describe(const struct rule_config *rule, const struct received *r,
			const struct judgement *j, const char *automatic)
{
	bool meant = j->match.matches;
	json_t *out = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "rule", rule->name, "verdict",
				verdict_word(j, automatic), "why",
				text_or_null(automatic ? automatic
					     : *j->why ? j->why
						       : NULL),
				"command", text_or_null(r->command.text), "contact",
				text_or_null(j->contact ? j->contact->name : NULL), "steps",
				steps_of(&j->match));

	json_object_set_new(out, "provider",
			    !j->word_asked
				    ? json_null()
				    : json_string(j->vouched ? "vouches" : "does not vouch"));
	json_object_set_new(out, "provider_why",
			    j->word_asked ? text_or_null(j->word_why.text) : json_null());
	json_object_set_new(out, "proof",
			    j->is_keyed && j->verdict != VERDICT_ASKS
				    ? json_string(proof_word(j->proof_verdict))
				    : json_null());
	json_object_set_new(out, "proof_why",
			    j->is_keyed && *j->proof_why.text ? text_or_null(j->proof_why.text)
							      : json_null());
	json_object_set_new(out, "argv", meant ? argv_of(rule, r->command.text) : json_array());
	return out;
}

int engine_try(struct engine *e, const char *rule, const char *mailbox, const char *bytes,
	       size_t len, int64_t received_ms, json_t **ret, struct failure *f)
{
	const struct rule_config *config = config_rule(e->config, rule);
	const char *name = mailbox;

	if (!config)
		return failure_set(f, FAILURE_REFUSED, "there is no rule \"%s\"", rule);
	if (!name)
		name = config->on_mail ? config->on_mail[0] : "";
	const struct mailbox_config *box = config_mailbox(e->config, name);
	if (!box)
		return failure_set(f, FAILURE_REFUSED, "there is no mailbox \"%s\"", name);
	struct mail mail = {.ref = "",
			    .cursor = "",
			    .received_ms = received_ms ? received_ms : clock_wall_ms(),
			    .size = len,
			    .bytes = bytes,
			    .len = len};
	struct received r;
	struct judgement j;

	received_init(&r, name, &mail);
	judge(e->config, config, box, &r.in, &r.command, clock_wall_ms(), &j);
	*ret = describe(config, &r, &j, rule_ignores(config, r.mail, store_instance(e->store)));
	judgement_clear(&j);
	received_clear(&r);
	return 0;
}
