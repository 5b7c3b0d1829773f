/* queue/reader.h - the thread that reads, over a connection of its own: what
 * was committed, a page at a time. */
#ifndef NUNCIO_QUEUE_READER_H
#define NUNCIO_QUEUE_READER_H
#include "base/worker.h"
#include "failure.h"
#include "queue/sql.h"

struct reader {
	struct sql *sql;       /* owned */
	struct worker *worker; /* owned; NULL until reader_start() */
};

/* Embedded in each kind of read (store_query.c). */
struct read {
	struct job job;
	struct reader *reader;
	int (*look)(struct sql *sql,
		    struct read *read);    /* on the thread; -1: why, or sql_failed() */
	void (*answer)(struct read *read); /* on the loop; frees read */
	struct failure why;                /* kind FAILURE_NONE: it was read */
};

void reader_start(struct reader *r, struct loop *loop);
void reader_do(struct reader *r, struct read *read);
void reader_clear(struct reader *r); /* waits for what was given; fine when it never started */
#endif
