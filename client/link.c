/* client/link.c - see link.h. What the replies mean is the commands' business. */
#include "link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "buf.h"
#include "clock.h"
#include "failure.h"
#include "fd.h"
#include "socket_path.h"

#define SYSTEM_SOCKET "/run/nuncio/nuncio.sock"
#define REPLY_MAX (64 * 1024 * 1024)
#define DESCRIPTORS_MAX 64

struct link {
	int fd;
	struct buf in;
	struct varlink_framer framer;
};

static int dial(const char *path, struct failure *f)
{
	struct sockaddr_un address;

	if (socket_path_address(path, &address, f) < 0)
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return failure_errno(f, FAILURE_LATER, errno, "socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		failure_errno(f, FAILURE_LATER, errno, "no nunciod answers at %s", path);
		close(fd);
		return -1;
	}
	return fd;
}

/* The user's own daemon first, where there is one. */
static int dial_default(struct failure *f)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	int fd;

	if (!runtime)
		return dial(SYSTEM_SOCKET, f);
	AUTO(free) char *path = xprintf("%s/nuncio/nuncio.sock", runtime);
	if ((fd = dial(path, NULL)) >= 0 || (fd = dial(SYSTEM_SOCKET, f)) >= 0)
		return fd;
	return failure_set(f, FAILURE_LATER, "no nunciod answers at %s or at %s", path,
			   SYSTEM_SOCKET);
}

int link_open(const char *path, struct link **ret, struct failure *f)
{
	const char *given = getenv("NUNCIO_SOCKET");

	if (!path && given && *given)
		path = given;
	int fd = path ? dial(path, f) : dial_default(f);
	if (fd < 0)
		return -1;
	struct link *link = xcalloc(1, sizeof(*link));
	link->fd = fd;
	buf_init(&link->in, REPLY_MAX);
	*ret = link;
	return 0;
}

void link_close(struct link *link)
{
	if (!link)
		return;
	close(link->fd);
	buf_clear(&link->in);
	free(link);
}

static int send_all(struct link *link, struct buf *out, const int *fds, size_t n, struct failure *f)
{
	while (out->len > 0) {
		ssize_t sent = fd_send(link->fd, buf_bytes(out), out->len, fds, n, 0);

		if (sent < 0 && errno == EINTR)
			continue;
		/* It may have said why before it closed: the answer is read all the same. */
		if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
			return 0;
		if (sent < 0)
			return failure_errno(f, FAILURE_LATER, errno, "sending the request");
		buf_drain(out, (size_t)sent);
		n = 0;
	}
	return 0;
}

int link_send(struct link *link, const char *method, json_t *parameters, bool more, const int *fds,
	      size_t n, struct failure *f)
{
	struct buf out;
	char full[64];
	int result = -1;

	buf_init(&out, SIZE_MAX / 2);
	snprintf(full, sizeof(full), "io.nuncio.%s", method);
	if (n > DESCRIPTORS_MAX)
		failure_set(f, FAILURE_REFUSED, "at most %d files can go along", DESCRIPTORS_MAX);
	else if (varlink_add_call(&out, full, parameters, more ? VARLINK_MORE : VARLINK_ONE, '\0') <
		 0)
		failure_set(f, FAILURE_REFUSED, "the request can't be written as JSON");
	else
		result = send_all(link, &out, fds, n, f);
	json_decref(parameters);
	buf_clear(&out);
	return result;
}

static int read_more(struct link *link, int64_t until_ms, struct failure *f)
{
	struct pollfd poller = {.fd = link->fd, .events = POLLIN};
	int64_t left = until_ms ? until_ms - clock_mono_ms() : -1;
	int ready = poll(&poller, 1, until_ms && left < 0 ? 0 : (int)left);

	if (ready < 0 && errno == EINTR)
		return 0;
	if (ready == 0)
		return failure_set(f, FAILURE_LATER, "no answer in time");
	char *room = buf_room(&link->in, 65536);
	if (!room)
		return failure_set(f, FAILURE_REFUSED, "the answer is too large");
	ssize_t got = recv(link->fd, room, 65536, 0);
	if (got == 0)
		return failure_set(f, FAILURE_LATER, "nunciod closed the connection");
	if (got < 0 && errno != EINTR)
		return failure_errno(f, FAILURE_LATER, errno, "reading the answer");
	buf_wrote(&link->in, got > 0 ? (size_t)got : 0);
	return 0;
}

int link_receive(struct link *link, int timeout_ms, struct varlink_reply *ret, struct failure *f)
{
	int64_t until_ms = timeout_ms ? clock_mono_ms() + timeout_ms : 0;

	for (;;) {
		size_t start, len, used;
		char end;

		switch (varlink_frame(&link->framer, buf_bytes(&link->in), link->in.len, &start,
				      &len, &used, &end)) {
		case VARLINK_FRAME: {
			int result = varlink_reply_parse(buf_bytes(&link->in) + start, len, ret, f);

			buf_drain(&link->in, used);
			return result;
		}
		case VARLINK_PARTIAL:
			if (read_more(link, until_ms, f) < 0)
				return -1;
			break;
		case VARLINK_BROKEN:
			return failure_set(f, FAILURE_REFUSED, "the answer is not Varlink");
		}
	}
}

int link_call(struct link *link, const char *method, json_t *parameters, struct varlink_reply *ret,
	      struct failure *f)
{
	if (link_send(link, method, parameters, false, NULL, 0, f) < 0)
		return -1;
	return link_receive(link, 0, ret, f);
}
