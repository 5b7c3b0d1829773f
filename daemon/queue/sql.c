/* queue/sql.c - what SQLite is told about safety, memory and waiting, and what
 * its errors mean to an operator. */
#include "queue/sql.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "alloc.h"
#include "failure.h"

#define STEPS_BETWEEN 10000 /* of the virtual machine, looks whether it is to end */

struct sql {
	sqlite3 *db;                           /* owned */
	sqlite3_stmt *statements[NSTATEMENTS]; /* owned; NULL until first used */
	char *path;                            /* owned */
	int error;                             /* errno of the last statement that failed */
	int log_pages;                         /* in the write-ahead log after the last commit */
};

static void configure_library(void)
{
	/* counting its memory takes a lock, and nobody reads the count */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
}

static int log_grew(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct sql *sql = ctx;

	sql->log_pages = pages;
	return SQLITE_OK;
}

static int settings(struct sql *sql, unsigned wait_ms, struct failure *f)
{
	char mode[16];

	sqlite3_busy_timeout(sql->db, (int)wait_ms);
	sqlite3_extended_result_codes(sql->db, 1);
	sqlite3_db_config(sql->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(sql->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(sql->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	/* Some builds write zeros over what is deleted: forgetting needs no room for that,
	 * nor the time. What is written anyway is still wiped. */
	if (sql_script(
		    sql,
		    "PRAGMA secure_delete = fast; PRAGMA page_size = 4096; PRAGMA cache_size = -1024;"
		    "PRAGMA temp_store = memory; PRAGMA mmap_size = 0;"
		    "PRAGMA cell_size_check = on; PRAGMA synchronous = full",
		    f) < 0)
		return -1;
	if (sql_word(sql, "PRAGMA journal_mode = wal", mode, sizeof(mode), f) < 0)
		return -1;
	if (strcmp(mode, "wal") != 0)
		return failure_set(f, FAILURE_SETUP,
				   "%s: this file system can't hold a write-ahead log: choose a "
				   "local one for `state`",
				   sql->path);
	sqlite3_wal_hook(sql->db, log_grew, sql);
	return sql_script(sql, "PRAGMA journal_size_limit = 33554432", f);
}

int sql_open(const char *path, unsigned wait_ms, struct sql **ret, struct failure *f)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	AUTO(sql_close) struct sql *sql = xcalloc(1, sizeof(*sql));

	pthread_once(&once, configure_library);
	sql->path = xstrdup(path);
	if (sqlite3_open_v2(path, &sql->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
			    NULL) != SQLITE_OK)
		return sql_failed(sql, f);
	if (settings(sql, wait_ms, f) < 0)
		return -1;
	*ret = TAKE(sql);
	return 0;
}

void sql_close(struct sql *sql)
{
	if (!sql)
		return;
	for (size_t i = 0; i < NSTATEMENTS; i++)
		sqlite3_finalize(sql->statements[i]);
	sqlite3_close(sql->db);
	free(sql->path);
	free(sql);
}

static int is_to_end(void *end)
{
	return atomic_load((atomic_bool *)end);
}

void sql_end_on(struct sql *sql, atomic_bool *end)
{
	sqlite3_progress_handler(sql->db, STEPS_BETWEEN, is_to_end, end);
}

int sql_script(struct sql *sql, const char *text, struct failure *f)
{
	sql->error = 0;
	if (sqlite3_exec(sql->db, text, NULL, NULL, NULL) != SQLITE_OK)
		return sql_failed(sql, f);
	return 0;
}

int sql_word(struct sql *sql, const char *text, char *ret, size_t size, struct failure *f)
{
	sqlite3_stmt *row;
	int code;

	sql->error = 0;
	if (sqlite3_prepare_v2(sql->db, text, -1, &row, NULL) != SQLITE_OK)
		return sql_failed(sql, f);
	*ret = '\0';
	code = sqlite3_step(row);
	if (code == SQLITE_ROW) {
		const unsigned char *word = sqlite3_column_text(row, 0);

		snprintf(ret, size, "%s", word ? (const char *)word : "");
	}
	sqlite3_finalize(row);
	return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : sql_failed(sql, f);
}

static sqlite3_stmt *statement(struct sql *sql, enum statement which)
{
	sqlite3_stmt **st = &sql->statements[which];

	if (!*st && sqlite3_prepare_v3(sql->db, statement_text(which), -1,
				       SQLITE_PREPARE_PERSISTENT, st, NULL) != SQLITE_OK)
		return NULL;
	return *st;
}

static int bind(sqlite3_stmt *st, const char *types, va_list args)
{
	int code = SQLITE_OK;

	assert((int)strlen(types) == sqlite3_bind_parameter_count(st));
	for (int i = 0; types[i] && code == SQLITE_OK; i++) {
		if (types[i] == 'i') {
			code = sqlite3_bind_int64(st, i + 1, va_arg(args, int64_t));
		} else if (types[i] == 't') {
			code = sqlite3_bind_text(st, i + 1, va_arg(args, const char *), -1,
						 SQLITE_STATIC);
		} else {
			const void *bytes = va_arg(args, const void *);
			size_t len = va_arg(args, size_t);

			code = sqlite3_bind_blob64(st, i + 1, bytes, len, SQLITE_STATIC);
		}
	}
	return code == SQLITE_OK ? 0 : -1;
}

/* SQLite keeps errno of most errors, but not of a commit that fails. */
static int step_on(struct sql *sql, sqlite3_stmt *st)
{
	errno = 0;
	int code = sqlite3_step(st);

	if (code != SQLITE_ROW && code != SQLITE_DONE)
		sql->error = errno ? errno : sqlite3_system_errno(sql->db);
	return code;
}

int sql_run(struct sql *sql, enum statement which, const char *types, ...)
{
	sqlite3_stmt *st = statement(sql, which);
	va_list args;

	if (!st)
		return -1;
	va_start(args, types);
	int bound = bind(st, types, args);
	va_end(args);
	int code = bound < 0 ? SQLITE_ERROR : step_on(sql, st);

	sqlite3_reset(st);
	return code == SQLITE_DONE || code == SQLITE_ROW ? 0 : -1;
}

struct sqlite3_stmt *sql_ask(struct sql *sql, enum statement which, const char *types, ...)
{
	sqlite3_stmt *st = statement(sql, which);
	va_list args;

	if (!st)
		return NULL;
	va_start(args, types);
	int bound = bind(st, types, args);
	va_end(args);
	return bound < 0 ? NULL : st;
}

int sql_next(struct sql *sql, sqlite3_stmt *row)
{
	int code = step_on(sql, row);

	if (code == SQLITE_ROW)
		return 1;
	sqlite3_reset(row);
	return code == SQLITE_DONE ? 0 : -1;
}

void sql_done(sqlite3_stmt *row)
{
	sqlite3_reset(row);
}

int64_t sql_changes(const struct sql *sql)
{
	return sqlite3_changes64(sql->db);
}

int64_t sql_all_changes(const struct sql *sql)
{
	return sqlite3_total_changes64(sql->db);
}

int64_t sql_last_id(const struct sql *sql)
{
	return sqlite3_last_insert_rowid(sql->db);
}

int sql_begin(struct sql *sql)
{
	return sql_run(sql, SQL_BEGIN, "");
}

int sql_begin_look(struct sql *sql)
{
	return sql_run(sql, SQL_BEGIN_LOOK, "");
}

int sql_commit(struct sql *sql)
{
	return sql_run(sql, SQL_COMMIT, "");
}

void sql_rollback(struct sql *sql)
{
	if (!sqlite3_get_autocommit(sql->db))
		sql_run(sql, SQL_ROLLBACK, "");
}

void sql_checkpoint(struct sql *sql, int pages)
{
	int there = 0, moved = 0;

	if (sql->log_pages < pages)
		return;
	if (sqlite3_wal_checkpoint_v2(sql->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &there, &moved) ==
	    SQLITE_OK)
		sql->log_pages = moved < there ? there : 0;
}

int sql_log_pages(const struct sql *sql)
{
	return sql->log_pages;
}

/* A disk can be full in more ways than SQLite counts as such. */
static bool is_full(int code, int error)
{
	return (code & 0xff) == SQLITE_FULL || error == ENOSPC || error == EDQUOT || error == EFBIG;
}

static int system_error(const struct sql *sql)
{
	return sql->error ? sql->error : sqlite3_system_errno(sql->db);
}

static bool is_broken(int code)
{
	return (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_FULL;
}

bool sql_is_full(const struct sql *sql)
{
	int code = sqlite3_extended_errcode(sql->db);

	return is_broken(code) && is_full(code, system_error(sql));
}

int sql_failed(const struct sql *sql, struct failure *f)
{
	int code = sql->db ? sqlite3_extended_errcode(sql->db) : SQLITE_NOMEM;
	int error = sql->db ? system_error(sql) : 0;
	bool broken = is_broken(code);

	if (broken && is_full(code, error))
		return failure_set(f, FAILURE_LATER, "%s: the disk is full", sql->path);
	if (broken)
		return failure_set(f, FAILURE_LATER, "%s: the disk fails: %s (%s)", sql->path,
				   sqlite3_errstr(code), strerror(error));
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return failure_set(f, FAILURE_LATER, "%s: locked by another process", sql->path);
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		/* a row that must be there is not */
	case SQLITE_CORRUPT:
		return failure_set(f, FAILURE_SETUP,
				   "%s is damaged: stop nunciod, then put back a copy or move the "
				   "file away to begin anew",
				   sql->path);
	case SQLITE_NOTADB:
		return failure_set(f, FAILURE_SETUP,
				   "%s is not a database, or damaged at its start: put back a copy "
				   "or move the file away to begin anew",
				   sql->path);
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		return failure_set(f, FAILURE_SETUP, "%s can't be written: %s", sql->path,
				   error ? strerror(error) : sqlite3_errmsg(sql->db));
	default:
		return failure_set(f, FAILURE_LATER, "%s: %s", sql->path,
				   sql->db ? sqlite3_errmsg(sql->db) : "out of memory");
	}
}
