/* base/deadline.c - decides when a deadline has passed: by common/clock.h, not
 * by libevent, whose timer only wakes us to look. */
#include "base/deadline.h"

#include <event2/event.h>

#include "base/room.h"
#include "clock.h"

void deadline_rearm(struct deadline *d)
{
	int64_t left_ms = d->at_ms - clock_mono_ms();
	int64_t seconds = left_ms / 1000, rest_ms = left_ms % 1000;

	/* A time gone by stays in the past: after a leap of a test's clock the
	 * deadlines due at once pass in their order. */
	if (rest_ms < 0) {
		rest_ms += 1000;
		seconds--;
	}
	struct timeval wait = {.tv_sec = seconds, .tv_usec = rest_ms * 1000};
	if (event_add(d->event, &wait) < 0)
		loop_cannot("cannot set a timer");
}

static void timer_fired(evutil_socket_t fd, short what, void *ctx)
{
	struct deadline *d = ctx;

	if (d->at_ms > clock_mono_ms()) {
		deadline_rearm(d);
		return;
	}
	deadline_unset(d);
	d->passed(d->ctx);
}

void deadline_init(struct deadline *d, struct loop *loop, task_fn *passed, void *ctx)
{
	*d = (struct deadline){.loop = loop, .passed = passed, .ctx = ctx};
	d->event = evtimer_new(loop_base(loop), timer_fired, d);
	if (!d->event)
		loop_cannot("no event for a timer");
}

void deadline_set(struct deadline *d, int64_t in_ms)
{
	struct deadline **head = loop_deadlines(d->loop);

	deadline_unset(d);
	d->at_ms = clock_mono_ms() + (in_ms > 0 ? in_ms : 0);
	d->next = *head;
	if (d->next)
		d->next->link = &d->next;
	d->link = head;
	*head = d;
	deadline_rearm(d);
}

void deadline_unset(struct deadline *d)
{
	if (!d->link)
		return;
	event_del(d->event);
	*d->link = d->next;
	if (d->next)
		d->next->link = d->link;
	d->next = NULL;
	d->link = NULL;
	d->at_ms = 0;
}

bool deadline_is_set(const struct deadline *d)
{
	return d->link;
}

void deadline_clear(struct deadline *d)
{
	if (!d->event)
		return;
	deadline_unset(d);
	event_free(d->event);
	d->event = NULL;
}
