/* queue/store_change.c - what entering a state means in the tables, in one
 * place. Who may change what, and when, is decided by the callers. */
#include "queue/store_change.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "alloc.h"
#include "queue/store_ids.h"
#include "queue/store_standby.h"
#include "queue/store_texts.h"
#include "queue/writer.h"

static int64_t add_event(struct writer *w, const struct delivery_change *c)
{
	if (sql_run(w->sql, SQL_ADD_EVENT, "iiiiiiiittt", ids_first(c->message),
		    ids_last(c->message), c->at_ms, c->delivery, (int64_t)c->from, (int64_t)c->to,
		    (int64_t)c->new_attempt, (int64_t)c->code, c->transport, c->enhanced,
		    c->text) < 0)
		return -1;
	return sql_last_id(w->sql);
}

static int count_live(struct writer *w, const struct delivery_change *c)
{
	int64_t more = (int64_t)state_is_final(c->from) - (int64_t)state_is_final(c->to);

	if (more == 0)
		return 0;
	return sql_run(w->sql, SQL_COUNT_LIVE, "iii", c->message, more, c->at_ms);
}

static void tell(struct events *events, const struct change *change)
{
	const struct delivery_change *c = &change->to;

	events_add(events, &(struct event_row){.id = change->event,
					       .at_ms = c->at_ms,
					       .message = c->message,
					       .delivery = c->delivery,
					       .uid = change->uid,
					       .from = c->from,
					       .to = c->to,
					       .attempt_no = c->new_attempt,
					       .code = c->code,
					       .recipient = change->recipient,
					       .transport = c->transport,
					       .enhanced = c->enhanced,
					       .text = c->text});
}

static int change_row(struct writer *w, const struct change *change)
{
	const struct delivery_change *c = &change->to;

	return sql_run(w->sql, SQL_CHANGE, "iiiiiiiitttttii", c->delivery, (int64_t)c->from,
		       (int64_t)c->to, (int64_t)c->attempt_no, (int64_t)c->new_attempt, c->at_ms,
		       c->next_ms, (int64_t)c->code, c->enhanced, c->text, c->transport,
		       c->remote_id, w->instance, c->at_ms + w->lease_ms,
		       (int64_t)change->fresh_life);
}

/* Keeps what is known of a text at its provider. Before the row changes, since that says
 * when the attempt began. 0: the provider's text is another delivery's. */
static int track(struct writer *w, const struct delivery_change *c)
{
	bool asked = c->to == STATE_ACCEPTED || c->to == STATE_SENT || c->to == STATE_UNCERTAIN;

	if (c->from == STATE_SENDING && (c->to == STATE_ACCEPTED || c->to == STATE_UNCERTAIN))
		return sql_run(w->sql, SQL_TRACK, "itti", c->delivery, c->transport, c->remote_id,
			       c->next_ms) < 0
			       ? -1
			       : 1;
	if (c->from != STATE_ACCEPTED && c->from != STATE_SENT && c->from != STATE_UNCERTAIN)
		return 1;
	if (sql_run(w->sql, SQL_TRACK_ON, "iti", c->delivery, c->remote_id,
		    asked ? c->next_ms : 0) < 0)
		return -1;
	return sql_changes(w->sql) > 0 || !c->remote_id || !*c->remote_id;
}

/* The provider said that the recipient wants no texts. */
static int suppress(struct writer *w, const struct delivery_change *c)
{
	if (c->to != STATE_SUPPRESSED || c->from == STATE_QUEUED)
		return 0;
	return sql_run(w->sql, SQL_SUPPRESS, "iit", c->delivery, c->at_ms, c->text);
}

/* What did not leave does not count as sent to its number. */
static int uncount(struct writer *w, const struct change *change)
{
	const struct delivery_change *c = &change->to;
	bool asked = c->from == STATE_UNCERTAIN && !change->alone &&
		     (c->to == STATE_QUEUED || c->to == STATE_HELD);
	bool turned_away =
		c->from == STATE_SENDING && (c->to == STATE_QUEUED || c->to == STATE_FAILED ||
					     c->to == STATE_EXPIRED || c->to == STATE_SUPPRESSED);

	return (asked || turned_away) && !change->follows ? texts_forget(w, c->delivery) : 0;
}

static int change_one(struct writer *w, struct change *change, struct events *events)
{
	const struct delivery_change *c = &change->to;

	if (!state_may_follow(c->from, c->to))
		return 0;
	int tracked = change->follows ? 1 : track(w, c);

	if (tracked <= 0)
		return tracked;
	if (change_row(w, change) < 0)
		return -1;
	if (sql_changes(w->sql) == 0)
		return 0;
	change->event = add_event(w, c);
	if (change->event < 0 || count_live(w, c) < 0 || suppress(w, c) < 0 ||
	    uncount(w, change) < 0)
		return -1;
	tally_add(&w->tally, w->counts, change->route, c->delivery, c->from, c->to);
	if (events && !change->is_told)
		tell(events, change);
	return change->fallback > 0 && standby_follow(w, change, events) < 0 ? -1 : 1;
}

/* Those that went by the same text come to the same end. */
static int follow(struct writer *w, const struct change *lead, struct events *events)
{
	struct subjects mates = {0};
	const struct delivery_change *c = &lead->to;
	int got = subjects_read(
		&mates, w,
		sql_ask(w->sql, SQL_BUNDLE_FOLLOWERS, "ii", c->delivery, (int64_t)c->from));

	for (size_t i = 0; i < mates.n && got >= 0; i++) {
		struct change mate = *lead;

		mate.to.delivery = mates.rows[i].to.delivery;
		mate.to.message = mates.rows[i].to.message;
		mate.to.attempt_no = mates.rows[i].to.attempt_no;
		mate.to.new_attempt = mate.to.attempt_no + c->new_attempt - c->attempt_no;
		mate.uid = mates.rows[i].uid;
		mate.route = mates.rows[i].route;
		mate.recipient = mates.rows[i].recipient;
		mate.fallback = mates.rows[i].fallback;
		mate.follows = true;
		mate.is_told = false;
		got = change_one(w, &mate, events);
	}
	subjects_clear(&mates);
	return got < 0 ? -1 : 1;
}

/* Another delivery stands for the text from now on. */
static int pass_on(struct writer *w, const struct delivery_change *c)
{
	struct sqlite3_stmt *row =
		sql_ask(w->sql, SQL_BUNDLE_HEIR, "ii", c->delivery, (int64_t)c->from);
	int got = row ? sql_next(w->sql, row) : -1;
	int64_t heir;

	if (got <= 0)
		return got;
	heir = sqlite3_column_int64(row, 0);
	sql_done(row);
	if (!heir)
		return 0;
	for (enum statement s = SQL_BUNDLE_PASS_ON; s <= SQL_BUNDLE_PASS_BUNDLE; s++)
		if (sql_run(w->sql, s, "ii", c->delivery, heir) < 0)
			return -1;
	return 0;
}

int change_state(struct writer *w, struct change *change, struct events *events)
{
	bool leads = change->bundle && change->bundle == change->to.delivery;

	if (leads && change->alone && pass_on(w, &change->to) < 0)
		return -1;
	int got = change_one(w, change, events);

	return got > 0 && leads && !change->alone ? follow(w, change, events) : got;
}

struct change *subjects_add(struct subjects *s)
{
	if (s->n == s->allocated) {
		s->allocated = s->allocated ? s->allocated * 2 : 16;
		s->rows = xrealloc(s->rows, s->allocated * sizeof(*s->rows));
	}
	s->rows[s->n] = (struct change){0};
	return &s->rows[s->n++];
}

int subjects_read(struct subjects *s, struct writer *w, struct sqlite3_stmt *row)
{
	int got = row ? 0 : -1;

	while (row && (got = sql_next(w->sql, row)) > 0) {
		struct change *c = subjects_add(s);

		c->to.delivery = sqlite3_column_int64(row, 0);
		c->to.message = sqlite3_column_int64(row, 1);
		c->to.from = (enum delivery_state)sqlite3_column_int(row, 2);
		c->to.attempt_no = (unsigned)sqlite3_column_int(row, 3);
		c->to.new_attempt = c->to.attempt_no;
		c->route = arena_text(&s->texts, (const char *)sqlite3_column_text(row, 4));
		c->recipient = arena_text(&s->texts, (const char *)sqlite3_column_text(row, 5));
		c->uid = (uint32_t)sqlite3_column_int64(row, 6);
		c->bundle = sqlite3_column_int64(row, 7);
		c->fallback = sqlite3_column_int64(row, 8);
	}
	return got;
}

void subjects_clear(struct subjects *s)
{
	arena_clear(&s->texts);
	free(s->rows);
	*s = (struct subjects){0};
}

static enum delivery_state after_loss(const char *recipient)
{
	return recipient[0] == '+' && !strchr(recipient, '@') ? STATE_UNCERTAIN : STATE_QUEUED;
}

int subjects_take_back(struct subjects *s, struct writer *w, int64_t now_ms, struct events *events)
{
	for (size_t i = 0; i < s->n; i++) {
		struct change *c = &s->rows[i];

		c->to.to = after_loss(c->recipient);
		c->to.at_ms = now_ms;
		c->to.next_ms = now_ms;
		if (change_state(w, c, events) < 0)
			return -1;
	}
	return 0;
}
