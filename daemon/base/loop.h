/* base/loop.h - the one thread that talks: an event loop, deeds for its next
 * turn, signals, descriptors. libevent stays behind base/. */
#ifndef NUNCIO_BASE_LOOP_H
#define NUNCIO_BASE_LOOP_H
#include <stdbool.h>
#include <stdint.h>
#include "auto.h"
struct event;
struct loop;

struct loop *loop_new(void); /* never NULL: a process without a loop ends */
void loop_free(struct loop *loop);
AUTO_DEFINE(struct loop, loop_free)
void loop_run(struct loop *loop);  /* until loop_stop() */
void loop_stop(struct loop *loop); /* after the present turn */
/* Tests: one turn; waits for an event when wait is set. */
void loop_turn(struct loop *loop, bool wait);
/* Tests: turns the clock (common/clock.h); what is due then fires next turn. */
void loop_turn_clock(struct loop *loop, int64_t ms);

/* A deed for a fresh turn of the loop. Embedded in its object; zeroed by
 * task_init(). Runs once per task_start(); starting twice is one. */
typedef void task_fn(void *ctx);
struct task {
	struct loop *loop;
	task_fn *run;
	void *ctx;
	struct task *next, **link; /* in the loop's list while it waits */
};
void task_init(struct task *task, struct loop *loop, task_fn *run, void *ctx);
void task_start(struct task *task);
void task_clear(struct task *task); /* will not run; fine when it never waited */

/* A descriptor that is watched. Not owned. Level triggered. */
enum watch_for { WATCH_READ = 1, WATCH_WRITE = 2 };
typedef void watch_fn(void *ctx, unsigned ready /* of enum watch_for */);
struct watch {
	struct event *event; /* owned; NULL when not set up */
	int fd;
	unsigned want;
	watch_fn *ready;
	void *ctx;
};
void watch_init(struct watch *w, struct loop *loop, int fd, watch_fn *ready, void *ctx);
void watch_want(struct watch *w, unsigned want); /* 0: nothing for now */
void watch_clear(struct watch *w);               /* before the fd is closed; fine twice */

/* fn on every arrival of signo, from the loop. For the life of the loop. */
void loop_on_signal(struct loop *loop, int signo, task_fn *fn, void *ctx);
#endif
