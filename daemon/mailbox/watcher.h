/* mailbox/watcher.h - keeps a conversation with a mailbox's server going: begins it, rests
 * after it ended, longer each time, and begins again; at once when the machine had
 * slept. Never gives up. What is said in it is others'. */
#ifndef NUNCIO_MAILBOX_WATCHER_H
#define NUNCIO_MAILBOX_WATCHER_H
#include <stdbool.h>
#include <stdint.h>
#include "base/deadline.h"
#include "failure.h"
#include "log.h"
#include "mailbox/mailbox.h"

/* Embedded in its mailbox. */
struct watcher {
	const struct log *log; /* the mailbox's */
	task_fn *begin;        /* the conversation, anew; one that is there is dropped first */
	void *ctx;
	enum mailbox_state state;
	struct failure why;            /* of being down */
	int64_t since_ms, next_try_ms; /* wall */
	int64_t up_since_ms;           /* mono; 0: it was not up since the last attempt began */
	unsigned failures, before;     /* in a row; before it was up */
	uint64_t reconnects;
	bool was_up, told; /* told: the operator knows that it is down */
	struct deadline rest;
	struct watcher *next, **link; /* of all that notice sleep */
};

/* begin comes from the loop: at first, and after each rest. */
void watcher_init(struct watcher *w, struct loop *loop, const struct log *log, task_fn *begin,
		  void *ctx);
void watcher_clear(struct watcher *w); /* begin is not called any more */
void watcher_connecting(struct watcher *w);
void watcher_up(struct watcher *w, bool pushed); /* pushed: it need not ask for mail */
void watcher_down(struct watcher *w, const struct failure *why);
#endif
