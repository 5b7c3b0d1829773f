/* heart.c - decides when the daemon may be called alive: when the loop turns, and
 * the store's writer and reader both answer. What they answer is no matter: a full
 * disk is told otherwise, and no restart makes it larger. */
#include "heart.h"

#include <stdio.h>
#include <string.h>

#include "base/notify.h"
#include "failure.h"
#include "mailbox/mailbox.h"
#include "queue/queue.h"
#include "queue/store_read.h"
#include "rules/engine.h"

#define STATUS_MS 10000 /* how old the status line may be where no watchdog asks for more */

static void add_down(void *ctx, const struct transport_status *t)
{
	char *line = ctx;
	size_t len = strlen(line);

	if (strcmp(t->state, "down") == 0 || strcmp(t->state, "paused") == 0)
		snprintf(line + len, sizeof(((struct heart *)0)->status) - len, "; %s is %s",
			 t->name, t->state);
}

static void add_mailbox_down(void *ctx, const struct mailbox_status *m)
{
	char *line = ctx;
	size_t len = strlen(line);

	if (m->state == MAILBOX_DOWN)
		snprintf(line + len, sizeof(((struct heart *)0)->status) - len,
			 "; mailbox %s is down", m->name);
}

static void say(struct heart *h, const struct stats_result *stats)
{
	char line[sizeof(h->status)];

	if (stats->why)
		snprintf(line, sizeof(line), "%s", stats->why->text);
	else
		snprintf(line, sizeof(line), "%llu waiting, %llu being sent, %llu held",
			 (unsigned long long)stats->by_state[STATE_QUEUED],
			 (unsigned long long)stats->by_state[STATE_SENDING],
			 (unsigned long long)stats->by_state[STATE_HELD]);
	queue_each_transport(h->queue, add_down, line);
	engine_each_mailbox(h->engine, add_mailbox_down, line);
	if (h->complaint[0])
		snprintf(line + strlen(line), sizeof(line) - strlen(line), "; %s", h->complaint);
	if (strcmp(line, h->status) == 0)
		return;
	memcpy(h->status, line, sizeof(line));
	notify_status(h->status);
}

static void answered(struct heart *h)
{
	if (--h->awaited > 0 || h->stopped)
		return;
	if (notify_watchdog_ms() > 0)
		notify_alive();
	deadline_set(&h->beat, h->every_ms);
}

static void counted(void *ctx, const struct stats_result *stats)
{
	struct heart *h = ctx;

	if (!h->stopped)
		say(h, stats);
	answered(h);
}

static void written(void *ctx, const struct batch_result *result)
{
	answered(ctx);
}

/* A write of nothing waits behind all that are under way, and costs no flush. */
static void beat(void *ctx)
{
	struct heart *h = ctx;
	struct store *store = queue_store(h->queue);

	h->awaited = 2;
	store_commit(store, batch_new(), written, h);
	store_stats(store, counted, h);
}

void heart_start(struct heart *h, struct loop *loop, struct queue *queue, struct engine *engine)
{
	int64_t watchdog_ms = notify_watchdog_ms();

	if (!notify_is_heard())
		return;
	h->queue = queue;
	h->engine = engine;
	h->every_ms = watchdog_ms > 0 ? (watchdog_ms + 1) / 2 : STATUS_MS;
	deadline_init(&h->beat, loop, beat, h);
	deadline_set(&h->beat, 0);
}

void heart_complain(struct heart *h, const char *complaint)
{
	snprintf(h->complaint, sizeof(h->complaint), "%s", complaint ? complaint : "");
}

const char *heart_status(const struct heart *h)
{
	return h->complaint[0] ? h->complaint : h->status[0] ? h->status : "running";
}

void heart_stop(struct heart *h)
{
	h->stopped = true;
	if (h->queue)
		deadline_clear(&h->beat);
}
