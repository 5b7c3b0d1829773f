/* queue/state.h - the states of a delivery, and what may follow what. Pure. */
#ifndef NUNCIO_QUEUE_STATE_H
#define NUNCIO_QUEUE_STATE_H
#include <stdbool.h>
#include <stddef.h>

/* Stored as these numbers: never renumber. */
enum delivery_state {
	STATE_HELD = 1,     /* by an operator or its sender, until released */
	STATE_QUEUED = 2,   /* waits for its next attempt, or for its time */
	STATE_SENDING = 3,  /* claimed: a transport has it */
	STATE_ACCEPTED = 4, /* texts: the provider has it */
	STATE_SENT = 5,     /* final for mail: the relay has taken it */
	STATE_DELIVERED = 6,
	STATE_UNDELIVERED = 7,
	STATE_FAILED = 8, /* refused for good */
	STATE_EXPIRED = 9,
	STATE_CANCELED = 10,
	STATE_SUPPRESSED = 11,
	STATE_UNCERTAIN = 12,
	STATE_STANDBY = 13, /* another way: goes when the first does not lead there */
};
const char *state_name(enum delivery_state s); /* "queued" */
/* "held, queued, ...": all there are, into out, which is returned. */
char *state_list(char *out, size_t size);
bool state_parse(const char *name, enum delivery_state *ret);
/* Nothing more will happen to it. SENT is final here: a text's later report is a new event. */
bool state_is_final(enum delivery_state s);
bool state_may_follow(enum delivery_state from, enum delivery_state to);
#endif
