/* queue/watchers.h - those who hear what happens (queue.h: queue_watch()). Each may
 * free itself, and others, while it hears. */
#ifndef NUNCIO_QUEUE_WATCHERS_H
#define NUNCIO_QUEUE_WATCHERS_H
#include "queue/queue.h"

/* Embedded. */
struct watchers {
	struct watcher *first; /* of struct watcher, by .next */
	unsigned telling;      /* depth: while it is not 0 none leaves the list */
};
struct watcher *watchers_add(struct watchers *list, watcher_fn *hear, void *ctx);
void watchers_tell(struct watchers *list, const struct event_row *events, size_t n);
void watchers_clear(
	struct watchers *list); /* who is left hears no more, and is freed by its owner */
#endif
