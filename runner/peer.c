/* runner/peer.c - decides when a peer is read and when it is closed: one that does not
 * take its answers is not read, and one that breaks the rules of framing goes. */
#include "peer.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "failure.h"

#define PIECE 65536

void peer_init(struct peer *peer, int fd)
{
	*peer = (struct peer){.fd = fd};
	buf_init(&peer->in, RUN_FRAME_MAX);
	buf_init(&peer->out, RUN_REPLY_MAX);
}

void peer_drop_fds(struct peer *peer, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(peer->fds[i]);
	peer->nfds -= n;
	memmove(peer->fds, peer->fds + n, peer->nfds * sizeof(*peer->fds));
}

void peer_clear(struct peer *peer)
{
	peer_drop_fds(peer, peer->nfds);
	close(peer->fd);
	buf_clear(&peer->in);
	buf_wipe(&peer->out);
	peer->fd = -1;
}

static bool awaits_something(const struct peer *peer)
{
	return peer->awaits[0] || peer->errand;
}

static bool is_busy(const struct peer *peer)
{
	return peer->out.len || awaits_something(peer);
}

short peer_events(const struct peer *peer)
{
	if (peer->out.len)
		return POLLOUT;
	return is_busy(peer) || peer->eof ? 0 : POLLIN;
}

bool peer_is_over(const struct peer *peer)
{
	return peer->broken || (peer->eof && !is_busy(peer));
}

/* ---- reading ---- */

static void keep_fds(struct peer *peer, struct cmsghdr *c)
{
	size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < n; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
		if (peer->nfds < RUN_ATTACHMENTS_MAX) {
			peer->fds[peer->nfds++] = fd;
			continue;
		}
		close(fd);
		peer->broken = true;
	}
}

static ssize_t receive(struct peer *peer, char *place, size_t len)
{
	char control[CMSG_SPACE(RUN_ATTACHMENTS_MAX * sizeof(int))] __attribute__((aligned(16)));
	struct iovec iov = {.iov_base = place, .iov_len = len};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(peer->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			keep_fds(peer, c);
	if (message.msg_flags & MSG_CTRUNC)
		peer->broken = true;
	return n;
}

static void take_in(struct peer *peer)
{
	size_t room = peer->in.max - peer->in.len;
	size_t len = room < PIECE ? room : PIECE;
	char *place = len ? buf_room(&peer->in, len) : NULL;

	if (!place) {
		peer->broken = true; /* a frame larger than any call */
		return;
	}
	ssize_t n = receive(peer, place, len);
	if (n > 0)
		buf_wrote(&peer->in, (size_t)n);
	else if (n == 0)
		peer->eof = true;
	else if (errno != EAGAIN && errno != EINTR)
		peer->broken = true;
}

static void give_out(struct peer *peer)
{
	ssize_t n =
		send(peer->fd, buf_bytes(&peer->out), peer->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n > 0)
		buf_drain(&peer->out, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		peer->broken = true;
	if (peer->out.len)
		return;
	buf_wipe(&peer->out); /* it may have been a secret */
}

void peer_move(struct peer *peer, short ready)
{
	if (ready & (POLLERR | POLLNVAL) || (ready & POLLHUP && awaits_something(peer)))
		peer->broken = true;
	else if (peer->out.len)
		give_out(peer);
	else if (ready & (POLLIN | POLLHUP) && !peer->eof)
		take_in(peer);
}

/* ---- calls ---- */

static bool next_frame(struct peer *peer, size_t *start, size_t *len, size_t *used)
{
	switch (varlink_frame(&peer->framer, buf_bytes(&peer->in), peer->in.len, start, len, used,
			      &peer->end)) {
	case VARLINK_FRAME:
		return true;
	case VARLINK_PARTIAL:
		break;
	case VARLINK_BROKEN:
		peer->broken = true;
		break;
	}
	return false;
}

bool peer_next(struct peer *peer, struct varlink_call *ret)
{
	size_t start, len, used;
	struct failure f;

	if (peer->broken || is_busy(peer) || !next_frame(peer, &start, &len, &used))
		return false;
	int done = varlink_call_parse(buf_bytes(&peer->in) + start, len, ret, &f);

	buf_drain(&peer->in, used);
	if (!peer->in.len)
		buf_clear(&peer->in);
	if (done < 0)
		peer->broken = true;
	return done == 0;
}

void peer_check_fds(struct peer *peer)
{
	if (!peer->in.len && peer->nfds)
		peer->broken = true;
}

void peer_reply(struct peer *peer, json_t *parameters)
{
	if (varlink_add_reply(&peer->out, parameters, false, peer->end) < 0)
		peer->broken = true;
	json_decref(parameters);
}

void peer_error(struct peer *peer, const char *error, const char *name, const char *reason)
{
	char ours[80];
	json_t *parameters = name ? json_pack("{s:s}", name, reason) : NULL;

	if (!strchr(error, '.')) {
		strcpy(ours, RUN_INTERFACE ".");
		strncat(ours, error, sizeof(ours) - sizeof(RUN_INTERFACE "."));
		error = ours;
	}
	if (varlink_add_error(&peer->out, error, parameters, peer->end) < 0)
		peer->broken = true;
	json_decref(parameters);
}

void peer_drop_answer(struct peer *peer)
{
	buf_wipe(&peer->out);
	peer->awaits[0] = '\0';
	peer->errand = 0;
}
