/* queue/store_change.h - the one function that changes a delivery's state. */
#ifndef NUNCIO_QUEUE_STORE_CHANGE_H
#define NUNCIO_QUEUE_STORE_CHANGE_H
#include "queue/events.h"
#include "queue/store.h"
struct sqlite3_stmt;
struct writer;

struct change {
	struct delivery_change to;
	uint32_t uid;
	const char *recipient, *route;
	int64_t bundle;   /* the delivery it stands with; its own: others go along with it */
	int64_t fallback; /* as in delivery_row */
	bool alone;       /* an operator's deed, on it and on nothing that goes along */
	bool follows;     /* it goes along */
	bool is_told;     /* by the caller */
	bool fresh_life;  /* it expires anew, as long after as it once was given */
	int64_t event;    /* the event's number, when it was done */
};
/* Changes the row by compare-and-set, writes the event, keeps the message's count
 * of live deliveries and the counters; tells in events, which may be NULL. Those that go
 * by the same text follow, and are told in events.
 * 1: done; 0: the row was not as it should be; -1: the database failed. */
int change_state(struct writer *w, struct change *change, struct events *events);

/* Deliveries read before any is changed, for who changes many at once. */
struct subjects {
	struct arena texts;
	struct change *rows; /* owned; to: what it is, attempt_no and new_attempt the present one */
	size_t n, allocated;
};
/* From a statement with SUBJECT_COLUMNS, to its end: NULL and -1 like sql_next(). */
int subjects_read(struct subjects *s, struct writer *w, struct sqlite3_stmt *row);
struct change *subjects_add(struct subjects *s);
void subjects_clear(struct subjects *s);

/* Takes claimed rows back whose attempt nobody will report on: mail waits again, a
 * text may be out and is uncertain. */
int subjects_take_back(struct subjects *s, struct writer *w, int64_t now_ms, struct events *events);
#endif
