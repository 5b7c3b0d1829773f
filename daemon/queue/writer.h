/* queue/writer.h - the thread that writes: every write waiting at one moment is
 * one transaction. What a write does is said by its kind (store_batch.c,
 * store_claim.c, store_deed.c, store_sweep.c). */
#ifndef NUNCIO_QUEUE_WRITER_H
#define NUNCIO_QUEUE_WRITER_H
#include <stdatomic.h>
#include "base/worker.h"
#include "failure.h"
#include "queue/counts.h"
#include "queue/reserve.h"
#include "queue/sql.h"

struct writer {
	struct sql *sql;       /* owned */
	struct worker *worker; /* owned; NULL until writer_start() */
	struct counts *counts; /* the store's */
	struct tally tally;    /* of the present transaction */
	char instance[17];
	int64_t lease_ms;
	int64_t last_message, last_delivery; /* numbers given */
	int64_t skip;                        /* numbers to be passed over at opening */
	bool alone;                          /* the present write is its transaction */
	atomic_bool refused;                 /* refusal is why, and does not change any more */
	struct failure refusal;
	struct reserve reserve;
	int64_t room_bytes;            /* that new messages may still take, */
	int64_t room_us;               /* as the disk was then */
	bool room_known, room_short;   /* short: one was refused; a log that is moved has more */
	int64_t noted_ms;              /* the wall clock as it was last written down */
	_Atomic int64_t wall_ahead_ms; /* of CLOCK_BOOTTIME, as all rows have it: jump.h */
	atomic_uint jumps;             /* odd: one is being followed */
	int64_t jumped_ms;             /* by how much, in this transaction */
};

/* Embedded in each kind of write. */
struct write {
	struct job job;
	/* On the thread, in a transaction. -1: the database failed (sql_failed()), and
	 * nothing of the transaction will have happened. */
	int (*apply)(struct writer *w, struct write *write);
	/* On the loop: why.kind FAILURE_NONE: it is on disk. Frees write. */
	void (*answer)(struct write *write);
	struct failure why;
};

void writer_start(struct writer *w, struct loop *loop);
void writer_do(struct writer *w, struct write *write);
/* On the thread: may a new message, or a piece of one, take so many bytes? 1: yes; 0: the
 * rest of the disk is needed for what is queued, *f says so; -1. */
int writer_admits(struct writer *w, int64_t bytes, struct failure *f);
/* From now on every write fails with why, which it says. */
void writer_refuse(struct writer *w, const struct failure *why);
bool writer_is_refused(const struct writer *w);
void writer_stop(struct writer *w); /* waits for what was given; writer_now() is possible again */
/* Waits for what was given; fine when it never started. */
void writer_clear(struct writer *w);
/* Before there is a thread: do it in a transaction of its own. */
int writer_now(struct writer *w, int (*deed)(struct writer *w), struct failure *f);
#endif
