/* queue/store_owed.c - see store_owed.h. */
#include "queue/store_owed.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "alloc.h"
#include "queue/store_ids.h"
#include "queue/store_room.h"
#include "queue/store_rows.h"

struct owed {
	struct read read;
	int64_t slow_before_ms, first_delivery;
	struct arena kept;
	struct message_row message; /* id 0: nothing is owed */
	struct delivery_row *deliveries;
	size_t n;
	bool delay;
	const void *content; /* in kept */
	size_t content_len;
	owed_done_fn *done;
	void *ctx;
};

/* The message's id, 0: there is none; -1. */
static int64_t find(struct sql *sql, struct owed *o)
{
	struct sqlite3_stmt *row = sql_ask(sql, SQL_OWED, "");
	int got = row ? sql_next(sql, row) : -1;

	if (got == 0) {
		o->delay = true;
		row = sql_ask(sql, SQL_SLOW, "i", o->slow_before_ms);
		got = row ? sql_next(sql, row) : -1;
	}
	if (got <= 0)
		return got;
	int64_t id = sqlite3_column_int64(row, 0);

	sql_done(row);
	return id;
}

static void keep_content(struct owed *o, struct sqlite3_stmt *row, int column)
{
	o->content_len = (size_t)sqlite3_column_bytes(row, column);
	o->content = arena_copy(&o->kept, sqlite3_column_blob(row, column), o->content_len);
}

static int read_message(struct sql *sql, struct owed *o, int64_t id)
{
	struct sqlite3_stmt *row = sql_ask(sql, SQL_OWED_MESSAGE, "i", id);
	int got = row ? sql_next(sql, row) : -1;

	if (got <= 0)
		return got;
	row_message(row, 0, &o->message);
	o->message.spec = row_text(row, MESSAGE_NCOLUMNS);
	keep_message(&o->kept, &o->message);
	o->first_delivery = sqlite3_column_int64(row, MESSAGE_NCOLUMNS + 1);
	o->n = (size_t)sqlite3_column_int64(row, MESSAGE_NCOLUMNS + 2);
	keep_content(o, row, MESSAGE_NCOLUMNS + 3);
	sql_done(row);
	return 1;
}

static int read_deliveries(struct sql *sql, struct owed *o)
{
	struct sqlite3_stmt *row = sql_ask(sql, SQL_SHOW_DELIVERIES, "ii", o->first_delivery,
					   o->first_delivery + (int64_t)o->n - 1);
	size_t max = o->n;
	int got = row ? 0 : -1;

	o->deliveries = arena_take(&o->kept, (max + 1) * sizeof(*o->deliveries));
	o->n = 0;
	while (row && (got = sql_next(sql, row)) > 0) {
		row_delivery(row, 0, &o->deliveries[o->n]);
		keep_delivery(&o->kept, &o->deliveries[o->n++]);
	}
	return got;
}

static int read_first_chunk(struct sql *sql, struct owed *o)
{
	struct sqlite3_stmt *row = sql_ask(sql, SQL_READ_CHUNK, "i", ids_first(o->message.body));
	int got = row ? sql_next(sql, row) : -1;

	if (got <= 0)
		return got;
	keep_content(o, row, 0);
	sql_done(row);
	return 0;
}

static int look_owed(struct sql *sql, struct read *read)
{
	struct owed *o = (struct owed *)read;
	int64_t id;
	int got = -1;

	if (sql_begin_look(sql) < 0)
		return -1;
	id = find(sql, o);
	if (id >= 0)
		got = id ? read_message(sql, o, id) : 0;
	if (got > 0)
		got = read_deliveries(sql, o);
	if (got == 0 && o->message.body)
		got = read_first_chunk(sql, o);
	if (got < 0)
		sql_failed(sql, &read->why); /* which the rollback forgets */
	sql_rollback(sql);
	return got;
}

static void answer_owed(struct read *read)
{
	struct owed *o = (struct owed *)read;
	struct owed_result result = {0};

	if (read->why.kind != FAILURE_NONE)
		result.why = &read->why;
	else if (o->message.id)
		result = (struct owed_result){.message = &o->message,
					      .deliveries = o->deliveries,
					      .ndeliveries = o->n,
					      .delay = o->delay,
					      .content = o->content,
					      .content_len = o->content_len};
	o->done(o->ctx, &result);
	arena_clear(&o->kept);
	free(o);
}

void store_owed(struct store *s, int64_t slow_before_ms, owed_done_fn *done, void *ctx)
{
	struct owed *o = xcalloc(1, sizeof(*o));

	o->read.look = look_owed;
	o->read.answer = answer_owed;
	o->slow_before_ms = slow_before_ms;
	o->done = done;
	o->ctx = ctx;
	reader_do(&s->reader, &o->read);
}
