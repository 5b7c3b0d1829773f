/* rules/lockout.c - strikes are the store's; here is only known who has none. Paces are
 * counted in memory: they end loops, and a loop does not wait for a restart. */
#include "rules/lockout.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "queue/store_run.h"
#include "rules/room.h"

#define HOUR_MS (60 * 60 * 1000LL)
#define PACES 2

static const unsigned most[PACES] = {[PACE_REFUSALS] = 20, [PACE_REPORTS] = 200};

struct record {
	char *contact; /* owned */
	char channel[8];
	bool is_clean;          /* the store has no strike */
	int64_t told_ms;        /* mono; when it heard that it is locked out; 0: never */
	int64_t hour_ms[PACES]; /* mono; when the hour began */
	unsigned sent[PACES];
	struct record *next;
};

struct asked {
	struct lockouts *lockouts;
	struct record *record;
	strikes_known_fn *known;
	void *ctx;
};

struct lockouts {
	struct engine *engine;
	struct record *first; /* owned, by .next: as many as contacts */
};

struct lockouts *lockouts_new(struct engine *e)
{
	struct lockouts *l = xcalloc(1, sizeof(*l));

	l->engine = e;
	return l;
}

void lockouts_free(struct lockouts *l)
{
	while (l->first) {
		struct record *r = l->first;

		l->first = r->next;
		free(r->contact);
		free(r);
	}
	free(l);
}

static struct record *record_of(struct lockouts *l, const char *contact, const char *channel)
{
	struct record *r = l->first;

	while (r && (strcmp(r->contact, contact) != 0 || strcmp(r->channel, channel) != 0))
		r = r->next;
	if (r)
		return r;
	r = xcalloc(1, sizeof(*r));
	r->contact = xstrdup(contact);
	strncpy(r->channel, channel, sizeof(r->channel) - 1);
	r->next = l->first;
	l->first = r;
	return r;
}

static void counted(void *ctx, unsigned count, const struct failure *why)
{
	struct asked *a = ctx;

	a->record->is_clean = !why && count == 0;
	a->known(a->ctx, count, why);
	free(a);
}

void lockouts_ask(struct lockouts *l, const char *contact, const char *channel,
		  strikes_known_fn *known, void *ctx)
{
	struct record *r = record_of(l, contact, channel);
	struct asked *a;

	if (r->is_clean) {
		known(ctx, 0, NULL);
		return;
	}
	a = xcalloc(1, sizeof(*a));
	*a = (struct asked){.lockouts = l, .record = r, .known = known, .ctx = ctx};
	store_strikes(l->engine->store, contact, channel, clock_wall_ms() - LOCKOUT_WINDOW_MS,
		      counted, a);
}

void lockouts_strike(struct lockouts *l, const char *contact, const char *channel)
{
	record_of(l, contact, channel)->is_clean = false;
}

bool lockouts_tell(struct lockouts *l, const char *contact, const char *channel)
{
	struct record *r = record_of(l, contact, channel);
	int64_t now_ms = clock_mono_ms();

	if (r->told_ms && now_ms - r->told_ms < LOCKOUT_WINDOW_MS)
		return false;
	r->told_ms = now_ms;
	return true;
}

bool lockouts_may_send(struct lockouts *l, const char *contact, enum pace pace)
{
	struct record *r = record_of(l, contact, "");
	int64_t now_ms = clock_mono_ms();

	if (!r->hour_ms[pace] || now_ms - r->hour_ms[pace] >= HOUR_MS) {
		r->hour_ms[pace] = now_ms;
		r->sent[pace] = 0;
	}
	if (r->sent[pace] == most[pace])
		return false;
	r->sent[pace]++;
	return true;
}
