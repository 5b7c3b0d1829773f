/* server/admission.c - decides who must wait, and says until when. Shares are
 * usage.c's to count, whose share is which is rights.c's to say. */
#include "server/admission.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "config/config.h"
#include "duration.h"
#include "failure.h"
#include "queue/queue.h"
#include "queue/store_read.h"
#include "server/call.h"
#include "server/order.h"
#include "server/peer.h"
#include "server/rights.h"
#include "server/room.h"
#include "server/rows.h"
#include "server/usage.h"

#define HOUR_MS (60 * 60 * 1000)
#define LOOK_AGAIN_MS 1000 /* how old the size of the queue on disk may be */

/* A question to the store may outlive who asked. */
struct asking {
	struct admission *admission; /* NULL: gone */
	struct usage *usage;         /* owned: what it found so far */
	int64_t mono_ms, wall_ms;    /* when it was asked */
};

struct admission {
	struct server *server;
	struct usage *usage;   /* owned; NULL: nobody's share is limited */
	struct asking *recent; /* under way, or NULL */
	struct asking *size;   /* under way, or NULL */
	uint64_t used_bytes;   /* on disk when last looked, and what came since */
	int64_t used_ms;       /* mono: of the look; 0: never */
};

struct admission *admission_new(struct server *s)
{
	struct admission *a = xcalloc(1, sizeof(*a));

	a->server = s;
	return a;
}

static struct asking *asking_new(struct admission *a)
{
	struct asking *asking = xcalloc(1, sizeof(*asking));

	asking->admission = a;
	asking->mono_ms = clock_mono_ms();
	asking->wall_ms = clock_wall_ms();
	return asking;
}

static void asking_free(struct asking *asking)
{
	usage_free(asking->usage);
	free(asking);
}

static void forsake(struct asking **asking)
{
	if (*asking)
		(*asking)->admission = NULL;
	*asking = NULL;
}

void admission_free(struct admission *a)
{
	if (!a)
		return;
	forsake(&a->recent);
	forsake(&a->size);
	usage_free(a->usage);
	free(a);
}

/* ---- what was handed in before ---- */

/* How long ago, by a wall clock that may have been set back since. */
static int64_t age_ms(const struct asking *asking, const struct recent_row *row)
{
	int64_t age = asking->wall_ms - row->created_ms;

	return age > 0 ? age : 0;
}

static void read_on(void *ctx, const struct recent_result *result)
{
	struct asking *asking = ctx;
	struct admission *a = asking->admission;
	int64_t now_ms = clock_mono_ms();
	bool done = result->why || result->done;

	if (!a) {
		asking_free(asking);
		return;
	}
	for (size_t i = 0; i < result->n; i++)
		if (age_ms(asking, &result->rows[i]) < HOUR_MS)
			usage_note(asking->usage, result->rows[i].uid, result->rows[i].bytes,
				   asking->mono_ms - age_ms(asking, &result->rows[i]), now_ms);
		else
			done |= i + 1 == result->n;
	if (!done) {
		store_recent(queue_store(a->server->queue), result->last, read_on, asking);
		return;
	}
	if (result->why)
		log_warn(&a->server->log, "what users handed in is counted anew: %s",
			 result->why->text);
	usage_free(a->usage);
	a->usage = TAKE(asking->usage);
	a->recent = NULL;
	asking_free(asking);
	for (struct peer *p = a->server->peers; p; p = peer_next(p))
		peer_poke(p);
}

static bool shares_are_limited(const struct config *config)
{
	for (size_t i = 0; i < config->naccess; i++)
		if (config->access[i].messages.count || config->access[i].bytes)
			return true;
	return false;
}

bool admission_is_ready(const struct admission *a)
{
	return !a->recent;
}

/* ---- the queue's size ---- */

static void measured(void *ctx, const struct stats_result *stats)
{
	struct asking *asking = ctx;
	struct admission *a = asking->admission;

	if (a) {
		a->size = NULL;
		if (!stats->why)
			a->used_bytes = stats->used_bytes;
		a->used_ms = clock_mono_ms();
	}
	asking_free(asking);
}

static void measure(struct admission *a)
{
	if (a->size || (a->used_ms && clock_mono_ms() - a->used_ms < LOOK_AGAIN_MS))
		return;
	a->size = asking_new(a);
	store_stats(queue_store(a->server->queue), measured, a->size);
}

void admission_configure(struct admission *a)
{
	const struct config *config = a->server->config;

	if (config->max_queue_bytes)
		measure(a);
	forsake(&a->recent);
	if (!shares_are_limited(config)) {
		usage_free(a->usage);
		a->usage = NULL;
		return;
	}
	a->recent = asking_new(a);
	a->recent->usage = usage_new();
	store_recent(queue_store(a->server->queue), 0, read_on, a->recent);
}

/* ---- one more message ---- */

static int check_queue(struct order *o, struct admission *a, uint64_t bytes)
{
	const struct config *config = o->call->config;
	char most[32];

	if (config->max_queue &&
	    store_waiting(queue_store(a->server->queue)) + o->recipients.n > config->max_queue) {
		call_over_share(
			o->call, "queue", config->max_queue, 0,
			"the queue is full: %u deliveries may wait (limits.queue); there is "
			"room as soon as some have gone.",
			config->max_queue);
		return -1;
	}
	if (!config->max_queue_bytes)
		return 0;
	measure(a);
	if (a->used_bytes + bytes > config->max_queue_bytes) {
		call_over_share(o->call, "queue_bytes", config->max_queue_bytes, 0,
				"the queue is full: it may take %s on disk (limits.queue_bytes); "
				"there is room when what is over is forgotten (retention).",
				size_print(most, sizeof(most), config->max_queue_bytes));
		return -1;
	}
	a->used_bytes += bytes;
	return 0;
}

static void refuse_share(struct order *o, const struct usage_excess *excess)
{
	unsigned long uid = o->call->caller->uid;
	bool by_bytes = strcmp(excess->field, "bytes") == 0;
	char most[40], wait[40];

	if (by_bytes)
		size_print(most, sizeof(most), excess->limit);
	else
		snprintf(most, sizeof(most), "%llu messages", (unsigned long long)excess->limit);
	if (excess->wait_ms < 0) {
		call_over_limit(
			o->call, excess->field, excess->limit,
			"uid %lu may send %s in an hour (%s in access), and this message is "
			"larger than that.",
			uid, most, excess->field);
		return;
	}
	call_over_share(o->call, excess->field, excess->limit, clock_wall_ms() + excess->wait_ms,
			"uid %lu may send %s in an hour (%s in access); there is room again in %s.",
			uid, most, excess->field,
			duration_print(wait, sizeof(wait), excess->wait_ms));
}

int admission_take(struct order *o, uint64_t bytes)
{
	struct admission *a = o->call->server->admission;
	struct allowance allowance = rights_allowance(o->call->config, o->call->caller);
	struct usage_excess excess;

	if (check_queue(o, a, bytes) < 0)
		return -1;
	if (!a->usage || (!allowance.messages && !allowance.bytes))
		return 0;
	o->counted_ms = clock_mono_ms();
	o->counted_bytes = bytes;
	if (usage_take(a->usage, o->call->caller->uid, bytes, &allowance, o->counted_ms, &excess) ==
	    0)
		return 0;
	o->counted_ms = 0;
	refuse_share(o, &excess);
	return -1;
}

void admission_give_back(struct order *o)
{
	struct admission *a = o->call->server->admission;

	if (o->counted_ms && a->usage)
		usage_give_back(a->usage, o->call->caller->uid, o->counted_bytes, o->counted_ms,
				clock_mono_ms());
	o->counted_ms = 0;
}

/* ---- connections ---- */

static unsigned connections_of(const struct server *s, uid_t uid)
{
	unsigned n = 0;

	for (const struct peer *p = s->peers; p; p = peer_next(p))
		n += peer_is_admitted(p) && peer_caller(p)->uid == uid;
	return n;
}

bool admission_connects(const struct server *s, const struct caller *caller, unsigned *ret_limit)
{
	*ret_limit = rights_allowance(s->config, caller).connections;
	return !*ret_limit || connections_of(s, caller->uid) < *ret_limit;
}

/* ---- what is shown ---- */

json_t *admission_limits(const struct call *c)
{
	return json_pack("{s:I, s:I}", "queue", (json_int_t)c->config->max_queue, "queue_bytes",
			 (json_int_t)c->config->max_queue_bytes);
}

struct showing {
	const struct call *call;
	json_t *rows;
};

static void show_row(struct showing *showing, const struct usage_sum *sum)
{
	const struct allowance *may = &sum->allowance;

	json_array_append_new(showing->rows,
			      json_pack("{s:I, s:I, s:o, s:I, s:o, s:i, s:o}", "uid",
					(json_int_t)sum->uid, "messages", (json_int_t)sum->messages,
					"messages_limit", reply_number(may->messages), "bytes",
					(json_int_t)sum->bytes, "bytes_limit",
					reply_number((int64_t)may->bytes), "connections",
					(int)connections_of(showing->call->server, sum->uid),
					"connections_limit", reply_number(may->connections)));
}

static void show_other(void *ctx, const struct usage_sum *sum)
{
	struct showing *showing = ctx;

	if (sum->uid != showing->call->caller->uid)
		show_row(showing, sum);
}

json_t *admission_usage(const struct call *c)
{
	struct admission *a = c->server->admission;
	struct showing showing = {.call = c, .rows = json_array()};
	struct usage_sum own = {.uid = c->caller->uid};

	if (a->usage)
		own = usage_of(a->usage, c->caller->uid, clock_mono_ms());
	own.allowance = rights_allowance(c->config, c->caller);
	show_row(&showing, &own);
	if (a->usage && call_sees(c) < 0)
		usage_each(a->usage, clock_mono_ms(), show_other, &showing);
	return showing.rows;
}
