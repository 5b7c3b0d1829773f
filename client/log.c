/* client/log.c - nuncio log: what happened, in the order of time; and what happens
 * from now on. */
#include "command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "auto.h"
#include "clock.h"
#include "duration.h"
#include "failure.h"
#include "link.h"
#include "varlink.h"
#include "watch.h"

#define SINCE_MS (24 * 3600 * 1000LL)

struct history {
	json_t **events; /* owned, and each */
	size_t n, allocated;
};

static void keep(struct history *h, json_t *events)
{
	json_t *event;
	size_t i;

	json_array_foreach(events, i, event)
	{
		if (h->n == h->allocated) {
			h->allocated = h->allocated ? h->allocated * 2 : 256;
			h->events = xrealloc(h->events, h->allocated * sizeof(json_t *));
		}
		h->events[h->n++] = json_incref(event);
	}
}

static void history_clear(struct history *h)
{
	for (size_t i = 0; i < h->n; i++)
		json_decref(h->events[i]);
	free(h->events);
}

static int by_time(const void *a, const void *b)
{
	const json_t *const *x = a, *const *y = b;
	int64_t first = number_of(*x, "at"), second = number_of(*y, "at");

	if (first == second) {
		first = number_of(*x, "id");
		second = number_of(*y, "id");
	}
	return (first > second) - (first < second);
}

/* All pages; they come in the order of messages. */
static int fetch(struct link *link, json_t *select, struct history *ret)
{
	bool more = true;

	while (more) {
		struct varlink_reply reply;
		int status = context_call(link, "Log", json_incref(select), &reply);

		if (status)
			return status;
		keep(ret, json_object_get(reply.parameters, "events"));
		json_t *after = json_object_get(reply.parameters, "after");
		more = json_is_integer(after);
		if (more)
			json_object_set(select, "after", after);
		varlink_reply_clear(&reply);
	}
	if (ret->n)
		qsort(ret->events, ret->n, sizeof(json_t *), by_time);
	return 0;
}

struct question {
	json_int_t message; /* 0: of all */
	int64_t since_ms;   /* wall time */
	bool follow;
};

static json_t *make_select(const struct question *q)
{
	json_t *select = json_object();

	if (q->message)
		json_object_set_new(select, "message", json_integer(q->message));
	/* the watch on a message begins with all its events: all are to be known then */
	if (q->since_ms && !(q->message && q->follow))
		json_object_set_new(select, "since", json_integer(q->since_ms));
	return select;
}

/* Returns their ids. */
static json_t *print_history(const struct context *context, const struct question *q,
			     const struct history *h)
{
	json_t *known = json_object();

	for (size_t i = 0; i < h->n; i++) {
		char id[24];

		if (number_of(h->events[i], "at") >= q->since_ms)
			watch_print(context, h->events[i]);
		snprintf(id, sizeof(id), "%lld", (long long)number_of(h->events[i], "id"));
		if (q->follow)
			json_object_set_new(known, id, json_true());
	}
	return known;
}

static int tell(const struct context *context, const struct question *q)
{
	struct history history = {0};
	int status = 0;
	AUTO(link_close) struct link *watch = q->follow ? context_link(context, &status) : NULL;
	AUTO(link_close) struct link *link = status ? NULL : context_link(context, &status);

	if (!link)
		return status;
	json_t *select = make_select(q);
	/* it watches first, so that nothing falls between history and present */
	if (watch)
		status = watch_begin(watch, q->message);
	if (!status)
		status = fetch(link, select, &history);
	if (!status && !history.n && q->message)
		status = context_check_message(link, q->message);
	json_t *known = print_history(context, q, &history);
	if (!status && watch)
		status = watch_go_on(context, watch, known);
	json_decref(known);
	json_decref(select);
	history_clear(&history);
	return status;
}

int log_run(struct context *context, int argc, char **argv)
{
	static const struct option options[] = {{"since", required_argument, NULL, 's'},
						{"follow", no_argument, NULL, 'f'},
						{"json", no_argument, NULL, 'j'},
						{0}};
	struct question question = {0};
	int64_t ago_ms = 0;
	struct failure f;
	int c;

	while ((c = getopt_long(argc, argv, "f", options, NULL)) != -1) {
		if (c == 's' && duration_parse(optarg, &ago_ms, &f) < 0)
			return usage_error("log", "%s", f.text);
		if (c == '?')
			return usage_error("log", "that is not an option of it");
		question.follow |= c == 'f';
		context->json |= c == 'j';
	}
	if (optind + 1 < argc || (optind < argc && !parse_id(argv[optind], &question.message)))
		return usage_error("log", "at most one message's id");
	if (!question.message && !ago_ms)
		ago_ms = SINCE_MS;
	if (ago_ms)
		question.since_ms = clock_wall_ms() - ago_ms;
	return tell(context, &question);
}
