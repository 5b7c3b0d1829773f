/* server/watch.c - Watch: what happens, as it happens. For one message first
 * what happened so far; then it ends with its last event. What transports do meanwhile
 * is told, too: it may be why nothing happens. The watcher is there before the past is
 * read, and what was read is not told twice. */
#include <stdlib.h>

#include "alloc.h"
#include "config/config.h"
#include "queue/queue.h"
#include "queue/state.h"
#include "queue/store_read.h"
#include "server/call.h"
#include "server/methods.h"
#include "server/room.h"
#include "server/rows.h"
#include "transport/transport.h"

#define EARLY_MAX 1000 /* events that wait for the past to be read */

/* An event that came before the past was read. */
struct early {
	int64_t id, delivery;
	bool over;   /* the delivery is, with it */
	json_t *row; /* owned */
};

struct watching {
	struct call *call;
	struct watcher *watcher; /* owned; NULL: over */
	int64_t message;         /* 0: all that the caller may see */
	int64_t uid;             /* -1: everyone's */
	bool has_past;           /* it is told; events are told at once */
	int64_t told;            /* the last event id that was */
	int64_t *open;           /* owned, of nopen: deliveries not yet over */
	size_t nopen;
	struct early *early; /* owned, of nearly */
	size_t nearly;
};

static void watching_free(void *state)
{
	struct watching *w = state;

	watcher_free(w->watcher);
	for (size_t i = 0; i < w->nearly; i++)
		json_decref(w->early[i].row);
	free(w->early);
	free(w->open);
	free(w);
}

static void watching_end(struct watching *w)
{
	watcher_free(TAKE(w->watcher));
}

static void watching_stop(struct call *c)
{
	struct watching *w = c->state;

	watching_end(w);
	/* the store still has our question */
	if (w->message && !w->has_past)
		return;
	call_give_up(c);
}

/* ---- which deliveries are not yet over ---- */

/* A text that was sent is over when its provider was asked for the last time: then it
 * goes from sent to sent. */
static bool is_over(const struct watching *w, const char *transport, enum delivery_state from,
		    enum delivery_state to)
{
	const struct transport_config *config = config_transport(w->call->config, transport);
	const struct transport_kind *kind = config ? transport_kind_find(config->type) : NULL;

	if (to == STATE_SENT && from != STATE_SENT)
		return !kind || !kind->ask;
	return state_is_final(to);
}

static void note(struct watching *w, int64_t delivery, bool over)
{
	size_t i = 0;

	while (i < w->nopen && w->open[i] != delivery)
		i++;
	if (i < w->nopen && over) {
		w->open[i] = w->open[--w->nopen];
	} else if (i == w->nopen && !over) {
		w->open = xrealloc(w->open, (w->nopen + 1) * sizeof(*w->open));
		w->open[w->nopen++] = delivery;
	}
}

/* ---- telling ---- */

static json_t *wrapped(json_t *row)
{
	return json_pack("{s:o}", "event", row);
}

/* The last one is the reply that ends the call. Takes row. */
static void tell_of_message(struct watching *w, int64_t id, int64_t delivery, bool over,
			    json_t *row)
{
	w->told = id;
	if (delivery)
		note(w, delivery, over);
	if (w->nopen) {
		call_reply_more(w->call, wrapped(row));
		return;
	}
	watching_end(w);
	call_reply(w->call, wrapped(row));
}

static void keep_early(struct watching *w, const struct event_row *e)
{
	if (w->nearly == EARLY_MAX) {
		watching_end(w);
		return;
	}
	w->early = xrealloc(w->early, (w->nearly + 1) * sizeof(*w->early));
	w->early[w->nearly++] = (struct early){.id = e->id,
					       .delivery = e->delivery,
					       .over = is_over(w, e->transport, e->from, e->to),
					       .row = reply_event(e)};
}

static void hear_all(struct watching *w, const struct event_row *e)
{
	/* a transport's own events are everyone's */
	if (e->message && w->uid >= 0 && w->uid != (int64_t)e->uid)
		return;
	call_reply_more(w->call, wrapped(reply_event(e)));
}

static void heard(void *ctx, const struct event_row *e)
{
	struct watching *w = ctx;

	if (w->call->answered)
		watching_end(w);
	else if (!w->message)
		hear_all(w, e);
	else if (!e->message && w->has_past)
		call_reply_more(w->call, wrapped(reply_event(e)));
	else if (e->message != w->message)
		return;
	else if (!w->has_past)
		keep_early(w, e);
	else if (e->id > w->told)
		tell_of_message(w, e->id, e->delivery, is_over(w, e->transport, e->from, e->to),
				reply_event(e));
}

/* ---- the past ---- */

static void tell_early(struct watching *w)
{
	for (size_t i = 0; i < w->nearly && !w->call->answered; i++) {
		struct early *e = &w->early[i];

		if (e->id > w->told)
			tell_of_message(w, e->id, e->delivery, e->over, TAKE(e->row));
	}
}

static bool has_news(const struct watching *w)
{
	return w->nearly && w->early[w->nearly - 1].id > w->told;
}

static void tell_past(struct watching *w, const struct show_result *shown)
{
	bool ended;

	for (size_t i = 0; i < shown->ndeliveries; i++) {
		const struct delivery_row *d = &shown->deliveries[i];

		note(w, d->id, is_over(w, d->transport, STATE_QUEUED, d->state));
	}
	for (size_t i = 0; i < shown->nevents; i++)
		if (shown->events[i].from == STATE_SENT)
			note(w, shown->events[i].delivery, true);
	w->told = shown->nevents ? shown->events[shown->nevents - 1].id : 0;
	ended = !w->nopen && !has_news(w);
	for (size_t i = 0; i < shown->nevents; i++) {
		json_t *row = wrapped(reply_event(&shown->events[i]));

		if (ended && i == shown->nevents - 1)
			call_reply(w->call, row);
		else
			call_reply_more(w->call, row);
	}
	if (ended && !shown->nevents)
		call_reply(w->call, wrapped(json_null()));
	w->has_past = true;
	if (!w->call->answered)
		tell_early(w);
	if (w->call->answered)
		watching_end(w);
}

static void past_read(void *ctx, const struct show_result *shown)
{
	struct watching *w = ctx;
	struct call *c = w->call;

	if (shown->why) {
		watching_end(w);
		call_not_stored(c, shown->why);
	} else if (!shown->message || (w->uid >= 0 && w->uid != (int64_t)shown->message->uid)) {
		watching_end(w);
		call_error(c, ERROR_NO_SUCH_MESSAGE,
			   json_pack("{s:I}", "id", (json_int_t)w->message));
	} else if (!w->watcher) {
		/* stopped, or too much happened while the store was asked */
		call_error(c, ERROR_OVERRUN, NULL);
	} else {
		tell_past(w, shown);
	}
}

void watch_start(struct call *c)
{
	struct watching *w = xcalloc(1, sizeof(*w));
	json_t *id = json_object_get(c->request.parameters, "id");

	w->call = c;
	w->message = json_integer_value(id);
	w->uid = call_sees(c);
	c->state = w;
	c->release = watching_free;
	c->stop = watching_stop;
	if (json_is_integer(id) && w->message < 1) {
		call_error(c, ERROR_NO_SUCH_MESSAGE,
			   json_pack("{s:I}", "id", (json_int_t)w->message));
		return;
	}
	w->watcher = queue_watch(c->server->queue, heard, w);
	if (w->message)
		store_show(queue_store(c->server->queue), w->message, past_read, w);
}
