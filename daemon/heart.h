/* heart.h - shows the service manager that the daemon lives: a watchdog's ping,
 * and a status line with counts. */
#ifndef NUNCIO_HEART_H
#define NUNCIO_HEART_H
#include "base/deadline.h"
struct engine;
struct queue;

/* Embedded in the daemon. */
struct heart {
	struct queue *queue;
	struct engine *engine;
	struct deadline beat;
	int64_t every_ms;
	unsigned awaited; /* answers of the store; none is left after store_close() */
	bool stopped;
	char complaint[160]; /* shown until it is taken back, or "" */
	char status[240];    /* as the manager knows it */
};
/* Begins to beat, where a manager listens. */
void heart_start(struct heart *h, struct loop *loop, struct queue *queue, struct engine *engine);
void heart_complain(struct heart *h, const char *complaint); /* NULL: all is well again */
const char *heart_status(const struct heart *h);             /* as last known */
void heart_stop(struct heart *h); /* before queue and engine go; fine when it never started */
#endif
