/* rules/received.h - a mail or a text that came, kept for as long as it is dealt with: its octets,
 * what they say, and its name in the ledger. */
#ifndef NUNCIO_RULES_RECEIVED_H
#define NUNCIO_RULES_RECEIVED_H
#include "rules/match.h"
struct config;
struct mail;
struct mail_attachment;
struct mailbox_config;
struct thread;

#define IDENTITY_SIZE 65

struct received {
	char *ref, *bytes, *origin; /* owned */
	size_t len;
	struct parsed *mail;                 /* owned; NULL: a text */
	char *from, *body;                   /* owned; of a text */
	struct mail_attachment *attachments; /* owned, with what they point to, of nattachments: a
					      * text's */
	size_t nattachments;
	struct incoming in;
	struct command_line command;
};
void received_init(struct received *r, const char *mailbox, const struct mail *mail);
void received_clear(struct received *r);                /* fine twice */
const char *received_channel(const struct received *r); /* "mail" "sms" */
/* Whose word is taken for who sent it; NULL: nobody's, it is a text. */
const struct mailbox_config *received_voucher(const struct received *r,
					      const struct config *config);
/* What an answer to it refers to, without the proof. */
void received_thread(const struct received *r, struct thread *ret);
/* Who is told apart by this: raw octets, when they came, and the rule that obeys them. */
void received_identity(const struct received *r, const char *rule, char ret[IDENTITY_SIZE]);
#endif
