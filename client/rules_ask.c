/* client/rules_ask.c - nuncio rules list, test, log, run, kill: what rules there are,
 * what one would do with a mail, what they did; and their programs by hand. */
#include "rules_ask.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "auto.h"
#include "clock.h"
#include "command.h"
#include "content.h"
#include "duration.h"
#include "failure.h"
#include "link.h"
#include "table.h"
#include "text.h"
#include "varlink.h"

#define PAGE_RUNS 100

/* One call whose answer is printed as JSON, or by print. */
static int ask(struct context *context, const char *method, json_t *parameters,
	       void (*print)(const json_t *answer))
{
	int status = 0;
	struct varlink_reply reply;
	AUTO(link_close) struct link *link = context_link(context, &status);

	if (!link) {
		json_decref(parameters);
		return status;
	}
	status = context_call(link, method, parameters, &reply);
	if (status)
		return status;
	if (context->json)
		print_json(reply.parameters);
	else
		print(reply.parameters);
	varlink_reply_clear(&reply);
	return 0;
}

static void print_words(const json_t *list, const char *between)
{
	json_t *word;
	size_t i;

	json_array_foreach(list, i, word) printf("%s%s", i ? between : "", json_string_value(word));
}

/* ---- list ---- */

static void print_rules(const json_t *answer)
{
	struct table table;
	json_t *rule;
	size_t i;

	table_init(&table, "RULE", "ON", "FROM", "PROOF", "DOES", "COMMAND", NULL);
	json_array_foreach(json_object_get(answer, "rules"), i, rule)
	{
		bool enabled = json_is_true(json_object_get(rule, "enabled"));

		table_add(&table, "%s%s", text_of(rule, "name"), enabled ? "" : " (off)");
		table_add_words(&table, json_object_get(rule, "mailboxes"));
		table_add_words(&table, json_object_get(rule, "from"));
		table_add(&table, "%s", text_of(rule, "proof"));
		table_add_words(&table, json_object_get(rule, "actions"));
		table_add(&table, "%s", text_of(rule, "command"));
	}
	table_print(&table);
}

int rules_list_run(struct context *context, int argc, char **argv)
{
	if (!only_operands(context, &argc, &argv) || argc)
		return usage_error("rules", "list takes nothing");
	return ask(context, "RulesList", NULL, print_rules);
}

/* ---- test ---- */

static void print_line(const char *what, const json_t *answer, const char *name, const char *why)
{
	const char *value = text_of(answer, name), *reason = text_of(answer, why);

	if (*value || *reason)
		printf("%-10s %s%s%s\n", what, value, *value && *reason ? ": " : "", reason);
}

static void print_trial(const json_t *answer)
{
	json_t *step;
	size_t i;

	printf("%-10s %s\n", "rule", text_of(answer, "rule"));
	printf("%-10s %s\n", "command", text_of(answer, "command"));
	json_array_foreach(json_object_get(answer, "steps"), i, step)
		printf("%-10s %s: %s\n", text_of(step, "condition"), text_of(step, "verdict"),
		       text_of(step, "text"));
	print_line("contact", answer, "contact", "");
	print_line("provider", answer, "provider", "provider_why");
	print_line("proof", answer, "proof", "proof_why");
	print_line("verdict", answer, "verdict", "why");
	if (json_array_size(json_object_get(answer, "argv"))) {
		printf("%-10s ", "runs");
		print_words(json_object_get(answer, "argv"), "\n           ");
		printf("\n");
	}
}

static int try_mail(struct context *context, json_t *parameters, const char *path)
{
	struct varlink_reply reply;
	struct failure f = {0};
	int status = 0, fd = content_memfd(path, &f);

	if (fd < 0) {
		json_decref(parameters);
		say_failure(&f);
		return EX_NOINPUT;
	}
	AUTO(link_close) struct link *link = context_link(context, &status);
	if (!link) {
		json_decref(parameters);
	} else if (link_send(link, "RulesTest", parameters, false, &fd, 1, &f) < 0 ||
		   link_receive(link, 0, &reply, &f) < 0) {
		status = say_failure(&f);
	} else {
		if (reply.error)
			status = say_error(&reply);
		else if (context->json)
			print_json(reply.parameters);
		else
			print_trial(reply.parameters);
		varlink_reply_clear(&reply);
	}
	close(fd);
	return status;
}

int rules_test_run(struct context *context, int argc, char **argv)
{
	static const struct option options[] = {{"mailbox", required_argument, NULL, 'm'},
						{"ago", required_argument, NULL, 'a'},
						{"json", no_argument, NULL, 'j'},
						{0}};
	json_t *parameters = json_pack("{s:i}", "descriptor", 0);
	int64_t ago_ms;
	int c, status = 0;
	struct failure f;

	while (!status && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'm')
			json_object_set_new(parameters, "mailbox", json_string(optarg));
		else if (c == 'a' && duration_parse(optarg, &ago_ms, &f) == 0)
			json_object_set_new(parameters, "received",
					    json_integer(clock_wall_ms() - ago_ms));
		else if (c == 'j')
			context->json = true;
		else
			status = usage_error("rules", "that is not an option of test");
	}
	if (!status && optind + 2 != argc)
		status = usage_error("rules", "test takes a rule and a file with a mail, or -");
	if (status) {
		json_decref(parameters);
		return status;
	}
	json_object_set_new(parameters, "rule", json_string(argv[optind]));
	return try_mail(context, parameters, argv[optind + 1]);
}

/* ---- log ---- */

static void add_run(struct table *t, const json_t *run)
{
	const char *text = text_of(run, "command"), *who = text_of(run, "contact");
	char time[32], command[60];

	text_safe_line(command, sizeof(command), text, strlen(text));
	table_add(t, "%lld", (long long)number_of(run, "id"));
	table_add(t, "%s", time_print(time, sizeof(time), number_of(run, "started")));
	table_add(t, "%s", text_of(run, "rule"));
	table_add(t, "%s", *who ? who : "-");
	table_add(t, "%s", *text_of(run, "origin") ? text_of(run, "origin") : "by hand");
	table_add(t, "%s", text_of(run, "state"));
	table_add(t, "%s", command);
	table_add(t, "%s", text_of(run, "text"));
}

/* Returns how many there were. */
static json_int_t add_page(struct table *t, const struct context *context, const json_t *answer)
{
	json_t *run;
	size_t i;

	json_array_foreach(json_object_get(answer, "runs"), i, run)
	{
		if (!context->json)
			add_run(t, run);
	}
	if (context->json)
		print_json(answer);
	return (json_int_t)i;
}

/* The newest so many, page by page. */
static int print_runs(const struct context *context, struct link *link, json_t *select,
		      json_int_t left)
{
	struct table table;
	int status = 0;

	table_init(&table, "RUN", "WHEN", "RULE", "FROM", "BY", "STATE", "COMMAND", "WHAT", NULL);
	while (left > 0) {
		struct varlink_reply reply;

		json_object_set_new(select, "limit",
				    json_integer(left < PAGE_RUNS ? left : PAGE_RUNS));
		status = context_call(link, "RulesLog", json_incref(select), &reply);
		if (status)
			break;
		json_t *before = json_object_get(reply.parameters, "before");
		left -= add_page(&table, context, reply.parameters);
		if (json_is_integer(before))
			json_object_set(select, "before", before);
		else
			left = 0;
		varlink_reply_clear(&reply);
	}
	table_print(&table);
	return status;
}

static int log_option(json_t *parameters, int c, const char *value)
{
	int64_t since_ms;
	struct failure f;

	if (c == 'r')
		return json_object_set_new(parameters, "rule", json_string(value));
	if (c == 'c')
		return json_object_set_new(parameters, "contact", json_string(value));
	if (c == 't')
		return json_object_set_new(parameters, "states", json_pack("[s]", value));
	if (c != 's' || duration_parse(value, &since_ms, &f) < 0)
		return -1;
	return json_object_set_new(parameters, "since", json_integer(clock_wall_ms() - since_ms));
}

int rules_log_run(struct context *context, int argc, char **argv)
{
	static const struct option options[] = {{"rule", required_argument, NULL, 'r'},
						{"from", required_argument, NULL, 'c'},
						{"state", required_argument, NULL, 't'},
						{"since", required_argument, NULL, 's'},
						{"limit", required_argument, NULL, 'l'},
						{"json", no_argument, NULL, 'j'},
						{0}};
	json_t *select = json_object();
	json_int_t id, limit = INT64_MAX;
	int c, status = 0;

	while (!status && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'j')
			context->json = true;
		else if (c == 'l' ? !parse_id(optarg, &limit) : log_option(select, c, optarg) != 0)
			status = usage_error("rules",
					     "that is not an option of log, no time, or no number");
	}
	if (!status && optind < argc) {
		if (optind + 1 < argc || !parse_id(argv[optind], &id))
			status = usage_error("rules", "log takes at most one run's id");
		else
			json_object_set_new(select, "id", json_integer(id));
	}
	AUTO(link_close) struct link *link = status ? NULL : context_link(context, &status);
	if (link)
		status = print_runs(context, link, select, limit);
	json_decref(select);
	return status;
}

/* ---- run, kill ---- */

static void print_started(const json_t *answer)
{
	printf("run %lld started; what becomes of it: nuncio rules log %lld\n",
	       (long long)number_of(answer, "id"), (long long)number_of(answer, "id"));
}

int rules_run_run(struct context *context, int argc, char **argv)
{
	if (!only_operands(context, &argc, &argv) || argc < 1 || argc > 2)
		return usage_error("rules", "run takes a rule and, where its pattern wants one, "
					    "a command line");
	if (argc == 2 && !text_is_utf8(argv[1], strlen(argv[1])))
		return usage_error("rules", "the command is not UTF-8");
	json_t *parameters = json_pack("{s:s}", "rule", argv[0]);
	if (argc == 2)
		json_object_set_new(parameters, "command", json_string(argv[1]));
	return ask(context, "RulesRun", parameters, print_started);
}

static void print_nothing(const json_t *answer)
{
}

int rules_kill_run(struct context *context, int argc, char **argv)
{
	json_int_t id;

	if (!only_operands(context, &argc, &argv) || argc != 1 || !parse_id(argv[0], &id))
		return usage_error("rules", "kill takes a run's id");
	return ask(context, "RulesKill", json_pack("{s:I}", "id", id), print_nothing);
}
