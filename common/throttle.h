/* common/throttle.h - how many in which time: several windows at once, as people write
 * them. And money. Pure. */
#ifndef NUNCIO_COMMON_THROTTLE_H
#define NUNCIO_COMMON_THROTTLE_H
#include <stdint.h>
#include "duration.h"
struct failure;

#define THROTTLE_WINDOWS 6

struct throttle {
	struct rate windows[THROTTLE_WINDOWS]; /* the shortest first */
	unsigned n;                            /* 0: no limit */
};
/* "3/1m 5/15m 11/h": COUNT/TIME each, blanks or commas between; "none". The time is a
 * duration up to 7 days, or a unit alone. -1 and FAILURE_SETUP: what would be right. */
int throttle_parse(const char *text, struct throttle *ret, struct failure *f);

/* "5", "0.0079": at most 6 decimals, and no sign; in millionths. */
int money_parse(const char *text, int64_t *ret_micros, struct failure *f);
/* "4.75": two decimals, more where they are needed. Into out, which is returned. */
char *money_print(char *out, int size, int64_t micros);
/* "0.0079 USD", or the amount alone. *ret_currency points into text: "USD", or "". */
int price_parse(const char *text, int64_t *ret_micros, const char **ret_currency,
		struct failure *f);
#endif
