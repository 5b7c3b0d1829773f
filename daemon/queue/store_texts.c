/* queue/store_texts.c - see store_texts.h. Every attempt to send a text is a row; what
 * limits there are is asked of those rows, so they hold over restarts. */
#include "queue/store_texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "alloc.h"
#include "auto.h"
#include "duration.h"
#include "failure.h"
#include "message/bundle.h"
#include "message/letter.h"
#include "message/text_message.h"
#include "queue/store_change.h"
#include "queue/writer.h"
#include "segments.h"

#define MATES_MAX STORE_PAGE_MAX

/* ---- how many may go ---- */

static int window_room(struct writer *w, const struct rate *window, const char *recipient,
		       int64_t now_ms, size_t *ret_room, int64_t *ret_opens_ms)
{
	struct sqlite3_stmt *row = sql_ask(w->sql, SQL_TEXTS_WINDOW, "tii", recipient,
					   now_ms - window->per_ms, (int64_t)window->count);
	int got = row ? 0 : -1;
	int64_t oldest_ms = now_ms;
	size_t sent = 0;

	/* one of the future was put before the clock was set back */
	for (; row && (got = sql_next(w->sql, row)) > 0; sent++)
		if (sqlite3_column_int64(row, 0) < oldest_ms)
			oldest_ms = sqlite3_column_int64(row, 0);
	*ret_room = window->count - sent;
	*ret_opens_ms = oldest_ms + window->per_ms;
	return got;
}

int texts_room(struct writer *w, const struct text_rules *rules, const char *recipient, bool urgent,
	       int64_t now_ms, size_t *ret_room, int64_t *ret_opens_ms)
{
	const struct throttle *t = &rules->throttle;

	*ret_room = SIZE_MAX;
	*ret_opens_ms = now_ms;
	for (unsigned i = urgent && t->n ? t->n - 1 : 0; i < t->n; i++) {
		size_t room;
		int64_t opens_ms;

		if (window_room(w, &t->windows[i], recipient, now_ms, &room, &opens_ms) < 0)
			return -1;
		if (room < *ret_room)
			*ret_room = room;
		if (room == 0 && opens_ms > *ret_opens_ms)
			*ret_opens_ms = opens_ms;
	}
	return 0;
}

int texts_used(struct writer *w, const char *transport, const struct text_rules *rules,
	       int64_t now_ms, struct text_use *ret)
{
	struct sqlite3_stmt *row = sql_ask(w->sql, SQL_TEXTS_DAY, "ti", transport, rules->day_ms);
	int got = row ? sql_next(w->sql, row) : -1;

	if (got <= 0)
		return -1;
	ret->messages = (uint64_t)sqlite3_column_int64(row, 0);
	ret->cost = sqlite3_column_int64(row, 1);
	sql_done(row);
	row = sql_ask(w->sql, SQL_TEXTS_LIFTED, "tii", transport, now_ms, rules->tomorrow_ms);
	got = row ? sql_next(w->sql, row) : -1;
	ret->lifted = got > 0;
	if (got > 0)
		sql_done(row);
	return got < 0 ? -1 : 0;
}

bool texts_over_cap(const struct text_rules *rules, const struct text_use *use, unsigned priority,
		    int64_t cost)
{
	if (use->lifted || (priority == 0 && rules->urgent_passes))
		return false;
	return (rules->max_messages && use->messages >= rules->max_messages) ||
	       (rules->max_cost &&
		(use->cost + cost > rules->max_cost || use->cost >= rules->max_cost));
}

/* The window that is full, for people: "3 in 1m". */
static void print_limits(const struct throttle *t, char *out, size_t size)
{
	size_t at = 0;

	for (unsigned i = 0; i < t->n && at < size; i++) {
		char per[32];

		at += (size_t)snprintf(out + at, size - at, "%s%u in %s", i ? ", " : "",
				       t->windows[i].count,
				       duration_print(per, sizeof(per), t->windows[i].per_ms));
	}
}

int texts_postpone(struct writer *w, const char *recipient, int64_t delivery,
		   const struct text_rules *rules, int64_t opens_ms)
{
	char limits[160] = "", why[240];

	print_limits(&rules->throttle, limits, sizeof(limits));
	snprintf(why, sizeof(why), "throttled: %s has had as many texts as may be (%s)", recipient,
		 limits);
	return sql_run(w->sql, SQL_TEXTS_POSTPONE, "iit", delivery, opens_ms, why);
}

int texts_note(struct writer *w, const struct change *change, size_t segments, int64_t cost)
{
	return sql_run(w->sql, SQL_TEXTS_NOTE, "ittiii", change->to.delivery, change->to.transport,
		       change->recipient, change->to.at_ms, (int64_t)segments, cost);
}

int texts_forget(struct writer *w, int64_t delivery)
{
	return sql_run(w->sql, SQL_TEXTS_DROP, "i", delivery);
}

/* ---- what they say ---- */

/* As a text message says it, whole; NULL: it makes none. A letter with attachments or media is
 * no item of a list. ret_picture: they go beside it; NULL: it goes with others. */
static char *text_of(const struct text_rules *rules, const char *spec, const void *content,
		     size_t len, bool *ret_picture)
{
	AUTO(letter_free) struct letter *letter = NULL;
	struct text_message_options options = {.exact = rules->exact,
					       .media_lines = !rules->pictures};
	struct failure f;
	char *text;

	if (!spec || letter_from_spec(spec, strlen(spec), &letter, &f) < 0 ||
	    (!ret_picture && (letter->nattachments || letter->media)) ||
	    text_message_make(letter, content ? content : "", len, &options, &text, &f) < 0)
		return NULL;
	if (ret_picture)
		*ret_picture = rules->pictures && letter->media;
	return text;
}

size_t texts_measure(const struct text_rules *rules, const struct claimed_message *m)
{
	struct segments s = {0};
	bool picture = false;
	AUTO(free)
	char *text =
		m->body ? NULL
			: text_of(rules, m->spec, m->content, (size_t)m->content_size, &picture);

	if (text && picture)
		return 1;
	if (text)
		segments_count(text, strlen(text), 0, &s);
	return s.segments;
}

/* ---- bundles ---- */

struct mate {
	struct change change;
	int64_t priority;
	char *text; /* owned */
};
struct mates {
	struct arena texts; /* what changes point to */
	struct mate *list;  /* owned, of n: those that go along */
	size_t n;
	char *first; /* owned: the text of the one they go with */
	int64_t expires_ms;
};

static void mates_clear(struct mates *mates)
{
	for (size_t i = 0; i < mates->n; i++)
		free(mates->list[i].text);
	free(mates->list);
	free(mates->first);
	arena_clear(&mates->texts);
}

static bool is_served(const struct bundle_claim *b, const char *route)
{
	for (size_t i = 0; i < b->nroutes; i++)
		if (route && strcmp(b->routes[i], route) == 0)
			return true;
	return false;
}

static void add_mate(const struct bundle_claim *b, struct mates *mates, struct sqlite3_stmt *row,
		     const struct change *lead)
{
	const char *route = (const char *)sqlite3_column_text(row, 3);
	int64_t id = sqlite3_column_int64(row, 0), expires_ms = sqlite3_column_int64(row, 4);
	char *text;

	if (id == lead->to.delivery || !is_served(b, route))
		return;
	text = text_of(b->rules, (const char *)sqlite3_column_text(row, 6),
		       sqlite3_column_blob(row, 7), (size_t)sqlite3_column_bytes(row, 7), NULL);
	if (!text)
		return;
	struct mate *mate = &mates->list[mates->n++];

	mate->text = text;
	mate->priority = sqlite3_column_int64(row, 8);
	mate->change = *lead;
	mate->change.to.delivery = id;
	mate->change.to.message = sqlite3_column_int64(row, 1);
	mate->change.to.attempt_no = (unsigned)sqlite3_column_int(row, 2);
	mate->change.to.new_attempt = mate->change.to.attempt_no + 1;
	mate->change.route = arena_text(&mates->texts, route);
	mate->change.uid = (uint32_t)sqlite3_column_int64(row, 5);
	if (mates->expires_ms && (!expires_ms || expires_ms > mates->expires_ms))
		mates->expires_ms = expires_ms;
}

/* The most urgent first, of them the newest. */
static int by_weight(const void *a, const void *b)
{
	const struct mate *one = a, *other = b;

	if (one->priority != other->priority)
		return one->priority < other->priority ? -1 : 1;
	return one->change.to.delivery > other->change.to.delivery ? -1 : 1;
}

static int find_mates(struct writer *w, const struct bundle_claim *b, const struct change *lead,
		      struct mates *mates)
{
	struct sqlite3_stmt *row = sql_ask(w->sql, SQL_BUNDLE_MATES, "tii", lead->recipient,
					   b->now_ms, (int64_t)MATES_MAX);
	int got = row ? 0 : -1;

	while (row && (got = sql_next(w->sql, row)) > 0)
		add_mate(b, mates, row, lead);
	qsort(mates->list, mates->n, sizeof(*mates->list), by_weight);
	return got;
}

static char *bundle_text(const struct bundle_claim *b, const struct mates *mates)
{
	struct bundle_limits limits = {.segments = b->rules->segments,
				       .characters = b->rules->characters};
	const char **texts = xcalloc(mates->n + 1, sizeof(*texts));

	texts[0] = mates->first;
	for (size_t i = 0; i < mates->n; i++)
		texts[i + 1] = mates->list[i].text;
	char *text = bundle_make(texts, mates->n + 1, &limits);

	free(texts);
	return text;
}

/* The letter of the bundle: its first one's, but with that text and nothing else. */
static int make_letter(struct claimed_message *m, const char *text, struct failure *f)
{
	AUTO(letter_free) struct letter *letter = NULL;

	if (letter_from_spec(m->spec, strlen(m->spec), &letter, f) < 0)
		return -1;
	free(letter->subject);
	letter->subject = NULL;
	letter->has_text = true;
	letter->has_html = false;
	letter->text_size = strlen(text);
	letter->html_size = 0;
	free(m->spec);
	free(m->content);
	m->spec = letter_to_spec(letter);
	m->content = xmemdup(text, strlen(text));
	m->content_size = strlen(text);
	m->body = 0;
	return 0;
}

static int claim_mates(struct writer *w, const struct bundle_claim *b, struct mates *mates,
		       const struct change *lead)
{
	char why[120];

	snprintf(why, sizeof(why), "in one text with %zu other%s, for message %lld", mates->n,
		 mates->n == 1 ? "" : "s", (long long)lead->to.message);
	for (size_t i = 0; i < mates->n; i++) {
		struct change *c = &mates->list[i].change;

		c->to.text = why;
		if (change_state(w, c, b->events) <= 0 ||
		    sql_run(w->sql, SQL_BUNDLE_JOIN, "ii", c->to.delivery, lead->to.delivery) < 0)
			return -1;
	}
	return sql_run(w->sql, SQL_BUNDLE_JOIN, "ii", lead->to.delivery, lead->to.delivery);
}

static int make_bundle(struct writer *w, const struct bundle_claim *b, struct mates *mates,
		       struct claimed_message *m, struct change *lead, size_t *ret_segments)
{
	AUTO(free) char *text = bundle_text(b, mates);
	struct segments s;
	struct failure f;

	if (make_letter(m, text, &f) < 0)
		return 0;
	segments_count(text, strlen(text), 0, &s);
	*ret_segments = s.segments;
	for (size_t i = 0; i < m->n; i++)
		if (m->deliveries[i].id == lead->to.delivery)
			m->deliveries[i].expires_ms = mates->expires_ms;
	if (sql_run(w->sql, SQL_BUNDLE_PUT, "itb", lead->to.delivery, m->spec, m->content,
		    (size_t)m->content_size) < 0)
		return -1;
	return claim_mates(w, b, mates, lead);
}

int texts_bundle(struct writer *w, const struct bundle_claim *b, struct claimed_message *m,
		 struct change *lead, size_t *ret_segments)
{
	struct mates mates = {.expires_ms = m->deliveries[m->n - 1].expires_ms};
	int got = 0;

	mates.first =
		m->body ? NULL
			: text_of(b->rules, m->spec, m->content, (size_t)m->content_size, NULL);
	mates.list = xcalloc(MATES_MAX, sizeof(*mates.list));
	if (mates.first)
		got = find_mates(w, b, lead, &mates);
	if (got == 0 && mates.n)
		got = make_bundle(w, b, &mates, m, lead, ret_segments);
	mates_clear(&mates);
	return got;
}
