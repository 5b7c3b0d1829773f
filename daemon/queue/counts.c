/* queue/counts.c - arithmetic of counters, and a hint for each route where its
 * oldest waiting delivery is, which only a return can set back. */
#include "queue/counts.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"

#define NAME_MAX_LEN (sizeof(((struct counts_route *)0)->name) - 1)

struct tally_row {
	int64_t delivery;
	unsigned char route, from, to;
};

void counts_init(struct counts *c)
{
	memset(c, 0, sizeof(*c));
	pthread_mutex_init(&c->lock, NULL);
}

void counts_clear(struct counts *c)
{
	pthread_mutex_destroy(&c->lock);
}

/* Only the writer adds routes, so it may look without the lock. */
static size_t route_index(struct counts *c, const char *name)
{
	size_t i = 0;

	while (i < c->nroutes && strncmp(c->routes[i].name, name, NAME_MAX_LEN) != 0)
		i++;
	if (i < c->nroutes)
		return i;
	if (i == COUNTS_ROUTES)
		return COUNTS_ROUTES - 1;
	pthread_mutex_lock(&c->lock);
	strncat(c->routes[i].name, name, NAME_MAX_LEN);
	c->routes[i].oldest = INT64_MAX;
	c->nroutes++;
	pthread_mutex_unlock(&c->lock);
	return i;
}

void tally_add(struct tally *t, struct counts *c, const char *route, int64_t delivery,
	       enum delivery_state from, enum delivery_state to)
{
	if (t->n == t->allocated) {
		t->allocated = t->allocated ? t->allocated * 2 : 64;
		t->rows = xrealloc(t->rows, t->allocated * sizeof(*t->rows));
	}
	t->rows[t->n++] = (struct tally_row){.delivery = delivery,
					     .route = (unsigned char)route_index(c, route),
					     .from = (unsigned char)from,
					     .to = (unsigned char)to};
}

void tally_back(struct tally *t, size_t n)
{
	t->n = n;
}

static bool waits(unsigned state)
{
	return state == STATE_QUEUED || state == STATE_SENDING;
}

static void apply(struct counts_route *route, const struct tally_row *row)
{
	if (row->from)
		route->by_state[row->from]--;
	if (row->to)
		route->by_state[row->to]++;
	if (!waits(row->to) || waits(row->from))
		return;
	if (row->from)
		route->returns++;
	if (row->delivery < route->oldest)
		route->oldest = row->delivery;
}

void tally_commit(struct tally *t, struct counts *c)
{
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < t->n; i++)
		apply(&c->routes[t->rows[i].route], &t->rows[i]);
	pthread_mutex_unlock(&c->lock);
	t->n = 0;
}

void tally_clear(struct tally *t)
{
	free(t->rows);
	*t = (struct tally){0};
}

size_t counts_read(struct counts *c, struct counts_route *ret)
{
	pthread_mutex_lock(&c->lock);
	size_t n = c->nroutes;

	memcpy(ret, c->routes, n * sizeof(*ret));
	pthread_mutex_unlock(&c->lock);
	return n;
}

void counts_put(struct counts *c, const struct counts_route *routes, size_t n)
{
	pthread_mutex_lock(&c->lock);
	memcpy(c->routes, routes, n * sizeof(*routes));
	c->nroutes = n;
	pthread_mutex_unlock(&c->lock);
}

uint64_t counts_waiting(struct counts *c)
{
	uint64_t waiting = 0;

	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->nroutes; i++)
		for (enum delivery_state state = STATE_HELD; state <= STATE_STANDBY; state++)
			waiting += state_is_final(state) ? 0 : c->routes[i].by_state[state];
	pthread_mutex_unlock(&c->lock);
	return waiting;
}

void counts_advance(struct counts *c, size_t i, const struct counts_route *seen, int64_t oldest)
{
	struct counts_route *route = &c->routes[i];

	pthread_mutex_lock(&c->lock);
	if (route->returns == seen->returns && route->oldest == seen->oldest)
		route->oldest = oldest;
	pthread_mutex_unlock(&c->lock);
}
