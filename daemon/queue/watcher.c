/* queue/watcher.c - decides who hears: those who were there when the telling
 * began and still are. */
#include "queue/watchers.h"

#include <stdlib.h>

#include "alloc.h"

struct watcher {
	struct watchers *list; /* NULL: the queue is gone */
	watcher_fn *hear;      /* NULL: to be freed when the telling is over */
	void *ctx;
	struct watcher *next;
};

struct watcher *watchers_add(struct watchers *list, watcher_fn *hear, void *ctx)
{
	struct watcher *w = xcalloc(1, sizeof(*w));

	w->list = list;
	w->hear = hear;
	w->ctx = ctx;
	w->next = list->first;
	list->first = w;
	return w;
}

static void drop_gone(struct watchers *list)
{
	struct watcher **at = &list->first;

	while (*at) {
		struct watcher *w = *at;

		if (w->hear) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		free(w);
	}
}

void watcher_free(struct watcher *w)
{
	if (!w)
		return;
	struct watchers *list = w->list;

	w->hear = NULL;
	if (!list)
		free(w);
	else if (list->telling == 0)
		drop_gone(list);
}

void watchers_tell(struct watchers *list, const struct event_row *events, size_t n)
{
	list->telling++;
	for (size_t i = 0; i < n; i++)
		for (struct watcher *w = list->first; w; w = w->next)
			if (w->hear)
				w->hear(w->ctx, &events[i]);
	if (--list->telling == 0)
		drop_gone(list);
}

void watchers_clear(struct watchers *list)
{
	while (list->first) {
		struct watcher *w = list->first;

		list->first = w->next;
		w->list = NULL;
		w->next = NULL;
	}
}
