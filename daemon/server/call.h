/* server/call.h - one request under way: who asks, what, and the answer, which
 * waits here until those of earlier requests have gone out. */
#ifndef NUNCIO_SERVER_CALL_H
#define NUNCIO_SERVER_CALL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "buf.h"
#include "server/descriptor.h"
#include "server/interface.h"
#include "varlink.h"
struct caller;
struct config;
struct failure;
struct method;
struct peer;
struct server;

struct call {
	struct server *server;
	struct peer *peer;
	const struct caller *caller;    /* the peer's */
	const struct config *config;    /* counted: as it was when the request came */
	unsigned rights;                /* of enum right */
	const struct method *method;    /* NULL: there is none */
	struct varlink_call request;    /* owned */
	struct descriptors descriptors; /* owned: those it declared */
	size_t bytes;                   /* of the request, for ceilings */
	char end;                       /* what ends the reply */
	bool answered; /* nothing more follows; the peer frees it in a fresh turn */
	struct buf out;
	void *state;                  /* the method's; owned, by release() */
	void (*release)(void *state); /* NULL: nothing to free */
	/* The peer is gone (only called then when the method streams), or the server
	 * stops: end at once, by call_give_up(). NULL: waits for its answer. */
	void (*stop)(struct call *c);
	struct call *next;
};
struct call *call_new(struct server *s, struct peer *peer, const struct caller *caller,
		      size_t bytes, char end);
void call_free(struct call *c);
void call_shed(struct call *c); /* answered: nothing but the answer is kept */
/* Does what the request asks: finds the method, checks rights and parameters. */
void call_start(struct call *c);

/* The answer. Each takes over parameters (NULL: none). After all but
 * call_reply_more() the call is over: touch neither it nor its state. */
void call_reply(struct call *c, json_t *parameters);
void call_reply_more(struct call *c, json_t *parameters); /* ends it by Overrun if nobody reads */
void call_error(struct call *c, enum error_id id, json_t *parameters);
void call_give_up(struct call *c); /* no answer any more */

/* Errors in the words of the interface; the sentence is printf()ed. */
void call_invalid(struct call *c, const char *parameter, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void call_bad(struct call *c, const char *field, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void call_over_limit(struct call *c, const char *field, uint64_t limit, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* free_ms: when there is room again, wall; 0: unknown. */
void call_over_share(struct call *c, const char *field, uint64_t limit, int64_t free_ms,
		     const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void call_not_stored(struct call *c, const struct failure *why);
void call_refuse_right(struct call *c, unsigned right); /* one that the caller lacks */

/* Parameters that were checked: absent is NULL, or otherwise. */
const char *call_text(const struct call *c, const char *name);
bool call_flag(const struct call *c, const char *name);
int64_t call_number(const struct call *c, const char *name, int64_t otherwise);
/* Whose messages it may see, and whose it may change: a uid, or -1 for everyone's. */
int64_t call_sees(const struct call *c);
int64_t call_changes(const struct call *c);
#endif
