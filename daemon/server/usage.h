/* server/usage.h - what each user handed in within the last hour, to the minute,
 * against what it may. Times are clock_mono_ms(), given: no setting of the wall clock
 * frees or blocks anybody. Pure. */
#ifndef NUNCIO_SERVER_USAGE_H
#define NUNCIO_SERVER_USAGE_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "auto.h"
#include "server/rights.h"
struct usage;

struct usage *usage_new(void);
void usage_free(struct usage *u);
AUTO_DEFINE(struct usage, usage_free)

struct usage_excess {
	const char *field; /* "messages" or "bytes" */
	uint64_t limit;
	int64_t wait_ms; /* until there is room; -1: one message is more than an hour's share */
};
/* Counts one message of so many bytes; -1: it would be too much, and counts nothing. */
int usage_take(struct usage *u, uid_t uid, uint64_t bytes, const struct allowance *allowance,
	       int64_t now_ms, struct usage_excess *ret);
void usage_give_back(struct usage *u, uid_t uid, uint64_t bytes, int64_t taken_ms, int64_t now_ms);
/* One that was taken earlier, by another life of the daemon. */
void usage_note(struct usage *u, uid_t uid, uint64_t bytes, int64_t taken_ms, int64_t now_ms);

struct usage_sum {
	uid_t uid;
	uint64_t messages, bytes;
	struct allowance allowance; /* as it was when it last asked */
};
struct usage_sum usage_of(const struct usage *u, uid_t uid, int64_t now_ms);
/* Everyone who handed in something; calls each before it returns. */
void usage_each(const struct usage *u, int64_t now_ms,
		void (*each)(void *ctx, const struct usage_sum *sum), void *ctx);
#endif
