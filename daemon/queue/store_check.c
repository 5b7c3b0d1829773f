/* queue/store_check.c - looks the whole database over, on a thread and a connection
 * of its own: it may take its time, and neither writes nor reads wait for it. */
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "alloc.h"
#include "auto.h"
#include "queue/store_room.h"

#define WAIT_MS 2000 /* for another process's lock on the database */

struct check {
	struct job job;
	struct store *store;
	char *path, *directory; /* owned */
	struct check_result result;
	char damage[200];
	struct failure why;
	check_done_fn *done;
	void *ctx;
};

static int look_over(struct check *c)
{
	AUTO(sql_close) struct sql *sql = NULL;
	struct statvfs about;

	c->result.database_bytes = store_bytes_in(c->directory);
	if (statvfs(c->directory, &about) == 0)
		c->result.free_bytes = (uint64_t)about.f_bavail * about.f_frsize;
	if (sql_open(c->path, WAIT_MS, &sql, &c->why) < 0)
		return -1;
	sql_end_on(sql, &c->store->closing);
	return sql_word(sql, "PRAGMA quick_check(1)", c->damage, sizeof(c->damage), &c->why);
}

static void run(struct job *job)
{
	struct check *c = (struct check *)job;

	if (look_over(c) < 0)
		c->result.why = &c->why;
	else if (strcmp(c->damage, "ok") != 0)
		c->result.damage = c->damage;
}

static void done(struct job *job)
{
	struct check *c = (struct check *)job;

	c->done(c->ctx, &c->result);
	free(c->path);
	free(c->directory);
	free(c);
}

void store_check(struct store *s, check_done_fn *answer, void *ctx)
{
	struct check *c = xcalloc(1, sizeof(*c));

	c->job.run = run;
	c->job.done = done;
	c->store = s;
	c->path = xstrdup(s->path);
	c->directory = xstrdup(s->path);
	*strrchr(c->directory, '/') = '\0';
	c->result.directory = c->directory;
	c->done = answer;
	c->ctx = ctx;
	if (!s->checker)
		s->checker = worker_new(s->loop, "nuncio-check", 1, NULL, NULL);
	worker_do(s->checker, &c->job);
}
