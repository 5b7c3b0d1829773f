/* queue/allowance.c - see allowance.h. */
#include "queue/allowance.h"

#include <string.h>

#include "queue/queue.h"
#include "queue/text_rules.h"

bool allowance_note(struct allowance *a, const struct transport_config *config,
		    const struct claim_result *result)
{
	bool was_capped = a->capped;

	if (result->why)
		return false;
	a->use = result->texts;
	a->capped = result->capped;
	if (a->capped)
		text_rules_say_cap(config, &a->use, a->why, sizeof(a->why));
	return (result->n && a->use.messages) || a->capped != was_capped;
}

void allowance_tell(const struct allowance *a, struct transport_status *s)
{
	s->texts_day = a->use.messages;
	s->cost_day = a->use.cost;
	if (!a->capped || strcmp(s->state, "paused") == 0 || strcmp(s->state, "down") == 0)
		return;
	s->state = "capped";
	s->reason = a->why;
}
