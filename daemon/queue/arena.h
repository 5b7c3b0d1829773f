/* queue/arena.h - many small copies that live and die together: the texts of a
 * batch, the rows of an answer. What may go in is bounded by who fills it. */
#ifndef NUNCIO_QUEUE_ARENA_H
#define NUNCIO_QUEUE_ARENA_H
#include <stddef.h>

struct arena_block;
struct arena {                      /* all zero: empty */
	struct arena_block *blocks; /* owned; the newest first */
};

void *arena_take(struct arena *a, size_t size);                   /* zeroed, for any type */
void *arena_copy(struct arena *a, const void *bytes, size_t len); /* a NUL behind; NULL for NULL */
char *arena_text(struct arena *a, const char *text);              /* NULL for NULL */
void arena_join(struct arena *a, struct arena *more);             /* more is empty then */
void arena_clear(struct arena *a);
#endif
