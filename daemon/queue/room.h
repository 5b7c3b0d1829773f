/* queue/room.h - what the files behind queue.h (queue.c, intake.c, operate.c,
 * sweeper.c) show each other, and nobody else. */
#ifndef NUNCIO_QUEUE_ROOM_H
#define NUNCIO_QUEUE_ROOM_H
#include "base/deadline.h"
#include "queue/queue.h"

/* What waits for the store's answer: that may come after the queue is gone, and
 * then is told to nobody. Embedded first in its object. */
struct pending {
	struct queue *queue;                 /* NULL: gone */
	void (*orphaned)(struct pending *p); /* the queue is about to go; NULL: never mind */
	struct pending *next, **link;        /* of the queue */
};
void pending_add(struct queue *q, struct pending *p);
void pending_remove(struct pending *p); /* fine when the queue is gone, and twice */

void queue_tell(struct queue *q, const struct event_row *events, size_t n);
/* Something on this route (NULL: on any) may be due. */
void queue_poke(struct queue *q, const char *route);
void queue_standby(struct queue *q); /* some stand by, or stand by anew */
void queue_paused(struct queue *q, const char *transport, const char *reason); /* it is on disk */
/* Do texts of it wait for the next day? */
bool queue_is_capped(const struct queue *q, const char *name);
bool queue_has_transport(const struct queue *q, const char *name);
struct loop *queue_loop(struct queue *q);

/* Expires what waits too long, forgets what is over: every minute, by itself. */
struct sweeper {
	struct queue *queue;
	struct deadline next;
	const struct config *config; /* the queue's; NULL before the first */
	int64_t trimmed_ms;          /* memory; by the monotonic clock */
	bool failing;                /* said once */
};
void sweeper_init(struct sweeper *s, struct queue *q);
void sweeper_start(struct sweeper *s, const struct config *config); /* now; or: it changed */
void sweeper_clear(struct sweeper *s);
#endif
