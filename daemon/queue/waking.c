/* queue/waking.c - looks every half minute, and takes no clock's jitter for sleep. */
#include "queue/waking.h"

#include "clock.h"
#include "duration.h"
#include "log.h"

#define LOOK_MS (30 * 1000)
#define NAP_MS 5000

static int64_t slept_ms(void)
{
	return clock_boot_ms() - clock_mono_ms();
}

static void look(void *ctx)
{
	struct waking *w = ctx;
	int64_t nap_ms = slept_ms() - w->slept_ms;
	char nap[40];

	deadline_set(&w->look, LOOK_MS);
	if (nap_ms < NAP_MS)
		return;
	w->slept_ms += nap_ms;
	log_info(NULL, "the machine slept for %s", duration_print(nap, sizeof(nap), nap_ms));
	w->woken(w->ctx);
}

void waking_init(struct waking *w, struct loop *loop, task_fn *woken, void *ctx)
{
	*w = (struct waking){.slept_ms = slept_ms(), .woken = woken, .ctx = ctx};
	deadline_init(&w->look, loop, look, w);
}

void waking_start(struct waking *w)
{
	if (!deadline_is_set(&w->look))
		deadline_set(&w->look, LOOK_MS);
}

void waking_clear(struct waking *w)
{
	deadline_clear(&w->look);
}
