/* queue/window.h - how many messages are claimed ahead for a transport: few, so that most
 * can still be called back; more where it is faster than claims come. Pure. */
#ifndef NUNCIO_QUEUE_WINDOW_H
#define NUNCIO_QUEUE_WINDOW_H
#include <stdbool.h>
#include <stddef.h>

struct window {
	size_t size, least;
	bool starved; /* a parcel was asked for while a claim was under way */
};
void window_init(struct window *w, unsigned concurrency);
void window_shrink(struct window *w);  /* to what it began with */
void window_claimed(struct window *w); /* a claim came: it grows if it starved */
#endif
