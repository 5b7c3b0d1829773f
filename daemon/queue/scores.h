/* queue/scores.h - what a transport made of deliveries since the daemon started. Pure. */
#ifndef NUNCIO_QUEUE_SCORES_H
#define NUNCIO_QUEUE_SCORES_H
#include <stdint.h>
#include "queue/tempo.h"
#include "transport/transport.h"

struct transport_status;
struct scores { /* all zero: nothing yet */
	uint64_t sent, refused, later;
	struct tempo tempo; /* of what was sent */
};
void scores_tell(const struct scores *s, struct transport_status *ret); /* its part */
void scores_add(struct scores *s, enum outcome_kind kind, int64_t now_ms);
#endif
