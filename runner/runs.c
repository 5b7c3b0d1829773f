/* runner/runs.c - decides whether a run may begin now: by a rename, then a word to what
 * was prepared; and what is told of one whose supervisor left no result: that it is lost.
 * It is never begun again. */
#include "runs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "attach.h"
#include "auto.h"
#include "clock.h"
#include "config/config.h"
#include "crash.h"
#include "descriptors.h"
#include "failure.h"
#include "spare.h"
#include "tree.h"

static struct run *add(struct runs *runs, const char *id, const struct order_record *order,
		       int alive)
{
	if (runs->n % 64 == 0)
		runs->at = xrealloc(runs->at, (runs->n + 64) * sizeof(*runs->at));
	struct run *run = &runs->at[runs->n++];

	*run = (struct run){.order = *order, .alive = alive};
	strcpy(run->id, id);
	runs->going += alive >= 0;
	return run;
}

static void found(void *ctx, const char *id, const struct order_record *order)
{
	struct runs *runs = ctx;

	add(runs, id, order, house_alive(runs->house, id));
}

/* In a process of its own: nobody waits for it. */
static void sweep(const struct house *house)
{
	int keep[] = {house->homes};

	if (fork() != 0)
		return;
	descriptors_close_others(keep, 1);
	tree_sweep(house->homes);
	_exit(0);
}

void runs_init(struct runs *runs, const struct house *house)
{
	*runs = (struct runs){.house = house};
	tree_sweep(house->runs);
	house_each(house, found, runs);
	sweep(house);
}

struct run *runs_find(struct runs *runs, const char *id)
{
	for (size_t i = 0; i < runs->n; i++)
		if (!strcmp(runs->at[i].id, id))
			return &runs->at[i];
	return NULL;
}

/* ---- getting ready ---- */

int runs_make_spare(struct runs *runs, const struct config *config, struct failure *f)
{
	runs->spare = spare_new(runs->house, config, f);
	return runs->spare ? 0 : -1;
}

void runs_drop_spare(struct runs *runs)
{
	spare_free(TAKE(runs->spare));
}

static int prepare(struct runs *runs, const struct config *config, const struct run_ask *ask,
		   struct failure *f)
{
	struct order_record order = {.started_ms = clock_wall_ms()};
	AUTO(spare_free)
	struct spare *spare = runs->spare ? TAKE(runs->spare) : spare_new(runs->house, config, f);

	strncpy(order.rule, ask->rule, sizeof(order.rule) - 1);
	if (!spare || spare_assign(spare, ask, &order, f) < 0)
		return -1;
	struct prepared *p = xcalloc(1, sizeof(*p));

	*p = (struct prepared){.order = order,
			       .command = xstrdup(ask->command),
			       .spare = TAKE(spare),
			       .next = runs->prepared};
	strcpy(p->id, ask->run);
	runs->prepared = p;
	runs->nprepared++;
	return 0;
}

static int check_room(const struct runs *runs, const struct config *config, struct failure *f)
{
	size_t going = runs->going + runs->nprepared;

	if (going >= config->runner.max_runs)
		return failure_set(f, FAILURE_LATER, "%zu runs are going on, and no more may",
				   going);
	if (runs->n + runs->nprepared >= RUNS_KEPT_MAX)
		return failure_set(f, FAILURE_LATER, "%zu runs wait to be acknowledged", runs->n);
	return 0;
}

static struct prepared **find_prepared(struct runs *runs, const char *id)
{
	struct prepared **at = &runs->prepared;

	while (*at && ((*at)->dropped || strcmp((*at)->id, id) != 0))
		at = &(*at)->next;
	return at;
}

static void forget_prepared(struct prepared **at)
{
	struct prepared *p = *at;

	*at = p->next;
	spare_free(p->spare);
	free(p->command);
	free(p);
}

/* A supervisor that was told to drop a run removes the run's home: another of that id must
 * not be in there yet. true: it is. */
static bool clears_away(struct runs *runs, const char *id)
{
	bool found = false;

	for (struct prepared **at = &runs->prepared; *at;) {
		if ((*at)->dropped && spare_is_over((*at)->spare)) {
			forget_prepared(at);
			continue;
		}
		found = found || ((*at)->dropped && strcmp((*at)->id, id) == 0);
		at = &(*at)->next;
	}
	return found;
}

int runs_prepare(struct runs *runs, const struct config *config, const struct run_ask *ask,
		 struct failure *f)
{
	AUTO(free)
	char *directory = xprintf("%s/homes/%s/attachments", runs->house->path, ask->run);
	struct order_ask order_ask = {ask->rule, ask->command, directory};
	struct order order;

	runs_drop(runs, ask->run);
	if (clears_away(runs, ask->run))
		return failure_set(f, FAILURE_LATER, "what was prepared for it is cleared away");
	if (order_make(config, &order_ask, &order, f) < 0)
		return -1;
	int done = attachments_check(ask->attachments, f);

	if (done == 0)
		done = check_room(runs, config, f);
	if (done == 0)
		done = prepare(runs, config, ask, f);
	order_clear(&order);
	return done;
}

void runs_drop(struct runs *runs, const char *id)
{
	struct prepared *p = *find_prepared(runs, id);

	if (!p)
		return;
	p->dropped = true;
	runs->nprepared--;
	spare_end(p->spare);
}

void runs_drop_all(struct runs *runs)
{
	for (struct prepared *p = runs->prepared; p; p = p->next)
		runs_drop(runs, p->id);
}

void runs_clear(struct runs *runs)
{
	runs_drop_all(runs);
	while (runs->prepared)
		forget_prepared(&runs->prepared);
	runs_drop_spare(runs);
	for (size_t i = 0; i < runs->n; i++)
		if (runs->at[i].alive >= 0)
			close(runs->at[i].alive);
	free(runs->at);
	*runs = (struct runs){.house = runs->house};
}

/* ---- the beginning ---- */

static bool is_same(const struct prepared *p, const struct run_ask *ask)
{
	return !strcmp(p->order.rule, ask->rule) && !strcmp(p->command, ask->command);
}

static int begin(struct runs *runs, struct prepared **at, struct failure *f)
{
	struct prepared *p = *at;

	if (spare_name(p->spare, p->id, f) < 0) {
		runs_drop(runs, p->id);
		return -1;
	}
	CRASH_POINT("runner.named");
	add(runs, p->id, &p->order, spare_begin(p->spare));
	CRASH_POINT("runner.begun");
	runs->nprepared--;
	forget_prepared(at);
	return 0;
}

int runs_begin(struct runs *runs, const struct config *config, const struct run_ask *ask,
	       struct failure *f)
{
	struct prepared **at = find_prepared(runs, ask->run);

	if ((!*at || !is_same(*at, ask)) && runs_prepare(runs, config, ask, f) < 0)
		return -1;
	return begin(runs, find_prepared(runs, ask->run), f);
}

/* ---- the end ---- */

bool runs_look(struct runs *runs, struct run *run)
{
	char byte;

	if (run->alive < 0)
		return false;
	if (read(run->alive, &byte, 1) != 0)
		return false;
	close(run->alive);
	run->alive = -1;
	runs->going--;
	return true;
}

json_t *runs_result(const struct runs *runs, const struct run *run)
{
	struct run_result lost = {.end = RUN_END_LOST,
				  .started_ms = run->order.started_ms,
				  .reason = "the runner was ended while it ran"};

	if (run->alive >= 0) {
		lost.end = RUN_END_RUNNING;
		lost.reason = "";
		return run_result_write(&lost);
	}
	json_t *result = house_result(runs->house, run->id);
	return result ? result : run_result_write(&lost);
}

void runs_kill(const struct runs *runs, const struct run *run)
{
	if (run->alive >= 0)
		house_tell(runs->house, run->id);
}

void runs_forget(struct runs *runs, struct run *run)
{
	house_forget(runs->house, run->id);
	*run = runs->at[--runs->n];
	sweep(runs->house);
}
