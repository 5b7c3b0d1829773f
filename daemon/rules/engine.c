/* rules/engine.c - decides in which order the parts of the room come to life, and what is
 * made of runs that an earlier life left behind. */
#include "rules/engine.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "config/config.h"
#include "failure.h"
#include "queue/queue.h"
#include "rules/bin.h"
#include "rules/desk.h"
#include "rules/downtime.h"
#include "rules/lockout.h"
#include "rules/matter.h"
#include "rules/question.h"
#include "rules/room.h"
#include "rules/runner.h"
#include "rules/running.h"

/* ---- what was left behind ---- */

static void ask_left(struct engine *e, int64_t before);

static void take_left(struct engine *e, const struct run_row *row)
{
	if (row->state == RUN_ASKED)
		questions_add(e->questions, row);
	else if (!running_find(e, row->id))
		running_resume(running_new(e, row));
}

static void found_left(void *ctx, const struct runs_result *result)
{
	struct engine *e = ctx;

	if (e->stopped)
		return;
	if (result->why) {
		log_error(&e->log, "what was under way can't be read: %s", result->why->text);
		deadline_set(&e->again, ENGINE_AGAIN_MS);
		return;
	}
	for (size_t i = 0; i < result->n; i++)
		take_left(e, &result->rows[i]);
	if (!result->done) {
		ask_left(e, result->last);
		return;
	}
	/* from here on new ones may come */
	e->ready = true;
	if (e->open)
		desks_configure(e->desks, e->config);
}

static void ask_left(struct engine *e, int64_t before)
{
	struct run_filter filter = {.states = 1U << RUN_STARTED | 1U << RUN_ASKED};

	store_runs(e->store, &filter, before, STORE_PAGE_MAX, found_left, e);
}

static void ask_again(void *ctx)
{
	ask_left(ctx, 0);
}

/* ---- the door ---- */

static void runner_trouble(void *ctx, const struct failure *why)
{
	struct engine *e = ctx;

	if (why)
		log_error(&e->log, "the runner does not answer: %s", why->text);
	else
		log_info(&e->log, "the runner answers again");
}

struct engine *engine_new(struct loop *loop, struct queue *queue, struct resolver *resolver)
{
	struct engine *e = xcalloc(1, sizeof(*e));

	e->loop = loop;
	e->queue = queue;
	e->store = queue_store(queue);
	e->resolver = resolver;
	log_init(&e->log, "rules");
	deadline_init(&e->again, loop, ask_again, e);
	e->desks = desks_new(e);
	e->bin = bin_new(e);
	e->lockouts = lockouts_new(e);
	e->questions = questions_new(e);
	e->downtimes = downtimes_new(e);
	return e;
}

void engine_configure(struct engine *e, const struct config *config)
{
	const struct config *old = e->config;

	e->config = config_ref(config);
	config_unref(old);
	if (!e->runner) {
		e->runner = runner_new(e->loop, config->runner.socket);
		runner_on_trouble(e->runner, runner_trouble, e);
		ask_left(e, 0);
		return;
	}
	runner_set_socket(e->runner, config->runner.socket);
	if (e->ready && e->open)
		desks_configure(e->desks, config);
}

void engine_open(struct engine *e)
{
	bool news = !e->open;

	e->open = true;
	if (news && e->ready)
		desks_configure(e->desks, e->config);
}

void engine_stop(struct engine *e)
{
	if (!e)
		return;
	desks_stop(e->desks);
	e->stopped = true;
	deadline_unset(&e->again);
	bin_stop(e->bin);
	questions_stop(e->questions);
	downtimes_stop(e->downtimes);
	running_stop_all(e);
	matters_stop(e);
	runner_free(e->runner);
	e->runner = NULL;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	matters_free(e);
	running_free_all(e);
	downtimes_free(e->downtimes);
	questions_free(e->questions);
	lockouts_free(e->lockouts);
	desks_free(e->desks);
	bin_free(e->bin);
	deadline_clear(&e->again);
	config_unref(e->config);
	free(e);
}

void engine_each_mailbox(struct engine *e, void (*each)(void *ctx, const struct mailbox_status *s),
			 void *ctx)
{
	desks_each(e->desks, each, ctx);
}

int engine_kill(struct engine *e, int64_t run, struct failure *f)
{
	struct running *r = running_find(e, run);

	if (!r)
		return failure_set(f, FAILURE_REFUSED, "run %lld is not under way", (long long)run);
	running_kill(r);
	return 0;
}
