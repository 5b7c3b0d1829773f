/* runner/supervise.h - the process that stands beside one run: prepares it, and begins it
 * when it is told to; keeps what it
 * prints, ends it when it is time, writes down how it ended. It needs nothing of the
 * listening process, which may end and come again meanwhile. */
#ifndef NUNCIO_RUNNER_SUPERVISE_H
#define NUNCIO_RUNNER_SUPERVISE_H
#include <stdint.h>
#include "attach.h"
#include "house.h"
#include "order.h"

struct assignment {
	const struct house *house;
	const char *run, *rule;
	const char *attachments_path; /* homes/RUN/attachments */
	const struct order *order;
	struct attachments attachments;
	struct run_door *door;
	int go; /* a byte comes when the program may begin; its end: it may not, and nothing stays */
	int64_t started_ms; /* wall */
};
/* In a process of its own, which it ends. await fills in what assignment lacks, which may take
 * any time; -1: there will be nothing. */
_Noreturn void supervise(struct assignment *assignment,
			 int (*await)(void *ctx, struct assignment *assignment), void *ctx);
#endif
