/* server/rule_methods.c - RulesList, RulesTest, RulesLog, RulesRun, RulesKill. What was
 * commanded, and whether a proof would hold, is for those who may look or operate. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "base64.h"
#include "config/config.h"
#include "duration.h"
#include "failure.h"
#include "queue/queue.h"
#include "queue/store_run.h"
#include "rules/engine.h"
#include "server/call.h"
#include "server/methods.h"
#include "server/peer.h"
#include "server/rights.h"
#include "server/room.h"
#include "server/rows.h"

#define PAGE_ROWS 100 /* when nobody says how many */

static bool may(struct call *c, unsigned rights)
{
	if (c->rights & rights)
		return true;
	call_error(c, ERROR_NOT_PERMITTED,
		   json_pack("{s:s}", "reason", "this user may not look at rules and runs."));
	return false;
}

static void refuse_rule(struct call *c)
{
	json_t *known = json_array();

	for (size_t i = 0; i < c->config->nrules; i++)
		json_array_append_new(known, reply_text(c->config->rules[i].name));
	call_error(c, ERROR_NO_SUCH_RULE,
		   json_pack("{s:s, s:o}", "name", call_text(c, "rule"), "known", known));
}

/* ---- RulesList ---- */

static const char *const proofs[] = {
	[PROOF_UNSAID] = "none", [PROOF_NONE] = "none", [PROOF_SECRET] = "secret",
	[PROOF_TOTP] = "totp",   [PROOF_HMAC] = "hmac", [PROOF_CONFIRM] = "confirm",
};
static const char *const actions[] = {
	[ACTION_RUN] = "run",   [ACTION_SEND] = "send", [ACTION_FORWARD] = "forward",
	[ACTION_MOVE] = "move", [ACTION_FLAG] = "flag", [ACTION_DELETE] = "delete",
};

static json_t *texts(char *const *list)
{
	json_t *array = json_array();

	for (; list && *list; list++)
		json_array_append_new(array, reply_text(*list));
	return array;
}

static json_t *reply_rule(const struct rule_config *rule)
{
	json_t *does = json_array(), *run = json_null();

	for (size_t i = 0; i < rule->nactions; i++) {
		json_array_append_new(does, json_string(actions[rule->actions[i].kind]));
		if (rule->actions[i].kind == ACTION_RUN)
			run = texts(rule->actions[i].run);
	}
	return json_pack("{s:s, s:b, s:o, s:o, s:o, s:o, s:s, s:o, s:o}", "name", rule->name,
			 "enabled", !rule->disabled, "mailboxes", texts(rule->on_mail), "texts",
			 texts(rule->on_sms), "from", texts(rule->when.from), "command",
			 reply_some(rule->when.command), "proof", proofs[rule->when.proof],
			 "actions", does, "run", run);
}

void rules_list_start(struct call *c)
{
	json_t *rules;

	if (!may(c, RIGHT_LOOK | RIGHT_OPERATE | RIGHT_RUN))
		return;
	rules = json_array();
	for (size_t i = 0; i < c->config->nrules; i++)
		json_array_append_new(rules, reply_rule(&c->config->rules[i]));
	call_reply(c, json_pack("{s:o}", "rules", rules));
}

/* ---- RulesLog ---- */

static json_t *reply_run(const struct run_row *r)
{
	return json_pack("{s:I, s:s, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:i, s:o}", "id",
			 (json_int_t)r->id, "state", run_state_name(r->state), "rule",
			 reply_some(r->rule), "origin", reply_some(r->origin), "contact",
			 reply_some(r->contact), "command", reply_some(r->command), "started",
			 (json_int_t)r->started_ms, "ended", reply_number(r->ended_ms), "expires",
			 reply_number(r->state == RUN_ASKED ? r->expires_ms : 0), "code", r->code,
			 "text", reply_some(r->text));
}

static void logged(void *ctx, const struct runs_result *result)
{
	struct call *c = ctx;
	json_t *runs;

	if (result->why) {
		call_not_stored(c, result->why);
		return;
	}
	runs = json_array();
	for (size_t i = 0; i < result->n; i++)
		json_array_append_new(runs, reply_run(&result->rows[i]));
	call_reply(c, json_pack("{s:o, s:o}", "runs", runs, "before",
				result->done ? json_null() : json_integer(result->last)));
}

static int read_states(struct call *c, unsigned *ret)
{
	enum run_state state;
	json_t *name;
	size_t i;

	json_array_foreach(json_object_get(c->request.parameters, "states"), i, name)
	{
		if (!run_state_find(json_string_value(name), &state)) {
			call_invalid(c, "states",
				     "no state of a run is called '%s'; there are started, done, "
				     "failed, interrupted, refused, asked, expired.",
				     json_string_value(name));
			return -1;
		}
		*ret |= 1U << state;
	}
	return 0;
}

void rules_log_start(struct call *c)
{
	int64_t limit = call_number(c, "limit", PAGE_ROWS);
	struct run_filter filter = {.rule = call_text(c, "rule"),
				    .contact = call_text(c, "contact"),
				    .id = call_number(c, "id", 0),
				    .since_ms = call_number(c, "since", 0)};

	if (!may(c, RIGHT_LOOK | RIGHT_OPERATE) || read_states(c, &filter.states) < 0)
		return;
	if (limit < 1 || limit > STORE_PAGE_MAX)
		call_invalid(c, "limit", "a number from 1 to %d is wanted.", STORE_PAGE_MAX);
	else
		store_runs(queue_store(c->server->queue), &filter, call_number(c, "before", 0),
			   (size_t)limit, logged, c);
}

/* ---- RulesTest ---- */

static int read_descriptor(struct call *c, char **ret, size_t *ret_len)
{
	int64_t number = call_number(c, "descriptor", 0);
	uint64_t limit = c->config->max_message_bytes, size;
	struct failure f = {0};
	char most[32];
	size_t got = 0;
	int fd;

	if (descriptor_open(&c->descriptors, number < 0 ? DESCRIPTORS_MAX : (size_t)number, &fd,
			    &size, &f) < 0) {
		peer_close_after(c->peer);
		call_bad(c, "descriptor", "%s", f.text);
		return -1;
	}
	if (size > limit) {
		close(fd);
		call_over_limit(c, "descriptor", limit, "a mail has at most %s.",
				size_print(most, sizeof(most), limit));
		return -1;
	}
	*ret = xmalloc((size_t)size + 1);
	while (got < size) {
		ssize_t n = pread(fd, *ret + got, (size_t)size - got, (off_t)got);

		if (n <= 0)
			break;
		got += (size_t)n;
	}
	close(fd);
	(*ret)[got] = '\0';
	*ret_len = got;
	return 0;
}

static int read_content(struct call *c, char **ret, size_t *ret_len)
{
	const char *content = call_text(c, "content");
	bool passed = json_is_integer(json_object_get(c->request.parameters, "descriptor"));
	struct buf bytes;

	if (!content == !passed) {
		call_bad(c, "content", "exactly one of content (base64) and descriptor is wanted.");
		return -1;
	}
	if (passed)
		return read_descriptor(c, ret, ret_len);
	buf_init(&bytes, strlen(content) + 1);
	if (base64_decode(&bytes, content, strlen(content)) < 0) {
		buf_clear(&bytes);
		call_bad(c, "content", "it is not base64 (RFC 4648, with its padding).");
		return -1;
	}
	*ret = buf_take(&bytes, ret_len);
	return 0;
}

void rules_test_start(struct call *c)
{
	AUTO(free) char *bytes = NULL;
	struct failure f = {0};
	json_t *tried;
	size_t len;

	/* whoever may ask learns whether a proof would hold */
	if (!may(c, RIGHT_OPERATE))
		return;
	if (!config_rule(c->config, call_text(c, "rule"))) {
		refuse_rule(c);
		return;
	}
	if (read_content(c, &bytes, &len) < 0)
		return;
	if (engine_try(c->server->engine, call_text(c, "rule"), call_text(c, "mailbox"), bytes, len,
		       call_number(c, "received", 0), &tried, &f) < 0)
		call_invalid(c, "mailbox", "%s.", f.text);
	else
		call_reply(c, tried);
}

/* ---- RulesRun, RulesKill ---- */

static void ran(void *ctx, int64_t run, const struct failure *why)
{
	struct call *c = ctx;

	if (why)
		call_not_stored(c, why);
	else
		call_reply(c, json_pack("{s:I}", "id", (json_int_t)run));
}

void rules_run_start(struct call *c)
{
	const char *rule = call_text(c, "rule"), *command = call_text(c, "command");
	AUTO(free) char *by = xprintf("uid %lu", (unsigned long)c->caller->uid);
	struct failure f = {0};

	if (!config_rule(c->config, rule)) {
		refuse_rule(c);
		return;
	}
	if (engine_run(c->server->engine, rule, command ? command : "", by, ran, c, &f) < 0)
		call_error(c, ERROR_NOT_RUN,
			   json_pack("{s:s, s:o}", "rule", rule, "reason", reply_text(f.text)));
}

void rules_kill_start(struct call *c)
{
	int64_t id = call_number(c, "id", 0);
	struct failure f = {0};

	if (engine_kill(c->server->engine, id, &f) < 0)
		call_error(c, ERROR_NO_SUCH_RUN, json_pack("{s:I}", "id", (json_int_t)id));
	else
		call_reply(c, NULL);
}
