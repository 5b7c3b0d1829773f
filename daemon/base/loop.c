/* base/loop.c - decides the order within a turn: events first, then the tasks
 * that waited when the events were done. What a task starts waits for the next
 * turn, so that no chain of tasks keeps the sockets waiting. */
#include "base/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "alloc.h"
#include "base/deadline.h"
#include "base/room.h"
#include "clock.h"

struct signal_handler {
	struct event *event; /* owned */
	task_fn *fn;
	void *ctx;
	struct signal_handler *next;
};

struct loop {
	struct event_base *base;         /* owned */
	struct task *waiting, **tail;    /* by .next, for the next turn */
	struct task *running;            /* by .next, of this turn */
	struct deadline *deadlines;      /* by .next, those that are set */
	struct signal_handler *handlers; /* owned, by .next */
	bool stopping;
};

void loop_cannot(const char *what)
{
	fprintf(stderr, "nuncio: %s: %s\n", what, strerror(errno));
	abort();
}

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}

struct deadline **loop_deadlines(struct loop *loop)
{
	return &loop->deadlines;
}

struct loop *loop_new(void)
{
	struct loop *loop = xcalloc(1, sizeof(*loop));

	/* OpenSSL writes without MSG_NOSIGNAL; a peer that left must not end us */
	signal(SIGPIPE, SIG_IGN);
	loop->base = event_base_new();
	if (!loop->base)
		loop_cannot("no event loop");
	loop->tail = &loop->waiting;
	return loop;
}

static void handlers_free(struct signal_handler *handler)
{
	while (handler) {
		struct signal_handler *next = handler->next;

		event_free(handler->event);
		free(handler);
		handler = next;
	}
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	handlers_free(loop->handlers);
	event_base_free(loop->base);
	free(loop);
}

static void task_unlink(struct task *task)
{
	struct loop *loop = task->loop;

	*task->link = task->next;
	if (task->next)
		task->next->link = task->link;
	else if (loop->tail == &task->next)
		loop->tail = task->link;
	task->next = NULL;
	task->link = NULL;
}

static void run_tasks(struct loop *loop)
{
	loop->running = loop->waiting;
	if (!loop->running)
		return;
	loop->running->link = &loop->running;
	loop->waiting = NULL;
	loop->tail = &loop->waiting;
	while (loop->running) {
		struct task *task = loop->running;

		task_unlink(task);
		task->run(task->ctx);
	}
}

void loop_turn(struct loop *loop, bool wait)
{
	int flags = EVLOOP_ONCE;

	/* Only together with ONCE does NONBLOCK mean one round: alone it goes on
	 * while any descriptor stays ready, and no task has its turn. */
	flags |= wait && !loop->waiting ? EVLOOP_NO_EXIT_ON_EMPTY : EVLOOP_NONBLOCK;
	if (event_base_loop(loop->base, flags) < 0)
		loop_cannot("the event loop broke");
	run_tasks(loop);
}

void loop_run(struct loop *loop)
{
	loop->stopping = false;
	while (!loop->stopping)
		loop_turn(loop, true);
}

void loop_stop(struct loop *loop)
{
	loop->stopping = true;
}

void loop_turn_clock(struct loop *loop, int64_t ms)
{
	clock_turn(ms);
	for (struct deadline *d = loop->deadlines; d; d = d->next)
		deadline_rearm(d);
}

void task_init(struct task *task, struct loop *loop, task_fn *run, void *ctx)
{
	*task = (struct task){.loop = loop, .run = run, .ctx = ctx};
}

void task_start(struct task *task)
{
	struct loop *loop = task->loop;

	if (task->link)
		return;
	task->link = loop->tail;
	*loop->tail = task;
	loop->tail = &task->next;
}

void task_clear(struct task *task)
{
	if (task->link)
		task_unlink(task);
}

static void watch_fired(evutil_socket_t fd, short what, void *ctx)
{
	struct watch *w = ctx;
	unsigned ready = 0;

	if (what & EV_READ)
		ready |= WATCH_READ;
	if (what & EV_WRITE)
		ready |= WATCH_WRITE;
	w->ready(w->ctx, ready & w->want);
}

void watch_init(struct watch *w, struct loop *loop, int fd, watch_fn *ready, void *ctx)
{
	*w = (struct watch){.fd = fd, .ready = ready, .ctx = ctx};
	w->event = event_new(loop->base, fd, EV_READ | EV_PERSIST, watch_fired, w);
	if (!w->event)
		loop_cannot("no event for a descriptor");
}

void watch_want(struct watch *w, unsigned want)
{
	short what = EV_PERSIST;

	if (want == w->want)
		return;
	w->want = want;
	event_del(w->event);
	if (!want)
		return;
	if (want & WATCH_READ)
		what |= EV_READ;
	if (want & WATCH_WRITE)
		what |= EV_WRITE;
	event_assign(w->event, event_get_base(w->event), w->fd, what, watch_fired, w);
	if (event_add(w->event, NULL) < 0)
		loop_cannot("cannot watch a descriptor");
}

void watch_clear(struct watch *w)
{
	if (w->event)
		event_free(w->event);
	w->event = NULL;
	w->want = 0;
}

static void signal_fired(evutil_socket_t signo, short what, void *ctx)
{
	struct signal_handler *handler = ctx;

	handler->fn(handler->ctx);
}

void loop_on_signal(struct loop *loop, int signo, task_fn *fn, void *ctx)
{
	struct signal_handler *handler = xcalloc(1, sizeof(*handler));

	handler->fn = fn;
	handler->ctx = ctx;
	handler->event = evsignal_new(loop->base, signo, signal_fired, handler);
	if (!handler->event || evsignal_add(handler->event, NULL) < 0)
		loop_cannot("cannot catch a signal");
	handler->next = loop->handlers;
	loop->handlers = handler;
}
