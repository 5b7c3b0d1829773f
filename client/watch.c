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
	const char *said = text_of(event, "text");

	printf("%s  ", time_print(time, sizeof(time), number_of(event, "at")));
	if (message)
		printf("%lld to %s: ", message, text_of(event, "recipient"));
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

struct waiting {
	json_t *states; /* recipient -> state */
	json_t *others; /* recipient -> recipient of its other way */
	json_t *firsts; /* recipient of an other way: the first one counts */
	bool only_sent;
};

static void hear(struct waiting *w, const json_t *event)
{
	const char *to = text_of(event, "to"), *recipient = text_of(event, "recipient");

	if (!json_is_object(event))
		return;
	if (*recipient)
		json_object_set_new(w->states, recipient, json_string(to));
	else if (strcmp(to, "down") == 0)
		fprintf(stderr, "nuncio: it is queued, but transport %s is down: %s\n",
			text_of(event, "transport"), text_of(event, "text"));
	if (*recipient && strcmp(to, "queued") == 0 && number_of(event, "code"))
		fprintf(stderr, "nuncio: %s: not now: %lld %s %s\n", recipient,
			(long long)number_of(event, "code"), text_of(event, "enhanced"),
			text_of(event, "text"));
	if (*recipient && (strcmp(to, "failed") == 0 || strcmp(to, "expired") == 0 ||
			   strcmp(to, "undelivered") == 0))
		fprintf(stderr, "nuncio: %s: %s: %lld %s %s\n", recipient, to,
			(long long)number_of(event, "code"), text_of(event, "enhanced"),
			text_of(event, "text"));
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

/* Reads until the daemon says that was all. */
static int wait_loop(struct link *link, struct waiting *w, int timeout_ms)
{
	int64_t until_ms = clock_mono_ms() + timeout_ms;
	struct varlink_reply reply;
	struct failure f;

	for (bool more = true; more;) {
		int left = timeout_ms ? (int)(until_ms - clock_mono_ms()) : 0;

		if (timeout_ms && left <= 0)
			left = 1;
		if (link_receive(link, left, &reply, &f) < 0) {
			say_failure(&f);
			return EX_TEMPFAIL;
		}
		more = reply.continues;
		if (reply.error) {
			int status = say_error(&reply);

			varlink_reply_clear(&reply);
			return status;
		}
		hear(w, json_object_get(reply.parameters, "event"));
		varlink_reply_clear(&reply);
		if (w->only_sent && all_are_sent(w))
			return 0;
	}
	return all_are_sent(w) ? 0 : EX_UNAVAILABLE;
}

/* Who there is to wait for. */
static int learn_recipients(struct link *link, json_int_t message, struct waiting *w)
{
	struct varlink_reply reply;
	json_t *delivery;
	size_t i;
	int status = context_call(link, "Show", json_pack("{s:I}", "id", message), &reply);

	if (status)
		return status;
	json_array_foreach(
		json_object_get(json_object_get(reply.parameters, "message"), "deliveries"), i,
		delivery)
	{
		json_object_set_new(w->states, text_of(delivery, "recipient"),
				    json_string("queued"));
		if (!*text_of(delivery, "fallback_for"))
			continue;
		json_object_set_new(w->others, text_of(delivery, "fallback_for"),
				    json_string(text_of(delivery, "recipient")));
		json_object_set_new(w->firsts, text_of(delivery, "recipient"), json_true());
	}
	varlink_reply_clear(&reply);
	return 0;
}

int watch_wait(struct link *link, json_int_t message, bool only_sent, int timeout_ms)
{
	struct waiting w = {.states = json_object(),
			    .others = json_object(),
			    .firsts = json_object(),
			    .only_sent = only_sent};
	struct failure f;
	int status = learn_recipients(link, message, &w);

	if (!status &&
	    link_send(link, "Watch", json_pack("{s:I}", "id", message), true, NULL, 0, &f) < 0)
		status = say_failure(&f);
	if (!status)
		status = wait_loop(link, &w, timeout_ms);
	json_decref(w.states);
	json_decref(w.others);
	json_decref(w.firsts);
	return status;
}
