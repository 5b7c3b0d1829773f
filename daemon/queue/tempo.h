/* queue/tempo.h - how many of something in the last minute and the last hour, in
 * little memory. Pure. */
#ifndef NUNCIO_QUEUE_TEMPO_H
#define NUNCIO_QUEUE_TEMPO_H
#include <stdint.h>

#define TEMPO_SLOTS 60

struct tempo { /* all zero: nothing yet */
	struct tempo_ring {
		int64_t newest; /* which slot of all time is the last one written */
		uint32_t counts[TEMPO_SLOTS];
	} seconds, minutes;
};
/* now_ms is monotonic and never falls. */
void tempo_add(struct tempo *t, int64_t now_ms);
uint64_t tempo_minute(const struct tempo *t, int64_t now_ms);
uint64_t tempo_hour(const struct tempo *t, int64_t now_ms);
#endif
