/* queue/schedule.h - when next: pure arithmetic of retry and of circuits. */
#ifndef NUNCIO_QUEUE_SCHEDULE_H
#define NUNCIO_QUEUE_SCHEDULE_H
#include <stdbool.h>
#include <stdint.h>
#include "duration.h"

/* How long to wait after attempt_no (1: the first) failed: first_ms doubling to
 * max_ms, +-20 % by random (any 32 bits). */
int64_t schedule_retry_ms(unsigned attempt_no, int64_t first_ms, int64_t max_ms, uint32_t random);
/* How long a transport that failed n times in a row (1: once) rests: 5 s doubling
 * to 10 min, +-20 %; SETUP failures (setup) start at 60 s and reach 1 h. */
int64_t schedule_circuit_ms(unsigned failures, bool setup, uint32_t random);

/* When a text's provider is asked next, so long after the attempt began: accepted ones at
 * 5, 20, 50, 110 and 410 s, then hourly, for 24 h (0: no more); uncertain ones at 5, 30, 120,
 * 600 s, then every 10 min. */
int64_t schedule_ask_ms(bool uncertain, int64_t age_ms);
/* Is it time to believe that the provider never got it? */
bool schedule_is_lost(int64_t age_ms);

/* A token bucket for `rate`. */
struct bucket {
	double tokens;
	int64_t at_ms;
};
/* May n go now? Takes what it allows, and returns how many (<= n). *ret_wait_ms:
 * when at least one more may; 0: now. */
unsigned bucket_take(struct bucket *b, const struct rate *rate, unsigned n, int64_t now_ms,
		     int64_t *ret_wait_ms);
#endif
