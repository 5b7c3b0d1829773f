/* queue/store_stats.c - how much waits where, and since when: counters of
 * memory, and for each route one look from where its oldest was last seen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "alloc.h"
#include "auto.h"
#include "queue/store_room.h"

struct stats {
	struct read read;
	struct store *store;
	struct stats_result result;
	stats_done_fn *done;
	void *ctx;
};

static uint64_t waiting(const struct counts_route *route)
{
	return route->by_state[STATE_QUEUED] + route->by_state[STATE_SENDING];
}

static int find_oldest(struct sql *sql, struct counts *counts, size_t i,
		       const struct counts_route *route, int64_t *ret_ms)
{
	struct sqlite3_stmt *row = sql_ask(sql, SQL_OLDEST, "it", route->oldest, route->name);
	int got = row ? sql_next(sql, row) : -1;

	if (got <= 0)
		return got;
	counts_advance(counts, i, route, sqlite3_column_int64(row, 0));
	*ret_ms = sqlite3_column_int64(row, 1);
	sql_done(row);
	return 0;
}

static uint64_t file_bytes(const char *path, const char *suffix)
{
	char name[4096];
	struct stat st;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	return stat(name, &st) == 0 ? (uint64_t)st.st_size : 0;
}

uint64_t store_bytes_in(const char *directory)
{
	AUTO(free) char *path = xprintf("%s/queue.db", directory);

	return file_bytes(path, "") + file_bytes(path, "-wal");
}

static int read_count(struct sql *sql, enum statement which, uint64_t *ret)
{
	struct sqlite3_stmt *row = sql_ask(sql, which, "");
	int got = row ? sql_next(sql, row) : -1;

	if (got <= 0)
		return -1;
	*ret = (uint64_t)sqlite3_column_int64(row, 0);
	sql_done(row);
	return 0;
}

static int read_used(struct sql *sql, uint64_t *ret)
{
	uint64_t pages, free_pages;

	if (read_count(sql, SQL_PAGES, &pages) < 0 ||
	    read_count(sql, SQL_PAGES_FREE, &free_pages) < 0)
		return -1;
	*ret = (pages - free_pages) * STORE_PAGE_BYTES;
	return 0;
}

static int look_stats(struct sql *sql, struct read *read)
{
	struct stats *stats = (struct stats *)read;
	struct stats_result *result = &stats->result;
	struct counts_route routes[COUNTS_ROUTES];

	result->nroutes = counts_read(&stats->store->counts, routes);
	for (size_t i = 0; i < result->nroutes; i++) {
		for (size_t state = 0; state < 16; state++)
			result->by_state[state] += routes[i].by_state[state];
		memcpy(result->routes[i].route, routes[i].name, sizeof(routes[i].name));
		result->routes[i].waiting = waiting(&routes[i]);
		if (result->routes[i].waiting &&
		    find_oldest(sql, &stats->store->counts, i, &routes[i],
				&result->routes[i].oldest_ms) < 0)
			return -1;
	}
	result->database_bytes =
		file_bytes(stats->store->path, "") + file_bytes(stats->store->path, "-wal");
	return read_used(sql, &result->used_bytes);
}

static void answer(struct read *read)
{
	struct stats *stats = (struct stats *)read;

	if (read->why.kind != FAILURE_NONE)
		stats->result = (struct stats_result){.why = &read->why};
	stats->done(stats->ctx, &stats->result);
	free(stats);
}

void store_stats(struct store *s, stats_done_fn *done, void *ctx)
{
	struct stats *stats = xcalloc(1, sizeof(*stats));

	stats->read.look = look_stats;
	stats->read.answer = answer;
	stats->store = s;
	stats->done = done;
	stats->ctx = ctx;
	reader_do(&s->reader, &stats->read);
}

uint64_t store_waiting(struct store *s)
{
	return counts_waiting(&s->counts);
}

struct recent {
	struct read read;
	int64_t before;
	struct recent_row rows[STORE_PAGE_MAX];
	size_t n;
	recent_done_fn *done;
	void *ctx;
};

static int look_recent(struct sql *sql, struct read *read)
{
	struct recent *recent = (struct recent *)read;
	struct sqlite3_stmt *row =
		sql_ask(sql, SQL_RECENT, "ii", recent->before, (int64_t)STORE_PAGE_MAX);
	int got = row ? 0 : -1;

	while (row && (got = sql_next(sql, row)) > 0) {
		recent->before = sqlite3_column_int64(row, 0);
		recent->rows[recent->n++] =
			(struct recent_row){.uid = (uint32_t)sqlite3_column_int64(row, 1),
					    .created_ms = sqlite3_column_int64(row, 2),
					    .bytes = (uint64_t)sqlite3_column_int64(row, 3)};
	}
	return got;
}

static void answer_recent(struct read *read)
{
	struct recent *recent = (struct recent *)read;
	struct recent_result result = {.why = &read->why};

	if (read->why.kind == FAILURE_NONE)
		result = (struct recent_result){.rows = recent->rows,
						.n = recent->n,
						.last = recent->before,
						.done = recent->n < STORE_PAGE_MAX};
	recent->done(recent->ctx, &result);
	free(recent);
}

void store_recent(struct store *s, int64_t before, recent_done_fn *done, void *ctx)
{
	struct recent *recent = xcalloc(1, sizeof(*recent));

	recent->read.look = look_recent;
	recent->read.answer = answer_recent;
	recent->before = before ? before : INT64_MAX;
	recent->done = done;
	recent->ctx = ctx;
	reader_do(&s->reader, &recent->read);
}
