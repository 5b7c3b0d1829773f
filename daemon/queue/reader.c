/* queue/reader.c - hands reads to a thread and their answers to the loop. */
#include "queue/reader.h"

#include <stddef.h>

void reader_start(struct reader *r, struct loop *loop)
{
	r->worker = worker_new(loop, "nuncio-reader", 1, NULL, NULL);
}

static void run(struct job *job)
{
	struct read *read = (struct read *)job;

	if (read->look(read->reader->sql, read) < 0 && read->why.kind == FAILURE_NONE)
		sql_failed(read->reader->sql, &read->why);
}

static void done(struct job *job)
{
	struct read *read = (struct read *)job;

	read->answer(read);
}

void reader_do(struct reader *r, struct read *read)
{
	read->reader = r;
	read->job.run = run;
	read->job.done = done;
	worker_do(r->worker, &read->job);
}

void reader_clear(struct reader *r)
{
	worker_free(r->worker);
	r->worker = NULL;
	sql_close(r->sql);
	r->sql = NULL;
}
