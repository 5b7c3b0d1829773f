/* net/line.h - one connection to a server that speaks in lines: looks the name
 * up, dials (RFC 8305), does TLS at once or later, reads and writes. The flags
 * of OpenSSL and the loop stay in here; what it says are seven words. */
#ifndef NUNCIO_NET_LINE_H
#define NUNCIO_NET_LINE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "auto.h"
struct failure;
struct line;
struct loop;
struct resolver;
struct tls;

enum line_word {
	LINE_CONNECTED, /* TCP is there (and, with tls_at_once, TLS: SECURED does not follow) */
	LINE_SECURED,   /* line_secure() is done */
	LINE_READABLE,  /* there are new bytes */
	LINE_DRAINED,   /* all that was written has gone to the kernel */
	LINE_TIMED_OUT, /* line_wait() passed; the connection still stands */
	LINE_CLOSED,    /* the other side ended it; what it said before can still be taken */
	LINE_FAILED,    /* why says it; nothing follows */
};
/* why is set with LINE_FAILED and lives only during the call; what was the
 * matter with names, TCP or a broken TLS record is FAILURE_LATER, certificates
 * FAILURE_SETUP. Comes straight from the loop, never from inside a line_ call;
 * line_free() is safe in here. */
typedef void line_said_fn(void *ctx, enum line_word word, const struct failure *why);

struct line_options {
	const char *host; /* name or address literal */
	uint16_t port;
	struct tls *tls; /* for tls_at_once and line_secure(); may be NULL when neither is used */
	bool tls_at_once;
	size_t max_in;      /* unread bytes above it are not read from the socket; a line that
			      * does not fit is LINE_FAILED */
	int64_t connect_ms; /* for name, TCP and TLS together; then LINE_FAILED */
};
/* options are copied, loop, resolver and tls must outlive the result. Never NULL. */
struct line *line_dial(struct loop *loop, struct resolver *resolver,
		       const struct line_options *options, line_said_fn *said, void *ctx);
/* Tests: over a connected socket, which it owns from now on. LINE_CONNECTED follows. */
struct line *line_over(struct loop *loop, int fd, const struct line_options *options,
		       line_said_fn *said, void *ctx);
void line_free(struct line *line); /* closes; NULL is fine */
AUTO_DEFINE(struct line, line_free)

/* TLS from now on (STARTTLS). Unread plain bytes at this moment are an attack:
 * LINE_FAILED with FAILURE_SETUP. Nothing may be written until LINE_SECURED. */
void line_secure(struct line *line);
bool line_is_secure(const struct line *line);

/* Queues bytes; all that one turn of the loop queues leaves in one flight
 * (TCP_NODELAY). Unlimited here: the caller keeps within its own bounds by
 * line_unsent() and LINE_DRAINED. */
void line_write(struct line *line, const void *bytes, size_t len);
void line_printf(struct line *line, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
size_t line_unsent(const struct line *line);
/* Those, and what the kernel has of ours that the other side's has not acknowledged. */
size_t line_untaken(const struct line *line);

/* The next whole line without its CRLF (a bare LF ends one too), or false. Valid
 * until the next line_ call that takes, and within this turn of the loop. NUL
 * bytes in it are kept; a NUL follows. */
bool line_take(struct line *line, const char **ret, size_t *ret_len);
/* Nothing is expected for long: buffers that are empty are given back. */
void line_rest(struct line *line);
/* All unread bytes; consume with line_drain(). */
const char *line_bytes(struct line *line, size_t *ret_len);
void line_drain(struct line *line, size_t len);

/* LINE_TIMED_OUT in ms unless called again; 0: no more waiting. */
void line_wait(struct line *line, int64_t ms);
/* "192.0.2.1:587", for logs. Valid as long as line. */
const char *line_peer(const struct line *line);
const char *line_tls_version(const struct line *line); /* "TLSv1.3", or NULL */
#endif
