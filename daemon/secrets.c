/* secrets.c - decides when a command is asked again: soon where the runner was not there,
 * seldom where the command failed, for it may want somebody's attention each time. */
#include "secrets.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "base/deadline.h"
#include "config/config.h"
#include "config/secret_ref.h"
#include "failure.h"
#include "log.h"
#include "rules/runner_link.h"
#include "run_wire.h"
#include "secret.h"
#include "varlink.h"

#define ANSWER_MS 30000 /* beyond what the runner gives a command */
#define UNREACHED_MIN_MS 250
#define UNREACHED_MAX_MS 30000
#define FAILED_MIN_MS 30000
#define FAILED_MAX_MS (10 * 60 * 1000)
#define PATIENCE_MS 5000 /* of those who wait for all of them, beyond the same */

/* One secret of one configuration. */
struct asked {
	struct secrets *secrets;
	const struct config *config; /* counted: ref is of it */
	const struct secret_ref *ref;
	struct link *link; /* owned; NULL: nothing is being asked */
	struct deadline next;
	int64_t wait_ms;
	bool answered; /* in this round */
	bool failed;
	struct asked *after;
};

struct secrets {
	struct loop *loop;
	struct asked *first; /* owned, by .after */
	struct deadline patience;
	task_fn *told; /* NULL: nobody waits */
	void *ctx;
	struct log log;
};

/* ---- who waits for all of them ---- */

static void tell(void *ctx)
{
	struct secrets *s = ctx;
	task_fn *told = TAKE(s->told);

	deadline_unset(&s->patience);
	if (told)
		told(s->ctx);
}

static void look(struct secrets *s)
{
	for (const struct asked *a = s->first; a; a = a->after)
		if (!a->answered)
			return;
	tell(s);
}

/* ---- asking ---- */

static void drop_link(struct asked *a)
{
	link_free(TAKE(a->link));
}

static void again_in(struct asked *a, int64_t least_ms, int64_t most_ms)
{
	a->wait_ms = a->wait_ms < least_ms ? least_ms : 2 * a->wait_ms;
	if (a->wait_ms > most_ms)
		a->wait_ms = most_ms;
	deadline_set(&a->next, a->wait_ms);
}

static void fail(struct asked *a, enum failure_kind kind, const char *reason)
{
	struct failure f;

	failure_set(&f, kind, "%.70s (%.70s): its command: %.80s", a->ref->name, a->ref->place,
		    reason);
	secret_ref_fail(a->ref, &f);
	if (!a->failed)
		log_error(&a->secrets->log, "%s (%s): its command: %s", a->ref->name, a->ref->place,
			  reason);
	a->failed = true;
}

static void unreached(struct asked *a, const struct failure *why)
{
	drop_link(a);
	fail(a, FAILURE_LATER, why->text);
	again_in(a, UNREACHED_MIN_MS, UNREACHED_MAX_MS);
}

static void refused(struct asked *a, const struct varlink_reply *reply)
{
	const char *reason = json_string_value(json_object_get(reply->parameters, "reason"));
	bool busy = strcmp(reply->error, RUN_INTERFACE ".Busy") == 0;

	if (!reason)
		reason = strcmp(reply->error, RUN_INTERFACE ".NoSuchSecret") == 0
				 ? "the runner's configuration has no such secret"
				 : reply->error;
	drop_link(a);
	fail(a, busy ? FAILURE_LATER : FAILURE_SETUP, reason);
	if (busy) {
		again_in(a, UNREACHED_MIN_MS, UNREACHED_MAX_MS);
		return;
	}
	again_in(a, FAILED_MIN_MS, FAILED_MAX_MS);
	a->answered = true;
	look(a->secrets);
}

static void came(struct asked *a, const char *value)
{
	size_t len = strlen(value);

	secret_ref_take(a->ref, value, len);
	secret_wipe((char *)value, len);
	drop_link(a);
	if (a->failed)
		log_info(&a->secrets->log, "%s: its command answers again", a->ref->name);
	a->failed = false;
	a->wait_ms = 0;
	a->answered = true;
	look(a->secrets);
}

static void heard(void *ctx, const struct varlink_reply *reply, const struct failure *why)
{
	struct asked *a = ctx;
	struct failure odd = {FAILURE_LATER, "the runner answers what was not asked"};
	const char *value =
		reply ? json_string_value(json_object_get(reply->parameters, "value")) : NULL;

	if (!reply)
		unreached(a, why);
	else if (reply->error)
		refused(a, reply);
	else if (!value || !*value)
		unreached(a, &odd);
	else
		came(a, value);
}

static void ask(void *ctx)
{
	struct asked *a = ctx;
	json_t *name = json_pack("{s:s}", "name", a->ref->name);
	struct failure f = {0};

	drop_link(a);
	if (link_open(a->secrets->loop, a->config->runner.socket, heard, a, &a->link, &f) < 0)
		unreached(a, &f);
	else
		link_ask(a->link, RUN_INTERFACE ".Secret", name, NULL, 0,
			 a->config->runner.secret_timeout_ms + ANSWER_MS);
	json_decref(name);
}

/* ---- which there are ---- */

static void ask_anew(struct asked *a)
{
	a->answered = false;
	a->wait_ms = 0;
	deadline_set(&a->next, 0);
}

static void doubted(void *ctx, const struct secret_ref *ref)
{
	struct asked *a = ctx;

	log_info(&a->secrets->log, "%s was refused: its command is asked again", ref->name);
	ask_anew(a);
}

struct visit {
	struct secrets *secrets;
	const struct config *config;
};

static void add(void *ctx, const struct secret_ref *ref)
{
	struct visit *v = ctx;
	struct asked *a = xcalloc(1, sizeof(*a));

	*a = (struct asked){.secrets = v->secrets,
			    .config = config_ref(v->config),
			    .ref = ref,
			    .after = v->secrets->first};
	v->secrets->first = a;
	deadline_init(&a->next, v->secrets->loop, ask, a);
	secret_ref_on_doubt(ref, doubted, a);
	ask_anew(a);
}

static void asked_free(struct asked *a)
{
	drop_link(a);
	deadline_clear(&a->next);
	secret_ref_on_doubt(a->ref, NULL, NULL);
	config_unref(a->config);
	free(a);
}

static unsigned held(const struct secrets *s, const struct config *config)
{
	unsigned n = 0;

	for (const struct asked *a = s->first; a; a = a->after)
		n += a->config == config;
	return n;
}

/* The first whose configuration nobody else has any more. */
static struct asked **find_unused(struct secrets *s)
{
	struct asked **at = &s->first;

	while (*at && (*at)->config->references > held(s, (*at)->config))
		at = &(*at)->after;
	return at;
}

static void drop_unused(struct secrets *s)
{
	struct asked **at;

	while (*(at = find_unused(s))) {
		struct asked *unused = *at;

		*at = unused->after;
		asked_free(unused);
	}
}

void secrets_configure(struct secrets *s, const struct config *config, task_fn *told, void *ctx)
{
	struct visit v = {s, config};

	drop_unused(s);
	for (struct asked *a = s->first; a; a = a->after)
		ask_anew(a);
	config_each_command(config, add, &v);
	s->told = told;
	s->ctx = ctx;
	deadline_set(&s->patience, config->runner.secret_timeout_ms + PATIENCE_MS);
	look(s);
}

struct secrets *secrets_new(struct loop *loop)
{
	struct secrets *s = xcalloc(1, sizeof(*s));

	s->loop = loop;
	log_init(&s->log, "secrets");
	deadline_init(&s->patience, loop, tell, s);
	return s;
}

void secrets_free(struct secrets *s)
{
	if (!s)
		return;
	while (s->first) {
		struct asked *a = s->first;

		s->first = a->after;
		asked_free(a);
	}
	deadline_clear(&s->patience);
	free(s);
}
