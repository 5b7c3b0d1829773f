/* queue/store_note.h - what a large store writes down when it ends well, so that its
 * next opening need not count: the counters. The note is taken out when it is read, so
 * that none outlives what it is of. */
#ifndef NUNCIO_QUEUE_STORE_NOTE_H
#define NUNCIO_QUEUE_STORE_NOTE_H
#include <stdbool.h>
struct sql;
struct writer;

/* Both in a transaction. Taken: the counters are as they were. */
int note_end(struct writer *w);
int note_take(struct writer *w, bool *ret_taken);
/* Of a database that may be without tables, or damaged. */
bool note_is_there(struct sql *sql);
#endif
