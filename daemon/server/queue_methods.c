/* server/queue_methods.c - List, Show, and the deeds: Cancel, Retry, Hold,
 * Release. Those who may not look see their own messages and no others; those who may
 * not operate change their own and no others. */
#include <string.h>

#include "config/config.h"
#include "queue/queue.h"
#include "queue/state.h"
#include "queue/store_ids.h"
#include "queue/store_read.h"
#include "server/call.h"
#include "server/methods.h"
#include "server/room.h"
#include "server/rows.h"

#define PAGE_ROWS 100 /* when nobody says how many */

static void refuse_message(struct call *c, int64_t id)
{
	call_error(c, ERROR_NO_SUCH_MESSAGE, json_pack("{s:I}", "id", (json_int_t)id));
}

/* ---- filters ---- */

static int read_states(struct call *c, json_t *given, const char *place, unsigned *ret)
{
	enum delivery_state state;
	char all[200];
	json_t *name;
	size_t i;

	json_array_foreach(given, i, name)
	{
		if (!state_parse(json_string_value(name), &state)) {
			call_invalid(c, place, "no state is called '%s'; there are %s.",
				     json_string_value(name), state_list(all, sizeof(all)));
			return -1;
		}
		*ret |= 1U << state;
	}
	return 0;
}

static int64_t number_of(json_t *holder, const char *name)
{
	return json_integer_value(json_object_get(holder, name));
}

/* The members List and Selection share; of the messages of uid (-1: everyone's). 0 is no
 * id: it would match all. */
static int read_filter(struct call *c, json_t *from, int64_t uid, const char *states_place,
		       struct filter *ret)
{
	*ret = (struct filter){.message = number_of(from, "message"),
			       .delivery = number_of(from, "delivery"),
			       .uid = uid,
			       .route = json_string_value(json_object_get(from, "route")),
			       .recipient = json_string_value(json_object_get(from, "recipient"))};
	bool no_message = json_is_integer(json_object_get(from, "message")) && ret->message < 1;
	bool no_delivery = json_is_integer(json_object_get(from, "delivery")) && ret->delivery < 1;

	if (no_message || no_delivery) {
		refuse_message(c, no_message ? ret->message : ret->delivery);
		return -1;
	}
	return read_states(c, json_object_get(from, "states"), states_place, &ret->states);
}

/* ---- List ---- */

static void listed(void *ctx, const struct list_result *result)
{
	struct call *c = ctx;

	if (result->why) {
		call_not_stored(c, result->why);
		return;
	}
	json_t *rows = json_array();
	for (size_t i = 0; i < result->n; i++)
		json_array_append_new(
			rows, reply_delivery(result->rows[i].delivery, result->rows[i].message));
	call_reply(c, json_pack("{s:o, s:o}", "deliveries", rows, "after",
				result->done ? json_null() : json_integer(result->last)));
}

void list_start(struct call *c)
{
	int64_t limit = call_number(c, "limit", PAGE_ROWS);
	struct filter filter;

	if (limit < 1 || limit > STORE_PAGE_MAX) {
		call_invalid(c, "limit", "a number from 1 to %d is wanted.", STORE_PAGE_MAX);
		return;
	}
	if (read_filter(c, c->request.parameters, call_sees(c), "states", &filter) < 0)
		return;
	store_list(queue_store(c->server->queue), &filter, call_number(c, "after", 0),
		   (size_t)limit, listed, c);
}

/* ---- Show ---- */

static void shown(void *ctx, const struct show_result *result)
{
	struct call *c = ctx;
	int64_t sees = call_sees(c);

	if (result->why)
		call_not_stored(c, result->why);
	else if (!result->message || (sees >= 0 && sees != (int64_t)result->message->uid))
		refuse_message(c, call_number(c, "id", 0));
	else
		call_reply(c, json_pack("{s:o}", "message", reply_message(result)));
}

void show_start(struct call *c)
{
	store_show(queue_store(c->server->queue), call_number(c, "id", 0), shown, c);
}

/* ---- Log ---- */

static void told(void *ctx, const struct log_result *result)
{
	struct call *c = ctx;

	if (result->why) {
		call_not_stored(c, result->why);
		return;
	}
	json_t *events = json_array();

	for (size_t i = 0; i < result->n; i++)
		json_array_append_new(events, reply_event(&result->events[i]));
	call_reply(c, json_pack("{s:o, s:o}", "events", events, "after",
				result->done ? json_null() : json_integer(result->last)));
}

void log_start(struct call *c)
{
	struct log_filter filter = {.message = call_number(c, "message", 0),
				    .uid = call_sees(c),
				    .since_ms = call_number(c, "since", 0)};

	if (call_number(c, "message", 1) < 1 || filter.message > INT64_MAX / IDS_EACH - 1) {
		refuse_message(c, filter.message);
		return;
	}
	store_log(queue_store(c->server->queue), &filter, call_number(c, "after", 0), told, c);
}

/* ---- deeds ---- */

static json_t *selection(const struct call *c)
{
	return json_object_get(c->request.parameters, "select");
}

static void operated(void *ctx, const struct operate_result *result)
{
	struct call *c = ctx;
	json_t *select = selection(c);
	int64_t id = number_of(select, "message");

	if (result->why) {
		call_not_stored(c, result->why);
		return;
	}
	id = id ? id : number_of(select, "delivery");
	/* nothing but an id was named, and it fits nothing one may change */
	if (id && !result->changed && !result->passed_over && json_object_size(select) == 1) {
		if (call_sees(c) == call_changes(c))
			refuse_message(c, id);
		else
			call_refuse_right(c, RIGHT_OPERATE);
		return;
	}
	call_reply(c, json_pack("{s:I, s:I}", "changed", (json_int_t)result->changed, "passed_over",
				(json_int_t)result->passed_over));
}

static bool selects(json_t *select)
{
	const char *name;
	json_t *value;

	json_object_foreach(select, name, value) if (!json_is_null(value) &&
						     !json_is_false(value) &&
						     !(json_is_array(value) &&
						       json_array_size(value) == 0)) return true;
	return false;
}

static void operate(struct call *c, enum deed deed)
{
	struct filter filter;

	if (!selects(selection(c))) {
		call_invalid(
			c, "select",
			"at least one of message, delivery, states, route, recipient and all is "
			"wanted.");
		return;
	}
	if (read_filter(c, selection(c), call_changes(c), "select.states", &filter) < 0)
		return;
	queue_operate(c->server->queue, deed, &filter, operated, c);
}

void cancel_start(struct call *c)
{
	operate(c, DEED_CANCEL);
}

void retry_start(struct call *c)
{
	operate(c, DEED_RETRY);
}

void hold_start(struct call *c)
{
	operate(c, DEED_HOLD);
}

void release_start(struct call *c)
{
	operate(c, DEED_RELEASE);
}
