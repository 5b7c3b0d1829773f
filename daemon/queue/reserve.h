/* queue/reserve.h - room on the disk for what is already promised. New messages are
 * refused while there is less than the queue needs to deliver, write down and forget
 * what it holds; and a file stands by that is given up when others fill the disk.
 *
 * What is needed: a write-ahead log of its usual length, and in the database what the
 * deliveries that are not over will add. A log that has its length is written over
 * again and needs nothing, and so does what goes to free pages of the database. Belongs
 * to the writer's thread. */
#ifndef NUNCIO_QUEUE_RESERVE_H
#define NUNCIO_QUEUE_RESERVE_H
#include <stdbool.h>
#include <stdint.h>

struct reserve {
	char *directory, *database, *file, *log; /* owned; paths */
	int64_t log_bytes;  /* of a log of its usual length, and how large the file is to be */
	int64_t held_bytes; /* how large the file is */
	int64_t next_try_ms;
};

/* The directory must be there, the database in it need not. A small disk has a short log. */
void reserve_init(struct reserve *r, const char *directory, const char *database);
void reserve_clear(struct reserve *r);          /* the file stays */
int reserve_log_pages(const struct reserve *r); /* the log is moved when it has so many */

struct reserve_use {
	int64_t waiting;        /* deliveries that are not over */
	int64_t database_bytes; /* with what is only in the log so far */
	int64_t free_bytes;     /* of them, in free pages */
	int64_t log_used;       /* bytes of the log that are not moved yet */
};
/* How many bytes new messages may take now; below 0: none. Maybe less than there are. */
int64_t reserve_room(const struct reserve *r, const struct reserve_use *use);
/* What it would be if the log needed all its length and the database had no free page,
 * and grew by all that is in the log: asks only the disk. */
int64_t reserve_room_least(const struct reserve *r, int64_t waiting, int64_t log_used);

/* Makes the file again, or larger, where there is room for it; at most once a second. */
void reserve_keep(struct reserve *r, int64_t log_used);
/* Is so little left on the disk that a small write may fail? */
bool reserve_is_wanted(const struct reserve *r);
/* The disk is full: gives it up. false: there was nothing to give. */
bool reserve_release(struct reserve *r);
#endif
