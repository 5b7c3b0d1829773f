/* tests/talk/host.h - a queue made of an array: lays parcels ready for one
 * transport, hands out their content, and writes down what became of each. It
 * stops the test when the transport breaks the contract of transport/transport.h:
 * a recipient settled twice, a parcel finished too early, content asked of a parcel
 * that is gone. */
#ifndef NUNCIO_TESTS_HOST_H
#define NUNCIO_TESTS_HOST_H
#include <stdbool.h>
#include <stddef.h>
#include "failure.h"
#include "transport/transport.h"
struct host;

#define HOST_TO_MAX 128

struct host_mail {
	const char *from;            /* NULL: box@example.com */
	const char *to[HOST_TO_MAX]; /* NULL-ended */
	const char *raw;             /* an RFC 5322 message with CRLF; NULL: composed of the rest */
	size_t raw_len;              /* 0: strlen(raw) */
	bool eight_bit;              /* raw has 8-bit characters */
	const char *subject, *text;  /* NULL: none */
	const char *media;           /* one URL, or NULL */
};

/* resolver may be NULL for transports that need none. */
struct host *host_new(struct loop *loop, struct resolver *resolver);
void host_free(struct host *h); /* the transport is closed first */

/* Opens config's transport of this kind; config outlives the host. */
int host_open(struct host *h, const struct transport_kind *kind,
	      const struct transport_config *config, struct failure *f);
struct transport *host_transport(struct host *h);

/* Lays a mail ready; returns its number, from 0. Strings are copied. Nobody is woken. */
size_t host_add(struct host *h, const struct host_mail *mail);
size_t host_add_simple(struct host *h, const char *to); /* one recipient, text "Hello." */
/* Lays what is UNTOUCHED or LATER of a finished mail ready again, attempt_no one
 * more where it counted. */
void host_again(struct host *h, size_t mail);
void host_wake(struct host *h);  /* with the number of parcels that lie ready */
void host_probe(struct host *h); /* wake(0) */

/* Content comes from later turns of the loop, in pieces of at most bytes; 0: at once. */
void host_slow_content(struct host *h, size_t bytes);
/* Content fails with this kind, after so many bytes of it. */
void host_break_content(struct host *h, enum failure_kind kind, size_t after);

/* What became of it; NULL: it is not settled. */
const struct outcome *host_outcome(const struct host *h, size_t mail, size_t recipient);
bool host_is_finished(const struct host *h, size_t mail);
const bool *host_all_finished(const struct host *h); /* for talk_until() */
const bool *host_was_up(const struct host *h);
const bool *host_was_down(const struct host *h);
unsigned host_ups(const struct host *h);
unsigned host_downs(const struct host *h);
const struct failure *host_why(const struct host *h); /* of the last down() */
/* Forgets ups and downs, not mails. */
void host_forget(struct host *h);
#endif
