/* common/fallback.h - which other way a message takes when it has not arrived by the first,
 * as people write it. Pure. */
#ifndef NUNCIO_COMMON_FALLBACK_H
#define NUNCIO_COMMON_FALLBACK_H
#include <stdint.h>
struct failure;

#define FALLBACK_AFTER_MS (10 * 60 * 1000LL)

struct fallback {
	enum fallback_way {
		FALLBACK_UNSAID,
		FALLBACK_NONE,
		FALLBACK_MAIL,
		FALLBACK_SMS,
	} way;
	int64_t after_ms;
};
/* "mail after 10m", "sms after 1h", without a time after 10 minutes; "none". -1 and
 * FAILURE_SETUP: what would be right. */
int fallback_parse(const char *text, struct fallback *ret, struct failure *f);
#endif
