/* queue/scores.c - decides what counts as what. */
#include "queue/scores.h"

#include "clock.h"
#include "queue/queue.h"

void scores_add(struct scores *s, enum outcome_kind kind, int64_t now_ms)
{
	switch (kind) {
	case OUTCOME_SENT:
	case OUTCOME_ACCEPTED:
		s->sent++;
		tempo_add(&s->tempo, now_ms);
		break;
	case OUTCOME_REFUSED:
	case OUTCOME_SUPPRESSED:
		s->refused++;
		break;
	case OUTCOME_LATER:
	case OUTCOME_UNCERTAIN:
		s->later++;
		break;
	case OUTCOME_UNTOUCHED:
		break;
	}
}

void scores_tell(const struct scores *s, struct transport_status *ret)
{
	int64_t now_ms = clock_mono_ms();

	ret->sent = s->sent;
	ret->refused = s->refused;
	ret->later = s->later;
	ret->sent_minute = tempo_minute(&s->tempo, now_ms);
	ret->sent_hour = tempo_hour(&s->tempo, now_ms);
}
