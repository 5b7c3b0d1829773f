/* queue/circuit.c - decides what being up and down leads to, and what the
 * operator hears of it: one line an outage, one when it is over. */
#include "queue/circuit.h"

#include "clock.h"
#include "duration.h"
#include "log.h"
#include "jitter.h"
#include "queue/schedule.h"

/* A session that was asked for and is not heard of is asked for again */
#define ASK_AGAIN_MS (60 * 1000)

static const char *const names[] = {
	[CIRCUIT_IDLE] = "idle", [CIRCUIT_CONNECTING] = "connecting", [CIRCUIT_UP] = "up",
	[CIRCUIT_DOWN] = "down", [CIRCUIT_PROBING] = "down",
};

static void circuit_to(struct circuit *c, enum circuit_state next)
{
	bool was_open = circuit_is_open(c);

	if (c->state == next)
		return;
	log_debug(c->log, "circuit %s -> %s%s", names[c->state], names[next],
		  next == CIRCUIT_PROBING ? ", probing" : "");
	c->state = next;
	if (!was_open || !circuit_is_open(c))
		c->since_ms = clock_wall_ms();
	c->next_try_ms = 0;
	deadline_unset(&c->rest);
}

void circuit_init(struct circuit *c, struct loop *loop, const struct log *log, const char *name,
		  task_fn *rested, void *ctx)
{
	*c = (struct circuit){.log = log, .name = name, .since_ms = clock_wall_ms()};
	deadline_init(&c->rest, loop, rested, ctx);
}

void circuit_clear(struct circuit *c)
{
	deadline_clear(&c->rest);
}

void circuit_try(struct circuit *c)
{
	circuit_to(c, circuit_is_open(c) ? CIRCUIT_PROBING : CIRCUIT_CONNECTING);
	deadline_set(&c->rest, ASK_AGAIN_MS);
}

void circuit_idle(struct circuit *c)
{
	c->failures = 0;
	circuit_to(c, CIRCUIT_IDLE);
}

bool circuit_up(struct circuit *c)
{
	bool closed = circuit_is_open(c);
	char outage[32];

	if (closed)
		log_event(c->log, LOG_LEVEL_INFO,
			  &(struct log_event){.kind = LOG_KIND_TRANSPORT_UP,
					      .transport = c->name,
					      .state = "up"},
			  "works again after %s",
			  duration_print(outage, sizeof(outage), clock_wall_ms() - c->since_ms));
	c->why = (struct failure){.kind = FAILURE_NONE};
	circuit_to(c, CIRCUIT_UP);
	return closed;
}

void circuit_proved(struct circuit *c)
{
	c->failures = 0;
}

bool circuit_down(struct circuit *c, const struct failure *why)
{
	bool opened = !circuit_is_open(c);
	int64_t rest_ms;

	c->why = *why;
	c->failures++;
	rest_ms = schedule_circuit_ms(c->failures, why->kind != FAILURE_LATER, jitter());
	circuit_to(c, CIRCUIT_DOWN);
	c->next_try_ms = clock_wall_ms() + rest_ms;
	deadline_set(&c->rest, rest_ms);
	if (opened)
		log_event(c->log, LOG_LEVEL_WARN,
			  &(struct log_event){.kind = LOG_KIND_TRANSPORT_DOWN,
					      .transport = c->name,
					      .state = "down"},
			  "is down: %s", why->text);
	else
		log_debug(c->log, "still down, try %u: %s", c->failures, why->text);
	return opened;
}

bool circuit_is_open(const struct circuit *c)
{
	return c->state == CIRCUIT_DOWN || c->state == CIRCUIT_PROBING;
}

const char *circuit_name(const struct circuit *c)
{
	return names[c->state];
}
