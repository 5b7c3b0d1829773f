/* queue/store_inbound.c - see store_inbound.h. Reads on the reader's thread. */
#include "queue/store_inbound.h"

#include <stdlib.h>

#include <sqlite3.h>

#include "alloc.h"
#include "queue/arena.h"
#include "queue/store_room.h"
#include "queue/store_rows.h"

/* ---- is it known? ---- */

struct known {
	struct read read;
	char *origin, *ref; /* owned */
	bool known;
	text_known_fn *done;
	void *ctx;
};

static int look_known(struct sql *sql, struct read *read)
{
	struct known *k = (struct known *)read;
	struct sqlite3_stmt *row = sql_ask(sql, SQL_KNOWS_TEXT, "tt", k->origin, k->ref);
	int got = row ? sql_next(sql, row) : -1;

	if (got <= 0)
		return got;
	k->known = true;
	sql_done(row);
	return 0;
}

static void answer_known(struct read *read)
{
	struct known *k = (struct known *)read;

	k->done(k->ctx, k->known, read->why.kind == FAILURE_NONE ? NULL : &read->why);
	free(k->origin);
	free(k->ref);
	free(k);
}

void store_knows_text(struct store *s, const char *origin, const char *ref, text_known_fn *done,
		      void *ctx)
{
	struct known *k = xcalloc(1, sizeof(*k));

	k->read.look = look_known;
	k->read.answer = answer_known;
	k->origin = xstrdup(origin);
	k->ref = xstrdup(ref);
	k->done = done;
	k->ctx = ctx;
	reader_do(&s->reader, &k->read);
}

/* ---- who wants none ---- */

struct suppressed {
	struct read read;
	struct arena kept;
	const char *after; /* in kept */
	int64_t since_ms;
	struct suppressed_row rows[STORE_PAGE_MAX];
	struct suppressed_result result;
	suppressed_done_fn *done;
	void *ctx;
};

static int look_suppressed(struct sql *sql, struct read *read)
{
	struct suppressed *s = (struct suppressed *)read;
	struct suppressed_result *r = &s->result;
	struct sqlite3_stmt *row = sql_ask(sql, SQL_ALL_SUPPRESSED, "tii", s->after, s->since_ms,
					   (int64_t)STORE_PAGE_MAX);
	int got = row ? 0 : -1;

	while (row && r->n < STORE_PAGE_MAX && (got = sql_next(sql, row)) > 0)
		s->rows[r->n++] = (struct suppressed_row){
			.number = arena_text(&s->kept, row_text(row, 0)),
			.since_ms = sqlite3_column_int64(row, 1),
			.why = arena_text(&s->kept, row_text(row, 2)),
		};
	r->done = r->n < STORE_PAGE_MAX;
	if (got > 0)
		sql_done(row);
	return got < 0 ? -1 : 0;
}

static void answer_suppressed(struct read *read)
{
	struct suppressed *s = (struct suppressed *)read;

	s->result.rows = s->rows;
	if (read->why.kind != FAILURE_NONE)
		s->result = (struct suppressed_result){.why = &read->why};
	s->done(s->ctx, &s->result);
	arena_clear(&s->kept);
	free(s);
}

void store_suppressed(struct store *store, const char *after, int64_t now_ms,
		      suppressed_done_fn *done, void *ctx)
{
	struct suppressed *s = xcalloc(1, sizeof(*s));

	s->read.look = look_suppressed;
	s->read.answer = answer_suppressed;
	s->after = arena_text(&s->kept, after);
	s->since_ms = now_ms - STORE_SUPPRESSED_MS;
	s->done = done;
	s->ctx = ctx;
	reader_do(&store->reader, &s->read);
}
