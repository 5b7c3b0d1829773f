/* client/queue.c - nuncio queue, show, why: what is known of messages. */
#include "command.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "auto.h"
#include "failure.h"
#include "link.h"
#include "select.h"
#include "table.h"
#include "varlink.h"

#define OPEN_STATES "held,queued,sending,accepted,uncertain,standby"

static void add_answer(struct table *t, const json_t *delivery)
{
	int64_t code = number_of(delivery, "code");
	const char *enhanced = text_of(delivery, "enhanced");

	if (code)
		table_add(t, "%lld %s%s%s", (long long)code, enhanced, *enhanced ? " " : "",
			  text_of(delivery, "text"));
	else
		table_add(t, "%s", text_of(delivery, "text"));
}

static void add_delivery(struct table *t, const json_t *delivery)
{
	char time[32];

	table_add(t, "%lld", (long long)number_of(delivery, "message"));
	table_add(t, "%s", time_print(time, sizeof(time), number_of(delivery, "created")));
	table_add(t, "%s", text_of(delivery, "recipient"));
	table_add(t, "%s", text_of(delivery, "state"));
	table_add(t, "%lld", (long long)number_of(delivery, "attempts"));
	table_add(t, "%s", time_distance(time, sizeof(time), number_of(delivery, "next")));
	table_add(t, "%s", text_of(delivery, "subject"));
	add_answer(t, delivery);
}

/* All pages, one table. *ret_texts: are there texts among them? */
static int print_list(struct link *link, json_t *select, const struct context *context,
		      bool *ret_texts)
{
	struct table table;
	int status;
	bool more = true, empty = true;

	table_init(&table, "ID", "TAKEN", "TO", "STATE", "TRIES", "NEXT", "SUBJECT", "LAST ANSWER",
		   NULL);
	while (more) {
		struct varlink_reply reply;
		json_t *delivery;
		size_t i;

		status = context_call(link, "List", json_incref(select), &reply);
		if (status)
			break;
		json_array_foreach(json_object_get(reply.parameters, "deliveries"), i, delivery)
		{
			empty = false;
			if (*text_of(delivery, "recipient") == '+')
				*ret_texts = true;
			if (context->json)
				print_json(delivery);
			else
				add_delivery(&table, delivery);
		}
		json_t *after = json_object_get(reply.parameters, "after");
		more = json_is_integer(after);
		if (more)
			json_object_set(select, "after", after);
		varlink_reply_clear(&reply);
	}
	table_print(&table);
	if (!status && empty && number_of(select, "message"))
		status = context_check_message(link, number_of(select, "message"));
	if (!status && empty && context->when_empty)
		puts(context->when_empty);
	return status;
}

/* Transports that have sent all they may today: a remark, so without an answer nothing. */
static void print_caps(struct link *link)
{
	struct varlink_reply about;
	struct failure f;
	json_t *row;
	size_t i;

	if (link_call(link, "Status", NULL, &about, &f) < 0)
		return;
	json_array_foreach(json_object_get(about.parameters, "transports"), i, row)
	{
		if (strcmp(text_of(row, "state"), "capped") == 0)
			printf("%s: %s\n", text_of(row, "name"), text_of(row, "reason"));
	}
	varlink_reply_clear(&about);
}

int queue_run(struct context *context, int argc, char **argv)
{
	static const struct option options[] = {{"all", no_argument, NULL, 'a'},
						{"json", no_argument, NULL, 'j'},
						SELECT_OPTIONS,
						{0}};
	json_t *select = json_object();
	int c, status = 0;
	json_int_t id = 0;
	bool texts = false, said = false; /* which states */

	select_option(select, 't', OPEN_STATES);
	while (!status && (c = getopt_long(argc, argv, "a", options, NULL)) != -1) {
		if (c == 'a')
			json_object_del(select, "states");
		else if (c == 'j')
			context->json = true;
		else if (c == 'd' || select_option(select, c, optarg) != 0)
			status = usage_error("queue", "that is not an option of it, or not UTF-8");
		said |= c == 't';
	}
	if (!status && optind < argc) {
		if (optind + 1 < argc)
			status = usage_error("queue", "at most one message's id");
		else if (!parse_id(argv[optind], &id))
			status = usage_error("queue", "'%s' is no message's id", argv[optind]);
		json_object_set_new(select, "message", json_integer(id));
		if (!said)
			json_object_del(select, "states");
	}
	AUTO(link_close) struct link *link = status ? NULL : context_link(context, &status);
	if (link)
		status = print_list(link, select, context, &texts);
	if (link && !status && texts && !context->json)
		print_caps(link);
	json_decref(select);
	return status;
}

/* Fetches the message that the only argument names. */
static int fetch(struct context *context, int argc, char **argv, struct link **ret_link,
		 struct varlink_reply *reply)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {0}};
	json_int_t id = 0;
	int c, status = 0;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'j')
			return usage_error(argv[0], "that is not an option of it");
		context->json = true;
	}
	if (optind + 1 != argc || !parse_id(argv[optind], &id))
		return usage_error(argv[0], "one message's id is needed");
	*ret_link = context_link(context, &status);
	if (!*ret_link)
		return status;
	return context_call(*ret_link, "Show", json_pack("{s:I}", "id", id), reply);
}

static void print_message(const json_t *message)
{
	char time[32];

	printf("Message     %lld, taken %s from uid %lld (pid %lld)\n",
	       (long long)number_of(message, "id"),
	       time_print(time, sizeof(time), number_of(message, "created")),
	       (long long)number_of(message, "uid"), (long long)number_of(message, "pid"));
	printf("Sender      %s\n", text_of(message, "sender"));
	printf("Subject     %s\n", text_of(message, "subject"));
	printf("Message-ID  <%s>\n", text_of(message, "message_id"));
	printf("Priority    %s\n", text_of(message, "priority"));
	printf("Size        %lld\n", (long long)number_of(message, "size"));
	if (*text_of(message, "key"))
		printf("Key         %s\n", text_of(message, "key"));
	if (*text_of(message, "dedup"))
		printf("Dedup       %s, came again %lld times\n", text_of(message, "dedup"),
		       (long long)number_of(message, "repeats"));
}

static void print_deliveries(const json_t *message)
{
	struct table table;
	json_t *row;
	size_t i;

	table_init(&table, "DELIVERY", "TO", "STATE", "TRIES", "NEXT", "BY", "THERE AS",
		   "LAST ANSWER", NULL);
	json_array_foreach(json_object_get(message, "deliveries"), i, row)
	{
		char time[32];

		table_add(&table, "%lld", (long long)number_of(row, "id"));
		table_add(&table, "%s", text_of(row, "recipient"));
		table_add(&table, "%s", text_of(row, "state"));
		table_add(&table, "%lld", (long long)number_of(row, "attempts"));
		table_add(&table, "%s", time_distance(time, sizeof(time), number_of(row, "next")));
		table_add(&table, "%s", text_of(row, "transport"));
		table_add(&table, "%s", text_of(row, "remote_id"));
		add_answer(&table, row);
	}
	putchar('\n');
	table_print(&table);
}

/* What a row has no column for. */
static void print_notes(const json_t *message)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(message, "deliveries"), i, row)
	{
		long long others = number_of(row, "bundled");

		if (*text_of(row, "fallback_for"))
			printf("%s: another way for %s\n", text_of(row, "recipient"),
			       text_of(row, "fallback_for"));
		if (others)
			printf("%s: in one text with %lld other%s, %s\n", text_of(row, "recipient"),
			       others, others == 1 ? "" : "s", text_of(row, "remote_id"));
	}
}

static void print_events(const json_t *message)
{
	struct table table;
	json_t *row;
	size_t i;

	table_init(&table, "WHEN", "DELIVERY", "STATE", "TRY", "BY", "ANSWER", NULL);
	json_array_foreach(json_object_get(message, "events"), i, row)
	{
		char time[32];

		table_add(&table, "%s", time_print(time, sizeof(time), number_of(row, "at")));
		table_add(&table, "%lld", (long long)number_of(row, "delivery"));
		table_add(&table, "%s", text_of(row, "to"));
		table_add(&table, "%lld", (long long)number_of(row, "attempt"));
		table_add(&table, "%s", text_of(row, "transport"));
		add_answer(&table, row);
	}
	putchar('\n');
	table_print(&table);
}

int show_run(struct context *context, int argc, char **argv)
{
	AUTO(link_close) struct link *link = NULL;
	struct varlink_reply reply;
	int status = fetch(context, argc, argv, &link, &reply);

	if (status)
		return status;
	const json_t *message = json_object_get(reply.parameters, "message");
	if (context->json) {
		print_json(message);
	} else {
		print_message(message);
		print_deliveries(message);
		print_notes(message);
		print_events(message);
	}
	varlink_reply_clear(&reply);
	return 0;
}

/* What the transport that is meant to carry it says of itself, when it does not. */
static void print_obstacle(const json_t *status, const json_t *delivery)
{
	json_t *row;
	size_t i;
	char time[32];

	if (!route_has_transport(status, text_of(delivery, "route")))
		printf("  no transport is called '%s' any more: name it again in the "
		       "configuration, or cancel it and send anew\n",
		       text_of(delivery, "route"));
	json_array_foreach(json_object_get(status, "transports"), i, row)
	{
		const char *state = text_of(row, "state");
		const char *route = text_of(delivery, "route");
		bool names_it = strcmp(route, text_of(row, "name")) == 0;
		bool capped =
			strcmp(state, "capped") == 0 && *text_of(delivery, "recipient") == '+';

		if ((!names_it && *route != '#') ||
		    (!capped && strcmp(state, "down") != 0 && strcmp(state, "paused") != 0))
			continue;
		printf("  transport %s is %s since %s: %s", text_of(row, "name"), state,
		       time_print(time, sizeof(time), number_of(row, "since")),
		       text_of(row, "reason"));
		if (number_of(row, "next_try"))
			printf(" (next try %s)",
			       time_distance(time, sizeof(time), number_of(row, "next_try")));
		putchar('\n');
	}
}

/* What a text's state means, which mail is never in. */
static const char *meaning(const char *state)
{
	static const char *const states[][2] = {
		{"accepted", "the provider has it, and is asked what became of it for a day"},
		{"uncertain", "it may have gone out. The provider is asked for 10 minutes; what it "
			      "does not have then is sent again, or held (on_uncertain). retry "
			      "and cancel decide now"},
		{"suppressed", "the recipient wants no texts (STOP); START from there ends that"},
		{"standby", "another way, taken when the first has not led there by then"},
		{"undelivered", "the provider could not deliver it; retry sends it again"},
	};

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		if (strcmp(states[i][0], state) == 0)
			return states[i][1];
	return NULL;
}

static void print_why(const json_t *delivery, const json_t *status)
{
	const char *state = text_of(delivery, "state"), *text = text_of(delivery, "text");
	long long tries = number_of(delivery, "attempts"), code = number_of(delivery, "code");
	bool waits = strcmp(state, "queued") == 0 || strcmp(state, "sending") == 0;
	char time[32];

	printf("%s: %s", text_of(delivery, "recipient"), state);
	if (!waits)
		printf(" %s", time_distance(time, sizeof(time), number_of(delivery, "changed")));
	if (*text_of(delivery, "transport"))
		printf(", by %s", text_of(delivery, "transport"));
	printf(", %lld %s\n", tries, tries == 1 ? "try" : "tries");
	if (code)
		printf("  last answer: %lld %s %s\n", code, text_of(delivery, "enhanced"), text);
	else if (*text)
		printf("  %s\n", text);
	if (meaning(state))
		printf("  %s\n", meaning(state));
	if (!waits)
		return;
	printf("  next try %s", time_distance(time, sizeof(time), number_of(delivery, "next")));
	printf(", given up %s\n",
	       time_distance(time, sizeof(time), number_of(delivery, "expires")));
	print_obstacle(status, delivery);
}

int why_run(struct context *context, int argc, char **argv)
{
	AUTO(link_close) struct link *link = NULL;
	struct varlink_reply reply, about;
	int status = fetch(context, argc, argv, &link, &reply);
	json_t *delivery;
	size_t i;

	if (status)
		return status;
	status = context_call(link, "Status", NULL, &about);
	if (!status) {
		json_array_foreach(
			json_object_get(json_object_get(reply.parameters, "message"), "deliveries"),
			i, delivery)
		{
			if (context->json)
				print_json(delivery);
			else
				print_why(delivery, about.parameters);
		}
		varlink_reply_clear(&about);
	}
	varlink_reply_clear(&reply);
	return status;
}
