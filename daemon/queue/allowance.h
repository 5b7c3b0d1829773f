/* queue/allowance.h - what a transport has sent of what it may send in a day, as it was when
 * texts were claimed last. */
#ifndef NUNCIO_QUEUE_ALLOWANCE_H
#define NUNCIO_QUEUE_ALLOWANCE_H
#include <stdbool.h>
#include "queue/store_work.h"
struct transport_config;
struct transport_status;

struct allowance {
	struct text_use use;
	bool capped;   /* texts wait for the next day */
	char why[160]; /* if so */
};
/* true: there is something new, which the operator may have to hear. */
bool allowance_note(struct allowance *a, const struct transport_config *config,
		    const struct claim_result *result);
/* Its part of what is known of a transport. */
void allowance_tell(const struct allowance *a, struct transport_status *s);
#endif
