/* queue/sql.h - one connection to the queue's database: opened with our
 * settings, its statements prepared once, its errors said as failures. The
 * statements themselves are in store_sql.c. Belongs to one thread at a time. */
#ifndef NUNCIO_QUEUE_SQL_H
#define NUNCIO_QUEUE_SQL_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "auto.h"
#include "queue/store_sql.h"
struct failure;
struct sql;
struct sqlite3_stmt;

/* path must exist. wait_ms: how long to wait for another process's lock. */
int sql_open(const char *path, unsigned wait_ms, struct sql **ret, struct failure *f);
void sql_close(struct sql *sql); /* NULL is fine */
/* A statement under way fails soon after *end was set. */
void sql_end_on(struct sql *sql, atomic_bool *end);
AUTO_DEFINE(struct sql, sql_close)
/* Several statements that answer nothing. */
int sql_script(struct sql *sql, const char *text, struct failure *f);
/* The first column of the first row of one statement, as text; "" when there is none. */
int sql_word(struct sql *sql, const char *text, char *ret, size_t size, struct failure *f);

/* What follows returns -1 on an error, which sql_failed() says; it stays until then.
 * types has a letter for each parameter: i int64_t, t text or NULL, b const void * and
 * size_t. What is bound must live until the statement is done. */
int sql_run(struct sql *sql, enum statement which, const char *types, ...);
int64_t sql_all_changes(const struct sql *sql); /* of rows, since it was opened */
int64_t sql_changes(const struct sql *sql);     /* rows that the last sql_run() changed */
int64_t sql_last_id(const struct sql *sql);     /* of the last row put */
/* The statement with its parameters bound, for sql_next(); NULL on an error. One that
 * is not read to its end is given to sql_done(). */
struct sqlite3_stmt *sql_ask(struct sql *sql, enum statement which, const char *types, ...);
int sql_next(struct sql *sql, struct sqlite3_stmt *row); /* 1: a row; 0: no more */
void sql_done(struct sqlite3_stmt *row);

int sql_begin(struct sql *sql);      /* to write, at once */
int sql_begin_look(struct sql *sql); /* to read: all of it as it is at the first look */
int sql_commit(struct sql *sql);
void sql_rollback(struct sql *sql); /* fine when SQLite already did */
/* Moves the log into the database when it has grown to many pages. Trouble is
 * no matter: the next one moves it. */
void sql_checkpoint(struct sql *sql, int pages);
int sql_log_pages(const struct sql *sql); /* that are to be moved yet, as far as is known */

/* Fills *f from the last error and returns -1: LATER for what may pass (locked by
 * another process, disk full, input/output), SETUP for what needs hands. */
int sql_failed(const struct sql *sql, struct failure *f);
bool sql_is_full(const struct sql *sql); /* was the last error a full disk? */
#endif
