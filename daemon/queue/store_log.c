/* queue/store_log.c - the history: events of all messages, or of one, a page at a
 * time in the order of their numbers, which is that of messages and not of time. */
#include <stdlib.h>

#include <sqlite3.h>

#include "alloc.h"
#include "queue/events.h"
#include "queue/store_ids.h"
#include "queue/store_room.h"
#include "queue/store_rows.h"

/* Rows looked at in one read: so that other reads do not wait long. */
#define EXAMINE_MAX 20000

struct history {
	struct read read;
	struct log_filter filter;
	int64_t first, last; /* event ids; last becomes the last one examined */
	bool done;
	struct events events;
	log_done_fn *answer;
	void *ctx;
};

static void take_row(struct history *h, struct sqlite3_stmt *row)
{
	struct event_row event = {
		.id = sqlite3_column_int64(row, 0),
		.at_ms = sqlite3_column_int64(row, 1),
		.delivery = sqlite3_column_int64(row, 2),
		.from = (enum delivery_state)sqlite3_column_int(row, 3),
		.to = (enum delivery_state)sqlite3_column_int(row, 4),
		.attempt_no = (unsigned)sqlite3_column_int(row, 5),
		.code = sqlite3_column_int(row, 6),
		.recipient = row_text(row, 7),
		.transport = row_text(row, 8),
		.enhanced = row_text(row, 9),
		.text = row_text(row, 10),
		.uid = (uint32_t)sqlite3_column_int64(row, 11),
	};

	event.message = ids_owner(event.id);
	h->last = event.id;
	if (event.at_ms >= h->filter.since_ms &&
	    (h->filter.uid < 0 || h->filter.uid == (int64_t)event.uid))
		events_add(&h->events, &event);
}

static int look(struct sql *sql, struct read *read)
{
	struct history *h = (struct history *)read;
	struct sqlite3_stmt *row =
		sql_ask(sql, SQL_LOG, "iii", h->first, h->last, (int64_t)EXAMINE_MAX);
	size_t examined = 0;
	int got = row ? 1 : -1;

	while (row && h->events.n < STORE_PAGE_MAX && (got = sql_next(sql, row)) > 0) {
		take_row(h, row);
		examined++;
	}
	if (got > 0)
		sql_done(row);
	h->done = got == 0 && examined < EXAMINE_MAX;
	return got < 0 ? -1 : 0;
}

static void answer(struct read *read)
{
	struct history *h = (struct history *)read;
	struct log_result result = {.why = &read->why};

	if (read->why.kind == FAILURE_NONE)
		result = (struct log_result){.events = h->events.rows,
					     .n = h->events.n,
					     .last = h->last,
					     .done = h->done};
	h->answer(h->ctx, &result);
	events_clear(&h->events);
	free(h);
}

void store_log(struct store *s, const struct log_filter *filter, int64_t after, log_done_fn *done,
	       void *ctx)
{
	struct history *h = xcalloc(1, sizeof(*h));

	h->read.look = look;
	h->read.answer = answer;
	h->filter = *filter;
	h->first = filter->message ? ids_first(filter->message) : 0;
	h->last = filter->message ? ids_last(filter->message) : INT64_MAX;
	if (h->first <= after)
		h->first = after < INT64_MAX ? after + 1 : after;
	h->answer = done;
	h->ctx = ctx;
	reader_do(&s->reader, &h->read);
}
