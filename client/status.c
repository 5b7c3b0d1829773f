/* client/status.c - nuncio status: the daemon, its transports, its counts. */
#include "command.h"

#include <getopt.h>
#include <stdio.h>
#include <time.h>

#include "auto.h"
#include "clock.h"
#include "duration.h"
#include "failure.h"
#include "link.h"
#include "prometheus.h"
#include "table.h"
#include "varlink.h"

static void print_routes(const json_t *status)
{
	json_t *row;
	size_t i;
	char time[32], age[40];

	json_array_foreach(json_object_get(status, "routes"), i, row)
	{
		printf("waiting on %s: %lld", text_of(row, "name"),
		       (long long)number_of(row, "waiting"));
		if (number_of(row, "oldest"))
			printf(", the oldest from %s (%s)",
			       time_print(time, sizeof(time), number_of(row, "oldest")),
			       time_distance(age, sizeof(age), number_of(row, "oldest")));
		putchar('\n');
	}
}

static void print_transports(const json_t *status)
{
	struct table table;
	json_t *row;
	size_t i;

	table_init(&table, "TRANSPORT", "TYPE", "STATE", "SINCE", "NOW", "1 MIN", "1 H", "SENT",
		   "LATER", "REFUSED", "REASON", NULL);
	json_array_foreach(json_object_get(status, "transports"), i, row)
	{
		char time[32];

		table_add(&table, "%s", text_of(row, "name"));
		table_add(&table, "%s", text_of(row, "type"));
		table_add(&table, "%s", text_of(row, "state"));
		table_add(&table, "%s", time_print(time, sizeof(time), number_of(row, "since")));
		table_add(&table, "%lld", (long long)number_of(row, "in_flight"));
		table_add(&table, "%lld", (long long)number_of(row, "sent_minute"));
		table_add(&table, "%lld", (long long)number_of(row, "sent_hour"));
		table_add(&table, "%lld", (long long)number_of(row, "sent"));
		table_add(&table, "%lld", (long long)number_of(row, "deferred"));
		table_add(&table, "%lld", (long long)number_of(row, "refused"));
		table_add(&table, "%s", text_of(row, "reason"));
	}
	table_print(&table);
}

static void print_mailboxes(const json_t *status)
{
	struct table table;
	json_t *row;
	size_t i;

	table_init(&table, "MAILBOX", "TYPE", "STATE", "SINCE", "MAILS", "LAST", "HEARD", "REASON",
		   NULL);
	json_array_foreach(json_object_get(status, "mailboxes"), i, row)
	{
		char since[32], newest[32], heard[32];

		table_add(&table, "%s", text_of(row, "name"));
		table_add(&table, "%s", text_of(row, "type"));
		table_add(&table, "%s", text_of(row, "state"));
		table_add(&table, "%s", time_print(since, sizeof(since), number_of(row, "since")));
		table_add(&table, "%lld", (long long)number_of(row, "mails"));
		table_add(&table, "%s",
			  time_print(newest, sizeof(newest), number_of(row, "newest")));
		table_add(&table, "%s", time_print(heard, sizeof(heard), number_of(row, "heard")));
		table_add(&table, "%s", text_of(row, "reason"));
	}
	table_print(&table);
}

static void print_share(const char *what, const json_t *row, const char *name)
{
	char limit[40];

	snprintf(limit, sizeof(limit), "%s_limit", name);
	if (number_of(row, limit))
		printf(", %lld of %lld %s", (long long)number_of(row, name),
		       (long long)number_of(row, limit), what);
}

/* Only where something is limited. */
static void print_limits(const json_t *status)
{
	const json_t *limits = json_object_get(status, "limits");
	json_t *row;
	size_t i;
	char size[16];

	if (number_of(limits, "queue"))
		printf("the queue holds at most %lld deliveries\n",
		       (long long)number_of(limits, "queue"));
	if (number_of(limits, "queue_bytes"))
		printf("the queue takes at most %s on disk\n",
		       size_print(size, sizeof(size), (uint64_t)number_of(limits, "queue_bytes")));
	json_array_foreach(json_object_get(status, "usage"), i, row)
	{
		if (!number_of(row, "messages_limit") && !number_of(row, "bytes_limit") &&
		    !number_of(row, "connections_limit"))
			continue;
		printf("uid %lld", (long long)number_of(row, "uid"));
		print_share("messages in the last hour", row, "messages");
		print_share("bytes in the last hour", row, "bytes");
		print_share("connections", row, "connections");
		printf("\n");
	}
}

static void print_status(const json_t *status)
{
	char time[32], size[16];
	const char *state;
	json_t *count;

	printf("nunciod %s (pid %lld) since %s, %s on disk\n", text_of(status, "version"),
	       (long long)number_of(status, "pid"),
	       time_print(time, sizeof(time), number_of(status, "started")),
	       size_print(size, sizeof(size), (uint64_t)number_of(status, "database_bytes")));
	json_object_foreach(json_object_get(status, "counts"), state, count)
	{
		if (json_integer_value(count))
			printf("%s: %lld\n", state, (long long)json_integer_value(count));
	}
	print_routes(status);
	print_limits(status);
	print_transports(status);
	print_mailboxes(status);
}

/* A daemon that is just being started answers in a moment. */
static struct link *open_in_time(const struct context *context, int64_t wait_ms, int *ret_status)
{
	int64_t until_ms = clock_mono_ms() + wait_ms;
	struct failure f;
	struct link *link;

	while (link_open(context->socket, &link, &f) < 0) {
		if (clock_mono_ms() >= until_ms) {
			*ret_status = say_failure(&f);
			return NULL;
		}
		nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
	}
	return link;
}

int status_run(struct context *context, int argc, char **argv)
{
	static const struct option options[] = {{"wait", optional_argument, NULL, 'w'},
						{"prometheus", optional_argument, NULL, 'p'},
						{"json", no_argument, NULL, 'j'},
						{0}};
	const char *file = NULL;
	bool prometheus = false;
	int64_t wait_ms = 0;
	int c, status = 0;
	struct failure f;
	struct varlink_reply reply;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'w' && duration_parse(optarg ? optarg : "30s", &wait_ms, &f) < 0)
			return usage_error("status", "%s", f.text);
		if (c == '?')
			return usage_error("status", "that is not an option of it");
		context->json |= c == 'j';
		if (c == 'p') {
			prometheus = true;
			file = optarg;
		}
	}
	if (optind < argc)
		return usage_error("status", "it takes no operand; times and files come after a =");
	AUTO(link_close) struct link *link = open_in_time(context, wait_ms, &status);
	if (link)
		status = context_call(link, "Status", NULL, &reply);
	if (status) {
		if (prometheus)
			prometheus_write(NULL, file);
		return status;
	}
	if (prometheus)
		status = prometheus_write(reply.parameters, file);
	else if (context->json)
		print_json(reply.parameters);
	else
		print_status(reply.parameters);
	varlink_reply_clear(&reply);
	return status;
}
