/* queue/queue.c - decides which dispatch there is for which transport of the
 * configuration, which routes each serves at the moment, and who is told what.
 * Dispatches that a reload replaced leave when what they have in flight is settled. */
#include "queue/queue.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "base/deadline.h"
#include "base/loop.h"
#include "config/config.h"
#include "failure.h"
#include "queue/caps.h"
#include "queue/dispatch.h"
#include "queue/notices.h"
#include "queue/outages.h"
#include "queue/room.h"
#include "queue/routes.h"
#include "queue/standbys.h"
#include "queue/waking.h"
#include "queue/watchers.h"

/* A dispatch and what it stands on. */
struct carriage {
	struct queue *queue;
	struct dispatch *dispatch;   /* owned */
	const struct config *config; /* a reference: the one its settings are in */
	struct carriage *next;       /* of those that leave */
};

struct queue {
	struct loop *loop;
	struct store *store;
	struct resolver *resolver;
	const struct config *config; /* a reference; NULL before the first */
	struct carriage **carriages; /* owned, of ncarriages, as the configuration orders them */
	size_t ncarriages;
	struct carriage *leaving; /* owned, of struct carriage, by .next */
	struct watchers watchers;
	struct pending *pending; /* of struct pending, by .next */
	struct sweeper sweeper;
	struct notices *notices;   /* owned */
	struct outages *outages;   /* owned */
	struct standbys *standbys; /* owned */
	struct caps *caps;         /* owned */
	struct waking waking;
	void (*drained)(void *ctx); /* NULL: it does not drain, or has */
	void *drained_ctx;
	struct task drain_over;
	struct deadline drain_limit;
};

/* ---- for the other files ---- */

void pending_add(struct queue *q, struct pending *p)
{
	p->queue = q;
	p->next = q->pending;
	p->link = &q->pending;
	if (p->next)
		p->next->link = &p->next;
	q->pending = p;
}

void pending_remove(struct pending *p)
{
	if (!p->link)
		return;
	*p->link = p->next;
	if (p->next)
		p->next->link = p->link;
	p->link = NULL;
	p->next = NULL;
}

struct store *queue_store(struct queue *q)
{
	return q->store;
}

struct loop *queue_loop(struct queue *q)
{
	return q->loop;
}

void queue_tell(struct queue *q, const struct event_row *events, size_t n)
{
	watchers_tell(&q->watchers, events, n);
}

struct watcher *queue_watch(struct queue *q, watcher_fn *hear, void *ctx)
{
	return watchers_add(&q->watchers, hear, ctx);
}

static struct carriage *find_carriage(const struct queue *q, const char *name)
{
	for (size_t i = 0; i < q->ncarriages; i++)
		if (strcmp(dispatch_config(q->carriages[i]->dispatch)->name, name) == 0)
			return q->carriages[i];
	return NULL;
}

void queue_standby(struct queue *q)
{
	standbys_look(q->standbys);
}

bool queue_is_capped(const struct queue *q, const char *name)
{
	const struct carriage *carriage = find_carriage(q, name);
	struct transport_status status = {.state = ""};

	if (carriage)
		dispatch_status(carriage->dispatch, &status);
	return strcmp(status.state, "capped") == 0;
}

bool queue_has_transport(const struct queue *q, const char *name)
{
	return find_carriage(q, name);
}

/* ---- routes ---- */

/* To be freed by the caller; of q->ncarriages. */
static struct carrier *list_carriers(const struct queue *q)
{
	struct carrier *carriers = xcalloc(q->ncarriages, sizeof(*carriers));

	for (size_t i = 0; i < q->ncarriages; i++) {
		const struct dispatch *d = q->carriages[i]->dispatch;

		carriers[i] = (struct carrier){
			.name = dispatch_config(d)->name,
			.carries = dispatch_carries(d),
			.down = dispatch_is_down(d),
			.failover = dispatch_config(d)->failover,
		};
	}
	return carriers;
}

static void assign_routes(struct queue *q)
{
	AUTO(free) char *memory = xcalloc(q->ncarriages * ROUTES_OF_MAX, sizeof(const char *));
	const char **routes = (const char **)(void *)memory;
	struct carrier *carriers = list_carriers(q);

	for (size_t server = 0; server < q->ncarriages; server++) {
		size_t n = 0;

		for (size_t i = 0; i < q->ncarriages; i++)
			if (routes_server(carriers, q->ncarriages, i) == server)
				n += routes_of(carriers, q->ncarriages, i, routes + n);
		dispatch_serve(q->carriages[server]->dispatch, routes, n);
	}
	free(carriers);
}

void queue_poke(struct queue *q, const char *route)
{
	struct carrier *carriers = list_carriers(q);
	const char *routes[ROUTES_OF_MAX];

	for (size_t i = 0; i < q->ncarriages; i++) {
		size_t n = routes_of(carriers, q->ncarriages, i, routes);
		bool meant = !route;

		while (n-- > 0 && !meant)
			meant = strcmp(routes[n], route) == 0;
		if (meant) {
			size_t server = routes_server(carriers, q->ncarriages, i);

			dispatch_poke(q->carriages[server]->dispatch);
		}
	}
	free(carriers);
}

/* ---- what dispatches tell ---- */

/* What waits again may be for another to carry than for the one that tried. */
static void poke_others(struct queue *q, const struct carriage *teller)
{
	for (size_t i = 0; i < q->ncarriages; i++)
		if (q->carriages[i] != teller)
			dispatch_poke(q->carriages[i]->dispatch);
}

static void happened(void *ctx, const struct event_row *events, size_t n)
{
	struct carriage *carriage = ctx;
	bool waits = false;

	for (size_t i = 0; i < n; i++)
		waits |= events[i].delivery && events[i].to == STATE_QUEUED;
	if (waits)
		poke_others(carriage->queue, carriage);
	queue_tell(carriage->queue, events, n);
}

static void circuit_changed(void *ctx, struct dispatch *d)
{
	struct carriage *carriage = ctx;

	assign_routes(carriage->queue);
	outages_look(carriage->queue->outages);
}

static void used(void *ctx, struct dispatch *d)
{
	struct carriage *carriage = ctx;

	caps_look(carriage->queue->caps);
}

static const struct dispatch_events dispatch_events = {
	.used = used,
	.happened = happened,
	.circuit = circuit_changed,
};

/* ---- coming and leaving ---- */

static void carriage_free(struct carriage *carriage)
{
	dispatch_free(carriage->dispatch);
	config_unref(carriage->config);
	free(carriage);
}

static int carriage_new(struct queue *q, const struct config *config,
			const struct transport_config *transport, struct carriage **ret,
			struct failure *f)
{
	struct carriage *carriage = xcalloc(1, sizeof(*carriage));

	carriage->queue = q;
	if (dispatch_new(q->loop, q->store, q->resolver, transport, &dispatch_events, carriage,
			 &carriage->dispatch, f) < 0) {
		free(carriage);
		return -1;
	}
	carriage->config = config_ref(config);
	*ret = carriage;
	return 0;
}

static void check_drained(struct queue *q)
{
	if (q->drained && !q->leaving)
		task_start(&q->drain_over);
}

static void carriage_left(void *ctx)
{
	struct carriage *carriage = ctx;
	struct queue *q = carriage->queue;
	struct carriage **at = &q->leaving;

	while (*at != carriage)
		at = &(*at)->next;
	*at = carriage->next;
	carriage_free(carriage);
	check_drained(q);
}

static void carriage_leave(struct carriage *carriage)
{
	struct queue *q = carriage->queue;

	carriage->next = q->leaving;
	q->leaving = carriage;
	dispatch_serve(carriage->dispatch, NULL, 0);
	dispatch_retire(carriage->dispatch, carriage_left, carriage);
}

/* ---- configuration ---- */

static bool is_among(const struct carriage *carriage, struct carriage *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == carriage)
			return true;
	return false;
}

/* The one there is, when nothing about it changed; NULL: a new one is needed. */
static struct carriage *find_same(const struct queue *q, const struct transport_config *transport)
{
	struct carriage *carriage = find_carriage(q, transport->name);

	if (!carriage)
		return NULL;
	const struct transport_config *old = dispatch_config(carriage->dispatch);

	return strcmp(old->fingerprint, transport->fingerprint) == 0 ? carriage : NULL;
}

static void free_new(struct queue *q, struct carriage **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_among(list[i], q->carriages, q->ncarriages))
			carriage_free(list[i]);
	free(list);
}

static void pause_again(struct queue *q)
{
	struct paused_result paused;

	store_paused(q->store, &paused);
	for (size_t i = 0; i < paused.n; i++) {
		struct carriage *carriage = find_carriage(q, paused.names[i]);

		if (carriage)
			dispatch_pause(carriage->dispatch, paused.reasons[i]);
	}
}

/* From here on nothing can fail. list is owned. */
static void take_over(struct queue *q, const struct config *config, struct carriage **list)
{
	struct carriage **old = q->carriages;
	size_t nold = q->ncarriages;

	q->carriages = list;
	q->ncarriages = config->ntransports;
	config_ref(config);
	config_unref(q->config);
	q->config = config;
	pause_again(q);
	for (size_t i = 0; i < nold; i++)
		if (!is_among(old[i], list, q->ncarriages))
			carriage_leave(old[i]);
	free(old);
	assign_routes(q);
	sweeper_start(&q->sweeper, config);
	notices_configure(q->notices, config);
	outages_configure(q->outages, config);
	standbys_look(q->standbys);
	caps_configure(q->caps, config);
	waking_start(&q->waking);
}

int queue_configure(struct queue *q, const struct config *config, struct failure *f)
{
	struct carriage **list = xcalloc(config->ntransports, sizeof(*list));

	for (size_t i = 0; i < config->ntransports; i++) {
		const struct transport_config *transport = &config->transports[i];

		list[i] = find_same(q, transport);
		if (!list[i] && carriage_new(q, config, transport, &list[i], f) < 0) {
			free_new(q, list, i);
			return -1;
		}
	}
	take_over(q, config, list);
	return 0;
}

/* ---- the door ---- */

static void drain_over(void *ctx)
{
	struct queue *q = ctx;
	void (*drained)(void *ctx) = q->drained;

	deadline_unset(&q->drain_limit);
	q->drained = NULL;
	if (drained)
		drained(q->drained_ctx);
}

static void woken(void *ctx)
{
	struct queue *q = ctx;

	for (size_t i = 0; i < q->ncarriages; i++)
		dispatch_wake(q->carriages[i]->dispatch);
}

struct queue *queue_new(struct loop *loop, struct store *store, struct resolver *resolver)
{
	struct queue *q = xcalloc(1, sizeof(*q));

	q->loop = loop;
	q->store = store;
	q->resolver = resolver;
	sweeper_init(&q->sweeper, q);
	q->notices = notices_new(q);
	q->outages = outages_new(q);
	q->standbys = standbys_new(q);
	q->caps = caps_new(q);
	waking_init(&q->waking, loop, woken, q);
	task_init(&q->drain_over, loop, drain_over, q);
	deadline_init(&q->drain_limit, loop, drain_over, q);
	return q;
}

void queue_drain(struct queue *q, int64_t limit_ms, void (*done)(void *ctx), void *ctx)
{
	size_t n = q->ncarriages;

	q->drained = done;
	q->drained_ctx = ctx;
	deadline_set(&q->drain_limit, limit_ms);
	deadline_unset(&q->sweeper.next);
	notices_stop(q->notices);
	standbys_stop(q->standbys);
	q->ncarriages = 0;
	for (size_t i = 0; i < n; i++)
		carriage_leave(q->carriages[i]);
	check_drained(q);
}

static void orphan(struct queue *q)
{
	while (q->pending) {
		struct pending *p = q->pending;

		pending_remove(p);
		p->queue = NULL;
		if (p->orphaned)
			p->orphaned(p);
	}
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	orphan(q);
	sweeper_clear(&q->sweeper);
	notices_free(q->notices);
	outages_free(q->outages);
	standbys_free(q->standbys);
	caps_free(q->caps);
	waking_clear(&q->waking);
	task_clear(&q->drain_over);
	deadline_clear(&q->drain_limit);
	for (size_t i = 0; i < q->ncarriages; i++)
		carriage_free(q->carriages[i]);
	free(q->carriages);
	while (q->leaving) {
		struct carriage *next = q->leaving->next;

		carriage_free(q->leaving);
		q->leaving = next;
	}
	watchers_clear(&q->watchers);
	config_unref(q->config);
	free(q);
}

void queue_paused(struct queue *q, const char *transport, const char *reason)
{
	struct carriage *carriage = find_carriage(q, transport);

	if (!carriage)
		return;
	dispatch_pause(carriage->dispatch, reason);
	assign_routes(q);
}

int queue_probe(struct queue *q, const char *transport, probe_done_fn *done, void *ctx,
		struct failure *f)
{
	struct carriage *carriage = find_carriage(q, transport);

	if (!carriage)
		return failure_set(f, FAILURE_REFUSED, "there is no transport \"%s\"", transport);
	dispatch_probe(carriage->dispatch, done, ctx);
	return 0;
}

void queue_each_transport(struct queue *q,
			  void (*each)(void *ctx, const struct transport_status *s), void *ctx)
{
	for (size_t i = 0; i < q->ncarriages; i++) {
		struct transport_status status;

		dispatch_status(q->carriages[i]->dispatch, &status);
		each(ctx, &status);
	}
}

bool queue_carries(const struct queue *q, unsigned carries)
{
	for (size_t i = 0; i < q->ncarriages; i++)
		if (dispatch_carries(q->carriages[i]->dispatch) & carries)
			return true;
	return false;
}
