/* queue/store_claim.c - claims what is due: by index to the first due delivery
 * of each route, most urgent first, and from it to its whole message. A claim
 * costs what it takes, however much waits. */
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "alloc.h"
#include "queue/jump.h"
#include "queue/store_change.h"
#include "queue/store_inbound.h"
#include "queue/store_room.h"
#include "queue/store_texts.h"

#define PRIORITIES 4
/* How many may expire on the way before the claim ends early. */
#define EXPIRE_MAX STORE_PAGE_MAX
#define TWIN_WAIT_MS 15000

struct claim {
	struct write write;
	char **routes; /* owned */
	size_t nroutes, max_messages, max_recipients;
	char *transport; /* owned */
	int64_t now_ms;
	bool carries_texts;
	struct text_rules texts;
	struct text_use use;               /* of the day */
	bool capped;                       /* some wait for the next day */
	struct claimed_message **messages; /* owned, and what is in it until answered */
	size_t n, expired;
	size_t passed; /* postponed: they have a twin of unknown fate */
	struct events events;
	int64_t next_ms;
	claim_done_fn *done;
	void *ctx;
};

/* The first due message of a route in one priority. */
struct head {
	bool known;
	int64_t message, next_ms; /* message 0: none is due */
};

void claimed_message_free(struct claimed_message *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++)
		free(m->deliveries[i].recipient);
	free(m->deliveries);
	free(m->sender);
	free(m->spec);
	free(m->content);
	free(m);
}

static int head_find(struct writer *w, const struct claim *c, size_t route, int64_t priority,
		     struct head *ret)
{
	struct sqlite3_stmt *row =
		sql_ask(w->sql, SQL_DUE_FIRST, "tii", c->routes[route], priority, c->now_ms);
	int got = row ? sql_next(w->sql, row) : -1;

	*ret = (struct head){.known = true};
	if (got <= 0)
		return got;
	ret->message = sqlite3_column_int64(row, 0);
	ret->next_ms = sqlite3_column_int64(row, 1);
	sql_done(row);
	return 0;
}

/* The route whose first is due longest: 1; nothing is due: 0. */
static int heads_pick(struct writer *w, const struct claim *c, int64_t priority, struct head *heads,
		      size_t *ret)
{
	int found = 0;

	for (size_t i = 0; i < c->nroutes; i++) {
		if (!heads[i].known && head_find(w, c, i, priority, &heads[i]) < 0)
			return -1;
		if (!heads[i].message || (found && heads[i].next_ms >= heads[*ret].next_ms))
			continue;
		*ret = i;
		found = 1;
	}
	return found;
}

static char *column_copy(struct sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	return xstrdup(text ? text : "");
}

/* Where its deliveries are: first to last. */
struct range {
	int64_t first, last;
};

static int message_read(struct writer *w, int64_t id, struct claimed_message *m,
			struct range *ret_range)
{
	struct sqlite3_stmt *row = sql_ask(w->sql, SQL_DUE_MESSAGE, "i", id);
	int got = row ? sql_next(w->sql, row) : -1;

	if (got <= 0)
		return -1;
	m->id = id;
	m->ahead_ms = jump_ahead_ms(w);
	m->body = sqlite3_column_int64(row, 0);
	m->created_ms = sqlite3_column_int64(row, 1);
	m->uid = (uint32_t)sqlite3_column_int64(row, 2);
	m->priority = (unsigned)sqlite3_column_int(row, 3);
	m->sender = column_copy(row, 4);
	m->spec = column_copy(row, 5);
	m->content_size = (uint64_t)sqlite3_column_int64(row, 6);
	if (m->body == 0) {
		const void *bytes = sqlite3_column_blob(row, 7);

		m->content = xmemdup(bytes ? bytes : "", (size_t)sqlite3_column_bytes(row, 7));
	}
	ret_range->first = sqlite3_column_int64(row, 8);
	ret_range->last = ret_range->first + sqlite3_column_int64(row, 9) - 1;
	sql_done(row);
	return 0;
}

static int due_read(struct writer *w, const struct claim *c, const char *route,
		    const struct range *range, struct subjects *ret, int64_t *ret_expires_ms)
{
	struct sqlite3_stmt *row =
		sql_ask(w->sql, SQL_DUE_DELIVERIES, "iitii", range->first, range->last, route,
			c->now_ms, (int64_t)c->max_recipients);
	int got = row ? 0 : -1;

	while (row && (got = sql_next(w->sql, row)) > 0) {
		struct change *s = subjects_add(ret);

		s->to.delivery = sqlite3_column_int64(row, 0);
		s->recipient = arena_text(&ret->texts, (const char *)sqlite3_column_text(row, 1));
		s->to.attempt_no = (unsigned)sqlite3_column_int(row, 2);
		s->fallback = sqlite3_column_int64(row, 4);
		ret_expires_ms[ret->n - 1] = sqlite3_column_int64(row, 3);
	}
	return got;
}

/* Is it a text that may be on its way already, as another's? Then it waits until that is
 * known. 1: yes; 0; -1. */
static int has_twin(struct writer *w, struct claim *c, const struct change *s, int64_t message)
{
	struct sqlite3_stmt *row;
	int got;

	if (s->recipient[0] != '+')
		return 0;
	row = sql_ask(w->sql, SQL_DUE_TWIN, "ti", s->recipient, message);
	got = row ? sql_next(w->sql, row) : -1;
	if (got <= 0)
		return got;
	sql_done(row);
	c->passed++;
	return sql_run(w->sql, SQL_DUE_LATER, "ii", s->to.delivery, c->now_ms + TWIN_WAIT_MS) < 0
		       ? -1
		       : 1;
}

/* 1: its recipient wants no texts; 0; -1. */
static int is_suppressed(struct writer *w, const struct claim *c, const struct change *s)
{
	struct sqlite3_stmt *row;
	int got;

	if (s->recipient[0] != '+')
		return 0;
	row = sql_ask(w->sql, SQL_SUPPRESSED, "ti", s->recipient, c->now_ms - STORE_SUPPRESSED_MS);
	got = row ? sql_next(w->sql, row) : -1;
	if (got > 0)
		sql_done(row);
	return got;
}

static bool is_number(const char *recipient)
{
	return recipient[0] == '+' && !strchr(recipient, '@');
}

/* Whether a text may go out now. */
struct turn {
	size_t room; /* how many may go to its number, this one included */
	size_t segments;
	int64_t cost;
};

/* 1: it may; 0: it waits; -1. */
static int has_turn(struct writer *w, struct claim *c, const struct change *s,
		    const struct claimed_message *m, struct turn *ret)
{
	int64_t opens_ms;

	if (!c->carries_texts || !is_number(s->recipient))
		return 1;
	if (texts_room(w, &c->texts, s->recipient, m->priority == 0, c->now_ms, &ret->room,
		       &opens_ms) < 0)
		return -1;
	if (ret->room == 0) {
		c->passed++;
		return texts_postpone(w, s->recipient, s->to.delivery, &c->texts, opens_ms);
	}
	ret->segments = texts_measure(&c->texts, m);
	ret->cost = (int64_t)ret->segments * c->texts.segment_cost;
	if (!texts_over_cap(&c->texts, &c->use, m->priority, ret->cost))
		return 1;
	c->capped = true;
	return 0;
}

/* The last text that may go takes along what waits; and it counts. */
static int goes_out(struct writer *w, struct claim *c, struct claimed_message *m, struct change *s,
		    struct turn *turn)
{
	struct bundle_claim bundle = {.routes = (const char *const *)c->routes,
				      .nroutes = c->nroutes,
				      .transport = c->transport,
				      .rules = &c->texts,
				      .now_ms = c->now_ms,
				      .events = &c->events};

	if (!c->carries_texts || !is_number(s->recipient))
		return 0;
	if (turn->room == 1 && texts_bundle(w, &bundle, m, s, &turn->segments) < 0)
		return -1;
	turn->cost = (int64_t)turn->segments * c->texts.segment_cost;
	c->use.messages++;
	c->use.cost += turn->cost;
	return texts_note(w, s, turn->segments, turn->cost);
}

/* One delivery starts its next attempt, or it is too late for it, or not wanted. */
static int take(struct writer *w, struct claim *c, struct claimed_message *m, struct change *s,
		int64_t expires_ms)
{
	bool late = expires_ms > 0 && expires_ms <= c->now_ms;
	int unwanted = late ? 0 : is_suppressed(w, c, s);
	int twin = late || unwanted ? 0 : has_twin(w, c, s, m->id);
	bool over = late || unwanted;
	struct turn turn = {0};
	int mine = over || twin ? 1 : has_turn(w, c, s, m, &turn);

	if (unwanted < 0 || twin < 0 || mine < 0)
		return -1;
	if (twin || !mine)
		return 0;
	s->to.message = m->id;
	s->to.from = STATE_QUEUED;
	s->to.to = late ? STATE_EXPIRED : unwanted ? STATE_SUPPRESSED : STATE_SENDING;
	s->to.text = unwanted ? "the recipient has said STOP" : NULL;
	s->to.new_attempt = s->to.attempt_no + !over;
	s->to.at_ms = c->now_ms;
	s->to.transport = over ? NULL : c->transport;
	s->uid = m->uid;
	int got = change_state(w, s, &c->events);

	if (got <= 0)
		return -1;
	c->expired += over;
	if (over)
		return 0;
	m->deliveries[m->n++] = (struct claimed_delivery){.id = s->to.delivery,
							  .recipient = xstrdup(s->recipient),
							  .attempt_no = s->to.new_attempt,
							  .expires_ms = expires_ms};
	return goes_out(w, c, m, s, &turn);
}

static int take_deliveries(struct writer *w, struct claim *c, const char *route,
			   struct claimed_message *m, const struct range *range)
{
	struct subjects due = {0};
	int64_t *expires_ms = xcalloc(c->max_recipients, sizeof(*expires_ms));
	int got = due_read(w, c, route, range, &due, expires_ms);

	m->deliveries = xcalloc(due.n ? due.n : 1, sizeof(*m->deliveries));
	for (size_t i = 0; i < due.n && got == 0; i++) {
		due.rows[i].route = route;
		got = take(w, c, m, &due.rows[i], expires_ms[i]);
	}
	subjects_clear(&due);
	free(expires_ms);
	return got;
}

static int take_message(struct writer *w, struct claim *c, const char *route, int64_t id)
{
	struct claimed_message *m = xcalloc(1, sizeof(*m));
	struct range range;

	if (message_read(w, id, m, &range) < 0 || take_deliveries(w, c, route, m, &range) < 0) {
		claimed_message_free(m);
		return -1;
	}
	if (m->n)
		c->messages[c->n++] = m;
	else
		claimed_message_free(m);
	return 0;
}

static int take_priority(struct writer *w, struct claim *c, int64_t priority)
{
	struct head *heads = xcalloc(c->nroutes ? c->nroutes : 1, sizeof(*heads));
	size_t route = 0;
	size_t before = SIZE_MAX;
	int got = 1;

	/* a round that takes nothing would be repeated for ever */
	while (before != c->n + c->expired + c->passed && c->n < c->max_messages &&
	       c->expired + c->passed < EXPIRE_MAX) {
		got = heads_pick(w, c, priority, heads, &route);
		if (got <= 0)
			break;
		heads[route].known = false;
		before = c->n + c->expired + c->passed;
		got = take_message(w, c, c->routes[route], heads[route].message);
		if (got < 0)
			break;
	}
	free(heads);
	return got < 0 ? -1 : 0;
}

static int find_next(struct writer *w, struct claim *c)
{
	/* who claims nothing asks for what is due, too */
	int64_t after_ms = c->max_messages ? c->now_ms : INT64_MIN;
	int64_t next_ms = INT64_MAX;

	for (size_t i = 0; i < c->nroutes * PRIORITIES; i++) {
		struct sqlite3_stmt *row =
			sql_ask(w->sql, SQL_DUE_NEXT, "tii", c->routes[i / PRIORITIES],
				(int64_t)(i % PRIORITIES), after_ms);
		int got = row ? sql_next(w->sql, row) : -1;

		if (got < 0)
			return -1;
		if (got == 0)
			continue;
		if (sqlite3_column_int64(row, 0) < next_ms)
			next_ms = sqlite3_column_int64(row, 0);
		sql_done(row);
	}
	c->next_ms = next_ms == INT64_MAX ? 0 : next_ms;
	if (c->capped && (!c->next_ms || c->next_ms > c->texts.tomorrow_ms))
		c->next_ms = c->texts.tomorrow_ms;
	/* it ended early: there may be more at once */
	if (c->expired + c->passed >= EXPIRE_MAX)
		c->next_ms = c->now_ms;
	return 0;
}

static int apply_claim(struct writer *w, struct write *write)
{
	struct claim *c = (struct claim *)write;

	if (c->carries_texts && texts_used(w, c->transport, &c->texts, c->now_ms, &c->use) < 0)
		return -1;
	for (int64_t priority = 0; priority < PRIORITIES; priority++)
		if (take_priority(w, c, priority) < 0)
			return -1;
	return find_next(w, c);
}

static void drop_messages(struct claim *c)
{
	for (size_t i = 0; i < c->n; i++)
		claimed_message_free(c->messages[i]);
	c->n = 0;
}

static void answer(struct write *write)
{
	struct claim *c = (struct claim *)write;
	struct claim_result result = {.why = &write->why};

	if (write->why.kind != FAILURE_NONE)
		drop_messages(c);
	else
		result = (struct claim_result){.messages = c->messages,
					       .n = c->n,
					       .events = c->events.rows,
					       .nevents = c->events.n,
					       .texts = c->use,
					       .capped = c->capped,
					       .next_ms = c->next_ms};
	c->done(c->ctx, &result);
	for (size_t i = 0; i < c->nroutes; i++)
		free(c->routes[i]);
	free(c->routes);
	free(c->transport);
	free(c->messages);
	events_clear(&c->events);
	free(c);
}

void store_claim(struct store *s, const struct claim_request *request, claim_done_fn *done,
		 void *ctx)
{
	struct claim *c = xcalloc(1, sizeof(*c));

	c->write.apply = apply_claim;
	c->write.answer = answer;
	c->nroutes = request->nroutes;
	c->routes = xcalloc(c->nroutes ? c->nroutes : 1, sizeof(*c->routes));
	for (size_t i = 0; i < c->nroutes; i++)
		c->routes[i] = xstrdup(request->routes[i]);
	c->max_messages = request->max_messages;
	c->max_recipients = request->max_recipients ? request->max_recipients : 1;
	c->messages =
		xcalloc(c->max_messages ? c->max_messages : 1, sizeof(struct claimed_message *));
	c->transport = xstrdup(request->transport ? request->transport : "");
	c->now_ms = request->now_ms;
	c->carries_texts = request->texts;
	if (request->texts)
		c->texts = *request->texts;
	c->done = done;
	c->ctx = ctx;
	writer_do(&s->writer, &c->write);
}
