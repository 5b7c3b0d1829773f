/* transport/twilio_room.h - what twilio.c, twilio_send.c and twilio_ask.c share. */
#ifndef NUNCIO_TRANSPORT_TWILIO_ROOM_H
#define NUNCIO_TRANSPORT_TWILIO_ROOM_H
#include "base/deadline.h"
#include "base/loop.h"
#include "failure.h"
#include "net/http.h"
#include "transport/transport.h"
#include "net/twilio_wire.h"
struct asking;
struct sending;
struct twilio_config;

struct transport {
	struct transport_env env;
	const struct twilio_config *config; /* from config */
	unsigned concurrency;
	struct http *http;        /* owned */
	struct secret *password;  /* owned; NULL: not read yet */
	struct sending *sendings; /* owned, by .next */
	unsigned nsendings;
	struct asking *askings;  /* owned, by .next */
	struct http_call *probe; /* under way, or NULL */
	bool woken, probing;
	bool falling; /* it goes down once what is under way has been answered */
	struct failure why;
	unsigned busy;              /* answers "too many requests" in a row */
	struct deadline busy_until; /* set: nothing is sent before */
	int64_t skew_ms;            /* the server's clock against clock_boot_ms() */
	bool knows_skew;
	void (*idle)(void *ctx); /* set: it retires */
	void *idle_ctx;
	struct task turn;
};

/* Anew each time it is woken, or asked: it may have been changed. */
int twilio_read_secret(struct transport *t, struct failure *f);
/* A request with login, timeout and CA; url, body and the rest are the caller's. */
struct http_request twilio_request(const struct transport *t);
char *twilio_url(const struct transport *t, const char *rest); /* below the account; owned */
void twilio_note_clock(struct transport *t, const struct http_reply *reply);
/* Texts not yet on their way are the queue's again, untouched; when the others have been
 * answered the queue is told. */
void twilio_go_down(struct transport *t, const struct failure *why);
void twilio_fall(struct transport *t); /* twilio_send.c: another one was answered */

/* twilio_send.c */
void sending_start(struct transport *t, struct parcel *parcel);
void sendings_drop(struct transport *t);                                 /* at close */
void sendings_give_back(struct transport *t, const struct failure *why); /* not asked for yet */
void sendings_go_on(struct transport *t);                                /* no longer busy */
/* Is a text under way to that number? */
bool sendings_have(const struct transport *t, const char *number);
/* twilio_ask.c */
void twilio_ask(struct transport *t, const struct inquiry *inquiries, size_t n,
		reported_fn *reported, void *ctx);
void askings_drop(struct transport *t);
/* The text as it is sent to number, also to find it again; "" where only media go. ret_cut: or
 * NULL. */
int twilio_text(const struct transport *t, const char *number, const struct letter *letter,
		const char *content, size_t len, bool *ret_cut, char **ret, struct failure *f);
#endif
