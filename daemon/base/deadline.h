/* base/deadline.h - one moment by which something must have happened, by the
 * monotonic clock of common/clock.h. */
#ifndef NUNCIO_BASE_DEADLINE_H
#define NUNCIO_BASE_DEADLINE_H
#include <stdbool.h>
#include <stdint.h>
#include "base/loop.h"

/* Embedded in its object. */
struct deadline {
	struct loop *loop;
	struct event *event; /* owned */
	task_fn *passed;
	void *ctx;
	int64_t at_ms;                 /* by clock_mono_ms(); 0: not set */
	struct deadline *next, **link; /* of the loop, while set */
};
void deadline_init(struct deadline *d, struct loop *loop, task_fn *passed, void *ctx);
void deadline_set(struct deadline *d, int64_t in_ms); /* from now; replaces the old one */
void deadline_unset(struct deadline *d);
bool deadline_is_set(const struct deadline *d);
void deadline_clear(struct deadline *d); /* for good; fine twice */
#endif
