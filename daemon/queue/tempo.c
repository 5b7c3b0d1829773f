/* queue/tempo.c - two rings of counters, one of seconds, one of minutes. A slot is
 * emptied when its time comes round again. */
#include "queue/tempo.h"

static void ring_add(struct tempo_ring *r, int64_t slot)
{
	if (slot - r->newest >= TEMPO_SLOTS)
		*r = (struct tempo_ring){.newest = slot};
	while (r->newest < slot)
		r->counts[++r->newest % TEMPO_SLOTS] = 0;
	r->counts[slot % TEMPO_SLOTS]++;
}

static uint64_t ring_sum(const struct tempo_ring *r, int64_t slot)
{
	uint64_t sum = 0;

	for (int64_t i = slot - TEMPO_SLOTS + 1; i <= r->newest; i++)
		if (i >= 0 && i > r->newest - TEMPO_SLOTS)
			sum += r->counts[i % TEMPO_SLOTS];
	return sum;
}

void tempo_add(struct tempo *t, int64_t now_ms)
{
	ring_add(&t->seconds, now_ms / 1000);
	ring_add(&t->minutes, now_ms / 60000);
}

uint64_t tempo_minute(const struct tempo *t, int64_t now_ms)
{
	return ring_sum(&t->seconds, now_ms / 1000);
}

uint64_t tempo_hour(const struct tempo *t, int64_t now_ms)
{
	return ring_sum(&t->minutes, now_ms / 60000);
}
