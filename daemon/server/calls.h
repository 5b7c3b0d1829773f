/* server/calls.h - the calls of one connection, in the order of its requests, and
 * their answers in the same order. */
#ifndef NUNCIO_SERVER_CALLS_H
#define NUNCIO_SERVER_CALLS_H
#include <stdbool.h>
#include <stddef.h>
struct buf;
struct call;

struct calls {
	struct call *first, **tail; /* owned, by .next */
	unsigned n;
};
void calls_init(struct calls *c);
void calls_clear(struct calls *c);
void calls_add(struct calls *c, struct call *call); /* owned from now on */
/* Moves answers to out, as long as it holds less than enough; NULL: nobody reads
 * them. Calls that have said all are freed. */
void calls_speak(struct calls *c, struct buf *out, size_t enough);
/* Lets go of what the answered ones were asked with, whoever reads the answers. */
void calls_shed(struct calls *c);
/* Calls the unanswered ones' stop(): all, or those that stream. */
void calls_stop(struct calls *c, bool all);
size_t calls_unread(const struct calls *c);  /* bytes of answers that wait here */
size_t calls_asked(const struct calls *c);   /* bytes of their requests */
bool calls_streaming(const struct calls *c); /* does one answer until it is over? */
#endif
