/* rules/lockout.h - who gave too many wrong proofs, and who was told enough for now. */
#ifndef NUNCIO_RULES_LOCKOUT_H
#define NUNCIO_RULES_LOCKOUT_H
#include <stdbool.h>
#include <stdint.h>
struct engine;
struct failure;
struct lockouts;

#define LOCKOUT_STRIKES 5
#define LOCKOUT_WINDOW_MS (15 * 60 * 1000LL)

struct lockouts *lockouts_new(struct engine *e);
void lockouts_free(struct lockouts *l);

/* How many strikes contact has by channel ("mail", "sms"): from LOCKOUT_STRIKES on, no
 * proof counts. Once, maybe before this returns: who never failed costs no read. */
typedef void strikes_known_fn(void *ctx, unsigned strikes, const struct failure *why);
void lockouts_ask(struct lockouts *l, const char *contact, const char *channel,
		  strikes_known_fn *known, void *ctx);
/* One more is on its way to the store. */
void lockouts_strike(struct lockouts *l, const char *contact, const char *channel);
/* Is the contact to be told that it is locked out? Once a window. */
bool lockouts_tell(struct lockouts *l, const char *contact, const char *channel);

enum pace { PACE_REFUSALS, PACE_REPORTS };
/* May the contact be sent one more of these? Counts it. */
bool lockouts_may_send(struct lockouts *l, const char *contact, enum pace pace);
#endif
