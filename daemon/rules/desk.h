/* rules/desk.h - where the mails of one mailbox are laid, one at a time: the mailbox,
 * and how far it was read as far as the store knows. */
#ifndef NUNCIO_RULES_DESK_H
#define NUNCIO_RULES_DESK_H
#include <stdbool.h>
#include "mailbox/mailbox.h"
struct batch;
struct config;
struct desk;
struct desk_result;
struct engine;

struct desks *desks_new(struct engine *e);
/* Closes those that the configuration has no more, or changed; then, when all that was
 * under way is on disk, opens what is new. */
void desks_configure(struct desks *d, const struct config *config);
void desks_stop(struct desks *d); /* closes all; cursors not yet on disk are given to the store */
void desks_free(struct desks *d);
void desks_each(struct desks *d, void (*each)(void *ctx, const struct mailbox_status *s),
		void *ctx);

/* NULL: there is none of that name, or it is not open. The pointer dies with a reload. */
struct desk *desk_find(struct desks *d, const char *name);
struct mailbox *desk_mailbox(struct desk *d);
const struct mailbox_config *desk_config(const struct desk *d);
bool desk_is_up(const struct desk *d);

/* The mail at hand needs nothing more and its cursor is on disk (put by batch_cursor()),
 * or will be soon, when lazily is set: on to the next. serial: of the desk it came by,
 * which may be gone. */
void desk_done(struct desks *d, uint64_t serial, const char *cursor, bool lazily);
#endif
