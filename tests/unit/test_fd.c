/* Bytes into descriptors, and descriptors over a socket. */
#include "fd.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "expect.h"

enum { MUCH = 1024 * 1024 };

static void *read_much(void *fd)
{
	static char bytes[4096];
	size_t all = 0;
	ssize_t n;

	while ((n = read(*(int *)fd, bytes, sizeof(bytes))) > 0)
		all += (size_t)n;
	return (void *)all;
}

TEST(more_than_a_pipe_holds_is_written)
{
	int ends[2];
	void *all;
	pthread_t reader;
	char *bytes = calloc(1, MUCH);

	expect_int(pipe(ends), 0);
	expect_int(pthread_create(&reader, NULL, read_much, &ends[0]), 0);
	expect_int(fd_write(ends[1], bytes, MUCH), 0);
	close(ends[1]);
	expect_int(pthread_join(reader, &all), 0);
	expect_int((size_t)all, MUCH);
	close(ends[0]);
	free(bytes);
}

TEST(nobody_reads)
{
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	expect_int(pipe(ends), 0);
	close(ends[0]);
	expect_int(fd_write(ends[1], "x", 1), -1);
	expect_int(errno, EPIPE);
	close(ends[1]);
}

/* What came with one byte: the descriptors, in their order. */
static size_t receive(int socket, int *fds, size_t size)
{
	char byte;
	char control[CMSG_SPACE(FDS_SENT_MAX * sizeof(int))] __attribute__((aligned(16)));
	struct iovec place = {&byte, 1};
	struct msghdr message = {.msg_iov = &place,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};

	expect_int(recvmsg(socket, &message, 0), 1);
	const struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	size_t bytes = c ? c->cmsg_len - CMSG_LEN(0) : 0;

	expect_true(bytes <= size * sizeof(int));
	if (c)
		memcpy(fds, CMSG_DATA(c), bytes);
	return bytes / sizeof(int);
}

TEST(descriptors_go_along_in_their_order)
{
	int ends[2], sent[FDS_SENT_MAX], came[FDS_SENT_MAX];

	expect_int(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	for (int i = 0; i < FDS_SENT_MAX; i++) {
		char name = (char)i;
		int pipes[2];

		expect_int(pipe(pipes), 0);
		expect_int(write(pipes[1], &name, 1), 1);
		close(pipes[1]);
		sent[i] = pipes[0];
	}
	expect_int(fd_send(ends[0], "a", 1, sent, FDS_SENT_MAX, 0), 1);
	expect_int(fd_send(ends[0], "b", 1, sent, 0, 0), 1);
	expect_int(receive(ends[1], came, FDS_SENT_MAX), FDS_SENT_MAX);
	for (int i = 0; i < FDS_SENT_MAX; i++) {
		char name;

		expect_int(read(came[i], &name, 1), 1);
		expect_int(name, (char)i);
		close(came[i]);
		close(sent[i]);
	}
	expect_int(receive(ends[1], came, FDS_SENT_MAX), 0);
	close(ends[1]);
	expect_int(fd_send(ends[0], "c", 1, NULL, 0, MSG_DONTWAIT), -1);
	expect_int(errno, EPIPE);
	close(ends[0]);
}

RUN_TESTS()
