/* queue/store_room.h - the store as its own files see it, and nobody else. */
#ifndef NUNCIO_QUEUE_STORE_ROOM_H
#define NUNCIO_QUEUE_STORE_ROOM_H
#include <stdatomic.h>
#include "queue/reader.h"
#include "queue/store.h"
#include "queue/store_read.h"
#include "queue/store_work.h"
#include "queue/writer.h"
struct batch;

#define STORE_PAGE_BYTES 4096 /* as sql.c sets it */

struct store {
	struct loop *loop;
	char *path;  /* owned; of the database */
	int lock_fd; /* -1: not held */
	struct writer writer;
	struct reader reader;
	struct worker *checker; /* owned; NULL until a check is asked for */
	struct counts counts;
	atomic_bool closing; /* a check under way ends early */
	bool check_later;    /* it is open before it was looked over */
	bool is_open;
	int64_t last_body;     /* number given */
	struct paused *paused; /* owned, of npaused */
	size_t npaused;
	const char **paused_names, **paused_reasons; /* owned; of paused, for who asks */
};
struct paused {
	char *transport, *reason; /* owned */
};

/* store_sweep.c: the last numbers given, so that none is given twice. */
int note_numbers(struct writer *w);

/* What is kept of the table `paused`. */
void paused_set(struct store *s, const char *transport, const char *reason /* NULL: resumed */);
void paused_follow(struct store *s, const struct batch *batch); /* which is on disk */
void paused_clear(struct store *s);
#endif
