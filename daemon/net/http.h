/* net/http.h - requests over HTTP(S), by libcurl's multi interface in the loop. TLS 1.2
 * at least, certificates and names verified, redirects never followed. libcurl
 * stays in http.c, and is begun with the first request. */
#ifndef NUNCIO_NET_HTTP_H
#define NUNCIO_NET_HTTP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "auto.h"
struct failure;
struct http;
struct http_call;
struct loop;
struct secret;

struct http *http_new(struct loop *loop); /* never NULL; loop outlives it */
void http_free(struct http *http);        /* cancels what is under way; NULL is fine */
AUTO_DEFINE(struct http, http_free)

struct http_request {
	const char *url;  /* http:// or https://, nothing else is spoken */
	const char *user; /* Basic authentication (RFC 7617); NULL: none */
	const struct secret *password;
	const struct secret *token; /* Bearer (RFC 6750); NULL: none */
	const char *method;         /* NULL: POST where there is a body, else GET */
	const char *type;           /* Content-Type of body */
	const char *body;
	size_t body_len;
	/* Must not reach the server twice: a connection of its own that nobody used before, since
	 * libcurl repeats by itself what was sent on one that had been closed meanwhile. */
	bool once;
	const char *ca_file; /* PEM; NULL: the system's */
	int64_t timeout_ms;  /* of the whole; 0: 30 s */
	size_t max_reply;    /* octets of the answer's body; more is a failure; 0: 1 MiB */
	bool may_be_cut;     /* it is none, but a reply that says so, without its body */
};
struct http_reply {
	unsigned status;  /* RFC 9110 15 */
	const char *body; /* NUL behind it */
	size_t len;
	bool cut;
	const char *location;   /* where it redirects to, absolute; NULL: it does not */
	int64_t date_ms;        /* the server's clock (Date); 0: not said */
	int64_t retry_after_ms; /* from now; 0: not said */
};
/* Exactly one of reply and why. written, with why: the request, or some of it, went out:
 * the server may have acted on it. Both live only during the call. */
typedef void http_done_fn(void *ctx, const struct http_reply *reply, const struct failure *why,
			  bool written);
/* Starts request, which is copied. done comes exactly once, later, from the loop. The handle is
 * for http_cancel() and dies with done. why: FAILURE_SETUP for certificates and bad
 * URLs, else FAILURE_LATER. */
struct http_call *http_start(struct http *http, const struct http_request *request,
			     http_done_fn *done, void *ctx);
void http_cancel(struct http_call *call); /* done will not be called; NULL is fine */
#endif
