/* rules/obey.h - what an authorised rule does, as operations of one batch: its row in the
 * ledger, its messages, what is to become of the mail; and, for rules that run something,
 * the plan for its end. */
#ifndef NUNCIO_RULES_OBEY_H
#define NUNCIO_RULES_OBEY_H
#include <stdbool.h>
#include "queue/store_run.h"
#include "rules/received.h"
struct batch;
struct config;
struct contact_config;
struct engine;
struct mailing;
struct rule_config;

#define TOKEN_SIZE 33

struct obedience {
	struct engine *engine;
	const struct config *config;
	const struct rule_config *rule;
	const struct received *what;          /* NULL: by hand */
	const char *command, *contact_name;   /* for the ledger; contact_name or "" */
	const struct contact_config *contact; /* the sender, or NULL */
	const struct captures *captures;
	const char *digest; /* it only asks, for this code; or NULL */
	int64_t question;   /* the run that was asked and now is confirmed; 0: none */
	/* filled in */
	struct run_row row; /* id is the store's to give */
	char token[TOKEN_SIZE], identity[IDENTITY_SIZE];
	char *plan; /* owned */
};
/* false: a text can't be filled in, why says it; nothing was added. */
bool obey(struct obedience *o, struct batch *batch, struct mailing *m, struct failure *why);
void obedience_clear(struct obedience *o);
void token_make(char ret[TOKEN_SIZE]);
#endif
