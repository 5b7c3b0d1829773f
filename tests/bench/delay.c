/* delay.c - a way that is long: listens on a port, connects each caller to another
 * one of this machine, and hands on what either says after so many ms. One
 * thread, as many connections as there are descriptors for.
 *
 *   delay LISTEN_PORT TARGET_PORT ONE_WAY_MS */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PIECE 16384

struct piece {
	struct piece *next;
	int64_t due_us;
	size_t len, at;
	char bytes[PIECE];
};

/* One direction; its pieces stand in the order they came. */
struct way {
	int from, to;
	bool ended, shut;
	struct piece *first, **tail;
	struct way *other, *next;
};

static int64_t delay_us;
static struct way *ways;
static int poller;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static struct sockaddr_in loopback(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static struct way *way_new(int from, int to)
{
	struct way *w = calloc(1, sizeof(*w));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = w};

	w->from = from;
	w->to = to;
	w->tail = &w->first;
	w->next = ways;
	ways = w;
	if (epoll_ctl(poller, EPOLL_CTL_ADD, from, &event) < 0)
		die("epoll_ctl");
	return w;
}

static void take_caller(int listener, int target)
{
	struct sockaddr_in address = loopback(target);
	int one = 1, near = accept(listener, NULL, NULL);
	int far = socket(AF_INET, SOCK_STREAM, 0);

	if (near < 0 || far < 0)
		die("socket");
	if (connect(far, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("connect");
	setsockopt(near, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(far, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	struct way *there = way_new(near, far), *back = way_new(far, near);

	there->other = back;
	back->other = there;
}

static void hear(struct way *w)
{
	struct piece *p = calloc(1, sizeof(*p));
	ssize_t n = recv(w->from, p->bytes, PIECE, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN) {
		free(p);
		return;
	}
	p->len = n > 0 ? (size_t)n : 0;
	p->due_us = now_us() + delay_us;
	*w->tail = p;
	w->tail = &p->next;
	if (n <= 0) {
		w->ended = true;
		epoll_ctl(poller, EPOLL_CTL_DEL, w->from, NULL);
	}
}

/* Hands on what is due; when the next piece is, or -1. */
static int64_t hand_on(struct way *w, int64_t now)
{
	while (w->first && w->first->due_us <= now) {
		struct piece *p = w->first;

		while (p->at < p->len) {
			ssize_t n = send(w->to, p->bytes + p->at, p->len - p->at, MSG_NOSIGNAL);

			if (n <= 0)
				break;
			p->at += (size_t)n;
		}
		if (p->len == 0) {
			shutdown(w->to, SHUT_WR);
			w->shut = true;
		}
		w->first = p->next;
		if (!w->first)
			w->tail = &w->first;
		free(p);
	}
	return w->first ? w->first->due_us : -1;
}

static void drop_ended(void)
{
	struct way **link = &ways;

	while (*link) {
		struct way *w = *link;

		if (!w->shut || (w->other && !w->other->shut)) {
			link = &w->next;
			continue;
		}
		*link = w->next;
		close(w->from);
		if (w->other)
			w->other->other = NULL;
		free(w);
	}
}

static int64_t hand_on_all(void)
{
	int64_t next = -1, now = now_us();

	for (struct way *w = ways; w; w = w->next) {
		int64_t due = hand_on(w, now);

		if (due >= 0 && (next < 0 || due < next))
			next = due;
	}
	drop_ended();
	return next;
}

static void wait_for_more(int64_t next, int listener, int target)
{
	struct epoll_event events[64];
	int64_t left = next - now_us();
	struct timespec t = {.tv_nsec = left > 0 ? left * 1000 : 0};
	int n = epoll_pwait2(poller, events, 64, next < 0 ? NULL : &t, NULL);

	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr)
			hear(events[i].data.ptr);
		else
			take_caller(listener, target);
	}
}

int main(int argc, char **argv)
{
	struct epoll_event event = {.events = EPOLLIN};
	int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);

	if (argc != 4)
		return 64;
	struct sockaddr_in address = loopback(atoi(argv[1]));

	delay_us = atoi(argv[3]) * 1000;
	poller = epoll_create1(0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("bind");
	listen(listener, 1000);
	epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
	for (;;)
		wait_for_more(hand_on_all(), listener, atoi(argv[2]));
}
