/* server/caller.h - the names behind a uid: its user and groups, asked of
 * nsswitch off the loop. */
#ifndef NUNCIO_SERVER_CALLER_H
#define NUNCIO_SERVER_CALLER_H
struct caller; /* server/rights.h */
struct caller_lookup;
struct job; /* base/worker.h */
struct worker;

/* named is the caller with its names, and the callee's to take apart (what it
 * leaves in there is freed). Comes once, later; the handle dies with it. */
typedef void caller_done_fn(void *ctx, struct caller *named);
struct caller_lookup *caller_look_up(struct worker *worker, const struct caller *caller,
				     caller_done_fn *done, void *ctx);
void caller_look_up_cancel(struct caller_lookup *l); /* done will not be called; NULL is fine */
void caller_look_up_free(struct job *abandoned);     /* what worker_abandon() gave back */
#endif
