/* queue/store_standby.c - see store_standby.h. Whether another way is needed is decided
 * here alone, where the first way's state is on disk. */
#include "queue/store_standby.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "alloc.h"
#include "queue/store_change.h"
#include "queue/store_room.h"

enum need { NEED_UNKNOWN, NEED_OVER, NEED_NOW };

/* Mail has arrived, as far as anyone knows, when the relay has it; a text when it was
 * delivered. */
static enum need need_of(const struct change *primary, const struct change *standby)
{
	bool is_text = standby->recipient[0] != '+' || strchr(standby->recipient, '@');

	switch (primary->to.to) {
	case STATE_DELIVERED:
	case STATE_CANCELED:
		return NEED_OVER;
	case STATE_SENT:
		return is_text ? NEED_UNKNOWN : NEED_OVER;
	case STATE_UNDELIVERED:
	case STATE_FAILED:
	case STATE_EXPIRED:
	case STATE_SUPPRESSED:
		return NEED_NOW;
	case STATE_HELD:
	case STATE_QUEUED:
	case STATE_SENDING:
	case STATE_ACCEPTED:
	case STATE_UNCERTAIN:
	case STATE_STANDBY:
		break;
	}
	return NEED_UNKNOWN;
}

static int end_standby(struct writer *w, struct change *standby, enum need need, int64_t at_ms,
		       const char *why, struct events *events)
{
	standby->to.to = need == NEED_OVER ? STATE_CANCELED : STATE_QUEUED;
	standby->to.at_ms = at_ms;
	standby->to.next_ms = at_ms;
	standby->to.text = why;
	standby->fresh_life = need == NEED_NOW;
	return change_state(w, standby, events);
}

int standby_follow(struct writer *w, const struct change *change, struct events *events)
{
	const struct delivery_change *c = &change->to;
	struct subjects standby = {0};
	char why[120];
	int got;

	if (c->from == STATE_HELD && c->to == STATE_QUEUED)
		return sql_run(w->sql, SQL_STANDBY_ANEW, "ii", change->fallback, c->at_ms);
	got = subjects_read(&standby, w, sql_ask(w->sql, SQL_STANDBY, "i", change->fallback));
	if (got == 0 && standby.n) {
		enum need need = need_of(change, &standby.rows[0]);

		snprintf(why, sizeof(why), "the first way: %s", state_name(c->to));
		if (need != NEED_UNKNOWN)
			got = end_standby(w, &standby.rows[0], need, c->at_ms, why, events);
	}
	subjects_clear(&standby);
	return got < 0 ? -1 : 0;
}

/* ---- their time ---- */

struct standing {
	struct write write;
	int64_t now_ms, next_ms;
	struct events events;
	standby_done_fn *done;
	void *ctx;
};

/* Is the first way held by its sender, who has not yet begun? */
static int is_held(struct writer *w, const struct change *standby)
{
	struct sqlite3_stmt *row = sql_ask(w->sql, SQL_STANDBY_HELD, "i", -standby->fallback);
	int got = row ? sql_next(w->sql, row) : -1;

	if (got > 0)
		sql_done(row);
	return got;
}

static int let_go(struct writer *w, struct standing *s, struct change *standby)
{
	int held = is_held(w, standby);

	if (held < 0)
		return -1;
	if (held)
		return sql_run(w->sql, SQL_STANDBY_ANEW, "ii", standby->to.delivery, s->now_ms);
	return end_standby(w, standby, NEED_NOW, s->now_ms,
			   "the first way has not led there in time", &s->events) < 0
		       ? -1
		       : 0;
}

static int find_next(struct writer *w, struct standing *s)
{
	struct sqlite3_stmt *row = sql_ask(w->sql, SQL_STANDBY_NEXT, "");
	int got = row ? sql_next(w->sql, row) : -1;

	if (got <= 0)
		return got;
	s->next_ms = sqlite3_column_int64(row, 0);
	sql_done(row);
	return 0;
}

static int apply_standby(struct writer *w, struct write *write)
{
	struct standing *s = (struct standing *)write;
	struct subjects due = {0};
	int got = subjects_read(
		&due, w,
		sql_ask(w->sql, SQL_STANDBY_DUE, "ii", s->now_ms, (int64_t)STORE_PAGE_MAX));

	for (size_t i = 0; i < due.n && got >= 0; i++)
		got = let_go(w, s, &due.rows[i]);
	subjects_clear(&due);
	return got < 0 ? -1 : find_next(w, s);
}

static void answer(struct write *write)
{
	struct standing *s = (struct standing *)write;
	struct standby_result result = {.why = &write->why};

	if (write->why.kind == FAILURE_NONE)
		result = (struct standby_result){
			.events = s->events.rows, .nevents = s->events.n, .next_ms = s->next_ms};
	s->done(s->ctx, &result);
	events_clear(&s->events);
	free(s);
}

void store_standby(struct store *s, int64_t now_ms, standby_done_fn *done, void *ctx)
{
	struct standing *standing = xcalloc(1, sizeof(*standing));

	standing->write.apply = apply_standby;
	standing->write.answer = answer;
	standing->now_ms = now_ms;
	standing->done = done;
	standing->ctx = ctx;
	writer_do(&s->writer, &standing->write);
}
