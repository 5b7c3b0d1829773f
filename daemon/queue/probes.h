/* queue/probes.h - those who asked whether a transport works now, until it is
 * known. Each is told once, from a fresh turn of the loop. */
#ifndef NUNCIO_QUEUE_PROBES_H
#define NUNCIO_QUEUE_PROBES_H
#include <stdbool.h>
#include "base/loop.h"
#include "queue/queue.h"
struct probe;

/* Embedded. */
struct probes {
	struct probe *first; /* owned, of struct probe, by .next */
	struct task turn;
};
void probes_init(struct probes *p, struct loop *loop);
void probes_clear(struct probes *p); /* nobody is told any more */
void probes_add(struct probes *p, probe_done_fn *done, void *ctx);
void probes_answer(struct probes *p, const struct failure *why); /* NULL: it works */
#endif
