/* rules/judge.h - may this rule act on what came? All that DESIGN 8 asks, but what only
 * the ledger knows (used before, locked out). Pure, but that keys are read. */
#ifndef NUNCIO_RULES_JUDGE_H
#define NUNCIO_RULES_JUDGE_H
#include "rules/authres.h"
#include "rules/match.h"
#include "rules/proof.h"
struct mailbox_config;

enum verdict {
	VERDICT_PASSES, /* the rule is not meant */
	VERDICT_ACTS,
	VERDICT_ASKS,    /* but for its confirmation */
	VERDICT_REFUSES, /* it is meant, and may not: why says it */
};
struct judgement {
	enum verdict verdict;
	const struct contact_config *contact; /* the sender; NULL: a stranger */
	bool vouched;  /* the contact's provider says that it is them: they may be told why */
	bool is_keyed; /* a proof was asked that can be wrong, and the way to it is free: a lock-out
			* counts */
	bool wrong;    /* and it is: a strike */
	bool used;     /* proof is filled */
	struct proof_used proof;
	enum proof_verdict proof_verdict; /* when is_keyed */
	enum authres_verdict word;        /* of the provider, when asked */
	struct failure word_why, proof_why;
	bool word_asked;
	struct match match;
	char why[240];
};

/* Does it obey, rather than sort: is a sender to be proven? */
bool rule_obeys(const struct rule_config *rule);
/* Does it put mail in order and nothing else: forward, move, flag, delete? Its sender is
 * answered nothing, so it is for automatic mail, too. */
bool rule_sorts(const struct rule_config *rule);
/* Why the rule is not for this mail, a sentence; or NULL. own_marker: as parse.h's. */
const char *rule_ignores(const struct rule_config *rule, const struct parsed *mail,
			 const char *own_marker);
/* What authserv and received_by of a mailbox say; NULL of a text message's way. */
struct provider provider_of(const struct mailbox_config *mailbox);
bool sender_is_vouched(const struct incoming *in, const struct mailbox_config *mailbox,
		       enum authres_verdict *ret_word, struct failure *why);

/* now_ms: by which a command is old. mailbox NULL: a text message. */
void judge(const struct config *config, const struct rule_config *rule,
	   const struct mailbox_config *mailbox, const struct incoming *in,
	   const struct command_line *command, int64_t now_ms, struct judgement *ret);
void judgement_clear(struct judgement *j);
#endif
