/* queue/store_query.c - lists, one message, chunks: what the reader's thread
 * looks up and copies for the loop. */
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "alloc.h"
#include "queue/events.h"
#include "queue/store_filter.h"
#include "queue/store_ids.h"
#include "queue/store_room.h"
#include "queue/store_rows.h"

struct list {
	struct read read;
	struct walk walk;
	struct arena rows_kept;
	struct list_row *rows; /* owned */
	size_t n;
	list_done_fn *done;
	void *ctx;
};

static void keep_row(void *ctx, const struct delivery_row *delivery,
		     const struct message_row *message)
{
	struct list *list = ctx;
	struct delivery_row *d = arena_take(&list->rows_kept, sizeof(*d));
	struct message_row *m = arena_take(&list->rows_kept, sizeof(*m));

	*d = *delivery;
	*m = *message;
	keep_delivery(&list->rows_kept, d);
	keep_message(&list->rows_kept, m);
	list->rows[list->n++] = (struct list_row){.delivery = d, .message = m};
}

static int look_list(struct sql *sql, struct read *read)
{
	struct list *list = (struct list *)read;

	return walk_step(&list->walk, sql, keep_row, list);
}

static void answer_list(struct read *read)
{
	struct list *list = (struct list *)read;
	struct list_result result = {.why = &read->why};

	if (read->why.kind == FAILURE_NONE)
		result = (struct list_result){.rows = list->rows,
					      .n = list->n,
					      .last = list->walk.last,
					      .done = list->walk.done};
	list->done(list->ctx, &result);
	walk_clear(&list->walk);
	arena_clear(&list->rows_kept);
	free(list->rows);
	free(list);
}

void store_list(struct store *s, const struct filter *filter, int64_t after, size_t max,
		list_done_fn *done, void *ctx)
{
	struct list *list = xcalloc(1, sizeof(*list));

	list->read.look = look_list;
	list->read.answer = answer_list;
	walk_init(&list->walk, filter, after, max);
	list->rows = xcalloc(list->walk.max ? list->walk.max : 1, sizeof(*list->rows));
	list->done = done;
	list->ctx = ctx;
	reader_do(&s->reader, &list->read);
}

struct show {
	struct read read;
	int64_t id;
	bool found;
	struct arena kept;
	struct message_row message;
	int64_t first_delivery, ndeliveries;
	struct delivery_row *deliveries; /* in kept */
	size_t n;
	struct events events; /* the newest first, until all are read */
	show_done_fn *done;
	void *ctx;
};

static int show_message(struct sql *sql, struct show *show)
{
	struct sqlite3_stmt *row = sql_ask(sql, SQL_SHOW_MESSAGE, "i", show->id);
	int got = row ? sql_next(sql, row) : -1;

	if (got <= 0)
		return got;
	row_message(row, 0, &show->message);
	show->message.spec = row_text(row, MESSAGE_NCOLUMNS);
	keep_message(&show->kept, &show->message);
	show->first_delivery = sqlite3_column_int64(row, MESSAGE_NCOLUMNS + 1);
	show->ndeliveries = sqlite3_column_int64(row, MESSAGE_NCOLUMNS + 2);
	show->found = true;
	sql_done(row);
	return 1;
}

static int show_deliveries(struct sql *sql, struct show *show)
{
	struct sqlite3_stmt *row = sql_ask(sql, SQL_SHOW_DELIVERIES, "ii", show->first_delivery,
					   show->first_delivery + show->ndeliveries - 1);
	int got = row ? 0 : -1;

	show->deliveries =
		arena_take(&show->kept, (size_t)show->ndeliveries * sizeof(*show->deliveries));
	while (row && (got = sql_next(sql, row)) > 0) {
		struct delivery_row *d = &show->deliveries[show->n++];

		row_delivery(row, 0, d);
		keep_delivery(&show->kept, d);
	}
	return got;
}

static void keep_event(struct show *show, struct sqlite3_stmt *row)
{
	events_add(&show->events, &(struct event_row){
					  .id = sqlite3_column_int64(row, 0),
					  .at_ms = sqlite3_column_int64(row, 1),
					  .message = show->id,
					  .delivery = sqlite3_column_int64(row, 2),
					  .uid = show->message.uid,
					  .from = (enum delivery_state)sqlite3_column_int(row, 3),
					  .to = (enum delivery_state)sqlite3_column_int(row, 4),
					  .attempt_no = (unsigned)sqlite3_column_int(row, 5),
					  .code = sqlite3_column_int(row, 6),
					  .recipient = row_text(row, 7),
					  .transport = row_text(row, 8),
					  .enhanced = row_text(row, 9),
					  .text = row_text(row, 10),
				  });
}

static int show_events(struct sql *sql, struct show *show)
{
	struct sqlite3_stmt *row = sql_ask(sql, SQL_SHOW_EVENTS, "iii", ids_first(show->id),
					   ids_last(show->id), (int64_t)STORE_PAGE_MAX);
	struct event_row *rows;
	int got = row ? 0 : -1;

	while (row && (got = sql_next(sql, row)) > 0)
		keep_event(show, row);
	rows = show->events.rows;
	for (size_t i = 0, j = show->events.n; i + 1 < j; i++) {
		struct event_row newer = rows[i];

		rows[i] = rows[--j];
		rows[j] = newer;
	}
	return got;
}

static int look_show(struct sql *sql, struct read *read)
{
	struct show *show = (struct show *)read;
	int got;

	/* Deliveries and events must fit together: a watcher goes on from here. */
	if (sql_begin_look(sql) < 0)
		return -1;
	got = show_message(sql, show);
	if (got > 0)
		got = show_deliveries(sql, show) < 0 ? -1 : show_events(sql, show);
	if (got < 0)
		sql_failed(sql, &read->why); /* which the rollback forgets */
	sql_rollback(sql);
	return got;
}

static void answer_show(struct read *read)
{
	struct show *show = (struct show *)read;
	struct show_result result = {0};

	if (read->why.kind != FAILURE_NONE)
		result.why = &read->why;
	else if (show->found)
		result = (struct show_result){.message = &show->message,
					      .deliveries = show->deliveries,
					      .ndeliveries = show->n,
					      .events = show->events.rows,
					      .nevents = show->events.n};
	show->done(show->ctx, &result);
	arena_clear(&show->kept);
	events_clear(&show->events);
	free(show);
}

void store_show(struct store *s, int64_t message, show_done_fn *done, void *ctx)
{
	struct show *show = xcalloc(1, sizeof(*show));

	show->read.look = look_show;
	show->read.answer = answer_show;
	show->id = message;
	show->done = done;
	show->ctx = ctx;
	reader_do(&s->reader, &show->read);
}

struct chunk_read {
	struct read read;
	int64_t id;
	void *bytes; /* owned; NULL: there is none */
	size_t len;
	chunk_done_fn *done; /* NULL: canceled */
	void *ctx;
};

static int look_chunk(struct sql *sql, struct read *read)
{
	struct chunk_read *r = (struct chunk_read *)read;
	struct sqlite3_stmt *row = sql_ask(sql, SQL_READ_CHUNK, "i", r->id);
	int got = row ? sql_next(sql, row) : -1;

	if (got <= 0)
		return got;
	const void *bytes = sqlite3_column_blob(row, 0);

	r->len = (size_t)sqlite3_column_bytes(row, 0);
	r->bytes = xmemdup(bytes ? bytes : "", r->len);
	sql_done(row);
	return 0;
}

static void answer_chunk(struct read *read)
{
	struct chunk_read *r = (struct chunk_read *)read;

	if (r->done)
		r->done(r->ctx, r->bytes, r->len,
			read->why.kind == FAILURE_NONE ? NULL : &read->why);
	free(r->bytes);
	free(r);
}

struct chunk_read *store_read_chunk(struct store *s, int64_t body, unsigned number,
				    chunk_done_fn *done, void *ctx)
{
	struct chunk_read *r = xcalloc(1, sizeof(*r));

	r->read.look = look_chunk;
	r->read.answer = answer_chunk;
	r->id = ids_first(body) + number;
	r->done = done;
	r->ctx = ctx;
	reader_do(&s->reader, &r->read);
	return r;
}

void chunk_read_cancel(struct chunk_read *r)
{
	if (r)
		r->done = NULL;
}
