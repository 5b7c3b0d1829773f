/* secrets.h - secrets that a command says: asks the runner for each, by the name of its setting,
 * at start, at a reload, and again when somebody was refused with it. Nobody waits here:
 * who needs one gets FAILURE_LATER until it came (config/secret_ref.h). */
#ifndef NUNCIO_SECRETS_H
#define NUNCIO_SECRETS_H
#include "base/loop.h"
struct config;
struct secrets;

struct secrets *secrets_new(struct loop *loop); /* never NULL */
/* Asks for all of config, and anew for those of earlier ones that are still in use. told, once,
 * when all were answered, or could not be for a while: from inside the call when nothing is
 * asked, else later, and not when it is configured again before. */
void secrets_configure(struct secrets *s, const struct config *config, task_fn *told, void *ctx);
void secrets_free(struct secrets *s); /* NULL is fine */
#endif
