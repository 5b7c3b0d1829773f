/* rules/hand.c - a run by hand: the rights were checked, so no proof is asked; the pattern
 * is, for what it captures is all the program gets. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "config/config.h"
#include "failure.h"
#include "log.h"
#include "pattern.h"
#include "queue/mailing.h"
#include "rules/obey.h"
#include "rules/room.h"
#include "rules/running.h"
#include "text.h"

#define COMMAND_MAX 8000

struct hand {
	struct engine *engine;
	const struct config *config; /* counted */
	char *command, *by;          /* owned */
	struct captures captures;
	struct obedience obedience;
	engine_run_done_fn *done;
	void *ctx;
};

static void free_hand(struct hand *h)
{
	obedience_clear(&h->obedience);
	captures_clear(&h->captures);
	config_unref(h->config);
	free(h->command);
	free(h->by);
	free(h);
}

static void committed(void *ctx, const struct batch_result *result)
{
	struct hand *h = ctx;
	struct engine *e = h->engine;
	struct failure why = {0};

	if (result->status != BATCH_DONE) {
		failure_set(&why, FAILURE_LATER, "%s",
			    result->why ? result->why->text : "the store could not be written");
		h->done(h->ctx, 0, &why);
		free_hand(h);
		return;
	}
	h->obedience.row.id = result->run;
	if (!e->stopped) {
		log_info(&e->log, "rule %s: run %lld by hand, by %s", h->obedience.row.rule,
			 (long long)result->run, h->by);
		running_start(running_new(e, &h->obedience.row), NULL, NULL);
	}
	h->done(h->ctx, result->run, NULL);
	free_hand(h);
}

static int check(const struct rule_config *rule, const char *command, struct captures *captures,
		 struct failure *f)
{
	size_t len = strlen(command);

	if (!rule_run(rule))
		return failure_set(f, FAILURE_REFUSED, "the rule %s runs nothing", rule->name);
	if (rule->disabled)
		return failure_set(f, FAILURE_REFUSED, "the rule %s is not enabled", rule->name);
	if (len > COMMAND_MAX || !text_is_one_line(command, len) || !text_is_utf8(command, len))
		return failure_set(f, FAILURE_REFUSED,
				   "the command is one line of at most %d octets", COMMAND_MAX);
	if (rule->when.command_pattern &&
	    pattern_match(rule->when.command_pattern, command, len, captures) != PATTERN_MATCHES)
		return failure_set(f, FAILURE_REFUSED, "the command does not fit the rule: %s",
				   rule->when.command);
	return 0;
}

int engine_run(struct engine *e, const char *rule, const char *command, const char *by,
	       engine_run_done_fn *done, void *ctx, struct failure *f)
{
	const struct rule_config *config = config_rule(e->config, rule);
	struct captures captures = {.n = 0};

	if (!config)
		return failure_set(f, FAILURE_REFUSED, "there is no rule \"%s\"", rule);
	if (check(config, command, &captures, f) < 0) {
		captures_clear(&captures);
		return -1;
	}
	struct hand *h = xcalloc(1, sizeof(*h));
	struct batch *batch = batch_new();
	struct mailing *m = mailing_new(e->queue);

	*h = (struct hand){.engine = e,
			   .config = config_ref(e->config),
			   .command = xstrdup(command),
			   .by = xstrdup(by),
			   .captures = captures,
			   .done = done,
			   .ctx = ctx};
	h->obedience = (struct obedience){.engine = e,
					  .config = h->config,
					  .rule = config,
					  .command = h->command,
					  .contact_name = "",
					  .captures = &h->captures};
	if (!obey(&h->obedience, batch, m, f)) {
		f->kind = FAILURE_REFUSED;
		batch_free(batch);
		mailing_free(m);
		free_hand(h);
		return -1;
	}
	mailing_commit(m, batch, committed, h);
	return 0;
}
