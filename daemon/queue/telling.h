/* queue/telling.h - the operator is to hear of something: who that is, and which transports
 * work that lead there. */
#ifndef NUNCIO_QUEUE_TELLING_H
#define NUNCIO_QUEUE_TELLING_H
#include "queue/bulletin.h"

#define TELLING_MAX 50

/* What can be told to whom, and by which transports. */
struct telling {
	struct queue *queue;
	const struct config *config;
	const char *except;       /* the transport it is about, or NULL */
	const char *mail, *texts; /* a transport that works, or NULL */
	bool possible;            /* one that is down now could */
	struct bulletin_to to[TELLING_MAX];
	size_t n;
};
/* queue, config and except are given. true: there is somebody to tell, and a way to them now. */
bool telling_find(struct telling *t);
#endif
