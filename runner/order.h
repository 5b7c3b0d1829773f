/* runner/order.h - what would be run: a rule of the runner's own configuration, held
 * against a command line, made into an argv. Pure. */
#ifndef NUNCIO_RUNNER_ORDER_H
#define NUNCIO_RUNNER_ORDER_H
#include <stddef.h>
struct action_config;
struct config;
struct failure;

struct order_ask {
	const char *rule, *command; /* from outside, both */
	const char *attachments;    /* the directory that {attachments} stands for */
};
struct order {
	const struct action_config *action; /* of config */
	char **argv;                        /* owned, NULL-ended; [0] is an absolute path */
};
/* -1 and FAILURE_SETUP: no rule is called that; FAILURE_REFUSED: it is off, runs nothing,
 * does not match the command line, or may not be filled with what matched. */
int order_make(const struct config *config, const struct order_ask *ask, struct order *ret,
	       struct failure *f);
void order_clear(struct order *order);
#endif
