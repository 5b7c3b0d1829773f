/* queue/claimer.c - decides when the store is asked and for how much. Between
 * claims it holds the one moment at which something will be due. */
#include "queue/claimer.h"

#include <assert.h>
#include <stdlib.h>

#include "alloc.h"
#include "base/deadline.h"
#include "clock.h"
#include "config/config.h"
#include "failure.h"
#include "log.h"
#include "queue/schedule.h"
#include "queue/store_work.h"
#include "queue/text_rules.h"
#include "transport/transport.h"

#define RECIPIENTS_MAX 100
/* However far off the next one is: the wall clock may be set, the machine may sleep */
#define LOOK_AGAIN_MS (60 * 1000)
#define FAILED_WAIT_MS 5000

/* A question to the store outlives the claimer it was for. */
struct question {
	struct claimer *claimer; /* NULL: freed meanwhile */
	size_t max_messages;     /* 0: only asked */
};

struct claimer {
	struct store *store;
	const struct transport_config *config;
	size_t max_recipients; /* of one message at a time */
	bool carries_texts;
	const struct log *log;
	const struct claimer_events *events;
	void *ctx;
	char **routes; /* owned, of nroutes */
	size_t nroutes;
	enum due due;
	struct question *question; /* under way, or NULL */
	struct bucket bucket;
	bool failing;         /* the last question was not answered; said once */
	struct deadline next; /* something is due then */
	struct deadline wait; /* set: until the rate, or a failed claim, allows another */
};

static void routes_clear(struct claimer *c)
{
	for (size_t i = 0; i < c->nroutes; i++)
		free(c->routes[i]);
	free(c->routes);
	c->routes = NULL;
	c->nroutes = 0;
}

static void next_passed(void *ctx)
{
	claimer_poke(ctx);
}

static void wait_passed(void *ctx)
{
	struct claimer *c = ctx;

	c->events->stirred(c->ctx);
}

struct claimer *claimer_new(struct loop *loop, struct store *store,
			    const struct transport_config *config,
			    const struct transport_kind *kind, const struct log *log,
			    const struct claimer_events *events, void *ctx)
{
	unsigned of_mail = config->smtp.recipients_per_mail;
	struct claimer *c = xcalloc(1, sizeof(*c));

	c->store = store;
	c->config = config;
	c->max_recipients = of_mail ? of_mail : RECIPIENTS_MAX;
	if (kind->max_recipients && kind->max_recipients < c->max_recipients)
		c->max_recipients = kind->max_recipients;
	c->carries_texts = kind->carries & CARRIES_TEXTS;
	c->log = log;
	c->events = events;
	c->ctx = ctx;
	deadline_init(&c->next, loop, next_passed, c);
	deadline_init(&c->wait, loop, wait_passed, c);
	return c;
}

void claimer_free(struct claimer *c)
{
	if (!c)
		return;
	if (c->question)
		c->question->claimer = NULL;
	deadline_clear(&c->next);
	deadline_clear(&c->wait);
	routes_clear(c);
	free(c);
}

void claimer_serve(struct claimer *c, const char *const *routes, size_t n)
{
	routes_clear(c);
	c->routes = xcalloc(n, sizeof(*c->routes));
	for (size_t i = 0; i < n; i++)
		c->routes[i] = xstrdup(routes[i]);
	c->nroutes = n;
	claimer_poke(c);
}

enum due claimer_due(const struct claimer *c)
{
	return c->nroutes ? c->due : DUE_NOTHING;
}

bool claimer_is_asking(const struct claimer *c)
{
	return c->question;
}

bool claimer_is_busy(const struct claimer *c)
{
	return c->question || deadline_is_set(&c->wait);
}

void claimer_poke(struct claimer *c)
{
	c->due = DUE_UNKNOWN;
	c->events->stirred(c->ctx);
}

void claimer_note(struct claimer *c, int64_t next_ms)
{
	int64_t in_ms = next_ms - clock_wall_ms();

	if (next_ms == 0)
		return;
	if (in_ms <= 0) {
		claimer_poke(c);
		return;
	}
	if (in_ms > LOOK_AGAIN_MS)
		in_ms = LOOK_AGAIN_MS;
	if (!deadline_is_set(&c->next) || c->next.at_ms > clock_mono_ms() + in_ms)
		deadline_set(&c->next, in_ms);
}

static void answered(struct claimer *c, const struct claim_result *result, size_t asked)
{
	if (c->failing)
		log_info(c->log, "the queue can be read again");
	c->failing = false;
	if (asked > 0 && result->n == asked)
		c->due = DUE_UNKNOWN;
	else if (asked == 0 && result->next_ms && result->next_ms <= clock_wall_ms())
		c->due = DUE_YES;
	else
		claimer_note(c, result->next_ms);
}

static void not_answered(struct claimer *c, const struct failure *why)
{
	if (!c->failing)
		log_error(c->log, "nothing can be claimed: %s", why->text);
	c->failing = true;
	c->due = DUE_UNKNOWN;
	deadline_set(&c->wait, FAILED_WAIT_MS);
}

static void messages_drop(struct claim_result *result)
{
	for (size_t i = 0; i < result->n; i++)
		claimed_message_free(result->messages[i]);
}

static size_t count_deliveries(const struct claim_result *result)
{
	size_t n = 0;

	for (size_t i = 0; i < result->n; i++)
		n += result->messages[i]->n;
	return n;
}

static void question_done(void *ctx, struct claim_result *result)
{
	struct question *question = ctx;
	struct claimer *c = question->claimer;
	size_t asked = question->max_messages;

	free(question);
	if (!c) {
		messages_drop(result);
		return;
	}
	c->question = NULL;
	c->bucket.tokens += (double)asked - (double)count_deliveries(result);
	if (result->why)
		not_answered(c, result->why);
	else
		answered(c, result, asked);
	if (asked > 0)
		c->events->claimed(c->ctx, result);
	c->events->stirred(c->ctx);
}

static void put_question(struct claimer *c, size_t max_messages)
{
	struct text_rules texts;
	struct claim_request request = {
		.routes = (const char *const *)c->routes,
		.nroutes = c->nroutes,
		.max_messages = max_messages,
		.max_recipients = c->max_recipients,
		.transport = c->config->name,
		.now_ms = clock_wall_ms(),
		.texts = c->carries_texts ? &texts : NULL,
	};

	text_rules_of(c->config, request.now_ms, &texts);
	assert(!claimer_is_busy(c));
	c->due = DUE_NOTHING;
	deadline_unset(&c->next);
	c->question = xcalloc(1, sizeof(*c->question));
	c->question->claimer = c;
	c->question->max_messages = max_messages;
	store_claim(c->store, &request, question_done, c->question);
}

void claimer_ask(struct claimer *c)
{
	put_question(c, 0);
}

void claimer_claim(struct claimer *c, size_t max_messages)
{
	int64_t wait_ms;
	unsigned allowed = bucket_take(&c->bucket, &c->config->rate, (unsigned)max_messages,
				       clock_mono_ms(), &wait_ms);

	if (allowed > 0)
		put_question(c, allowed);
	else
		deadline_set(&c->wait, wait_ms);
}
