/* queue/store_schema.h - the tables, and the steps from each version of them
 * to the next. */
#ifndef NUNCIO_QUEUE_STORE_SCHEMA_H
#define NUNCIO_QUEUE_STORE_SCHEMA_H
struct failure;
struct sql;

/* Brings the database to the present version. FAILURE_SETUP: a newer nuncio's, or
 * not nuncio's at all. */
int schema_migrate(struct sql *sql, const char *path, struct failure *f);
#endif
