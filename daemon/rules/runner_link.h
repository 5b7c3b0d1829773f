/* rules/runner_link.h - one connection to the runner: a question with descriptors there,
 * an answer back. */
#ifndef NUNCIO_RULES_RUNNER_LINK_H
#define NUNCIO_RULES_RUNNER_LINK_H
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
struct failure;
struct link;
struct loop;
struct varlink_reply;

/* An answer, which lives only during the call; or the connection's end: why. The link may
 * be freed in here. */
typedef void link_heard_fn(void *ctx, const struct varlink_reply *reply, const struct failure *why);
/* -1: nobody is there, or can be. */
int link_open(struct loop *loop, const char *socket, link_heard_fn *heard, void *ctx,
	      struct link **ret, struct failure *f);
/* parameters and fds are borrowed, fds until the answer. within_ms 0: for as long as it
 * takes. One question at a time. -1: it can't be said: too long. */
int link_ask(struct link *link, const char *method, json_t *parameters, const int *fds, size_t nfds,
	     int64_t within_ms);
/* The same, and nobody answers; fds are done with when it returns. -1: not all of it could be said
 * at once: the link is good for nothing more. */
int link_tell(struct link *link, const char *method, json_t *parameters, const int *fds,
	      size_t nfds);
void link_free(struct link *link); /* NULL is fine */
#endif
