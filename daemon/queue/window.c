/* queue/window.c - decides by how much the window grows. */
#include "queue/window.h"

#define PER_SESSION 4
#define LEAST 16
#define MOST 256

void window_init(struct window *w, unsigned concurrency)
{
	size_t n = (size_t)concurrency * PER_SESSION;

	if (n < LEAST)
		n = LEAST;
	*w = (struct window){.least = n < MOST ? n : MOST};
	window_shrink(w);
}

void window_shrink(struct window *w)
{
	w->size = w->least;
}

void window_claimed(struct window *w)
{
	if (w->starved)
		w->size = w->size < MOST / 2 ? w->size * 2 : MOST;
	w->starved = false;
}
