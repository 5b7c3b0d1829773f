/* rules/runner.h - the runner's socket, from nunciod's side: starts runs, waits for
 * their ends (which may take hours and restarts of either side), acknowledges. A
 * connection a run; made anew when it breaks, and asked again by run id. */
#ifndef NUNCIO_RULES_RUNNER_H
#define NUNCIO_RULES_RUNNER_H
#include <stddef.h>
#include <stdint.h>
#include "run_wire.h"
struct errand;
struct failure;
struct loop;
struct runner;

struct runner *runner_new(struct loop *loop,
			  const char *socket); /* never NULL; connects when asked */
void runner_set_socket(struct runner *r, const char *socket);
void runner_free(struct runner *r); /* no done comes any more; runs go on */

struct runner_attachment {
	const char *name; /* a safe base name */
	const void *bytes;
	size_t len;
};
struct runner_start {
	const char *run, *rule, *command;
	const struct runner_attachment *attachments; /* copied into memfds during the call */
	size_t nattachments;
};
/* The end of it; result lives only during the call. Exactly once, later, unless freed.
 * While the runner can't be reached it is tried again, with back-off, for as long
 * as it takes; trouble() hears of that. END_REFUSED: it never began. */
typedef void runner_done_fn(void *ctx, const struct run_result *result);
void runner_start(struct runner *r, const struct runner_start *start, runner_done_fn *done,
		  void *ctx);
/* The same in two steps: the runner makes all ready, but begins only with runner_begin().
 * Never NULL. One of the next two takes it; runner_free() does, too. */
struct errand *runner_prepare(struct runner *r, const struct runner_start *start);
void runner_begin(struct errand *prepared, runner_done_fn *done, void *ctx);
void runner_drop(struct errand *prepared); /* NULL is fine */
/* After a restart: the end of a run that may have begun. END_UNKNOWN: it never did. */
void runner_collect(struct runner *r, const char *run, runner_done_fn *done, void *ctx);
void runner_ack(struct runner *r, const char *run);
void runner_kill(struct runner *r, const char *run);
/* why NULL: it answers again. */
void runner_on_trouble(struct runner *r, void (*trouble)(void *ctx, const struct failure *why),
		       void *ctx);
#endif
