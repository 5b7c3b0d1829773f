/* net/tls.h - whom we trust: a client's TLS settings, shared by connections.
 * TLS 1.2 at least; chain and name are verified, always. */
#ifndef NUNCIO_NET_TLS_H
#define NUNCIO_NET_TLS_H
#include "auto.h"
struct failure;
struct tls;

struct tls_options {
	const char *ca_file; /* PEM; NULL: the system's folder of CAs, looked up when needed */
	const char *pin; /* NULL, or hex SHA-256 of the SubjectPublicKeyInfo the server must show,
			      * besides all else */
};
int tls_new(const struct tls_options *options, struct tls **ret, struct failure *f);
void tls_free(struct tls *tls); /* connections under way keep what they need */
AUTO_DEFINE(struct tls, tls_free)

/* For net/line.c: a client's SSL for one connection. host for SNI and for
 * verification (a name or an address literal). Sessions are resumed per tls. */
struct ssl_st *tls_connection(struct tls *tls, const char *host, struct failure *f);
/* After the handshake: the pin. */
int tls_check(struct tls *tls, struct ssl_st *ssl, struct failure *f);
/* Why the handshake failed, as a person would say it: "certificate has expired",
 * "certificate is for another host than X", ... FAILURE_SETUP for certificates, else LATER. */
void tls_explain(struct ssl_st *ssl, const char *host, int ssl_error, struct failure *f);
#endif
