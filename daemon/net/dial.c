/* net/dial.c - decides when the next address is tried and which attempt wins. */
#include "net/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "alloc.h"
#include "base/deadline.h"
#include "base/loop.h"
#include "failure.h"
#include "net/resolve.h"

#define ATTEMPT_DELAY_MS 250
/* A peer that vanished is noticed within about two minutes. */
#define KEEPALIVE_IDLE_S 60
#define KEEPALIVE_EVERY_S 15
#define KEEPALIVE_TIMES 4

struct attempt {
	struct dial *dial;
	int fd; /* owned; -1: not begun, or over */
	struct watch watch;
};

struct dial {
	struct loop *loop;
	char *host; /* owned */
	uint16_t port;
	dial_done_fn *done;
	void *ctx;
	struct lookup *lookup; /* NULL once it has answered */
	struct address_list list;
	struct attempt attempts[RESOLVE_MAX]; /* one for each address */
	size_t begun, failed;
	struct deadline next;
	struct failure first; /* of the attempts that failed */
};

char *peer_print(char out[PEER_SIZE], const struct sockaddr *peer)
{
	char host[INET6_ADDRSTRLEN] = "?";

	if (peer->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)peer;

		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		snprintf(out, PEER_SIZE, "[%s]:%u", host, ntohs(in6->sin6_port));
	} else {
		const struct sockaddr_in *in = (const struct sockaddr_in *)peer;

		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(out, PEER_SIZE, "%s:%u", host, ntohs(in->sin_port));
	}
	return out;
}

static void set_option(int fd, int level, int option, int value)
{
	/* What a kernel does not know is no reason not to connect */
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

static int open_socket(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_EVERY_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_TIMES);
	return fd;
}

static void attempt_end(struct attempt *a)
{
	if (a->fd < 0)
		return;
	watch_clear(&a->watch);
	close(a->fd);
	a->fd = -1;
}

static const struct sockaddr *attempt_peer(const struct attempt *a)
{
	return (const struct sockaddr *)&a->dial->list.at[a - a->dial->attempts].address;
}

static void attempt_failed(struct attempt *a, int error)
{
	struct dial *d = a->dial;
	char peer[PEER_SIZE];

	attempt_end(a);
	if (d->failed++ == 0)
		failure_errno(&d->first, FAILURE_LATER, error, "%s",
			      peer_print(peer, attempt_peer(a)));
}

static void attempt_ready(void *ctx, unsigned ready);

static void attempt_begin(struct attempt *a)
{
	const struct sockaddr *peer = attempt_peer(a);

	a->fd = open_socket(peer->sa_family);
	if (a->fd < 0) {
		attempt_failed(a, errno);
		return;
	}
	watch_init(&a->watch, a->dial->loop, a->fd, attempt_ready, a);
	if (connect(a->fd, peer, a->dial->list.at[a - a->dial->attempts].len) < 0 &&
	    errno != EINPROGRESS)
		attempt_failed(a, errno);
	else
		watch_want(&a->watch, WATCH_WRITE);
}

static void give_up(struct dial *d)
{
	struct failure why = d->first;

	if (d->failed > 1)
		failure_wrap(&why, "none of %zu addresses of %s answers", d->failed, d->host);
	else
		failure_wrap(&why, "cannot connect to %s", d->host);
	d->done(d->ctx, -1, NULL, &why);
}

/* The last thing its caller does: done() may free d. */
static void try_next(struct dial *d)
{
	do {
		if (d->begun == d->list.count)
			break;
		attempt_begin(&d->attempts[d->begun++]);
	} while (d->failed == d->begun);
	if (d->begun < d->list.count)
		deadline_set(&d->next, ATTEMPT_DELAY_MS);
	else
		deadline_unset(&d->next);
	if (d->failed == d->list.count)
		give_up(d);
}

static void next_is_due(void *ctx)
{
	try_next(ctx);
}

static void attempt_ready(void *ctx, unsigned ready)
{
	struct attempt *a = ctx;
	struct dial *d = a->dial;
	int error = 0, fd;
	socklen_t len = sizeof(error);

	if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error) {
		attempt_failed(a, error);
		try_next(d);
		return;
	}
	watch_clear(&a->watch);
	fd = a->fd;
	a->fd = -1;
	for (size_t i = 0; i < d->begun; i++)
		attempt_end(&d->attempts[i]);
	deadline_unset(&d->next);
	d->done(d->ctx, fd, attempt_peer(a), NULL);
}

static void looked_up(void *ctx, const struct address_list *list, const struct failure *why)
{
	struct dial *d = ctx;

	d->lookup = NULL;
	if (why) {
		d->done(d->ctx, -1, NULL, why);
		return;
	}
	d->list = *list;
	try_next(d);
}

struct dial *dial_new(struct loop *loop, struct resolver *resolver, const char *host, uint16_t port,
		      dial_done_fn *done, void *ctx)
{
	struct dial *d = xcalloc(1, sizeof(*d));

	d->loop = loop;
	d->host = xstrdup(host);
	d->port = port;
	d->done = done;
	d->ctx = ctx;
	for (size_t i = 0; i < RESOLVE_MAX; i++)
		d->attempts[i] = (struct attempt){.dial = d, .fd = -1};
	deadline_init(&d->next, loop, next_is_due, d);
	d->lookup = resolver_look_up(resolver, host, port, looked_up, d);
	return d;
}

void dial_free(struct dial *d)
{
	if (!d)
		return;
	lookup_cancel(d->lookup);
	for (size_t i = 0; i < d->begun; i++)
		attempt_end(&d->attempts[i]);
	deadline_clear(&d->next);
	free(d->host);
	free(d);
}
