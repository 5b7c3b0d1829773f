/* queue/state.c - two tables: what the states are called, and what may follow
 * what. Who may ask for a change is decided elsewhere. */
#include "queue/state.h"

#include <stdio.h>
#include <string.h>

#define BIT(state) (1u << STATE_##state)
/* A text's report may come late, and at any time after it left us; it may lead to another
 * attempt. From sent to sent: none will come. */
#define REPORTS (BIT(DELIVERED) | BIT(UNDELIVERED) | BIT(FAILED))

/* clang-format off */
static const struct {
	const char *name;
	bool final;
	unsigned next; /* bits of the states that may follow */
} states[] = {
	[STATE_HELD]        = { "held",        false, BIT(QUEUED) | BIT(CANCELED) },
	[STATE_QUEUED]      = { "queued",      false, BIT(QUEUED) | BIT(HELD) | BIT(SENDING) | BIT(FAILED) |
						       BIT(EXPIRED) | BIT(CANCELED) | BIT(SUPPRESSED) },
	[STATE_SENDING]     = { "sending",     false, BIT(QUEUED) | BIT(ACCEPTED) | BIT(SENT) | REPORTS |
						       BIT(EXPIRED) | BIT(SUPPRESSED) | BIT(UNCERTAIN) },
	[STATE_ACCEPTED]    = { "accepted",    false, BIT(QUEUED) | BIT(SENT) | REPORTS | BIT(EXPIRED) | BIT(CANCELED) | BIT(SUPPRESSED) },
	[STATE_SENT]        = { "sent",        true,  BIT(QUEUED) | BIT(SENT) | REPORTS },
	[STATE_DELIVERED]   = { "delivered",   true,  0 },
	[STATE_UNDELIVERED] = { "undelivered", true,  BIT(QUEUED) },
	[STATE_FAILED]      = { "failed",      true,  BIT(QUEUED) },
	[STATE_EXPIRED]     = { "expired",     true,  BIT(QUEUED) },
	[STATE_CANCELED]    = { "canceled",    true,  BIT(QUEUED) },
	[STATE_SUPPRESSED]  = { "suppressed",  true,  0 },
	[STATE_UNCERTAIN]   = { "uncertain",   false, BIT(HELD) | BIT(QUEUED) | BIT(ACCEPTED) | BIT(SENT) | REPORTS |
						       BIT(EXPIRED) | BIT(CANCELED) },
	[STATE_STANDBY]     = { "standby",     false, BIT(QUEUED) | BIT(CANCELED) },
};
/* clang-format on */

#define NSTATES (sizeof(states) / sizeof(*states))

static bool is_state(enum delivery_state s)
{
	return (size_t)s < NSTATES && states[s].name;
}

const char *state_name(enum delivery_state s)
{
	return is_state(s) ? states[s].name : "unknown";
}

char *state_list(char *out, size_t size)
{
	size_t used = 0;

	*out = '\0';
	for (size_t i = 0; i < NSTATES; i++)
		if (states[i].name && used < size)
			used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "",
						 states[i].name);
	return out;
}

bool state_parse(const char *name, enum delivery_state *ret)
{
	for (size_t i = 0; i < NSTATES; i++) {
		if (!states[i].name || strcmp(states[i].name, name) != 0)
			continue;
		*ret = (enum delivery_state)i;
		return true;
	}
	return false;
}

bool state_is_final(enum delivery_state s)
{
	return is_state(s) && states[s].final;
}

bool state_may_follow(enum delivery_state from, enum delivery_state to)
{
	return is_state(from) && is_state(to) && (states[from].next & (1u << to)) != 0;
}
