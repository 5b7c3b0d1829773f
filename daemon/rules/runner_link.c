/* rules/runner_link.c - decides when a silent connection counts as broken. */
#include "rules/runner_link.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "base/deadline.h"
#include "base/loop.h"
#include "buf.h"
#include "failure.h"
#include "fd.h"
#include "run_wire.h"
#include "socket_path.h"
#include "varlink.h"

#define PIECE 65536

struct link {
	int fd; /* owned */
	struct watch watch;
	struct deadline late;
	struct buf in, out;
	struct varlink_framer framer;
	const int *fds; /* the asker's, of nfds; go with the first byte of out */
	size_t nfds;
	link_heard_fn *heard;
	void *ctx;
};

static void end(struct link *link, int error, const char *what)
{
	struct failure f;

	watch_want(&link->watch, 0);
	deadline_unset(&link->late);
	failure_errno(&f, FAILURE_LATER, error, "the runner's socket: %s", what);
	link->heard(link->ctx, NULL, &f);
}

static void too_late(void *ctx)
{
	end(ctx, ETIMEDOUT, "no answer");
}

/* ---- the two directions ---- */

/* -1 and errno: it is broken. */
static int give_some(struct link *link)
{
	ssize_t n = fd_send(link->fd, buf_bytes(&link->out), link->out.len, link->fds, link->nfds,
			    MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return -1;
	if (n > 0) {
		link->nfds = 0;
		buf_drain(&link->out, (size_t)n);
	}
	return 0;
}

/* False: the connection is over, and the link perhaps freed. */
static bool give_out(struct link *link)
{
	if (give_some(link) < 0) {
		end(link, errno, "asking");
		return false;
	}
	watch_want(&link->watch, WATCH_READ | (link->out.len ? WATCH_WRITE : 0));
	return true;
}

static void hear(struct link *link)
{
	struct varlink_reply reply;
	struct failure f;
	size_t start, len, used;
	char byte;

	enum varlink_framing found = varlink_frame(&link->framer, buf_bytes(&link->in),
						   link->in.len, &start, &len, &used, &byte);
	if (found == VARLINK_PARTIAL)
		return;
	if (found == VARLINK_BROKEN ||
	    varlink_reply_parse(buf_bytes(&link->in) + start, len, &reply, &f) < 0) {
		end(link, EPROTO, "an answer that is none");
		return;
	}
	buf_clear(&link->in);
	deadline_unset(&link->late);
	link->heard(link->ctx, &reply, NULL);
	varlink_reply_clear(&reply);
}

static void take_in(struct link *link)
{
	char *place = buf_room(&link->in, PIECE);
	ssize_t n = place ? recv(link->fd, place, PIECE, MSG_DONTWAIT) : -1;

	if (n < 0 && place && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end(link, !place ? EMSGSIZE : n < 0 ? errno : ECONNRESET, "waiting");
		return;
	}
	buf_wrote(&link->in, (size_t)n);
	hear(link);
}

static void ready(void *ctx, unsigned what)
{
	struct link *link = ctx;

	if (what & WATCH_WRITE && !give_out(link))
		return;
	if (what & WATCH_READ)
		take_in(link);
}

/* ---- the door ---- */

int link_open(struct loop *loop, const char *socket_path, link_heard_fn *heard, void *ctx,
	      struct link **ret, struct failure *f)
{
	struct sockaddr_un address;

	if (socket_path_address(socket_path, &address, f) < 0)
		return failure_wrap(f, "the runner's socket");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		failure_errno(f, FAILURE_LATER, errno, "the runner can't be reached at %s",
			      socket_path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	struct link *link = xcalloc(1, sizeof(*link));

	*link = (struct link){.fd = fd, .heard = heard, .ctx = ctx};
	buf_init(&link->in, RUN_REPLY_MAX);
	buf_init(&link->out, RUN_FRAME_MAX);
	deadline_init(&link->late, loop, too_late, link);
	watch_init(&link->watch, loop, fd, ready, link);
	*ret = link;
	return 0;
}

/* -1: it can't be said. What goes wrong with the connection is left to give_some(). */
static int put(struct link *link, const char *method, json_t *parameters, enum varlink_wants wants,
	       const int *fds, size_t nfds)
{
	if (varlink_add_call(&link->out, method, parameters, wants, '\0') < 0)
		return -1;
	link->fds = fds;
	link->nfds = nfds;
	return 0;
}

int link_ask(struct link *link, const char *method, json_t *parameters, const int *fds, size_t nfds,
	     int64_t within_ms)
{
	if (put(link, method, parameters, VARLINK_ONE, fds, nfds) < 0)
		return -1;
	/* what goes wrong is heard from the loop, not from inside this call */
	give_some(link);
	watch_want(&link->watch, WATCH_READ | (link->out.len ? WATCH_WRITE : 0));
	if (within_ms)
		deadline_set(&link->late, within_ms);
	return 0;
}

int link_tell(struct link *link, const char *method, json_t *parameters, const int *fds,
	      size_t nfds)
{
	if (put(link, method, parameters, VARLINK_NONE, fds, nfds) < 0 || give_some(link) < 0)
		return -1;
	return link->out.len ? -1 : 0;
}

void link_free(struct link *link)
{
	if (!link)
		return;
	watch_clear(&link->watch);
	deadline_clear(&link->late);
	close(link->fd);
	buf_clear(&link->in);
	buf_clear(&link->out);
	free(link);
}
