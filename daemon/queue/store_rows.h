/* queue/store_rows.h - rows of statements as the contract's structs. Their texts
 * are SQLite's, and live until the statement moves on. */
#ifndef NUNCIO_QUEUE_STORE_ROWS_H
#define NUNCIO_QUEUE_STORE_ROWS_H
#include "queue/arena.h"
#include "queue/store_data.h"
struct sqlite3_stmt;

/* How many columns each takes, beginning with at. */
#define DELIVERY_NCOLUMNS 19
#define MESSAGE_NCOLUMNS 14
void row_delivery(struct sqlite3_stmt *row, int at, struct delivery_row *ret);
void row_message(struct sqlite3_stmt *row, int at, struct message_row *ret);
const char *row_text(struct sqlite3_stmt *row, int column); /* NULL for NULL */

/* Their texts move into the arena. */
void keep_delivery(struct arena *a, struct delivery_row *d);
void keep_message(struct arena *a, struct message_row *m);
#endif
