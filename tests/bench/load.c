/* load.c - clients that hand in mails as fast as they are taken, and say how many
 * a second were. One thread; each client keeps its connection.
 *
 *   load varlink SOCKET CLIENTS WINDOW TOTAL    WINDOW requests unanswered at a time
 *   load smtp PORT CLIENTS WINDOW TOTAL         WINDOW 1: each command waits for its
 *                                               answer; else a mail's content and the
 *                                               next one's envelope go in one flight
 * Prints "RATE SECONDS". Exits 1 when a mail is not taken. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define TEXT                                                                                       \
	"The boring task is finished. It took three hours, and two of its parts were done again."  \
	"|Nothing is left to do, and nothing was lost: the copies are where the copies were.|"     \
	"The next one begins at six o'clock, if nobody says otherwise before that time.|"
#define ENVELOPE "MAIL FROM:<box@example.com>\r\nRCPT TO:<me@example.net>\r\nDATA\r\n"
#define CONTENT                                                                                    \
	"From: <box@example.com>\r\nTo: <me@example.net>\r\nSubject: done\r\n\r\n"                 \
	"The boring task is finished. It took three hours, and two of its parts were done again."  \
	"\r\nNothing is left to do, and nothing was lost: the copies are where the copies were."   \
	"\r\nThe next one begins at six o'clock, if nobody says otherwise before that time."       \
	"\r\n.\r\n"

static const char request[] =
	"{\"method\":\"io.nuncio.Send\",\"parameters\":{\"to\":[\"me@example.net\"],"
	"\"subject\":\"done\",\"text\":\"" TEXT "\"}}";
static const char *const steps[] = {"MAIL FROM:<box@example.com>\r\n",
				    "RCPT TO:<me@example.net>\r\n", "DATA\r\n", CONTENT};

struct client {
	int fd;
	unsigned step;    /* smtp: what is said next; or how many answers were yes */
	unsigned pending; /* smtp: answers awaited */
	bool open;        /* smtp: an envelope was said, its content not yet */
	unsigned column;  /* of an answer */
	char head[4];
};

static bool smtp;
static unsigned window;
static unsigned long total, begun, taken;

static void refuse(const char *what)
{
	fprintf(stderr, "load: %s\n", what);
	exit(1);
}

static void say(struct client *c, const char *bytes, size_t len)
{
	if (send(c->fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
		refuse("the server takes no more");
}

static void send_request(struct client *c, unsigned n)
{
	static char flight[64 * sizeof(request)];
	size_t len = 0;

	while (n-- > 0 && begun < total) {
		memcpy(flight + len, request, sizeof(request));
		len += sizeof(request);
		begun++;
	}
	if (len)
		say(c, flight, len);
}

/* The content of the mail that is open and the next envelope, as one. */
static void smtp_flight(struct client *c)
{
	static char flight[sizeof(CONTENT) + sizeof(ENVELOPE)];
	bool more = begun < total;

	if (c->open || more)
		say(c, flight,
		    (size_t)snprintf(flight, sizeof(flight), "%s%s", c->open ? CONTENT : "",
				     more ? ENVELOPE : ""));
	c->pending = (c->open ? 1 : 0) + (more ? 3 : 0);
	c->open = more;
	begun += more;
}

static void smtp_next(struct client *c)
{
	if (window > 1) {
		smtp_flight(c);
		return;
	}
	if (c->step == 0 && begun == total)
		return;
	begun += c->step == 0;
	say(c, steps[c->step], strlen(steps[c->step]));
	c->step = (c->step + 1) % 4;
	c->pending = 1;
}

/* A whole reply came. */
static void smtp_heard(struct client *c)
{
	if (c->head[0] != '2' && c->head[0] != '3')
		refuse("the server refuses");
	c->pending--;
	if (window > 1)
		taken += c->head[0] == '2' && ++c->step % 3 == 0;
	else
		taken += c->step == 0;
	if (c->pending == 0)
		smtp_next(c);
}

static void smtp_hear(struct client *c, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n') {
			c->column = 0;
			if (c->head[3] != '-')
				smtp_heard(c);
		} else if (c->column < 4) {
			c->head[c->column++] = bytes[i];
		}
	}
}

static void varlink_hear(struct client *c, const char *bytes, size_t len)
{
	unsigned n = 0;

	if (memmem(bytes, len, "\"error\"", 7))
		refuse(bytes);
	for (size_t i = 0; i < len; i++)
		n += bytes[i] == '\0';
	taken += n;
	send_request(c, n);
}

static int dial(const char *place)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr_in in = {.sin_family = AF_INET};
	int one = 1, fd = socket(smtp ? AF_INET : AF_UNIX, SOCK_STREAM, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", place);
	in.sin_port = htons((uint16_t)atoi(place));
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, smtp ? (struct sockaddr *)&in : (struct sockaddr *)&un,
		    smtp ? sizeof(in) : sizeof(un)) < 0)
		refuse("no connection");
	if (smtp)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* A greeting and EHLO, before the clock starts. */
static void greet(struct client *c)
{
	char answer[2048];

	if (recv(c->fd, answer, sizeof(answer), 0) <= 0)
		refuse("no greeting");
	say(c, "EHLO load\r\n", 11);
	if (recv(c->fd, answer, sizeof(answer), 0) <= 0)
		refuse("no answer to EHLO");
}

static void hear(struct client *c)
{
	static char bytes[65536];
	ssize_t n = recv(c->fd, bytes, sizeof(bytes) - 1, 0);

	if (n <= 0)
		refuse("the server is gone");
	bytes[n] = '\0';
	if (smtp)
		smtp_hear(c, bytes, (size_t)n);
	else
		varlink_hear(c, bytes, (size_t)n);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run(int poller)
{
	struct epoll_event events[64];

	while (taken < total) {
		int n = epoll_wait(poller, events, 64, 60000);

		if (n == 0)
			refuse("a minute without an answer");
		for (int i = 0; i < n; i++)
			hear(events[i].data.ptr);
	}
}

int main(int argc, char **argv)
{
	int poller = epoll_create1(0);

	if (argc != 6)
		return 64;
	smtp = strcmp(argv[1], "smtp") == 0;
	unsigned clients = (unsigned)atoi(argv[3]);
	struct client *list = calloc(clients, sizeof(*list));

	window = (unsigned)atoi(argv[4]);
	total = strtoul(argv[5], NULL, 10);
	if (!list || window > 64)
		return 64;
	for (unsigned i = 0; i < clients; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = &list[i]};

		list[i].fd = dial(argv[2]);
		if (smtp)
			greet(&list[i]);
		epoll_ctl(poller, EPOLL_CTL_ADD, list[i].fd, &event);
	}
	double start = now();

	for (unsigned i = 0; i < clients; i++) {
		if (smtp)
			smtp_next(&list[i]);
		else
			send_request(&list[i], window);
	}
	run(poller);
	double took = now() - start;

	printf("%.1f %.4f\n", (double)total / took, took);
	return 0;
}
