/* common/buf.c - growing and draining without ever copying a byte more than a
 * constant number of times. What the bytes mean is for others. */
#include "buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "secret.h"

enum { BUF_FIRST_SIZE = 256 };

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void buf_clear(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

void buf_wipe(struct buf *b)
{
	secret_wipe(b->data, b->allocated);
	buf_clear(b);
}

static void move_to_front(struct buf *b)
{
	if (b->start)
		memmove(b->data, b->data + b->start, b->len);
	b->start = 0;
}

static size_t tail_room(const struct buf *b)
{
	return b->allocated - b->start - b->len;
}

/* Moving costs no more than was drained before; growing doubles. */
static void make_room(struct buf *b, size_t size)
{
	if (tail_room(b) >= size)
		return;
	if (b->start >= b->len)
		move_to_front(b);
	if (tail_room(b) >= size)
		return;
	move_to_front(b);
	size_t needs = b->len + size;
	size_t allocated = needs > SIZE_MAX / 2 ? needs : 2 * needs;

	if (allocated < BUF_FIRST_SIZE)
		allocated = BUF_FIRST_SIZE;
	if (allocated > b->max && needs <= b->max + 1)
		allocated = b->max + 1;
	b->data = xrealloc(b->data, allocated);
	b->allocated = allocated;
}

char *buf_room(struct buf *b, size_t len)
{
	if (len > b->max - b->len || len > SIZE_MAX / 4)
		return NULL;
	make_room(b, len + 1);
	return b->data + b->start + b->len;
}

void buf_wrote(struct buf *b, size_t len)
{
	assert(len < b->allocated - b->start - b->len);
	b->len += len;
	b->data[b->start + b->len] = '\0';
}

int buf_add(struct buf *b, const void *bytes, size_t len)
{
	char *room = buf_room(b, len);

	if (!room)
		return -1;
	if (len)
		memcpy(room, bytes, len);
	buf_wrote(b, len);
	return 0;
}

int buf_add_text(struct buf *b, const char *text)
{
	return buf_add(b, text, strlen(text));
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	char *room = len < 0 ? NULL : buf_room(b, (size_t)len);

	if (!room)
		return -1;
	va_start(args, fmt);
	vsnprintf(room, (size_t)len + 1, fmt, args);
	va_end(args);
	buf_wrote(b, (size_t)len);
	return 0;
}

const char *buf_bytes(const struct buf *b)
{
	return b->data ? b->data + b->start : "";
}

void buf_drain(struct buf *b, size_t len)
{
	assert(len <= b->len);
	b->len -= len;
	b->start = b->len ? b->start + len : 0;
	if (b->data)
		b->data[b->start + b->len] = '\0';
}

char *buf_take(struct buf *b, size_t *ret_len)
{
	size_t len = b->len;
	char *bytes;

	if (b->data) {
		move_to_front(b);
		b->data[len] = '\0';
		bytes = b->data;
	} else {
		bytes = xstrdup("");
	}
	if (ret_len)
		*ret_len = len;
	buf_init(b, b->max);
	return bytes;
}
