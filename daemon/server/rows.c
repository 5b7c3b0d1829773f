/* server/rows.c - decides how rows look to those who ask: which members are null,
 * and that every text is UTF-8. */
#include "server/rows.h"

#include <string.h>

#include "mailbox/mailbox.h"
#include "queue/queue.h"
#include "queue/state.h"
#include "queue/store_read.h"
#include "text.h"

json_t *reply_text(const char *text)
{
	char safe[1000];
	size_t len = strlen(text);

	if (text_is_utf8(text, len))
		return json_stringn(text, len);
	return json_string(text_safe_line(safe, sizeof(safe), text, len));
}

json_t *reply_some(const char *text)
{
	return text && *text ? reply_text(text) : json_null();
}

json_t *reply_number(int64_t number)
{
	return number ? json_integer(number) : json_null();
}

static const char *const priorities[] = {"urgent", "high", "normal", "low"};
#define NPRIORITIES (sizeof(priorities) / sizeof(*priorities))

const char *priority_name(unsigned priority)
{
	return priorities[priority < NPRIORITIES ? priority : NPRIORITIES - 1];
}

int priority_parse(const char *name, unsigned *ret)
{
	for (unsigned i = 0; i < NPRIORITIES; i++) {
		if (strcmp(priorities[i], name) != 0)
			continue;
		*ret = i;
		return 0;
	}
	return -1;
}

json_t *reply_delivery(const struct delivery_row *d, const struct message_row *m)
{
	bool waits = d->state == STATE_QUEUED || d->state == STATE_STANDBY;
	bool is_over = state_is_final(d->state);

	return json_pack("{s:I, s:I, s:o, s:s, s:o, s:o, s:i, s:o, s:o, s:I, s:o, s:o, s:o, s:o, "
			 "s:o, s:o, s:I, s:s, s:I, s:I, s:o, s:o}",
			 "id", (json_int_t)d->id, "message", (json_int_t)d->message, "recipient",
			 reply_text(d->recipient), "state", state_name(d->state), "route",
			 reply_text(d->route), "transport", reply_some(d->transport), "attempts",
			 (int)d->attempt_no, "next", reply_number(waits ? d->next_ms : 0),
			 "expires", reply_number(is_over ? 0 : d->expires_ms), "changed",
			 (json_int_t)d->changed_ms, "code", reply_number(d->code), "enhanced",
			 reply_some(d->enhanced), "text", reply_some(d->text), "remote_id",
			 reply_some(d->remote_id), "subject", reply_some(m->subject), "sender",
			 reply_text(m->sender), "created", (json_int_t)m->created_ms, "priority",
			 priority_name(m->priority), "uid", (json_int_t)m->uid, "repeats",
			 (json_int_t)m->repeats, "bundled", reply_number(d->bundled),
			 "fallback_for", reply_some(d->fallback_for));
}

/* A transport's own event borrows two states for what it says. */
static const char *event_to(const struct event_row *e)
{
	if (e->message)
		return state_name(e->to);
	return e->to == STATE_QUEUED ? "up" : "down";
}

json_t *reply_event(const struct event_row *e)
{
	return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:s, s:i, s:o, s:o, s:o, s:o}", "id",
			 (json_int_t)e->id, "at", (json_int_t)e->at_ms, "message",
			 reply_number(e->message), "delivery", reply_number(e->delivery),
			 "recipient", reply_some(e->recipient), "from",
			 e->from ? json_string(state_name(e->from)) : json_null(), "to",
			 event_to(e), "attempt", (int)e->attempt_no, "transport",
			 reply_some(e->transport), "code", reply_number(e->code), "enhanced",
			 reply_some(e->enhanced), "text", reply_some(e->text));
}

json_t *reply_message(const struct show_result *shown)
{
	const struct message_row *m = shown->message;
	json_t *deliveries = json_array(), *events = json_array();

	for (size_t i = 0; i < shown->ndeliveries; i++)
		json_array_append_new(deliveries, reply_delivery(&shown->deliveries[i], m));
	for (size_t i = 0; i < shown->nevents; i++)
		json_array_append_new(events, reply_event(&shown->events[i]));
	return json_pack("{s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:s, s:o, s:o, s:I, s:I, s:o, s:o}",
			 "id", (json_int_t)m->id, "created", (json_int_t)m->created_ms, "uid",
			 (json_int_t)m->uid, "pid", (json_int_t)m->pid, "sender",
			 reply_text(m->sender), "subject", reply_some(m->subject), "message_id",
			 reply_text(m->message_id), "priority", priority_name(m->priority), "key",
			 reply_some(m->key), "dedup", reply_some(m->dedup), "size",
			 (json_int_t)m->content_size, "repeats", (json_int_t)m->repeats,
			 "deliveries", deliveries, "events", events);
}

json_t *reply_transport(const struct transport_status *t)
{
	return json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I}",
			 "price", reply_some(t->price), "name", reply_text(t->name), "type",
			 reply_text(t->type), "state", t->state, "reason", reply_some(t->reason),
			 "since", reply_number(t->since_ms), "sent_minute",
			 (json_int_t)t->sent_minute, "sent_hour", (json_int_t)t->sent_hour,
			 "next_try", reply_number(t->next_try_ms), "failures",
			 (json_int_t)t->failures, "in_flight", (json_int_t)t->in_flight, "sent",
			 (json_int_t)t->sent, "refused", (json_int_t)t->refused, "deferred",
			 (json_int_t)t->later);
}

json_t *reply_mailbox(const struct mailbox_status *m)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I}", "name", m->name,
			 "type", m->type, "state", mailbox_state_name(m->state), "reason",
			 reply_some(m->reason), "since", reply_number(m->since_ms), "next_try",
			 reply_number(m->next_try_ms), "heard", reply_number(m->heard_ms), "newest",
			 reply_number(m->newest_ms), "failures", (json_int_t)m->failures, "mails",
			 (json_int_t)m->mails, "reconnects", (json_int_t)m->reconnects);
}

json_t *reply_routes(const struct stats_result *stats)
{
	json_t *routes = json_array();

	for (size_t i = 0; i < stats->nroutes; i++)
		json_array_append_new(routes,
				      json_pack("{s:o, s:I, s:o}", "name",
						reply_text(stats->routes[i].route), "waiting",
						(json_int_t)stats->routes[i].waiting, "oldest",
						reply_number(stats->routes[i].oldest_ms)));
	return routes;
}

json_t *reply_counts(const struct stats_result *stats)
{
	json_t *counts = json_object();

	for (unsigned i = STATE_HELD; i <= STATE_STANDBY; i++)
		json_object_set_new(counts, state_name((enum delivery_state)i),
				    json_integer((json_int_t)stats->by_state[i]));
	return counts;
}
