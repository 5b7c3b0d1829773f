/* runner/calls.c - decides what each call may say, and answers it (run_wire.h). Every
 * start and every refusal is a line for the operator. */
#include "calls.h"

#include <stdint.h>
#include <string.h>

#include "attach.h"
#include "config/config.h"
#include "errand.h"
#include "failure.h"
#include "log.h"
#include "peer.h"
#include "runs.h"
#include "text.h"

#define INVALID_PARAMETER "org.varlink.service.InvalidParameter"

typedef void call_fn(struct hall *hall, struct peer *peer, json_t *parameters);

/* ---- parameters ---- */

static void invalid(struct peer *peer, const char *parameter)
{
	peer_error(peer, INVALID_PARAMETER, "parameter", parameter);
}

/* Has an answer been given? A parameter that the call does not have. */
static bool has_unknown(struct peer *peer, json_t *parameters, const char *const known[])
{
	const char *key;
	json_t *value;

	json_object_foreach(parameters, key, value)
	{
		size_t i = 0;

		while (known[i] && strcmp(known[i], key) != 0)
			i++;
		if (known[i])
			continue;
		invalid(peer, key);
		return true;
	}
	return false;
}

static const char *take_text(struct peer *peer, json_t *parameters, const char *name)
{
	const char *value = json_string_value(json_object_get(parameters, name));

	if (!value)
		invalid(peer, name);
	return value;
}

static const char *take_run(struct peer *peer, json_t *parameters)
{
	const char *run = take_text(peer, parameters, "run");

	if (run && !run_id_is_good(run)) {
		invalid(peer, "run");
		return NULL;
	}
	return run;
}

/* NULL: it was answered that there is none. */
static struct run *find_run(struct hall *hall, struct peer *peer, json_t *parameters)
{
	const char *id = take_run(peer, parameters);
	struct run *run = id ? runs_find(hall->runs, id) : NULL;

	if (id && !run)
		peer_error(peer, "NoSuchRun", NULL, NULL);
	return run;
}

/* ---- Start ---- */

/* The names, which point into parameters; -1: they are not right. */
static int take_names(json_t *parameters, const char *names[RUN_ATTACHMENTS_MAX], size_t *ret_n)
{
	json_t *list = json_object_get(parameters, "attachments"), *value;
	size_t i;

	*ret_n = json_array_size(list);
	if ((list && !json_is_array(list)) || *ret_n > RUN_ATTACHMENTS_MAX)
		return -1;
	json_array_foreach(list, i, value)
	{
		names[i] = json_string_value(value);
		if (!names[i])
			return -1;
	}
	return 0;
}

static void log_start(struct hall *hall, const struct run_ask *ask, const struct failure *f)
{
	char rule[80];

	text_safe_line(rule, sizeof(rule), ask->rule, strlen(ask->rule));
	if (f)
		log_warn(hall->log, "run %s of rule %s refused: %s", ask->run, rule, f->text);
	else
		log_info(hall->log, "run %s of rule %s begins", ask->run, rule);
}

static void begin(struct hall *hall, struct peer *peer, const struct run_ask *ask)
{
	struct failure f = {0};

	if (runs_begin(hall->runs, hall->config, ask, &f) == 0) {
		log_start(hall, ask, NULL);
		peer_reply(peer, json_pack("{s:s}", "state", run_end_name(RUN_END_RUNNING)));
		return;
	}
	log_start(hall, ask, &f);
	switch (f.kind) {
	case FAILURE_NONE:
	case FAILURE_LATER:
		peer_error(peer, "Busy", "reason", f.text);
		break;
	case FAILURE_REFUSED:
		peer_error(peer, "Refused", "reason", f.text);
		break;
	case FAILURE_SETUP:
		peer_error(peer, "NoSuchRule", "reason", f.text);
		break;
	}
}

/* What to run: names is room for ask->attachments. false: it was answered. */
static bool take_ask(struct peer *peer, json_t *parameters, struct run_ask *ask,
		     struct attachments *attachments, const char *names[RUN_ATTACHMENTS_MAX])
{
	static const char *const known[] = {"run", "rule", "command", "attachments", NULL};

	*attachments = (struct attachments){.names = names, .fds = peer->fds};
	ask->attachments = attachments;
	if (has_unknown(peer, parameters, known) || !(ask->run = take_run(peer, parameters)) ||
	    !(ask->rule = take_text(peer, parameters, "rule")) ||
	    !(ask->command = take_text(peer, parameters, "command")))
		return false;
	if (take_names(parameters, names, &attachments->n) == 0 && attachments->n <= peer->nfds)
		return true;
	invalid(peer, "attachments");
	return false;
}

static void start(struct hall *hall, struct peer *peer, json_t *parameters)
{
	const char *names[RUN_ATTACHMENTS_MAX];
	struct attachments attachments;
	struct run_ask ask;

	if (!take_ask(peer, parameters, &ask, &attachments, names))
		return;
	const struct run *run = runs_find(hall->runs, ask.run);

	if (run)
		peer_reply(peer,
			   json_pack("{s:s}", "state", run->alive >= 0 ? "running" : "ended"));
	else
		begin(hall, peer, &ask);
	peer_drop_fds(peer, attachments.n);
}

/* Whatever is wrong is told, and logged, when it is to begin. */
static void prepare(struct hall *hall, struct peer *peer, json_t *parameters)
{
	const char *names[RUN_ATTACHMENTS_MAX];
	struct attachments attachments;
	struct run_ask ask;
	struct failure f;

	if (!take_ask(peer, parameters, &ask, &attachments, names))
		return;
	runs_drop(hall->runs, peer->prepared);
	*peer->prepared = '\0';
	if (!runs_find(hall->runs, ask.run) &&
	    runs_prepare(hall->runs, hall->config, &ask, &f) == 0)
		strcpy(peer->prepared, ask.run);
	peer_reply(peer, NULL);
	peer_drop_fds(peer, attachments.n);
}

/* ---- the others ---- */

static void collect(struct hall *hall, struct peer *peer, json_t *parameters)
{
	static const char *const known[] = {"run", "wait", NULL};
	json_t *wait = json_object_get(parameters, "wait");
	struct run *run;

	if (has_unknown(peer, parameters, known) || !(run = find_run(hall, peer, parameters)))
		return;
	if (wait && !json_is_boolean(wait) && !json_is_null(wait))
		invalid(peer, "wait");
	else if (run->alive >= 0 && json_is_true(wait))
		strcpy(peer->awaits, run->id);
	else
		peer_reply(peer, runs_result(hall->runs, run));
}

static void ack(struct hall *hall, struct peer *peer, json_t *parameters)
{
	static const char *const known[] = {"run", NULL};
	struct run *run;

	if (has_unknown(peer, parameters, known) || !(run = find_run(hall, peer, parameters)))
		return;
	if (run->alive >= 0) {
		peer_error(peer, "Refused", "reason", "it still runs");
		return;
	}
	runs_forget(hall->runs, run);
	peer_reply(peer, NULL);
}

static void kill_run(struct hall *hall, struct peer *peer, json_t *parameters)
{
	static const char *const known[] = {"run", NULL};
	struct run *run;

	if (has_unknown(peer, parameters, known) || !(run = find_run(hall, peer, parameters)))
		return;
	log_info(hall->log, "run %s is to end", run->id);
	runs_kill(hall->runs, run);
	peer_reply(peer, NULL);
}

static void list(struct hall *hall, struct peer *peer, json_t *parameters)
{
	static const char *const known[] = {NULL};
	json_t *rows = json_array();

	if (has_unknown(peer, parameters, known)) {
		json_decref(rows);
		return;
	}
	for (size_t i = 0; i < hall->runs->n; i++) {
		const struct run *run = &hall->runs->at[i];

		json_array_append_new(rows,
				      json_pack("{s:s s:s s:s s:I}", "run", run->id, "rule",
						run->order.rule, "state",
						run->alive >= 0 ? "running" : "ended", "started",
						(json_int_t)run->order.started_ms));
	}
	peer_reply(peer, json_pack("{s:o}", "runs", rows));
}

/* ---- Secret ---- */

struct search {
	const char *name;
	const struct secret_ref *found; /* of the configuration */
};

static void look_at(void *ctx, const struct secret_ref *ref)
{
	struct search *search = ctx;

	if (strcmp(ref->name, search->name) == 0)
		search->found = ref;
}

static void secret(struct hall *hall, struct peer *peer, json_t *parameters)
{
	static const char *const known[] = {"name", NULL};
	struct search search = {0};
	struct failure f;
	uint64_t number;

	if (has_unknown(peer, parameters, known) ||
	    !(search.name = take_text(peer, parameters, "name")))
		return;
	config_each_command(hall->config, look_at, &search);
	if (!search.found) {
		peer_error(peer, "NoSuchSecret", NULL, NULL);
		return;
	}
	log_info(hall->log, "%s is asked for: %s is run", search.found->name,
		 search.found->command[0]);
	if (errands_begin(hall->errands, search.found, hall->config->runner.secret_timeout_ms,
			  &number, &f) < 0)
		peer_error(peer, "Busy", "reason", f.text);
	else
		peer->errand = number;
}

void calls_tell_secret(struct peer *peer, json_t *words)
{
	const char *reason = json_string_value(json_object_get(words, "reason"));

	peer->errand = 0;
	if (reason)
		peer_error(peer, "Refused", "reason", reason);
	else
		peer_reply(peer, json_incref(words));
}

static const struct {
	const char *name;
	call_fn *take;
} calls[] = {
	{RUN_INTERFACE ".Start", start},   {RUN_INTERFACE ".Collect", collect},
	{RUN_INTERFACE ".Ack", ack},       {RUN_INTERFACE ".Kill", kill_run},
	{RUN_INTERFACE ".List", list},     {RUN_INTERFACE ".Prepare", prepare},
	{RUN_INTERFACE ".Secret", secret},
};

bool calls_reads_config(const struct varlink_call *call)
{
	static const char *const reading[] = {RUN_INTERFACE ".Start", RUN_INTERFACE ".Prepare",
					      RUN_INTERFACE ".Secret"};

	for (size_t i = 0; i < sizeof(reading) / sizeof(*reading); i++)
		if (strcmp(call->method, reading[i]) == 0)
			return true;
	return false;
}

void calls_take(struct hall *hall, struct peer *peer, const struct varlink_call *call)
{
	size_t n = sizeof(calls) / sizeof(*calls), i = 0;

	while (i < n && strcmp(calls[i].name, call->method) != 0)
		i++;
	if (i < n)
		calls[i].take(hall, peer, call->parameters);
	else
		peer_error(peer, "org.varlink.service.MethodNotFound", "method", call->method);
	if (call->oneway)
		peer_drop_answer(peer);
	peer_check_fds(peer);
}

void calls_tell_end(struct hall *hall, struct peer *peer)
{
	const struct run *run = runs_find(hall->runs, peer->awaits);

	peer->awaits[0] = '\0';
	if (run)
		peer_reply(peer, runs_result(hall->runs, run));
	else
		peer_error(peer, "NoSuchRun", NULL, NULL);
}
