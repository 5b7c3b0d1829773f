/* queue/schedule.c - decides how waits grow and how a rate is kept. Knows no
 * clock and no dice: both are given. */
#include "queue/schedule.h"

#include <stddef.h>

#define CIRCUIT_FIRST_MS 5000
#define CIRCUIT_MAX_MS (10 * 60 * 1000)
#define SETUP_FIRST_MS (60 * 1000)
#define SETUP_MAX_MS (60 * 60 * 1000)

/* first_ms doubled times times, up to max_ms. */
static int64_t doubled_ms(int64_t first_ms, unsigned times, int64_t max_ms)
{
	int64_t ms = first_ms;

	while (times-- > 0 && ms > 0 && ms < max_ms)
		ms = ms > max_ms / 2 ? max_ms : ms * 2;
	return ms > max_ms ? max_ms : ms;
}

/* +-20 %: all 32 bits of random mapped onto 0.8 to 1.2. */
static int64_t jittered_ms(int64_t ms, uint32_t random)
{
	double factor = 0.8 + 0.4 * ((double)random / (double)UINT32_MAX);

	return (int64_t)((double)ms * factor);
}

int64_t schedule_retry_ms(unsigned attempt_no, int64_t first_ms, int64_t max_ms, uint32_t random)
{
	unsigned times = attempt_no > 0 ? attempt_no - 1 : 0;

	return jittered_ms(doubled_ms(first_ms, times, max_ms), random);
}

int64_t schedule_circuit_ms(unsigned failures, bool setup, uint32_t random)
{
	unsigned times = failures > 0 ? failures - 1 : 0;

	if (setup)
		return jittered_ms(doubled_ms(SETUP_FIRST_MS, times, SETUP_MAX_MS), random);
	return jittered_ms(doubled_ms(CIRCUIT_FIRST_MS, times, CIRCUIT_MAX_MS), random);
}

static void refill(struct bucket *b, const struct rate *rate, int64_t now_ms)
{
	double came = (double)(now_ms - b->at_ms) * rate->count / (double)rate->per_ms;

	/* A zeroed bucket is as old as the clock, and so it starts full */
	if (came > 0)
		b->tokens += came;
	if (b->at_ms == 0 || b->tokens > rate->count)
		b->tokens = rate->count;
	b->at_ms = now_ms;
}

unsigned bucket_take(struct bucket *b, const struct rate *rate, unsigned n, int64_t now_ms,
		     int64_t *ret_wait_ms)
{
	/* Sums of fractions of a token may fall short of a whole one by a hair */
	static const double hair = 1e-6;

	*ret_wait_ms = 0;
	if (rate->count == 0 || rate->per_ms <= 0)
		return n;
	refill(b, rate, now_ms);
	unsigned whole = b->tokens > 0 ? (unsigned)(b->tokens + hair) : 0;
	unsigned taken = n < whole ? n : whole;

	b->tokens -= taken;
	if (b->tokens < 1 - hair) {
		double missing = (1 - b->tokens) * (double)rate->per_ms / rate->count;

		*ret_wait_ms = (int64_t)missing + 1;
	}
	return taken;
}

#define SECOND_MS 1000LL
#define HOUR_MS (3600 * SECOND_MS)
#define LOST_MS (600 * SECOND_MS)

/* The first of some moments that is later than age_ms; 0: none. */
static int64_t next_of(const int64_t *moments, size_t n, int64_t age_ms)
{
	for (size_t i = 0; i < n; i++)
		if (moments[i] > age_ms)
			return moments[i];
	return 0;
}

int64_t schedule_ask_ms(bool uncertain, int64_t age_ms)
{
	static const int64_t accepted[] = {5 * SECOND_MS, 20 * SECOND_MS, 50 * SECOND_MS,
					   110 * SECOND_MS, 410 * SECOND_MS};
	static const int64_t doubted[] = {5 * SECOND_MS, 30 * SECOND_MS, 120 * SECOND_MS, LOST_MS};
	int64_t next_ms = uncertain
				  ? next_of(doubted, sizeof(doubted) / sizeof(*doubted), age_ms)
				  : next_of(accepted, sizeof(accepted) / sizeof(*accepted), age_ms);

	if (next_ms)
		return next_ms - age_ms;
	if (uncertain)
		return LOST_MS;
	return age_ms >= 24 * HOUR_MS ? 0 : HOUR_MS;
}

bool schedule_is_lost(int64_t age_ms)
{
	return age_ms >= LOST_MS;
}
