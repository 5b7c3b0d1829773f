/* queue/bulletin.h - a message of the daemon's own, to people it was told to tell. Its
 * envelope sender is the null one: whatever becomes of it, nobody is told of that. */
#ifndef NUNCIO_QUEUE_BULLETIN_H
#define NUNCIO_QUEUE_BULLETIN_H
#include <stdbool.h>
#include <stddef.h>
struct address;
struct config;
struct queue;

struct bulletin_to {
	const char *recipient;      /* ASCII address, or number */
	const struct address *mail; /* to show in To; NULL: it is a number */
	const char *route;
};
/* Everything given is copied. That it could not be queued is logged. key: or NULL; another one
 * with the same is not sent as long as that one is kept. */
void bulletin_send(struct queue *q, const struct config *config, const char *key,
		   const char *subject, const char *text, const struct bulletin_to *to, size_t n);
#endif
