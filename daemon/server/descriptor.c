/* server/descriptor.c - decides which descriptors may be read. A file that its
 * sender can still change, or that lies where reading may wait, is none: the
 * seals prove that it is memory and stays as it is. */
#include "server/descriptor.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "failure.h"

#define SEALS_NEEDED (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

void descriptors_clear(struct descriptors *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->fds[i] >= 0)
			close(d->fds[i]);
	d->n = 0;
}

/* Keeps what there is room for, closes the rest. Returns how many were closed. */
static size_t keep(struct descriptors *d, struct cmsghdr *c)
{
	size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int), closed = 0;

	for (size_t i = 0; i < n; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
		if (d->n < DESCRIPTORS_MAX) {
			d->fds[d->n++] = fd;
			continue;
		}
		close(fd);
		closed++;
	}
	return closed;
}

ssize_t descriptors_read(struct descriptors *d, int fd, void *bytes, size_t len, struct failure *f)
{
	char control[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))] __attribute__((aligned(16)));
	struct iovec place = {.iov_base = bytes, .iov_len = len};
	struct msghdr message = {.msg_iov = &place,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	size_t closed = 0;

	if (n < 0)
		return -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			closed += keep(d, c);
	if (closed || message.msg_flags & MSG_CTRUNC)
		return failure_set(f, FAILURE_REFUSED, "at most %d descriptors may wait.",
				   DESCRIPTORS_MAX);
	return n;
}

static size_t declared_by(json_t *holder)
{
	json_t *number = json_object_get(holder, "descriptor");
	json_int_t value = json_integer_value(number);

	if (!json_is_integer(number) || value < 0)
		return 0;
	return value < DESCRIPTORS_MAX ? (size_t)value + 1 : DESCRIPTORS_MAX + 1;
}

size_t descriptors_declared(json_t *parameters)
{
	size_t most = declared_by(parameters), i;
	json_t *attachment;

	json_array_foreach(json_object_get(parameters, "attachments"), i, attachment)
	{
		size_t n = declared_by(attachment);

		most = n > most ? n : most;
	}
	return most;
}

int descriptors_take(struct descriptors *d, size_t n, struct descriptors *to, struct failure *f)
{
	if (n > d->n)
		return failure_set(f, FAILURE_REFUSED,
				   "the request declares %zu descriptors, %zu came with it.", n,
				   d->n);
	memcpy(to->fds, d->fds, n * sizeof(int));
	to->n = n;
	d->n -= n;
	memmove(d->fds, d->fds + n, d->n * sizeof(int));
	return 0;
}

int descriptor_open(struct descriptors *d, size_t number, int *ret_fd, uint64_t *ret_size,
		    struct failure *f)
{
	struct stat about;

	if (number >= d->n || d->fds[number] < 0)
		return failure_set(f, FAILURE_REFUSED, "descriptor %zu is used twice.", number);
	int seals = fcntl(d->fds[number], F_GET_SEALS);
	if (seals < 0 || (seals & SEALS_NEEDED) != SEALS_NEEDED)
		return failure_set(f, FAILURE_REFUSED,
				   "descriptor %zu is not a memfd sealed with F_SEAL_WRITE, "
				   "F_SEAL_SHRINK and F_SEAL_GROW.",
				   number);
	if (fstat(d->fds[number], &about) < 0)
		return failure_set(f, FAILURE_REFUSED, "descriptor %zu can't be asked its size.",
				   number);
	*ret_fd = d->fds[number];
	*ret_size = (uint64_t)about.st_size;
	d->fds[number] = -1;
	return 0;
}
