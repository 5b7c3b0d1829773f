/* rules/reply.h - what is said to a contact about a command that was not (yet) obeyed. A
 * stranger, and whoever a provider does not vouch for, is told nothing. */
#ifndef NUNCIO_RULES_REPLY_H
#define NUNCIO_RULES_REPLY_H
struct config;
struct contact_config;
struct engine;
struct mailing;
struct received;

/* Why it was refused. The pace is the caller's to keep. */
void reply_refusal(struct engine *e, struct mailing *m, const struct config *config,
		   const struct contact_config *contact, const struct received *what,
		   const char *why);
/* That too many proofs were wrong. */
void reply_lockout(struct engine *e, struct mailing *m, const struct config *config,
		   const struct contact_config *contact, const char *channel);
/* A code, by the other channel. -1: there is none, and no mail address either. */
int reply_question(struct engine *e, struct mailing *m, const struct config *config,
		   const struct contact_config *contact, const struct received *what,
		   const char *code);
#endif
