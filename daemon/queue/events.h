/* queue/events.h - a growing list of event rows with their texts, on its way
 * from the store's threads to a callback. */
#ifndef NUNCIO_QUEUE_EVENTS_H
#define NUNCIO_QUEUE_EVENTS_H
#include "queue/arena.h"
#include "queue/store_data.h"

struct events { /* all zero: empty */
	struct arena texts;
	struct event_row *rows; /* owned */
	size_t n, allocated;
};

void events_add(struct events *e, const struct event_row *row); /* its texts are copied */
void events_clear(struct events *e);
#endif
