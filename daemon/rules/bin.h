/* rules/bin.h - what is yet to be done with mails: intents of the ledger, carried out
 * when their mailbox is up, as often as it takes, also after a restart. */
#ifndef NUNCIO_RULES_BIN_H
#define NUNCIO_RULES_BIN_H
struct bin;
struct desk_result;
struct engine;

struct bin *bin_new(struct engine *e);
void bin_stop(struct bin *b);
void bin_free(struct bin *b);
void bin_look(struct bin *b); /* the ledger has new ones: asks for them */
void bin_take(struct bin *b, const struct desk_result *kept); /* the answer to that */
void bin_retry(struct bin *b, const char *mailbox);           /* it is up again */
void bin_closed(struct bin *b, const char *mailbox); /* what it had in hand comes to no end */
#endif
