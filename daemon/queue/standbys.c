/* queue/standbys.c - decides when the store is asked for those whose time has come: when
 * the next one's does, and every minute while there is one, for clocks are set. */
#include "queue/standbys.h"

#include <stdlib.h>

#include "alloc.h"
#include "base/deadline.h"
#include "clock.h"
#include "crash.h"
#include "failure.h"
#include "log.h"
#include "queue/room.h"
#include "queue/store_standby.h"

#define LOOK_AGAIN_MS (60 * 1000)
#define FAILED_WAIT_MS 5000

struct standbys {
	struct queue *queue;
	struct deadline next;
	bool asking, again; /* again: there was something new while it was asked */
	bool failing;       /* said once */
};

struct asked {
	struct pending pending;
	struct standbys *standbys; /* as long as the queue is there */
};

static void look_in(struct standbys *s, int64_t in_ms)
{
	if (in_ms > LOOK_AGAIN_MS)
		in_ms = LOOK_AGAIN_MS;
	deadline_set(&s->next, in_ms > 0 ? in_ms : 0);
}

static void looked(void *ctx, const struct standby_result *result)
{
	struct asked *asked = ctx;
	struct queue *q = asked->pending.queue;
	struct standbys *s = asked->standbys;

	pending_remove(&asked->pending);
	free(asked);
	if (!q)
		return;
	s->asking = false;
	if (result->why && !s->failing)
		log_error(NULL, "what stands by can't be looked for: %s", result->why->text);
	s->failing = result->why;
	if (result->nevents) {
		queue_tell(q, result->events, result->nevents);
		queue_poke(q, NULL);
	}
	if (s->again)
		look_in(s, 0);
	else if (result->why)
		look_in(s, FAILED_WAIT_MS);
	else if (result->next_ms)
		look_in(s, result->next_ms - clock_wall_ms());
}

static void look(void *ctx)
{
	struct standbys *s = ctx;
	struct asked *asked;

	if (s->asking) {
		s->again = true;
		return;
	}
	s->asking = true;
	s->again = false;
	asked = xcalloc(1, sizeof(*asked));
	asked->standbys = s;
	pending_add(s->queue, &asked->pending);
	CRASH_POINT("standby.look");
	store_standby(queue_store(s->queue), clock_wall_ms(), looked, asked);
}

struct standbys *standbys_new(struct queue *q)
{
	struct standbys *s = xcalloc(1, sizeof(*s));

	s->queue = q;
	deadline_init(&s->next, queue_loop(q), look, s);
	return s;
}

void standbys_free(struct standbys *s)
{
	if (!s)
		return;
	deadline_clear(&s->next);
	free(s);
}

void standbys_look(struct standbys *s)
{
	look_in(s, 0);
}

void standbys_stop(struct standbys *s)
{
	deadline_unset(&s->next);
}
