/* transport/smtp_load.h - a parcel on an SMTP session: its recipients go in one
 * transaction or several. Tells the queue; decides no outcome. */
#ifndef NUNCIO_TRANSPORT_SMTP_LOAD_H
#define NUNCIO_TRANSPORT_SMTP_LOAD_H
#include <stdbool.h>
#include <stddef.h>
struct failure;
struct outcome;
struct parcel;
struct transport_env;

enum smtp_place { SMTP_WAITING, SMTP_IN_MAIL, SMTP_SETTLED };
struct smtp_load {
	const struct transport_env *env; /* the transport's */
	struct parcel *parcel;           /* the queue's */
	enum smtp_place *places;         /* owned, one for each recipient */
	size_t unsettled;
	bool read; /* its content was begun: rewind before the next time */
};
struct smtp_load *smtp_load_new(const struct transport_env *env, struct parcel *parcel);
void smtp_load_free(struct smtp_load *l); /* tells nobody */
bool smtp_load_waits(const struct smtp_load *l);
void smtp_load_settle(struct smtp_load *l, size_t recipient, const struct outcome *o);
void smtp_load_settle_waiting(struct smtp_load *l, const struct outcome *o);
/* Whatever is not settled is UNTOUCHED, tried or not; the parcel is finished and l freed. */
void smtp_load_give_back(struct smtp_load *l, const struct failure *why, bool tried);
/* The parcel is finished and l freed if all of it is settled. */
void smtp_load_finish(struct smtp_load *l);
#endif
