/* rules/matter.h - a mail that came, until it needs nothing more: walks the rules, and has
 * the ledger know what comes of it before anything does. */
#ifndef NUNCIO_RULES_MATTER_H
#define NUNCIO_RULES_MATTER_H
#include <stdint.h>
struct engine;
struct mail;
struct matter;

/* serial: of the desk (desk.h), which is told when it is over. mail is copied. */
void matter_begin(struct engine *e, const char *mailbox, uint64_t serial, const struct mail *mail);
/* That mailbox was closed: what is fetched from it comes no more, and is asked for anew. */
void matters_closed(struct engine *e, const char *mailbox);
void matters_stop(struct engine *e); /* what waits for no answer begins no more */
void matters_free(struct engine *e);
#endif
