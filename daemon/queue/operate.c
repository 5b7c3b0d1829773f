/* queue/operate.c - deeds of operators and owners: page after page, and then one
 * answer; pauses, which count once they are on disk. */
#include "queue/room.h"

#include <stdlib.h>

#include "alloc.h"
#include "clock.h"
#include "failure.h"
#include "queue/text_rules.h"

struct operation {
	struct pending pending;
	operate_done_fn *done;
	void *ctx;
	struct operate_result result;
	enum deed deed;
	struct filter filter;     /* its texts are owned, below */
	char *route, *recipient;  /* owned or NULL */
	char *transport, *reason; /* of a pause: owned or NULL */
};

static void operation_free(struct operation *o)
{
	pending_remove(&o->pending);
	free(o->route);
	free(o->recipient);
	free(o->transport);
	free(o->reason);
	free(o);
}

static struct operation *operation_new(struct queue *q, operate_done_fn *done, void *ctx)
{
	struct operation *o = xcalloc(1, sizeof(*o));

	o->done = done;
	o->ctx = ctx;
	pending_add(q, &o->pending);
	return o;
}

static void operation_end(struct operation *o, const struct failure *why)
{
	o->result.why = why;
	o->done(o->ctx, &o->result);
	operation_free(o);
}

static void page_done(void *ctx, const struct deed_result *result)
{
	struct operation *o = ctx;
	struct queue *q = o->pending.queue;

	if (!q) {
		operation_free(o);
		return;
	}
	o->result.changed += result->nevents;
	o->result.passed_over += result->passed_over;
	if (result->nevents) {
		queue_tell(q, result->events, result->nevents);
		if (o->deed == DEED_RELEASE || o->deed == DEED_RETRY)
			queue_poke(q, NULL);
		queue_standby(q);
	}
	if (result->why || result->done)
		operation_end(o, result->why);
	else
		store_do(queue_store(q), o->deed, &o->filter, result->last, clock_wall_ms(),
			 page_done, o);
}

void queue_operate(struct queue *q, enum deed deed, const struct filter *filter,
		   operate_done_fn *done, void *ctx)
{
	struct operation *o = operation_new(q, done, ctx);

	o->deed = deed;
	o->filter = *filter;
	o->filter.route = o->route = filter->route ? xstrdup(filter->route) : NULL;
	o->filter.recipient = o->recipient = filter->recipient ? xstrdup(filter->recipient) : NULL;
	store_do(queue_store(q), deed, &o->filter, 0, clock_wall_ms(), page_done, o);
}

static void pause_done(void *ctx, const struct batch_result *result)
{
	static const struct failure unknown = {.kind = FAILURE_LATER,
					       .text = "the queue could not be written"};
	struct operation *o = ctx;

	if (!o->pending.queue) {
		operation_free(o);
		return;
	}
	if (result->status != BATCH_DONE) {
		operation_end(o, result->why ? result->why : &unknown);
		return;
	}
	queue_paused(o->pending.queue, o->transport, o->reason);
	o->result.changed = 1;
	operation_end(o, NULL);
}

static int check_transport(struct queue *q, const char *transport, struct failure *f)
{
	if (queue_has_transport(q, transport))
		return 0;
	return failure_set(f, FAILURE_REFUSED, "there is no transport \"%s\"", transport);
}

int queue_pause(struct queue *q, const char *transport, const char *reason, operate_done_fn *done,
		void *ctx, struct failure *f)
{
	if (check_transport(q, transport, f) < 0)
		return -1;
	struct operation *o = operation_new(q, done, ctx);
	struct batch *batch = batch_new();

	o->transport = xstrdup(transport);
	o->reason = xstrdup(reason ? reason : "");
	batch_pause(batch, o->transport, o->reason);
	store_commit(queue_store(q), batch, pause_done, o);
	return 0;
}

int queue_resume(struct queue *q, const char *transport, operate_done_fn *done, void *ctx,
		 struct failure *f)
{
	if (check_transport(q, transport, f) < 0)
		return -1;
	struct operation *o = operation_new(q, done, ctx);
	struct batch *batch = batch_new();

	o->transport = xstrdup(transport);
	batch_resume(batch, o->transport);
	if (queue_is_capped(q, transport))
		batch_lift(batch, o->transport, text_tomorrow_ms(clock_wall_ms()));
	store_commit(queue_store(q), batch, pause_done, o);
	return 0;
}
