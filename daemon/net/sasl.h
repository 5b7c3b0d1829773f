/* net/sasl.h - a client's side of SASL: PLAIN (RFC 4616), LOGIN, SCRAM-SHA-256
 * (RFC 5802, 7677), XOAUTH2, OAUTHBEARER (RFC 7628). Raw bytes in and out: the
 * protocols wrap them in base64. Pure but for a nonce. */
#ifndef NUNCIO_NET_SASL_H
#define NUNCIO_NET_SASL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "auto.h"
struct buf;
struct failure;
struct sasl;
struct secret;

struct sasl_credentials {
	const char *user;
	const struct secret *password; /* NULL: none */
	const struct secret *token;    /* OAuth access token; NULL: none */
	const char *host;              /* for OAUTHBEARER */
	uint16_t port;
	char *const *allowed; /* mechanisms in order of preference, NULL-ended; NULL: our order */
	bool secure;          /* the connection is TLS: without it nothing is chosen */
};
/* Chooses the first mechanism that is allowed, offered ("PLAIN LOGIN ...", blank
 * separated, any case) and possible with these credentials. Our order: with a
 * token OAUTHBEARER, XOAUTH2; else SCRAM-SHA-256, PLAIN, LOGIN. credentials must
 * outlive the result. None: -1 and FAILURE_SETUP naming both lists. */
int sasl_new(const struct sasl_credentials *credentials, const char *offered, struct sasl **ret,
	     struct failure *f);
void sasl_free(struct sasl *s); /* wipes */
AUTO_DEFINE(struct sasl, sasl_free)
const char *sasl_mechanism(const struct sasl *s);
/* Does the client speak first? Then out gets the initial response. */
bool sasl_initial(struct sasl *s, struct buf *out);
/* Answers a challenge. -1: the server's side is wrong (SCRAM signature, ...) or it
 * said what the matter is (XOAUTH2 error JSON: out still gets the answer that is
 * due, return is 0, and sasl_said() has its text). */
int sasl_step(struct sasl *s, const void *challenge, size_t len, struct buf *out,
	      struct failure *f);
/* The server said the exchange is won: is it, for us too (SCRAM)? */
int sasl_finish(struct sasl *s, struct failure *f);
const char *sasl_said(const struct sasl *s); /* an error the server gave as JSON, or NULL */
#endif
