/* queue/circuit.h - is a transport known to work? Opens when it went down, rests
 * longer each time (schedule.h), lets one probe through, closes when it is up again.
 * Logs an outage once, and its end. What is done about it is dispatch's business. */
#ifndef NUNCIO_QUEUE_CIRCUIT_H
#define NUNCIO_QUEUE_CIRCUIT_H
#include <stdbool.h>
#include <stdint.h>
#include "base/deadline.h"
#include "failure.h"
struct log;

enum circuit_state {
	CIRCUIT_IDLE,       /* nothing known against it, no session is known of */
	CIRCUIT_CONNECTING, /* a session was asked for */
	CIRCUIT_UP,
	CIRCUIT_DOWN,    /* rests until the deadline */
	CIRCUIT_PROBING, /* was down; one session was asked for */
};
/* Embedded. */
struct circuit {
	enum circuit_state state;
	unsigned failures;    /* in a row */
	struct failure why;   /* of the last */
	int64_t since_ms;     /* wall: in this state, a whole outage being one */
	int64_t next_try_ms;  /* wall, while it rests; else 0 */
	struct deadline rest; /* passed: time to ask for a session (again) */
	const struct log *log;
	const char *name;
};

/* log and name, the transport's, outlive it. */
void circuit_init(struct circuit *c, struct loop *loop, const struct log *log, const char *name,
		  task_fn *rested, void *ctx);
void circuit_clear(struct circuit *c);
/* A session is asked for: what follows is circuit_up() or circuit_down(). */
void circuit_try(struct circuit *c);
void circuit_idle(struct circuit *c); /* up, but long unused */
/* Both: true when it opened or closed by this. */
bool circuit_up(struct circuit *c);
bool circuit_down(struct circuit *c, const struct failure *why);
/* It carried something, whatever became of it: the next outage is a first one. One
 * that only ever comes up and breaks again rests longer each time. */
void circuit_proved(struct circuit *c);
bool circuit_is_open(const struct circuit *c);     /* down, a probe under way or not */
const char *circuit_name(const struct circuit *c); /* "idle" "up" "connecting" "down" */
#endif
