/* transport/smtp_session.h - one SMTP connection: greets, secures, logs in, then
 * carries parcels one after the other, settling each recipient with the queue.
 * Does not reconnect and does not say when the transport is down (smtp.c). */
#ifndef NUNCIO_TRANSPORT_SMTP_SESSION_H
#define NUNCIO_TRANSPORT_SMTP_SESSION_H
#include <stdbool.h>
struct failure;
struct parcel;
struct smtp_config;
struct smtp_session;
struct tls;
struct transport_env;

struct smtp_session_events {
	/* Once: it is logged in. */
	void (*ready)(void *ctx, struct smtp_session *s);
	/* It can carry a parcel: the next one, or NULL. */
	struct parcel *(*next)(void *ctx);
	/* Once, last, from a fresh turn of the loop: smtp_session_free() is safe in here.
	 * Its parcels are settled. why NULL: it ended in good order. */
	void (*ended)(void *ctx, struct smtp_session *s, const struct failure *why);
};
struct smtp_session_options {
	const struct transport_env *env;
	const struct smtp_config *config;
	struct tls *tls;  /* NULL: the configuration wants none */
	const char *name; /* for logs */
	unsigned number;
	struct parcel *first; /* to be carried as soon as it is ready; NULL: it asks next() */
};
/* All in options but name must outlive it. Never NULL: trouble comes through ended(). */
struct smtp_session *smtp_session_new(const struct smtp_session_options *options,
				      const struct smtp_session_events *events, void *ctx);
void smtp_session_free(struct smtp_session *s); /* at once, nothing is told; NULL is fine */

enum smtp_phase { SMTP_CONNECTING, SMTP_IDLE, SMTP_BUSY, SMTP_LEAVING };
enum smtp_phase smtp_session_phase(const struct smtp_session *s);
/* There may be parcels: asks next() where it can carry one. Did it take one? */
bool smtp_session_poke(struct smtp_session *s);
void smtp_session_leave(struct smtp_session *s); /* after what it carries */
#endif
