/* runner/house.h - the runner's state directory: what was begun, and how it ended, until
 * it is acknowledged.
 *
 *   STATE/lock             held by the one runner of this directory
 *   STATE/runs/RUN/order   (rule, started): there before the program begins
 *                 /alive   a FIFO: its writing end is open as long as the run's supervisor lives
 *                 /control a FIFO: a byte in it ends the run
 *                 /output  what was printed, as output.h keeps it
 *                 /reserve room on the disk, for the result
 *                 /result  how it ended; there only when whole
 *   STATE/homes/RUN         the rule's user's own directory; attachments/ in it
 *
 * A name that begins with a dot is being made or removed. */
#ifndef NUNCIO_RUNNER_HOUSE_H
#define NUNCIO_RUNNER_HOUSE_H
#include <stddef.h>
#include <stdint.h>
#include "run_wire.h"
struct failure;
struct output;

struct house {
	char *path;            /* owned; absolute */
	int lock, runs, homes; /* owned */
};
/* Makes what is not there. FAILURE_SETUP: others could change it; another runner has it.
 * house_close() is due in any case. */
int house_open(struct house *h, const char *path, struct failure *f);
void house_close(struct house *h);

struct order_record {
	char rule[33];
	int64_t started_ms; /* wall */
};
/* What a new run holds open besides its directory. */
struct run_door {
	int directory;
	int alive_read; /* for who waits for its end */
	int alive;      /* writing end, for the supervisor; control too */
	int control;
};
/* Makes what any run needs, under .NAME. */
int house_prepare(const struct house *h, const char *name, struct run_door *ret, struct failure *f);
/* That is for this order; nothing has begun. directory: the door's. */
int house_assign(int directory, const struct order_record *order, struct failure *f);
/* .NAME is RUN now. Once this returned 0 the run will never be begun again, whatever happens. */
int house_begin(const struct house *h, const char *name, const char *run, struct failure *f);
void house_unprepare(const struct house *h, const char *name);
void run_door_close(struct run_door *door);
/* The reading end of alive, or -1: nobody lives there. */
int house_alive(const struct house *h, const char *run);
int house_order(const struct house *h, const char *run, struct order_record *ret);
/* A byte for the supervisor. */
void house_tell(const struct house *h, const char *run);

/* Only numbers of result and its reason are taken; the rest is output's, once finished. */
int house_finish(int directory, const struct run_result *result, const struct output *output,
		 struct failure *f);
/* The result as a reply's parameters, or NULL: there is none. */
json_t *house_result(const struct house *h, const char *run);
/* Forgets a run and its work. */
void house_forget(const struct house *h, const char *run);
/* Each run there is, whose order can be read. */
void house_each(const struct house *h,
		void (*found)(void *ctx, const char *run, const struct order_record *order),
		void *ctx);
#endif
