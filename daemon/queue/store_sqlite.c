/* queue/store_sqlite.c - opens the store: lock, check, migrate, recover; and
 * takes it down. Writing is in store_batch.c, store_claim.c, store_deed.c and
 * store_sweep.c, reading in store_query.c and store_stats.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "alloc.h"
#include "clock.h"
#include "log.h"
#include "queue/jump.h"
#include "queue/store_change.h"
#include "queue/store_ids.h"
#include "queue/store_lock.h"
#include "queue/store_note.h"
#include "queue/store_room.h"
#include "queue/store_schema.h"

#define WAIT_MS 2000 /* for another process's lock on the database */

/* A database of at least this size is looked over while it is already in use, if it ended
 * well, and its counters are written down when it ends. */
#define LARGE_BYTES (32 << 20)

static int damaged(const char *path, const char *how, struct failure *f)
{
	return failure_set(
		f, FAILURE_SETUP,
		"%s is damaged (%s): put back a copy, or move the file away to begin anew", path,
		how);
}

static int check_integrity(struct sql *sql, const char *path, struct failure *f)
{
	char word[120];

	if (sql_word(sql, "PRAGMA quick_check(1)", word, sizeof(word), f) < 0)
		return -1;
	if (strcmp(word, "ok") == 0)
		return 0;
	return damaged(path, word, f);
}

static int read_number(struct sql *sql, enum statement which, const char *types, const char *name,
		       int64_t *ret)
{
	struct sqlite3_stmt *row = sql_ask(sql, which, types, name);
	int got = row ? sql_next(sql, row) : -1;

	*ret = 0;
	if (got <= 0)
		return got;
	*ret = sqlite3_column_int64(row, 0);
	sql_done(row);
	return 0;
}

/* The larger of what is there and what was noted when some of it was forgotten. */
static int read_last(struct sql *sql, enum statement which, const char *noted, int64_t *ret)
{
	int64_t there, before;

	if (read_number(sql, which, "", NULL, &there) < 0 ||
	    read_number(sql, SQL_META, "t", noted, &before) < 0)
		return -1;
	*ret = there > before ? there : before;
	return 0;
}

static int read_numbers(struct writer *w)
{
	struct sqlite3_stmt *row;
	int got;

	if (read_last(w->sql, SQL_LAST_MESSAGE, "last_message", &w->last_message) < 0 ||
	    read_last(w->sql, SQL_LAST_DELIVERY, "last_delivery", &w->last_delivery) < 0)
		return -1;
	row = sql_ask(w->sql, SQL_META, "t", "instance");
	got = row ? sql_next(w->sql, row) : -1;
	if (got <= 0)
		return got;
	snprintf(w->instance, sizeof(w->instance), "%s", (const char *)sqlite3_column_text(row, 0));
	sql_done(row);
	return 0;
}

static int count_all(struct writer *w)
{
	struct sqlite3_stmt *row;
	bool noted;
	int got = note_take(w, &noted);

	if (got < 0 || noted)
		return got;
	row = sql_ask(w->sql, SQL_ALL_STATES, "");
	got = row ? 0 : -1;
	while (row && (got = sql_next(w->sql, row)) > 0) {
		tally_add(&w->tally, w->counts, (const char *)sqlite3_column_text(row, 1),
			  sqlite3_column_int64(row, 0), 0,
			  (enum delivery_state)sqlite3_column_int(row, 2));
		if (w->tally.n == STORE_PAGE_MAX)
			tally_commit(&w->tally, w->counts);
	}
	return got;
}

static int take_back(struct writer *w)
{
	int64_t now_ms = clock_wall_ms();
	bool more = true;
	int got = 0;

	while (more && got == 0) {
		struct subjects taken = {0};

		got = subjects_read(&taken, w,
				    sql_ask(w->sql, SQL_TAKEN, "tii", w->instance, now_ms,
					    (int64_t)STORE_PAGE_MAX));
		if (got == 0)
			got = subjects_take_back(&taken, w, now_ms, NULL);
		more = taken.n > 0;
		subjects_clear(&taken);
	}
	return got;
}

/* Drops content that no message has. */
static int sweep_bodies(struct writer *w)
{
	int64_t from = 1, chunk, owner = 0;

	for (;;) {
		struct sqlite3_stmt *row = sql_ask(w->sql, SQL_NEXT_CHUNK, "i", from);
		int got = row ? sql_next(w->sql, row) : -1;

		if (got <= 0)
			return got;
		chunk = sqlite3_column_int64(row, 0);
		sql_done(row);
		if (chunk == 0)
			return 0;
		int64_t body = ids_owner(chunk);

		row = sql_ask(w->sql, SQL_BODY_OWNER, "i", body);
		owner = row ? sql_next(w->sql, row) : -1;
		if (owner < 0)
			return -1;
		if (owner > 0)
			sql_done(row);
		else if (sql_run(w->sql, SQL_DROP_CHUNKS, "ii", ids_first(body), ids_last(body)) <
			 0)
			return -1;
		from = ids_last(body) + 1;
	}
}

static int skip_numbers(struct writer *w)
{
	if (w->skip <= 0)
		return 0;
	w->last_message += w->skip;
	w->last_delivery += w->skip;
	return note_numbers(w);
}

static int recover(struct writer *w)
{
	if (jump_begin(w) < 0 || read_numbers(w) < 0 || skip_numbers(w) < 0 ||
	    sweep_bodies(w) < 0 || count_all(w) < 0)
		return -1;
	return take_back(w);
}

static int read_paused(struct store *s)
{
	struct sqlite3_stmt *row = sql_ask(s->writer.sql, SQL_PAUSED, "");
	int got = row ? 0 : -1;

	while (row && (got = sql_next(s->writer.sql, row)) > 0)
		paused_set(s, (const char *)sqlite3_column_text(row, 0),
			   (const char *)sqlite3_column_text(row, 1));
	return got;
}

static bool is_large(const struct store *s)
{
	struct stat st;

	return stat(s->path, &st) == 0 && st.st_size >= LARGE_BYTES;
}

static int open_once(struct store *s, struct failure *f)
{
	struct writer *w = &s->writer;

	if (state_file(s->path, f) < 0 || sql_open(s->path, WAIT_MS, &w->sql, f) < 0)
		return -1;
	s->check_later = is_large(s) && note_is_there(w->sql);
	if ((!s->check_later && check_integrity(w->sql, s->path, f) < 0) ||
	    schema_migrate(w->sql, s->path, f) < 0 || writer_now(w, recover, f) < 0)
		return -1;
	if (read_number(w->sql, SQL_LAST_BODY, "", NULL, &s->last_body) < 0 || read_paused(s) < 0)
		return sql_failed(w->sql, f);
	sql_checkpoint(w->sql, 1);
	return sql_open(s->path, WAIT_MS, &s->reader.sql, f);
}

/* On a disk that is full, once more with what was kept in reserve. */
static int open_database(struct store *s, struct failure *f)
{
	struct writer *w = &s->writer;

	if (open_once(s, f) == 0)
		return 0;
	if (f->kind != FAILURE_LATER || !reserve_is_wanted(&w->reserve) ||
	    !reserve_release(&w->reserve))
		return -1;
	writer_clear(w);
	counts_clear(&s->counts);
	counts_init(&s->counts);
	return open_once(s, f);
}

/* Damage found while it is in use: nothing is written to it any more. */
static void looked_over(void *ctx, const struct check_result *result)
{
	struct store *s = ctx;
	struct failure f;

	if (!result->damage)
		return;
	damaged(s->path, result->damage, &f);
	log_error(NULL, "%s", f.text);
	writer_refuse(&s->writer, &f);
}

int store_open(struct loop *loop, const struct store_options *options, struct store **ret,
	       struct failure *f)
{
	AUTO(store_close) struct store *s = xcalloc(1, sizeof(*s));

	s->loop = loop;
	s->lock_fd = -1;
	s->path = xprintf("%s/queue.db", options->directory);
	s->writer.counts = &s->counts;
	s->writer.lease_ms = options->lease_ms;
	s->writer.skip = options->skip;
	counts_init(&s->counts);
	if (state_lock(options->directory, &s->lock_fd, f) < 0)
		return -1;
	reserve_init(&s->writer.reserve, options->directory, s->path);
	if (open_database(s, f) < 0)
		return -1;
	writer_start(&s->writer, loop);
	reader_start(&s->reader, loop);
	s->is_open = true;
	if (s->check_later)
		store_check(s, looked_over, s);
	*ret = TAKE(s);
	return 0;
}

/* Without its note, the next opening counts again. */
static void end_well(struct store *s)
{
	struct failure f;

	if (!s->is_open || writer_is_refused(&s->writer))
		return;
	if (writer_now(&s->writer, jump_note, &f) < 0)
		log_debug(NULL, "%s", f.text);
	sql_checkpoint(s->writer.sql, 1);
	if (is_large(s) && writer_now(&s->writer, note_end, &f) < 0)
		log_debug(NULL, "%s", f.text);
}

/* The writer goes first: what its callbacks ask to read is still read. */
void store_close(struct store *s)
{
	if (!s)
		return;
	atomic_store(&s->closing, true);
	worker_free(s->checker);
	writer_stop(&s->writer);
	end_well(s);
	writer_clear(&s->writer);
	reserve_clear(&s->writer.reserve);
	reader_clear(&s->reader);
	counts_clear(&s->counts);
	paused_clear(s);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s->path);
	free(s);
}

const char *store_instance(const struct store *s)
{
	return s->writer.instance;
}

int64_t store_lease_ms(const struct store *s)
{
	return s->writer.lease_ms;
}

int64_t store_new_body(struct store *s)
{
	return ++s->last_body;
}
