/* server/call.c - decides whether a request may be done at all, and puts its
 * answers into frames. When they go out is peer.c's to say. */
#include "server/call.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "config/config.h"
#include "failure.h"
#include "server/methods.h"
#include "server/peer.h"
#include "server/rights.h"
#include "server/room.h"
#include "server/rows.h"

#define ANSWER_MAX (16 * 1024 * 1024)
#define LARGE_BYTES (256 * 1024)
#define STREAM_MAX (1024 * 1024) /* a watcher's events nobody has read yet */

struct call *call_new(struct server *s, struct peer *peer, const struct caller *caller,
		      size_t bytes, char end)
{
	struct call *c = xcalloc(1, sizeof(*c));

	c->server = s;
	c->peer = peer;
	c->caller = caller;
	c->config = config_ref(s->config);
	c->rights = rights_of(c->config, caller);
	c->bytes = bytes;
	c->end = end;
	buf_init(&c->out, ANSWER_MAX);
	return c;
}

/* JSON can be forty times as large in memory as it is written, and in small pieces,
 * of which the allocator gives nothing back by itself. */
static void give_back(size_t request_bytes)
{
#ifdef __GLIBC__
	if (request_bytes >= LARGE_BYTES)
		malloc_trim(0);
#endif
}

void call_shed(struct call *c)
{
	bool asked = c->request.root;

	if (c->release)
		c->release(c->state);
	c->release = NULL;
	varlink_call_clear(&c->request);
	descriptors_clear(&c->descriptors);
	if (asked)
		give_back(c->bytes);
}

void call_free(struct call *c)
{
	call_shed(c);
	buf_clear(&c->out);
	config_unref(c->config);
	free(c);
}

static void call_over(struct call *c)
{
	c->answered = true;
	peer_poke(c->peer);
}

void call_give_up(struct call *c)
{
	call_over(c);
}

void call_reply(struct call *c, json_t *parameters)
{
	bool full = !c->request.oneway && varlink_add_reply(&c->out, parameters, false, c->end) < 0;

	json_decref(parameters);
	if (full)
		call_over_limit(c, "limit", ANSWER_MAX, "the answer is too large: ask for less.");
	else
		call_over(c);
}

void call_reply_more(struct call *c, json_t *parameters)
{
	if (c->answered || c->out.len > STREAM_MAX) {
		json_decref(parameters);
		if (c->answered)
			return;
		call_error(c, ERROR_OVERRUN, NULL);
		peer_close_after(c->peer);
		return;
	}
	varlink_add_reply(&c->out, parameters, true, c->end);
	json_decref(parameters);
	peer_poke(c->peer);
}

void call_error(struct call *c, enum error_id id, json_t *parameters)
{
	if (!c->request.oneway)
		varlink_add_error(&c->out, interface_error(id)->name, parameters, c->end);
	json_decref(parameters);
	call_over(c);
}

#define SENTENCE_BYTES 600

/* The sentence of an error, as JSON. */
static json_t *sentence(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));
static json_t *sentence(const char *fmt, va_list args)
{
	char text[SENTENCE_BYTES];

	vsnprintf(text, sizeof(text), fmt, args);
	return reply_text(text);
}

void call_invalid(struct call *c, const char *parameter, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	call_error(c, ERROR_INVALID_PARAMETER,
		   json_pack("{s:o, s:o}", "parameter", reply_text(parameter), "reason",
			     sentence(fmt, args)));
	va_end(args);
}

void call_bad(struct call *c, const char *field, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	call_error(
		c, ERROR_BAD_MESSAGE,
		json_pack("{s:o, s:o}", "field", reply_text(field), "reason", sentence(fmt, args)));
	va_end(args);
}

void call_over_limit(struct call *c, const char *field, uint64_t limit, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	call_error(c, ERROR_OVER_LIMIT,
		   json_pack("{s:o, s:I, s:o}", "field", reply_text(field), "limit",
			     (json_int_t)limit, "reason", sentence(fmt, args)));
	va_end(args);
}

void call_over_share(struct call *c, const char *field, uint64_t limit, int64_t free_ms,
		     const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	call_error(c, ERROR_OVER_LIMIT,
		   json_pack("{s:o, s:I, s:o, s:o}", "field", reply_text(field), "limit",
			     (json_int_t)limit, "reason", sentence(fmt, args), "free",
			     reply_number(free_ms)));
	va_end(args);
}

void call_not_stored(struct call *c, const struct failure *why)
{
	call_error(c, ERROR_NOT_STORED, json_pack("{s:o}", "reason", reply_text(why->text)));
}

const char *call_text(const struct call *c, const char *name)
{
	return json_string_value(json_object_get(c->request.parameters, name));
}

bool call_flag(const struct call *c, const char *name)
{
	return json_is_true(json_object_get(c->request.parameters, name));
}

int64_t call_number(const struct call *c, const char *name, int64_t otherwise)
{
	json_t *value = json_object_get(c->request.parameters, name);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

int64_t call_sees(const struct call *c)
{
	return c->rights & (RIGHT_LOOK | RIGHT_OPERATE) ? -1 : (int64_t)c->caller->uid;
}

int64_t call_changes(const struct call *c)
{
	return c->rights & RIGHT_OPERATE ? -1 : (int64_t)c->caller->uid;
}

static void refuse_unknown(struct call *c)
{
	const char *method = c->request.method, *dot = strrchr(method, '.');

	if (!dot || method_interface_exists(method)) {
		call_error(c, ERROR_METHOD_NOT_FOUND, json_pack("{s:s}", "method", method));
		return;
	}
	AUTO(free) char *interface = xstrndup(method, (size_t)(dot - method));
	call_error(c, ERROR_INTERFACE_NOT_FOUND, json_pack("{s:s}", "interface", interface));
}

static unsigned with_implied(unsigned rights)
{
	return rights & RIGHT_OPERATE ? rights | RIGHT_RUN : rights;
}

void call_refuse_right(struct call *c, unsigned right)
{
	const char *what = right == RIGHT_SEND     ? "send messages"
			   : right == RIGHT_SUBMIT ? "submit raw mail"
			   : right == RIGHT_RUN    ? "run the programs of rules"
						   : "operate the queue and the transports";
	AUTO(free)
	char *reason = xprintf(
		"uid %lu may not %s; a row of 'access' in the configuration could allow it.",
		(unsigned long)c->caller->uid, what);

	call_error(c, ERROR_NOT_PERMITTED, json_pack("{s:o}", "reason", reply_text(reason)));
}

void call_start(struct call *c)
{
	struct complaint complaint;

	c->method = method_find(c->request.method);
	if (!c->method) {
		refuse_unknown(c);
		return;
	}
	if (c->method->right & ~with_implied(c->rights)) {
		call_refuse_right(c, c->method->right);
		return;
	}
	if (interface_check(c->method->params, c->request.parameters, &complaint) < 0) {
		call_invalid(c, complaint.parameter, "%s", complaint.reason);
		return;
	}
	if (c->method->streams && !c->request.more) {
		call_error(c, ERROR_EXPECTED_MORE, NULL);
		return;
	}
	c->method->start(c);
}
