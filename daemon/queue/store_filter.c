/* queue/store_filter.c - decides which deliveries a filter means. Rows are read
 * in order of their number, and at most so many in a step that other work does
 * not wait: a step may find nothing and not be done. */
#include "queue/store_filter.h"

#include <string.h>

#include <sqlite3.h>

#include "queue/sql.h"
#include "queue/store_rows.h"
#include "text.h"

#define EXAMINE_MAX 20000

void walk_init(struct walk *walk, const struct filter *filter, int64_t after, size_t max)
{
	*walk = (struct walk){.message = filter->message,
			      .delivery = filter->delivery,
			      .uid = filter->uid,
			      .states = filter->states,
			      .after = after,
			      .max = max < STORE_PAGE_MAX ? max : STORE_PAGE_MAX};
	walk->route = arena_text(&walk->texts, filter->route);
	walk->recipient = arena_text(&walk->texts, filter->recipient);
}

void walk_clear(struct walk *walk)
{
	arena_clear(&walk->texts);
}

static bool fits_filter(const struct walk *walk, const struct delivery_row *d,
			const struct message_row *m)
{
	return (!walk->states || (walk->states & (1u << d->state)) != 0) &&
	       (!walk->message || walk->message == d->message) &&
	       (walk->uid < 0 || walk->uid == (int64_t)m->uid) &&
	       (!walk->route || strcmp(walk->route, d->route) == 0) &&
	       (!walk->recipient || text_matches(walk->recipient, d->recipient));
}

/* Where to look. */
static int find_range(const struct walk *walk, struct sql *sql, int64_t *first, int64_t *last)
{
	*first = walk->after < INT64_MAX ? walk->after + 1 : INT64_MAX;
	*last = INT64_MAX;
	if (walk->message) {
		struct sqlite3_stmt *row = sql_ask(sql, SQL_RANGE, "i", walk->message);
		int got = row ? sql_next(sql, row) : -1;

		if (got < 0)
			return -1;
		int64_t start = got ? sqlite3_column_int64(row, 0) : 1;

		*last = got ? start + sqlite3_column_int64(row, 1) - 1 : 0;
		if (*first < start)
			*first = start;
		if (got)
			sql_done(row);
	}
	if (walk->delivery && *first < walk->delivery)
		*first = walk->delivery;
	if (walk->delivery && *last > walk->delivery)
		*last = walk->delivery;
	return 0;
}

int walk_step(struct walk *walk, struct sql *sql, walk_fn *fits, void *ctx)
{
	int64_t first, last;
	size_t found = 0, examined = 0;
	int got = 1;

	walk->last = walk->after;
	if (find_range(walk, sql, &first, &last) < 0)
		return -1;
	struct sqlite3_stmt *row = sql_ask(sql, SQL_WALK, "iii", first, last, (int64_t)EXAMINE_MAX);

	if (!row)
		return -1;
	while (found < walk->max && (got = sql_next(sql, row)) > 0) {
		struct delivery_row d;
		struct message_row m;

		row_delivery(row, 0, &d);
		row_message(row, DELIVERY_NCOLUMNS, &m);
		walk->last = d.id;
		examined++;
		if (!fits_filter(walk, &d, &m))
			continue;
		found++;
		fits(ctx, &d, &m);
	}
	if (got > 0)
		sql_done(row);
	walk->done = got == 0 && examined < EXAMINE_MAX;
	return got < 0 ? -1 : 0;
}
