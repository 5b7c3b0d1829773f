/* queue/arena.c - bump allocation in blocks that double; a large piece gets a
 * block of its own behind the one in use. */
#include "queue/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

#define FIRST_BYTES 1000
#define LARGEST_BYTES (64 * 1024)

struct arena_block {
	struct arena_block *next;
	size_t size, used;
	alignas(max_align_t) char bytes[];
};

static struct arena_block *block_new(size_t size)
{
	struct arena_block *b = xmalloc(sizeof(*b) + size);

	*b = (struct arena_block){.size = size};
	return b;
}

static struct arena_block *block_for(struct arena *a, size_t size)
{
	struct arena_block *first = a->blocks;
	size_t usual = first ? first->size * 2 : FIRST_BYTES;

	if (first && first->size - first->used >= size)
		return first;
	if (usual > LARGEST_BYTES)
		usual = LARGEST_BYTES;
	struct arena_block *b = block_new(size > usual ? size : usual);

	if (first && size > usual) {
		b->next = first->next;
		first->next = b;
	} else {
		b->next = first;
		a->blocks = b;
	}
	return b;
}

static void *take(struct arena *a, size_t size, size_t align)
{
	struct arena_block *b = a->blocks;

	if (b)
		b->used = (b->used + align - 1) & ~(align - 1);
	if (b && b->used > b->size)
		b->used = b->size;
	b = block_for(a, size);
	void *taken = b->bytes + b->used;

	b->used += size;
	return taken;
}

void *arena_take(struct arena *a, size_t size)
{
	return memset(take(a, size, alignof(max_align_t)), 0, size);
}

void *arena_copy(struct arena *a, const void *bytes, size_t len)
{
	if (!bytes)
		return NULL;
	char *copy = take(a, len + 1, 1);

	memcpy(copy, bytes, len);
	copy[len] = '\0';
	return copy;
}

char *arena_text(struct arena *a, const char *text)
{
	return text ? arena_copy(a, text, strlen(text)) : NULL;
}

void arena_join(struct arena *a, struct arena *more)
{
	struct arena_block **end = &a->blocks;

	while (*end)
		end = &(*end)->next;
	*end = more->blocks;
	more->blocks = NULL;
}

void arena_clear(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *b = a->blocks;

		a->blocks = b->next;
		free(b);
	}
}
