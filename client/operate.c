/* client/operate.c - nuncio cancel, retry, hold, release, pause, resume. */
#include "command.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "auto.h"
#include "failure.h"
#include "link.h"
#include "select.h"
#include "text.h"
#include "varlink.h"

struct deed {
	const char *verb;
	bool answered; /* at least once, and not with an error */
	int64_t changed, passed_over;
	int status; /* the worst: the highest */
};

static void fail(struct deed *d, int status)
{
	if (status > d->status)
		d->status = status;
}

/* -1: nobody answers any more. */
static int do_once(struct deed *d, struct link *link, json_t *select)
{
	char method[16];
	struct varlink_reply reply;
	struct failure f;

	snprintf(method, sizeof(method), "%s", d->verb);
	method[0] = (char)toupper((unsigned char)method[0]);
	if (link_call(link, method, json_pack("{s:O}", "select", select), &reply, &f) < 0) {
		fail(d, say_failure(&f));
		return -1;
	}
	if (reply.error) {
		fail(d, say_error(&reply));
	} else {
		d->answered = true;
		d->changed += number_of(reply.parameters, "changed");
		d->passed_over += number_of(reply.parameters, "passed_over");
	}
	varlink_reply_clear(&reply);
	return 0;
}

static void do_each(struct deed *d, struct link *link, json_t *select, char **ids)
{
	json_int_t id;

	if (!*ids)
		do_once(d, link, select);
	for (; *ids && parse_id(*ids, &id); ids++) {
		json_object_set_new(select, "message", json_integer(id));
		if (do_once(d, link, select) < 0)
			return;
	}
}

static int do_deed(struct context *context, const char *verb, json_t *select, char **ids)
{
	struct deed deed = {.verb = verb};
	json_int_t id;
	int status = 0;

	for (char **each = ids; *each; each++)
		if (!parse_id(*each, &id))
			return usage_error(verb, "'%s' is no message's id", *each);
	AUTO(link_close) struct link *link = context_link(context, &status);
	if (!link)
		return status;
	do_each(&deed, link, select, ids);
	if (deed.answered && context->json)
		printf("{\"changed\":%lld,\"passed_over\":%lld}\n", (long long)deed.changed,
		       (long long)deed.passed_over);
	else if (deed.answered)
		printf("%s: %lld changed, %lld not in a state for it\n", verb,
		       (long long)deed.changed, (long long)deed.passed_over);
	return deed.status || deed.changed ? deed.status : EX_NOINPUT;
}

int deed_run(struct context *context, int argc, char **argv)
{
	static const struct option options[] = {{"all", no_argument, NULL, 'a'},
						{"json", no_argument, NULL, 'j'},
						SELECT_OPTIONS,
						{0}};
	const char *verb = argv[0];
	json_t *select = json_object();
	int c, status = 0;

	while (!status && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'a')
			json_object_set_new(select, "all", json_true());
		else if (c == 'j')
			context->json = true;
		else if (select_option(select, c, optarg) != 0)
			status = usage_error(
				verb, "that is not an option of it, no number, or not UTF-8");
	}
	if (!status && optind >= argc && json_object_size(select) == 0)
		status = usage_error(verb, "say which: an id, or one of the options");
	if (!status)
		status = do_deed(context, verb, select, argv + optind);
	json_decref(select);
	return status;
}

int pause_run(struct context *context, int argc, char **argv)
{
	int status = 0;
	struct varlink_reply reply;

	if (!only_operands(context, &argc, &argv) || argc < 1 || argc > 2)
		return usage_error("pause", "a transport's name is needed");
	if (argc == 2 && !text_is_utf8(argv[1], strlen(argv[1])))
		return usage_error("pause", "the reason is not UTF-8");
	AUTO(link_close) struct link *link = context_link(context, &status);
	if (!link)
		return status;
	json_t *parameters = json_pack("{s:s}", "transport", argv[0]);
	if (argc == 2)
		json_object_set_new(parameters, "reason", json_string(argv[1]));
	status = context_call(link, "Pause", parameters, &reply);
	if (status)
		return status;
	if (context->json)
		print_json(reply.parameters);
	else
		printf("%s is paused until: nuncio resume %s\n", argv[0], argv[0]);
	varlink_reply_clear(&reply);
	return 0;
}

/* One deed on a transport, and what to say when it was done. */
static int do_to_transport(struct context *context, struct link *link, const char *method,
			   const char *transport, const char *done)
{
	struct varlink_reply reply;
	int status = context_call(link, method, json_pack("{s:s}", "transport", transport), &reply);

	if (status)
		return status;
	if (context->json)
		print_json(reply.parameters);
	else
		printf("%s %s\n", transport, done);
	fflush(stdout);
	varlink_reply_clear(&reply);
	return 0;
}

int resume_run(struct context *context, int argc, char **argv)
{
	int status = 0;

	if (!only_operands(context, &argc, &argv) || argc != 1)
		return usage_error("resume", "a transport's name is needed");
	AUTO(link_close) struct link *link = context_link(context, &status);
	if (!link)
		return status;
	status = do_to_transport(context, link, "Resume", argv[0], "goes on");
	return status ? status : do_to_transport(context, link, "Probe", argv[0], "works");
}
