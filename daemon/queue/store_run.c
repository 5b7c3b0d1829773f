/* queue/store_run.c - reads what rules stand on, on the reader's thread: runs, what a
 * start needs, strikes. */
#include "queue/store_run.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "alloc.h"
#include "queue/arena.h"
#include "queue/store_room.h"
#include "queue/store_rows.h"

/* Rows looked at for one page: a filter that fits few must not hold up the others. */
#define EXAMINE_MAX 5000

static const char *const names[] = {
	[RUN_STARTED] = "started",         [RUN_DONE] = "done",       [RUN_FAILED] = "failed",
	[RUN_INTERRUPTED] = "interrupted", [RUN_REFUSED] = "refused", [RUN_ASKED] = "asked",
	[RUN_EXPIRED] = "expired",
};
#define NNAMES (sizeof(names) / sizeof(*names))

const char *run_state_name(enum run_state s)
{
	return (size_t)s < NNAMES && names[s] ? names[s] : "unknown";
}

bool run_state_find(const char *name, enum run_state *ret)
{
	for (size_t i = RUN_STARTED; i < NNAMES; i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		*ret = (enum run_state)i;
		return true;
	}
	return false;
}

/* ---- runs ---- */

struct runs {
	struct read read;
	struct run_filter filter; /* its texts are in kept */
	struct arena kept;
	int64_t before;
	size_t max;
	struct run_row *rows; /* owned, of max */
	struct runs_result result;
	runs_done_fn *done;
	void *ctx;
};

static void row_run(struct sqlite3_stmt *row, struct run_row *ret)
{
	*ret = (struct run_row){
		.id = sqlite3_column_int64(row, 0),
		.token = row_text(row, 1),
		.rule = row_text(row, 2),
		.origin = row_text(row, 3),
		.ref = row_text(row, 4),
		.contact = row_text(row, 5),
		.identity = (const char *)sqlite3_column_text(row, 6),
		.command = row_text(row, 7),
		.plan = row_text(row, 8),
		.state = (enum run_state)sqlite3_column_int(row, 9),
		.started_ms = sqlite3_column_int64(row, 10),
		.ended_ms = sqlite3_column_int64(row, 11),
		.expires_ms = sqlite3_column_int64(row, 12),
		.code = sqlite3_column_int(row, 13),
		.text = row_text(row, 14),
	};
}

static bool fits(const struct run_filter *filter, const struct run_row *run, int64_t changed_ms)
{
	return (!filter->states || (filter->states & (1u << run->state)) != 0) &&
	       (!filter->rule || strcmp(filter->rule, run->rule) == 0) &&
	       (!filter->contact || strcmp(filter->contact, run->contact) == 0) &&
	       changed_ms >= filter->since_ms;
}

static void keep_run(struct runs *r, const struct run_row *run)
{
	struct run_row *kept = &r->rows[r->result.n++];
	const char **texts[] = {&kept->token,   &kept->rule,    &kept->origin,
				&kept->ref,     &kept->contact, &kept->identity,
				&kept->command, &kept->plan,    &kept->text};

	*kept = *run;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		*texts[i] = arena_text(&r->kept, *texts[i]);
}

static int look_runs(struct sql *sql, struct read *read)
{
	struct runs *r = (struct runs *)read;
	const struct run_filter *filter = &r->filter;
	int64_t first = filter->id ? filter->id : 1, last = r->before ? r->before - 1 : INT64_MAX;
	size_t examined = 0;
	int got = 1;

	if (filter->id && last > filter->id)
		last = filter->id;
	r->result.last = r->before;
	struct sqlite3_stmt *row = sql_ask(sql, SQL_RUNS, "iii", first, last, (int64_t)EXAMINE_MAX);

	if (!row)
		return -1;
	while (r->result.n < r->max && (got = sql_next(sql, row)) > 0) {
		struct run_row run;

		row_run(row, &run);
		r->result.last = run.id;
		examined++;
		if (fits(filter, &run, sqlite3_column_int64(row, 15)))
			keep_run(r, &run);
	}
	if (got > 0)
		sql_done(row);
	r->result.done = got == 0 && examined < EXAMINE_MAX;
	return got < 0 ? -1 : 0;
}

static void answer_runs(struct read *read)
{
	struct runs *r = (struct runs *)read;

	r->result.rows = r->rows;
	if (read->why.kind != FAILURE_NONE)
		r->result = (struct runs_result){.why = &read->why};
	r->done(r->ctx, &r->result);
	arena_clear(&r->kept);
	free(r->rows);
	free(r);
}

void store_runs(struct store *s, const struct run_filter *filter, int64_t before, size_t max,
		runs_done_fn *done, void *ctx)
{
	struct runs *r = xcalloc(1, sizeof(*r));

	r->read.look = look_runs;
	r->read.answer = answer_runs;
	r->filter = *filter;
	r->filter.rule = arena_text(&r->kept, filter->rule);
	r->filter.contact = arena_text(&r->kept, filter->contact);
	r->before = before;
	r->max = max < STORE_PAGE_MAX ? max : STORE_PAGE_MAX;
	r->rows = xcalloc(r->max ? r->max : 1, sizeof(*r->rows));
	r->done = done;
	r->ctx = ctx;
	reader_do(&s->reader, &r->read);
}

/* ---- what a start needs ---- */

struct desk {
	struct read read;
	struct arena kept;
	struct cursor_row *cursors;     /* owned */
	struct disposal_row *disposals; /* owned */
	size_t ncursors, ndisposals;
	desk_done_fn *done;
	void *ctx;
};

/* Room for one more in an array of n, which doubles. */
static void *grow(void *rows, size_t n, size_t size)
{
	return (n & (n - 1)) == 0 ? xrealloc(rows, (n ? 2 * n : 1) * size) : rows;
}

static int look_cursors(struct sql *sql, struct desk *d)
{
	struct sqlite3_stmt *row = sql_ask(sql, SQL_CURSORS, "");
	int got = row ? 0 : -1;

	while (row && (got = sql_next(sql, row)) > 0) {
		d->cursors = grow(d->cursors, d->ncursors, sizeof(*d->cursors));
		d->cursors[d->ncursors++] = (struct cursor_row){
			.mailbox = arena_text(&d->kept, row_text(row, 0)),
			.cursor = arena_text(&d->kept, row_text(row, 1)),
		};
	}
	return got;
}

static int look_disposals(struct sql *sql, struct desk *d)
{
	struct sqlite3_stmt *row = sql_ask(sql, SQL_DISPOSALS, "");
	int got = row ? 0 : -1;

	while (row && (got = sql_next(sql, row)) > 0) {
		d->disposals = grow(d->disposals, d->ndisposals, sizeof(*d->disposals));
		d->disposals[d->ndisposals++] = (struct disposal_row){
			.id = sqlite3_column_int64(row, 0),
			.mailbox = arena_text(&d->kept, row_text(row, 1)),
			.ref = arena_text(&d->kept, row_text(row, 2)),
			.deed = (unsigned)sqlite3_column_int(row, 3),
			.target = arena_text(&d->kept, row_text(row, 4)),
		};
	}
	return got;
}

static int look_desk(struct sql *sql, struct read *read)
{
	struct desk *d = (struct desk *)read;
	int got;

	/* A cursor and the disposals that were put with it belong together. */
	if (sql_begin_look(sql) < 0)
		return -1;
	got = look_cursors(sql, d);
	if (got == 0)
		got = look_disposals(sql, d);
	if (got < 0)
		sql_failed(sql, &read->why); /* which the rollback forgets */
	sql_rollback(sql);
	return got;
}

static void answer_desk(struct read *read)
{
	struct desk *d = (struct desk *)read;
	struct desk_result result = {.why = &read->why};

	if (read->why.kind == FAILURE_NONE)
		result = (struct desk_result){.cursors = d->cursors,
					      .ncursors = d->ncursors,
					      .disposals = d->disposals,
					      .ndisposals = d->ndisposals};
	d->done(d->ctx, &result);
	arena_clear(&d->kept);
	free(d->cursors);
	free(d->disposals);
	free(d);
}

void store_desk(struct store *s, desk_done_fn *done, void *ctx)
{
	struct desk *d = xcalloc(1, sizeof(*d));

	d->read.look = look_desk;
	d->read.answer = answer_desk;
	d->done = done;
	d->ctx = ctx;
	reader_do(&s->reader, &d->read);
}

/* ---- strikes ---- */

struct strikes {
	struct read read;
	char *contact, *channel; /* owned */
	int64_t since_ms;
	unsigned count;
	strikes_done_fn *done;
	void *ctx;
};

static int look_strikes(struct sql *sql, struct read *read)
{
	struct strikes *s = (struct strikes *)read;
	struct sqlite3_stmt *row =
		sql_ask(sql, SQL_STRIKES, "tti", s->contact, s->channel, s->since_ms);
	int got = row ? 0 : -1;

	while (row && (got = sql_next(sql, row)) > 0)
		s->count++;
	return got;
}

static void answer_strikes(struct read *read)
{
	struct strikes *s = (struct strikes *)read;

	s->done(s->ctx, s->count, read->why.kind == FAILURE_NONE ? NULL : &read->why);
	free(s->contact);
	free(s->channel);
	free(s);
}

void store_strikes(struct store *store, const char *contact, const char *channel, int64_t since_ms,
		   strikes_done_fn *done, void *ctx)
{
	struct strikes *s = xcalloc(1, sizeof(*s));

	s->read.look = look_strikes;
	s->read.answer = answer_strikes;
	s->contact = xstrdup(contact);
	s->channel = xstrdup(channel);
	s->since_ms = since_ms;
	s->done = done;
	s->ctx = ctx;
	reader_do(&store->reader, &s->read);
}
