/* queue/store_track.c - see store_track.h. On the reader's thread. */
#include "queue/store_track.h"

#include <stdlib.h>

#include <sqlite3.h>

#include "alloc.h"
#include "clock.h"
#include "queue/arena.h"
#include "queue/jump.h"
#include "queue/store_room.h"
#include "queue/store_rows.h"

#define OWNED_MAX 1000
#define LOOK_AGAIN_MS 1000 /* the rows are about to follow a jump of the clock */

struct track {
	struct read read;
	const struct writer *writer; /* the store's */
	struct arena kept;
	const char *transport;   /* in kept */
	int64_t boot_ms, now_ms; /* now_ms: as the rows have it */
	size_t max;
	struct tracked *rows; /* in kept */
	struct track_result result;
	track_done_fn *done;
	void *ctx;
};

static void keep_row(struct track *t, struct sqlite3_stmt *row, struct tracked *ret)
{
	*ret = (struct tracked){
		.delivery = sqlite3_column_int64(row, 0),
		.message = sqlite3_column_int64(row, 1),
		.uid = (uint32_t)sqlite3_column_int64(row, 2),
		.state = (enum delivery_state)sqlite3_column_int(row, 3),
		.attempt_no = (unsigned)sqlite3_column_int(row, 4),
		.since_ms = sqlite3_column_int64(row, 5),
		.expires_ms = sqlite3_column_int64(row, 6),
		.recipient = arena_text(&t->kept, row_text(row, 7)),
		.remote_id = arena_text(&t->kept, row_text(row, 8)),
	};
	if (ret->state != STATE_UNCERTAIN)
		return;
	ret->spec = arena_text(&t->kept, row_text(row, 9));
	ret->content_len = (size_t)sqlite3_column_bytes(row, 10);
	ret->content = arena_copy(&t->kept, sqlite3_column_blob(row, 10), ret->content_len);
}

static int read_rows(struct sql *sql, struct track *t)
{
	struct sqlite3_stmt *row =
		sql_ask(sql, SQL_TRACKED, "tii", t->transport, t->now_ms, (int64_t)t->max);
	int got = row ? 0 : -1;

	t->rows = arena_take(&t->kept, (t->max + 1) * sizeof(*t->rows));
	while (row && (got = sql_next(sql, row)) > 0)
		keep_row(t, row, &t->rows[t->result.n++]);
	return got;
}

static int read_owned(struct sql *sql, struct track *t, struct tracked *one)
{
	struct sqlite3_stmt *row = sql_ask(sql, SQL_TRACKED_OWNED, "tii", one->recipient,
					   one->delivery, (int64_t)OWNED_MAX);
	const char **owned = arena_take(&t->kept, (OWNED_MAX + 1) * sizeof(*owned));
	size_t n = 0;
	int got = row ? 0 : -1;

	while (row && (got = sql_next(sql, row)) > 0)
		owned[n++] = arena_text(&t->kept, row_text(row, 0));
	owned[n] = NULL;
	one->owned = owned;
	return got;
}

static int read_next(struct sql *sql, struct track *t)
{
	struct sqlite3_stmt *row = sql_ask(sql, SQL_TRACKED_NEXT, "ti", t->transport, t->now_ms);
	int got = row ? sql_next(sql, row) : -1;

	if (got <= 0)
		return got;
	t->result.next_ms = sqlite3_column_int64(row, 0);
	sql_done(row);
	return 0;
}

static int look_tracked(struct sql *sql, struct read *read)
{
	struct track *t = (struct track *)read;
	struct jump_look look = jump_look(t->writer);

	t->now_ms = t->boot_ms + look.ahead_ms;
	t->result.ahead_ms = look.ahead_ms;
	int got = sql_begin_look(sql) < 0 ? -1 : read_rows(sql, t);

	for (size_t i = 0; i < t->result.n && got == 0; i++)
		if (t->rows[i].state == STATE_UNCERTAIN)
			got = read_owned(sql, t, &t->rows[i]);
	if (got == 0)
		got = read_next(sql, t);
	if (got < 0)
		sql_failed(sql, &read->why); /* which the rollback forgets */
	sql_rollback(sql);
	if (!jump_look_holds(t->writer, &look)) {
		t->result.n = 0;
		t->result.next_ms = t->now_ms + LOOK_AGAIN_MS;
	}
	return got;
}

static void answer_tracked(struct read *read)
{
	struct track *t = (struct track *)read;

	t->result.rows = t->rows;
	if (read->why.kind != FAILURE_NONE)
		t->result = (struct track_result){.why = &read->why};
	t->done(t->ctx, &t->result);
	arena_clear(&t->kept);
	free(t);
}

void store_track(struct store *s, const char *transport, int64_t boot_ms, size_t max,
		 track_done_fn *done, void *ctx)
{
	struct track *t = xcalloc(1, sizeof(*t));

	t->read.look = look_tracked;
	t->read.answer = answer_tracked;
	t->transport = arena_text(&t->kept, transport);
	t->writer = &s->writer;
	t->boot_ms = boot_ms;
	t->max = max < STORE_PAGE_MAX ? max : STORE_PAGE_MAX;
	t->done = done;
	t->ctx = ctx;
	reader_do(&s->reader, &t->read);
}
