/* runner/order.c - decides whether a command line may start a rule's program, and with
 * which arguments. Nothing of what nunciod says is believed but the line itself: the
 * rule, its pattern and its argv are read from the runner's own configuration. */
#include "order.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "argument.h"
#include "config/config.h"
#include "failure.h"
#include "pattern.h"
#include "run_wire.h"
#include "text.h"

static int check_line(const char *command, struct failure *f)
{
	size_t len = strlen(command);

	if (len > RUN_COMMAND_MAX)
		return failure_set(f, FAILURE_REFUSED,
				   "the command line has %zu bytes, and at most %d are taken", len,
				   RUN_COMMAND_MAX);
	if (!text_is_utf8(command, len) || !text_is_one_line(command, len))
		return failure_set(f, FAILURE_REFUSED,
				   "the command line holds control characters or is not UTF-8");
	return 0;
}

static int match(const struct rule_config *rule, const char *command, struct captures *ret,
		 struct failure *f)
{
	if (!rule->when.command_pattern)
		return 0;
	switch (pattern_match(rule->when.command_pattern, command, strlen(command), ret)) {
	case PATTERN_MATCHES:
		return 0;
	case PATTERN_DIFFERS:
		break;
	case PATTERN_TOO_COSTLY:
		return failure_set(
			f, FAILURE_REFUSED,
			"the pattern of rule %s needs too much time for this command line",
			rule->name);
	}
	return failure_set(f, FAILURE_REFUSED, "the command line does not match rule %s",
			   rule->name);
}

static int check_captures(const struct captures *captures, const struct action_config *action,
			  struct failure *f)
{
	for (size_t i = 0; i < captures->n; i++) {
		const struct capture *c = &captures->at[i];

		if (c->len != strlen(c->value))
			return failure_set(f, FAILURE_REFUSED, "{%s} holds a NUL", c->name);
		if (c->value[0] == '-' && !action->leading_dash)
			return failure_set(f, FAILURE_REFUSED,
					   "{%s} begins with '-': a program would take it for an "
					   "option (leading_dash = true allows it)",
					   c->name);
	}
	return 0;
}

struct filling {
	const struct order_ask *ask;
	const struct captures *captures;
	struct failure *f;
};

static int fill_all(const struct filling *filling, struct order *order)
{
	char **run = order->action->run;
	size_t n = 0;

	while (run[n])
		n++;
	order->argv = xcalloc(n + 1, sizeof(*order->argv));
	for (size_t i = 0; i < n; i++) {
		order->argv[i] = argument_fill(run[i], filling->captures, filling->ask->attachments,
					       filling->f);
		if (!order->argv[i])
			return -1;
	}
	if (!n || order->argv[0][0] != '/' || strcmp(order->argv[0], run[0]) != 0)
		return failure_set(filling->f, FAILURE_REFUSED,
				   "the program must be an absolute path without captures");
	return 0;
}

int order_make(const struct config *config, const struct order_ask *ask, struct order *ret,
	       struct failure *f)
{
	const struct rule_config *rule = config_rule(config, ask->rule);
	struct captures captures = {0};
	struct order order = {0};
	struct filling filling = {ask, &captures, f};

	if (!rule)
		return failure_set(f, FAILURE_SETUP, "no rule is called '%.60s'", ask->rule);
	order.action = rule_run(rule);
	if (rule->disabled || !order.action)
		return failure_set(f, FAILURE_REFUSED,
				   rule->disabled ? "rule %s is turned off"
						  : "rule %s runs nothing",
				   rule->name);
	if (check_line(ask->command, f) < 0)
		return -1;
	int done = match(rule, ask->command, &captures, f);
	if (done == 0)
		done = check_captures(&captures, order.action, f);
	if (done == 0)
		done = fill_all(&filling, &order);
	captures_clear(&captures);
	if (done == 0)
		*ret = order;
	else
		order_clear(&order);
	return done;
}

void order_clear(struct order *order)
{
	for (size_t i = 0; order->argv && order->argv[i]; i++)
		free(order->argv[i]);
	free(order->argv);
	*order = (struct order){0};
}
