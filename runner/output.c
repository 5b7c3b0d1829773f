/* runner/output.c - decides which bytes of an output are kept: head and tail. */
#include "output.h"

#include <errno.h>
#include <unistd.h>

void output_init(struct output *o, int fd, size_t max)
{
	*o = (struct output){.fd = fd, .max = max, .head = max / 2, .oldest = max / 2};
}

static void write_at(struct output *o, const char *bytes, size_t len, size_t offset)
{
	while (len && !o->error) {
		ssize_t wrote = pwrite(o->fd, bytes, len, (off_t)offset);

		if (wrote < 0 && errno != EINTR)
			o->error = errno;
		if (wrote <= 0)
			continue;
		bytes += wrote;
		len -= (size_t)wrote;
		offset += (size_t)wrote;
		if (offset > o->len)
			o->len = offset;
	}
}

/* One stretch that does not wrap; returns how much of it that was. */
static size_t add_some(struct output *o, const char *bytes, size_t len)
{
	size_t at = o->len < o->max ? o->len : o->oldest;
	size_t room = o->max - at;
	size_t some = len < room ? len : room;

	write_at(o, bytes, some, at);
	if (at == o->oldest && o->len == o->max && o->total >= o->max)
		o->oldest = at + some == o->max ? o->head : at + some;
	o->total += some;
	return some;
}

void output_add(struct output *o, const char *bytes, size_t len)
{
	if (o->fd < 0 || o->max < 2) {
		o->total += len;
		return;
	}
	while (len && !o->error) {
		size_t some = add_some(o, bytes, len);

		bytes += some;
		len -= some;
	}
	o->total += len;
}

int output_finish(struct output *o)
{
	int done = o->fd < 0 ? 0 : fdatasync(o->fd);

	if (o->fd >= 0)
		close(o->fd);
	o->fd = -1;
	if (o->head > o->len)
		o->head = o->len;
	if (o->oldest > o->len)
		o->oldest = o->len;
	return done;
}

static int read_at(int fd, char *bytes, size_t len, size_t offset)
{
	while (len) {
		ssize_t n = pread(fd, bytes, len, (off_t)offset);

		if (n == 0)
			errno = EIO;
		if (n == 0 || (n < 0 && errno != EINTR))
			return -1;
		if (n < 0)
			continue;
		bytes += n;
		len -= (size_t)n;
		offset += (size_t)n;
	}
	return 0;
}

int output_read(int fd, size_t head, size_t oldest, char *bytes, size_t len)
{
	if (head > len || oldest < head || oldest > len) {
		errno = EINVAL;
		return -1;
	}
	size_t newest = len - oldest;

	if (read_at(fd, bytes, head, 0) < 0 || read_at(fd, bytes + head, newest, oldest) < 0)
		return -1;
	return read_at(fd, bytes + head + newest, oldest - head, head);
}
