/* queue/store_sweep.c - housekeeping: what waited too long, what others left
 * claimed, and what nobody needs to remember. A bounded piece at a time. */
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>
#include <sqlite3.h>

#include "alloc.h"
#include "queue/store_change.h"
#include "queue/store_desk.h"
#include "queue/store_ids.h"
#include "queue/store_room.h"
#include "queue/store_rows.h"

#define CHANGE_MAX STORE_PAGE_MAX
#define FORGET_MESSAGES 100
/* Chunks and deliveries that may go in one piece. */
#define FORGET_ROWS 1000
/* Longer than any window of a throttle */
#define TEXTS_KEPT_MS (8LL * 24 * 60 * 60 * 1000)
#define STRAY_AFTER_MS (24LL * 60 * 60 * 1000)

struct sweep {
	struct write write;
	int64_t now_ms, forget_before_ms;
	json_t *transports; /* owned */
	struct events events;
	size_t forgotten;
	bool more;
	sweep_done_fn *done;
	void *ctx;
};

struct old_message {
	int64_t id, body, first_delivery, ndeliveries;
	uint64_t content_size;
};

static int expire(struct writer *w, struct sweep *s)
{
	struct subjects late = {0};
	int got = subjects_read(&late, w,
				sql_ask(w->sql, SQL_EXPIRED, "ii", s->now_ms, (int64_t)CHANGE_MAX));

	for (size_t i = 0; i < late.n && got >= 0; i++) {
		late.rows[i].to.to = STATE_EXPIRED;
		late.rows[i].to.at_ms = s->now_ms;
		got = change_state(w, &late.rows[i], &s->events);
	}
	s->more |= late.n == CHANGE_MAX;
	subjects_clear(&late);
	return got < 0 ? -1 : 0;
}

static int free_lapsed(struct writer *w, struct sweep *s)
{
	struct subjects lapsed = {0};
	int got = subjects_read(
		&lapsed, w,
		sql_ask(w->sql, SQL_LAPSED, "tii", w->instance, s->now_ms, (int64_t)CHANGE_MAX));

	if (got == 0)
		got = subjects_take_back(&lapsed, w, s->now_ms, &s->events);
	s->more |= lapsed.n == CHANGE_MAX;
	subjects_clear(&lapsed);
	return got;
}

/* Its provider is not asked any more, and was not for a day. */
static int end_stray(struct writer *w, struct sweep *s, struct change *stray)
{
	struct delivery_change *to = &stray->to;

	if (to->from == STATE_SENT)
		return sql_run(w->sql, SQL_ASK_AGAIN, "ii", to->delivery, (int64_t)0);
	bool uncertain = to->from == STATE_UNCERTAIN;

	to->at_ms = s->now_ms;
	to->to = uncertain ? STATE_HELD : STATE_SENT;
	to->text = uncertain ? "perhaps sent, by a transport that is there no more: release or"
			       " cancel it"
			     : "unconfirmed: its transport is there no more";
	return change_state(w, stray, &s->events);
}

static int end_strays_of(struct writer *w, struct sweep *s, const char *transport)
{
	struct subjects strays = {0};
	int got = subjects_read(&strays, w,
				sql_ask(w->sql, SQL_STRAYS, "tii", transport,
					s->now_ms - STRAY_AFTER_MS, (int64_t)CHANGE_MAX));

	for (size_t i = 0; i < strays.n && got >= 0; i++)
		got = end_stray(w, s, &strays.rows[i]);
	s->more |= strays.n == CHANGE_MAX;
	subjects_clear(&strays);
	return got < 0 ? -1 : 0;
}

/* The next transport by name that something is asked of; the caller's. 0: there is none. */
static int next_asked(struct writer *w, const char *after, char **ret)
{
	struct sqlite3_stmt *row = sql_ask(w->sql, SQL_TRACKED_BY, "t", after);
	int got = row ? sql_next(w->sql, row) : -1;

	if (got <= 0)
		return got;
	*ret = xstrdup(row_text(row, 0));
	sql_done(row);
	return 1;
}

static int end_strays(struct writer *w, struct sweep *s)
{
	char *name = xstrdup(""), *next;
	int got;

	while ((got = next_asked(w, name, &next)) > 0) {
		free(name);
		name = next;
		if (!json_object_get(s->transports, name) && end_strays_of(w, s, name) < 0) {
			got = -1;
			break;
		}
	}
	free(name);
	return got;
}

static int forget_texts(struct writer *w, const struct sweep *s)
{
	if (sql_run(w->sql, SQL_TEXTS_TODAY, "i", s->now_ms) < 0)
		return -1;
	return sql_run(w->sql, SQL_TEXTS_FORGET, "ii", s->now_ms - TEXTS_KEPT_MS,
		       (int64_t)CHANGE_MAX);
}

static int read_old(struct writer *w, const struct sweep *s, struct old_message *ret, size_t *ret_n)
{
	struct sqlite3_stmt *row = sql_ask(w->sql, SQL_FORGETTABLE, "ii", s->forget_before_ms,
					   (int64_t)FORGET_MESSAGES);
	int got = row ? 0 : -1;

	*ret_n = 0;
	while (row && (got = sql_next(w->sql, row)) > 0)
		ret[(*ret_n)++] =
			(struct old_message){.id = sqlite3_column_int64(row, 0),
					     .body = sqlite3_column_int64(row, 1),
					     .content_size = (uint64_t)sqlite3_column_int64(row, 2),
					     .first_delivery = sqlite3_column_int64(row, 3),
					     .ndeliveries = sqlite3_column_int64(row, 4)};
	return got;
}

/* Its deliveries leave the counters. */
static int tally_old(struct writer *w, const struct old_message *m)
{
	struct sqlite3_stmt *row = sql_ask(w->sql, SQL_SHOW_DELIVERIES, "ii", m->first_delivery,
					   m->first_delivery + m->ndeliveries - 1);
	int got = row ? 0 : -1;

	while (row && (got = sql_next(w->sql, row)) > 0)
		tally_add(&w->tally, w->counts, (const char *)sqlite3_column_text(row, 3),
			  sqlite3_column_int64(row, 0),
			  (enum delivery_state)sqlite3_column_int(row, 4), 0);
	return got;
}

static int forget_message(struct writer *w, const struct old_message *m)
{
	if (tally_old(w, m) < 0)
		return -1;
	if (m->body &&
	    sql_run(w->sql, SQL_DROP_CHUNKS, "ii", ids_first(m->body), ids_last(m->body)) < 0)
		return -1;
	if (sql_run(w->sql, SQL_FORGET_EVENTS, "ii", ids_first(m->id), ids_last(m->id)) < 0 ||
	    sql_run(w->sql, SQL_FORGET_TRACKED, "ii", m->first_delivery,
		    m->first_delivery + m->ndeliveries - 1) < 0 ||
	    sql_run(w->sql, SQL_BUNDLE_DROP, "ii", m->first_delivery,
		    m->first_delivery + m->ndeliveries - 1) < 0 ||
	    sql_run(w->sql, SQL_FORGET_DELIVERIES, "ii", m->first_delivery,
		    m->first_delivery + m->ndeliveries - 1) < 0)
		return -1;
	return sql_run(w->sql, SQL_FORGET_MESSAGE, "i", m->id);
}

/* The numbers of what is forgotten are never given again. */
int note_numbers(struct writer *w)
{
	char message[24], delivery[24];

	snprintf(message, sizeof(message), "%lld", (long long)w->last_message);
	snprintf(delivery, sizeof(delivery), "%lld", (long long)w->last_delivery);
	return sql_run(w->sql, SQL_PUT_META, "tt", "last_message", message) < 0
		       ? -1
		       : sql_run(w->sql, SQL_PUT_META, "tt", "last_delivery", delivery);
}

static int forget(struct writer *w, struct sweep *s)
{
	struct old_message old[FORGET_MESSAGES];
	uint64_t rows = 0;
	size_t n;

	if (read_old(w, s, old, &n) < 0)
		return -1;
	while (s->forgotten < n && rows < FORGET_ROWS) {
		const struct old_message *m = &old[s->forgotten++];

		if (forget_message(w, m) < 0)
			return -1;
		rows += (uint64_t)m->ndeliveries +
			(m->body ? m->content_size / STORE_CHUNK_BYTES * 16 : 0);
	}
	s->more |= s->forgotten < n || n == FORGET_MESSAGES;
	return s->forgotten ? note_numbers(w) : 0;
}

static int apply_sweep(struct writer *w, struct write *write)
{
	struct sweep *s = (struct sweep *)write;

	if (expire(w, s) < 0 || free_lapsed(w, s) < 0 || end_strays(w, s) < 0 ||
	    forget_texts(w, s) < 0)
		return -1;
	return desk_sweep(w, s->now_ms, s->forget_before_ms, &s->more) < 0 ? -1 : forget(w, s);
}

static void answer(struct write *write)
{
	struct sweep *s = (struct sweep *)write;
	struct sweep_result result = {.why = &write->why};

	if (write->why.kind == FAILURE_NONE)
		result = (struct sweep_result){.events = s->events.rows,
					       .nevents = s->events.n,
					       .forgotten = s->forgotten,
					       .more = s->more};
	s->done(s->ctx, &result);
	events_clear(&s->events);
	json_decref(s->transports);
	free(s);
}

void store_sweep(struct store *s, const struct sweep_plan *plan, sweep_done_fn *done, void *ctx)
{
	struct sweep *sweep = xcalloc(1, sizeof(*sweep));

	sweep->write.apply = apply_sweep;
	sweep->write.answer = answer;
	sweep->now_ms = plan->now_ms;
	sweep->forget_before_ms = plan->forget_before_ms;
	sweep->transports = plan->transports;
	sweep->done = done;
	sweep->ctx = ctx;
	writer_do(&s->writer, &sweep->write);
}
