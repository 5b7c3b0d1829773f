/* queue/sweeper.c - decides how often the store's housekeeping runs: a piece a
 * minute, more often where little is kept, and the rest at once where there is more. Memory is swept with it. */
#include "queue/room.h"

#include <malloc.h>
#include <stdlib.h>

#include <jansson.h>

#include "alloc.h"
#include "base/deadline.h"
#include "clock.h"
#include "config/config.h"
#include "failure.h"
#include "log.h"

#define SWEEP_EVERY_MS (60 * 1000)
#define SWEEP_AT_MOST_EVERY_MS 1000
#define SWEEP_SHARE 10 /* of the time that finished messages are kept */
#define AGAIN_MS 5000  /* after one that failed */

struct sweep {
	struct pending pending;
	struct sweeper *sweeper; /* as long as the queue is there */
};

static int64_t wait_ms(const struct sweeper *s)
{
	int64_t share_ms = s->config->retention_ms / SWEEP_SHARE;

	if (share_ms < SWEEP_AT_MOST_EVERY_MS)
		return SWEEP_AT_MOST_EVERY_MS;
	return share_ms < SWEEP_EVERY_MS ? share_ms : SWEEP_EVERY_MS;
}

/* What a burst of requests took and left in pieces. */
static void trim(struct sweeper *s)
{
	int64_t now_ms = clock_mono_ms();

	if (now_ms - s->trimmed_ms < SWEEP_EVERY_MS)
		return;
	s->trimmed_ms = now_ms;
	malloc_trim(0);
}

static void swept(void *ctx, const struct sweep_result *result)
{
	struct sweep *sweep = ctx;
	struct queue *q = sweep->pending.queue;
	struct sweeper *s = sweep->sweeper;

	pending_remove(&sweep->pending);
	free(sweep);
	if (!q)
		return;
	if (result->why && !s->failing)
		log_warn(NULL, "the queue's housekeeping failed: %s", result->why->text);
	s->failing = result->why;
	if (result->nevents) {
		queue_tell(q, result->events, result->nevents);
		queue_poke(q, NULL);
	}
	if (result->why) {
		deadline_set(&s->next, AGAIN_MS);
	} else if (result->more) {
		deadline_set(&s->next, 0);
	} else {
		trim(s);
		deadline_set(&s->next, wait_ms(s));
	}
}

static json_t *list_transports(const struct config *config)
{
	json_t *names = json_object();

	for (size_t i = 0; i < config->ntransports; i++)
		json_object_set_new(names, config->transports[i].name, json_true());
	return names;
}

static void sweep_now(void *ctx)
{
	struct sweeper *s = ctx;
	struct sweep *sweep = xcalloc(1, sizeof(*sweep));
	int64_t now_ms = clock_wall_ms();

	sweep->sweeper = s;
	pending_add(s->queue, &sweep->pending);
	struct sweep_plan plan = {.now_ms = now_ms,
				  .forget_before_ms = now_ms - s->config->retention_ms,
				  .transports = list_transports(s->config)};

	store_sweep(queue_store(s->queue), &plan, swept, sweep);
}

void sweeper_init(struct sweeper *s, struct queue *q)
{
	*s = (struct sweeper){.queue = q};
	deadline_init(&s->next, queue_loop(q), sweep_now, s);
}

void sweeper_start(struct sweeper *s, const struct config *config)
{
	bool first = !s->config;

	s->config = config;
	if (first)
		deadline_set(&s->next, 0);
}

void sweeper_clear(struct sweeper *s)
{
	deadline_clear(&s->next);
}
