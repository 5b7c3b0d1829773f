/* mailbox/watcher.c - decides when to try again, what the operator hears of it, and that
 * the machine has slept: then CLOCK_BOOTTIME went on and CLOCK_MONOTONIC did not, and
 * connections may be dead without anybody having noticed. */
#include "mailbox/watcher.h"

#include <assert.h>

#include "base/loop.h"
#include "clock.h"
#include "duration.h"
#include "jitter.h"

#define FIRST_MS 1000
#define REFUSED_MS (60 * 1000) /* wrong passwords, said often, lock accounts */
#define MOST_MS (5 * 60 * 1000)
#define GOOD_MS (30 * 1000) /* up for so long, it starts over from FIRST_MS */
#define SLEEP_EVERY_MS (30 * 1000)
#define SLEEP_MS 2000 /* less is no sleep */

/* One look at the clocks for all watchers of the loop. */
static struct {
	struct loop *loop;
	struct deadline deadline;
	struct watcher *first; /* by .next */
	int64_t gap_ms;
} sleepers;

static int64_t gap_ms(void)
{
	return clock_boot_ms() - clock_mono_ms();
}

static void look_at_clocks(void *ctx)
{
	int64_t slept_ms = gap_ms() - sleepers.gap_ms;

	deadline_set(&sleepers.deadline, SLEEP_EVERY_MS);
	if (slept_ms < SLEEP_MS)
		return;
	sleepers.gap_ms += slept_ms;
	log_info(NULL, "the machine slept: mailboxes connect anew");
	for (struct watcher *w = sleepers.first; w; w = w->next) {
		w->failures = w->before = 0;
		deadline_set(&w->rest, 0);
	}
}

static void join(struct watcher *w, struct loop *loop)
{
	if (!sleepers.first) {
		sleepers.loop = loop;
		sleepers.gap_ms = gap_ms();
		deadline_init(&sleepers.deadline, loop, look_at_clocks, NULL);
		deadline_set(&sleepers.deadline, SLEEP_EVERY_MS);
	}
	assert(sleepers.loop == loop); /* a process has one */
	w->next = sleepers.first;
	w->link = &sleepers.first;
	if (w->next)
		w->next->link = &w->next;
	sleepers.first = w;
}

static void leave(struct watcher *w)
{
	if (!w->link)
		return;
	*w->link = w->next;
	if (w->next)
		w->next->link = w->link;
	w->link = NULL;
	if (!sleepers.first)
		deadline_clear(&sleepers.deadline);
}

static void watcher_to(struct watcher *w, enum mailbox_state state)
{
	if (w->state != state) {
		log_debug(w->log, "%s -> %s", mailbox_state_name(w->state),
			  mailbox_state_name(state));
		w->since_ms = clock_wall_ms();
	}
	w->state = state;
	w->next_try_ms = 0;
	deadline_unset(&w->rest);
}

static void rested(void *ctx)
{
	struct watcher *w = ctx;

	w->begin(w->ctx);
}

void watcher_init(struct watcher *w, struct loop *loop, const struct log *log, task_fn *begin,
		  void *ctx)
{
	*w = (struct watcher){.log = log, .begin = begin, .ctx = ctx, .since_ms = clock_wall_ms()};
	deadline_init(&w->rest, loop, rested, w);
	deadline_set(&w->rest, 0);
	join(w, loop);
}

void watcher_clear(struct watcher *w)
{
	leave(w);
	deadline_clear(&w->rest);
}

void watcher_connecting(struct watcher *w)
{
	w->reconnects += w->was_up;
	w->up_since_ms = 0;
	watcher_to(w, MAILBOX_CONNECTING);
}

void watcher_up(struct watcher *w, bool pushed)
{
	char outage[32];

	if (w->told)
		log_info(w->log, "works again after %s",
			 duration_print(outage, sizeof(outage), clock_wall_ms() - w->since_ms));
	else if (!w->was_up)
		log_info(w->log, "%s", pushed ? "is watched" : "is asked for mail now and then");
	if (!w->up_since_ms) {
		w->before = w->failures;
		w->up_since_ms = clock_mono_ms();
	}
	w->failures = 0;
	w->was_up = true;
	w->told = false;
	w->why = (struct failure){.kind = FAILURE_NONE};
	watcher_to(w, pushed ? MAILBOX_WATCHING : MAILBOX_POLLING);
}

static int64_t rest_ms(const struct watcher *w)
{
	int64_t ms = w->why.kind == FAILURE_REFUSED ? REFUSED_MS : FIRST_MS;

	for (unsigned i = 1; i < w->failures && ms < MOST_MS; i++)
		ms *= 2;
	if (ms > MOST_MS)
		ms = MOST_MS;
	/* up to a fifth less, so that not all come at once */
	return ms - (int64_t)((uint64_t)ms / 5 * jitter() / UINT32_MAX);
}

/* One that was lost and is there again at the next try is everyday life. */
static void tell(struct watcher *w)
{
	bool everyday = w->up_since_ms && w->why.kind == FAILURE_LATER;

	if (w->told)
		log_debug(w->log, "still down, try %u: %s", w->failures, w->why.text);
	else if (everyday)
		log_info(w->log, "connects anew: %s", w->why.text);
	else
		log_warn(w->log, "is down: %s", w->why.text);
	w->told |= !everyday;
}

void watcher_down(struct watcher *w, const struct failure *why)
{
	bool was_good = w->up_since_ms && clock_mono_ms() - w->up_since_ms >= GOOD_MS;
	int64_t ms;

	w->why = *why;
	if (was_good)
		w->failures = 0;
	else if (w->up_since_ms)
		w->failures = w->before;
	w->failures++;
	tell(w);
	w->up_since_ms = 0;
	ms = rest_ms(w);
	watcher_to(w, MAILBOX_DOWN);
	w->next_try_ms = clock_wall_ms() + ms;
	deadline_set(&w->rest, ms);
}
