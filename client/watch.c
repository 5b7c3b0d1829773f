/* client/watch.c - nuncio watch, and waiting for one message. */
#include "watch.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "auto.h"
#include "clock.h"
#include "command.h"
#include "failure.h"
#include "link.h"
#include "table.h"
#include "text.h"
#include "varlink.h"

static void print_event(const json_t *event)
{
	char time[32], text[400];
	long long code = number_of(event, "code"), message = number_of(event, "message");
	const char *said = text_of(event, "text"), *recipient = text_of(event, "recipient");

	printf("%s  ", time_print(time, sizeof(time), number_of(event, "at")));
	if (message)
		printf("%lld%s%s: ", message, *recipient ? " to " : "", recipient);
	else
		printf("transport %s: ", text_of(event, "transport"));
	printf("%s", text_of(event, "to"));
	if (message && *text_of(event, "transport"))
		printf(" by %s", text_of(event, "transport"));
	if (code)
		printf(" %lld %s", code, text_of(event, "enhanced"));
	if (*said)
		printf(" %s", text_safe_line(text, sizeof(text), said, strlen(said)));
	putchar('\n');
	fflush(stdout);
}

void watch_print(const struct context *context, const json_t *event)
{
	if (context->json)
		print_json(event);
	else
		print_event(event);
}

int watch_begin(struct link *link, json_int_t message)
{
	json_t *parameters = message ? json_pack("{s:I}", "id", message) : json_object();
	struct failure f;

	if (link_send(link, "Watch", parameters, true, NULL, 0, &f) < 0)
		return say_failure(&f);
	return 0;
}

static bool is_known(const json_t *known, const json_t *event)
{
	char id[24];

	snprintf(id, sizeof(id), "%lld", (long long)number_of(event, "id"));
	return known && number_of(event, "message") && json_object_get(known, id);
}

int watch_go_on(const struct context *context, struct link *link, const json_t *known)
{
	int status = 0;
	struct failure f;

	for (bool more = true; more;) {
		struct varlink_reply reply;

		if (link_receive(link, 0, &reply, &f) < 0)
			return say_failure(&f);
		more = reply.continues;
		json_t *event = json_object_get(reply.parameters, "event");
		if (reply.error)
			status = say_error(&reply);
		else if (json_is_object(event) && !is_known(known, event))
			watch_print(context, event);
		varlink_reply_clear(&reply);
	}
	return status;
}

int watch_run(struct context *context, int argc, char **argv)
{
	json_int_t id = 0;
	int status = 0;

	if (!only_operands(context, &argc, &argv) || argc > 1 ||
	    (argc == 1 && !parse_id(argv[0], &id)))
		return usage_error("watch", "at most one message's id");
	AUTO(link_close) struct link *link = context_link(context, &status);
	if (!link)
		return status;
	status = watch_begin(link, id);
	return status ? status : watch_go_on(context, link, NULL);
}

/* ---- waiting for one message ---- */

struct waiting {
	json_t *states; /* recipient -> state */
	json_t *routes; /* recipient -> route */
	json_t *others; /* recipient -> recipient of its other way */
	json_t *firsts; /* recipient of an other way: the first one counts */
	json_t *ways;   /* Status's transports */
	int64_t seen;   /* events up to this one are in states */
	bool only_sent;
};

static bool is_one_of(const char *word, const char *const *words)
{
	while (*words && strcmp(*words, word) != 0)
		words++;
	return *words;
}

/* ---- what keeps it from going ---- */

static bool carries(const json_t *way, const char *route)
{
	static const char *const texts[] = {"twilio", "carrier", NULL};
	bool is_text = is_one_of(text_of(way, "type"), texts);

	return strcmp(route, is_text ? "#sms" : "#mail") == 0 ||
	       strcmp(route, text_of(way, "name")) == 0;
}

static bool is_obstructed(const json_t *way)
{
	static const char *const states[] = {"down", "paused", "capped", NULL};

	return is_one_of(text_of(way, "state"), states);
}

/* The first that may is the one that does; who stands in for it Status does not say. */
static json_t *way_of(const struct waiting *w, const char *route)
{
	size_t i;
	json_t *way;

	json_array_foreach(w->ways, i, way)
	{
		if (carries(way, route))
			return way;
	}
	return NULL;
}

static void say_obstacle(json_t *way)
{
	const char *reason = text_of(way, "reason");
	char why[400];

	if (json_object_get(way, "said"))
		return;
	fprintf(stderr, "nuncio: it is queued, but transport %s is %s%s%s\n", text_of(way, "name"),
		text_of(way, "state"), *reason ? ": " : "",
		text_safe_line(why, sizeof(why), reason, strlen(reason)));
	json_object_set_new(way, "said", json_true());
}

static void look_for_obstacles(const struct waiting *w)
{
	static const char *const waits[] = {"queued", "sending", NULL};
	const char *recipient;
	json_t *state;

	json_object_foreach(w->states, recipient, state)
	{
		json_t *way = way_of(w, text_of(w->routes, recipient));

		if (is_one_of(json_string_value(state), waits) && way && is_obstructed(way))
			say_obstacle(way);
	}
}

/* ---- what is heard of it ---- */

static void hear_of_transport(const struct waiting *w, const json_t *event)
{
	size_t i;
	json_t *way;

	json_array_foreach(w->ways, i, way)
	{
		if (strcmp(text_of(way, "name"), text_of(event, "transport")) != 0)
			continue;
		json_object_set(way, "state", json_object_get(event, "to"));
		json_object_set(way, "reason", json_object_get(event, "text"));
		if (!is_obstructed(way))
			json_object_del(way, "said");
	}
	look_for_obstacles(w);
}

/* Another way that is not needed is no trouble. */
static bool is_bad(const struct waiting *w, const char *recipient, const char *state)
{
	static const char *const bad[] = {"failed",     "expired",  "undelivered",
					  "suppressed", "canceled", NULL};

	return is_one_of(state, bad) &&
	       !(json_object_get(w->firsts, recipient) && strcmp(state, "canceled") == 0);
}

/* about: an event, or a delivery. */
static void hear_of_recipient(struct waiting *w, const json_t *about, const char *state)
{
	const char *recipient = text_of(about, "recipient"), *said = text_of(about, "text");
	long long code = number_of(about, "code");
	bool is_deferred = strcmp(state, "queued") == 0 && code;
	char number[24] = "", text[400];

	json_object_set_new(w->states, recipient, json_string(state));
	if (!is_deferred && !is_bad(w, recipient, state))
		return;
	if (code)
		snprintf(number, sizeof(number), "%lld ", code);
	text_safe_line(text, sizeof(text), said, strlen(said));
	fprintf(stderr, "nuncio: %s: %s%s%s%s%s%s\n", recipient, is_deferred ? "not now" : state,
		code || *said ? ": " : "", number, text_of(about, "enhanced"),
		*text_of(about, "enhanced") ? " " : "", text);
}

static void hear(struct waiting *w, const json_t *event)
{
	if (!json_is_object(event))
		return;
	if (!number_of(event, "message"))
		hear_of_transport(w, event);
	else if (number_of(event, "id") > w->seen && *text_of(event, "recipient"))
		hear_of_recipient(w, event, text_of(event, "to"));
}

static bool is_sent(const struct waiting *w, const char *recipient)
{
	const char *state = text_of(w->states, recipient);

	return strcmp(state, "sent") == 0 || strcmp(state, "delivered") == 0;
}

static bool all_are_sent(const struct waiting *w)
{
	const char *recipient;
	json_t *state;

	json_object_foreach(w->states, recipient, state)
	{
		if (!is_sent(w, recipient) && !is_sent(w, text_of(w->others, recipient)) &&
		    !json_object_get(w->firsts, recipient))
			return false;
	}
	return json_object_size(w->states) > 0;
}

/* ---- what it begins with ---- */

static void take_delivery(struct waiting *w, const json_t *delivery)
{
	const char *recipient = text_of(delivery, "recipient");
	const char *first = text_of(delivery, "fallback_for");

	if (*first) {
		json_object_set_new(w->others, first, json_string(recipient));
		json_object_set_new(w->firsts, recipient, json_true());
	}
	json_object_set(w->routes, recipient, json_object_get(delivery, "route"));
	hear_of_recipient(w, delivery, text_of(delivery, "state"));
}

static void take_message(struct waiting *w, const json_t *message)
{
	const json_t *events = json_object_get(message, "events");
	size_t i, n = json_array_size(events);
	json_t *delivery;

	json_array_foreach(json_object_get(message, "deliveries"), i, delivery)
	{
		take_delivery(w, delivery);
	}
	if (n)
		w->seen = number_of(json_array_get(events, n - 1), "id");
}

/* By a link of its own, once the other one is told whatever happens: nothing is missed
 * in between, however much happens. Of the past Watch tells the newest events alone. */
static int learn(const struct context *context, json_int_t message, struct waiting *w)
{
	struct varlink_reply reply;
	int status = 0;
	AUTO(link_close) struct link *link = context_link(context, &status);

	if (!link)
		return status;
	status = context_call(link, "Show", json_pack("{s:I}", "id", message), &reply);
	if (status)
		return status;
	take_message(w, json_object_get(reply.parameters, "message"));
	varlink_reply_clear(&reply);
	status = context_call(link, "Status", NULL, &reply);
	if (status)
		return status;
	w->ways = json_incref(json_object_get(reply.parameters, "transports"));
	varlink_reply_clear(&reply);
	look_for_obstacles(w);
	return 0;
}

/* ---- the wait ---- */

/* The daemon's next word about it. until_ms 0: for good. Returns an exit status. */
static int receive(struct link *link, int64_t until_ms, struct varlink_reply *ret)
{
	int64_t left = until_ms ? until_ms - clock_mono_ms() : 0;
	struct failure f;

	if (link_receive(link, until_ms && left <= 0 ? 1 : (int)left, ret, &f) < 0) {
		say_failure(&f);
		return EX_TEMPFAIL;
	}
	if (!ret->error)
		return 0;
	int status = say_error(ret);

	varlink_reply_clear(ret);
	return status;
}

/* Reads until the daemon says that was all. */
static int wait_loop(const struct context *context, struct link *link, json_int_t message,
		     struct waiting *w, int timeout_ms)
{
	int64_t until_ms = timeout_ms ? clock_mono_ms() + timeout_ms : 0;
	bool learned = false;

	for (bool more = true; more;) {
		struct varlink_reply reply;
		int status = receive(link, until_ms, &reply);

		if (status)
			return status;
		more = reply.continues;
		if (!learned)
			status = learn(context, message, w);
		learned = true;
		hear(w, json_object_get(reply.parameters, "event"));
		varlink_reply_clear(&reply);
		if (status || (w->only_sent && all_are_sent(w)))
			return status;
	}
	return all_are_sent(w) ? 0 : EX_UNAVAILABLE;
}

int watch_wait(const struct context *context, struct link *link, json_int_t message, bool only_sent,
	       int timeout_ms)
{
	struct waiting w = {.states = json_object(),
			    .routes = json_object(),
			    .others = json_object(),
			    .firsts = json_object(),
			    .only_sent = only_sent};
	int status = watch_begin(link, message);

	if (!status)
		status = wait_loop(context, link, message, &w, timeout_ms);
	json_decref(w.states);
	json_decref(w.routes);
	json_decref(w.others);
	json_decref(w.firsts);
	json_decref(w.ways);
	return status;
}
