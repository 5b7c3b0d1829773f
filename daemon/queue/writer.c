/* queue/writer.c - decides what a transaction is: all writes that wait. One disk
 * flush answers them all; a database that fails, fails them all. */
#include "queue/writer.h"

#include <time.h>

#include <sqlite3.h>

#include "crash.h"
#include "queue/jump.h"
#include "queue/store_room.h"

#define SLOW_US 2000               /* a transaction that takes longer is worth sharing */
#define ROOM_NEAR_BYTES (64 << 20) /* with less, the disk is asked in each transaction */
#define ROOM_KNOWN_US 1000000      /* else so often */
#define GATHER_MAX_US 10000        /* and is not waited for longer than this */

static int apply_all(struct writer *w, struct job *jobs, int64_t changes_before)
{
	w->alone = !jobs->next && !w->jumped_ms;
	for (struct job *job = jobs; job; job = job->next) {
		struct write *write = (struct write *)job;

		if (write->apply(w, write) < 0)
			return -1;
		CRASH_POINT("store.batch");
	}
	if (sql_all_changes(w->sql) != changes_before && jump_note_at_times(w) < 0)
		return -1;
	CRASH_POINT("store.commit");
	return sql_commit(w->sql);
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t log_used(const struct writer *w)
{
	return (int64_t)sql_log_pages(w->sql) * STORE_PAGE_BYTES;
}

static int count_pages(struct writer *w, enum statement which, int64_t *ret_bytes)
{
	struct sqlite3_stmt *row = sql_ask(w->sql, which, "");
	int got = row ? sql_next(w->sql, row) : -1;

	if (got <= 0)
		return -1;
	*ret_bytes = sqlite3_column_int64(row, 0) * STORE_PAGE_BYTES;
	sql_done(row);
	return 0;
}

/* The database as this transaction sees it. */
static int measure(struct writer *w, int64_t waiting)
{
	struct reserve_use use = {.waiting = waiting, .log_used = log_used(w)};

	if (count_pages(w, SQL_PAGES, &use.database_bytes) < 0 ||
	    count_pages(w, SQL_PAGES_FREE, &use.free_bytes) < 0)
		return -1;
	w->room_bytes = reserve_room(&w->reserve, &use);
	return 0;
}

int writer_admits(struct writer *w, int64_t bytes, struct failure *f)
{
	if (!w->room_known) {
		int64_t waiting = (int64_t)counts_waiting(w->counts);

		w->room_bytes = reserve_room_least(&w->reserve, waiting, log_used(w));
		if (w->room_bytes < bytes && measure(w, waiting) < 0)
			return -1;
		w->room_known = true;
		w->room_us = now_us();
	}
	w->room_bytes -= bytes;
	if (w->room_bytes >= 0)
		return 1;
	w->room_bytes += bytes;
	w->room_short = true;
	failure_set(f, FAILURE_LATER,
		    "%s: the disk is full: what is left is for the messages that wait",
		    w->reserve.directory);
	return 0;
}

static void give_all(struct job *jobs, const struct failure *why)
{
	for (struct job *job = jobs; job; job = job->next)
		((struct write *)job)->why = *why;
}

static void fail_all(struct writer *w, struct job *jobs)
{
	struct failure why;

	sql_failed(w->sql, &why);
	bool is_full = sql_is_full(w->sql);

	sql_rollback(w->sql);
	if (is_full) {
		reserve_release(&w->reserve);
		sql_checkpoint(w->sql, 1);
	}
	jump_undone(w);
	tally_back(&w->tally, 0);
	give_all(jobs, &why);
}

/* Whoever was answered comes again while the next flush is under way and would miss
 * it: on a slow disk it is worth waiting for them. */
static void gather_next(struct writer *w, int64_t took_us)
{
	int64_t most_us = took_us < SLOW_US ? 0 : took_us / 2;

	worker_gather(w->worker, most_us < GATHER_MAX_US ? most_us : GATHER_MAX_US);
}

static void write_group(void *ctx, struct job *jobs)
{
	struct writer *w = ctx;
	int64_t start_us = now_us(), changes = sql_all_changes(w->sql);

	if (writer_is_refused(w)) {
		give_all(jobs, &w->refusal);
		return;
	}
	w->room_short = false;
	if (w->room_bytes < ROOM_NEAR_BYTES || start_us - w->room_us > ROOM_KNOWN_US)
		w->room_known = false;
	CRASH_POINT("store.begin");
	if (sql_begin(w->sql) < 0 || jump_follow(w) < 0 || apply_all(w, jobs, changes) < 0) {
		fail_all(w, jobs);
		return;
	}
	CRASH_POINT("store.committed");
	jump_followed(w);
	tally_commit(&w->tally, w->counts);
	gather_next(w, now_us() - start_us);
	sql_checkpoint(w->sql, w->room_short ? 1 : reserve_log_pages(&w->reserve));
	reserve_keep(&w->reserve, log_used(w));
}

void writer_start(struct writer *w, struct loop *loop)
{
	w->worker = worker_new(loop, "nuncio-writer", 1, write_group, w);
}

static void write_done(struct job *job)
{
	struct write *write = (struct write *)job;

	write->answer(write);
}

void writer_do(struct writer *w, struct write *write)
{
	write->job.done = write_done;
	worker_do(w->worker, &write->job);
}

void writer_refuse(struct writer *w, const struct failure *why)
{
	w->refusal = *why;
	atomic_store(&w->refused, true);
}

bool writer_is_refused(const struct writer *w)
{
	return atomic_load(&w->refused);
}

void writer_stop(struct writer *w)
{
	worker_free(w->worker);
	w->worker = NULL;
}

void writer_clear(struct writer *w)
{
	writer_stop(w);
	tally_clear(&w->tally);
	sql_close(w->sql);
	w->sql = NULL;
}

int writer_now(struct writer *w, int (*deed)(struct writer *w), struct failure *f)
{
	if (sql_begin(w->sql) == 0 && deed(w) == 0 && sql_commit(w->sql) == 0) {
		tally_commit(&w->tally, w->counts);
		return 0;
	}
	sql_failed(w->sql, f);
	sql_rollback(w->sql);
	tally_back(&w->tally, 0);
	return -1;
}
