/* queue/waking.h - notices that the machine has slept: CLOCK_MONOTONIC stands still
 * then, CLOCK_BOOTTIME does not. */
#ifndef NUNCIO_QUEUE_WAKING_H
#define NUNCIO_QUEUE_WAKING_H
#include <stdint.h>
#include "base/deadline.h"

/* Embedded. */
struct waking {
	struct deadline look;
	int64_t slept_ms; /* since the machine was started, as far as noticed */
	task_fn *woken;
	void *ctx;
};
void waking_init(struct waking *w, struct loop *loop, task_fn *woken, void *ctx);
void waking_start(struct waking *w);
void waking_clear(struct waking *w);
#endif
