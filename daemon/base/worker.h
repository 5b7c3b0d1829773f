/* base/worker.h - threads beside the loop for what may wait (disk, DNS): jobs
 * go to them, results come back in a turn of the loop. */
#ifndef NUNCIO_BASE_WORKER_H
#define NUNCIO_BASE_WORKER_H
#include <stddef.h>
#include <stdint.h>
#include "auto.h"
struct loop;
struct worker;

/* Embedded in the caller's own job struct, which stays the caller's and must
 * live until done. */
struct job {
	void (*run)(struct job *job);  /* on a thread; touches only what is in the job */
	void (*done)(struct job *job); /* on the loop, once, never before worker_do() returns */
	struct job *next;
};

/* Threads start when there is work, max at most. name shows in ps (15 bytes).
 * group, when set (then max must be 1), gets every job waiting at that moment,
 * as a list by .next, in place of their run(). */
typedef void worker_group_fn(void *ctx, struct job *jobs);
struct worker *worker_new(struct loop *loop, const char *name, unsigned max, worker_group_fn *group,
			  void *ctx);
/* For the group function to call: before the next group, wait at most so long for as
 * many jobs as were waiting and being done when this one ended: they may come
 * again together. 0: not at all. */
void worker_gather(struct worker *w, int64_t most_us);
/* Jobs of a worker with one thread run, and are done, in the order given. */
void worker_do(struct worker *w, struct job *job);
size_t worker_waiting(const struct worker *w); /* jobs given and not yet done */
/* Waits for the jobs that wait or run; their done() is called. */
void worker_free(struct worker *w);
AUTO_DEFINE(struct worker, worker_free)
/* Gives up on jobs that a thread may hang in (getaddrinfo): none is waited for
 * and no done() is called. Returns the jobs that no thread has, by .next, for
 * the caller to free; the others' memory belongs to their threads. For the end
 * of the process. */
struct job *worker_abandon(struct worker *w);
#endif
