/* runner/spare.c - decides what a supervisor is told of its run: the same words the runner
 * was told, which it holds against its own copy of the configuration. They come in a
 * file in memory, of which one byte tells, with the attachments. */
#include "spare.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "attach.h"
#include "auto.h"
#include "crash.h"
#include "descriptors.h"
#include "failure.h"
#include "fd.h"
#include "order.h"
#include "runs.h"
#include "supervise.h"

#define PASSED_MAX (RUN_ATTACHMENTS_MAX + 1)

/* ---- in the spare ---- */

struct desk {
	const struct config *config;
	int talk;
	struct order order;
	const char *names[RUN_ATTACHMENTS_MAX];
	int fds[PASSED_MAX]; /* the first: what is asked */
};

/* The number of descriptors that came; 0: there will be no run. */
static size_t receive(struct desk *d)
{
	char byte;
	struct iovec iov = {&byte, 1};
	union {
		char bytes[CMSG_SPACE(PASSED_MAX * sizeof(int))];
		struct cmsghdr header;
	} control;
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	ssize_t n;

	do
		n = recvmsg(d->talk, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	const struct cmsghdr *c = n == 1 ? CMSG_FIRSTHDR(&message) : NULL;
	if (!c)
		return 0;
	memcpy(d->fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
	return (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
}

static json_t *read_words(int fd)
{
	off_t len = lseek(fd, 0, SEEK_END);
	AUTO(free) char *text = len > 0 ? xmalloc((size_t)len) : NULL;

	if (!text || pread(fd, text, (size_t)len, 0) != len)
		return NULL;
	return json_loadb(text, (size_t)len, 0, NULL);
}

/* What words say stays theirs, for as long as this process lives. */
static int take(struct desk *d, json_t *words, size_t nfds, struct assignment *a)
{
	const char *command = NULL;
	json_t *names = NULL;
	json_int_t started = 0;
	struct failure f;

	if (json_unpack(words, "{s:s s:s s:s s:o s:I}", "run", &a->run, "rule", &a->rule, "command",
			&command, "attachments", &names, "started", &started) < 0 ||
	    json_array_size(names) != nfds - 1)
		return -1;
	for (size_t i = 0; i + 1 < nfds; i++)
		d->names[i] = json_string_value(json_array_get(names, i));
	a->started_ms = started;
	a->attachments = (struct attachments){d->names, d->fds + 1, nfds - 1};
	a->attachments_path = xprintf("%s/homes/%s/attachments", a->house->path, a->run);
	struct order_ask ask = {a->rule, command, a->attachments_path};

	a->order = &d->order;
	return order_make(d->config, &ask, &d->order, &f);
}

static int await(void *ctx, struct assignment *a)
{
	struct desk *d = ctx;
	size_t nfds = receive(d);
	json_t *words = nfds ? read_words(d->fds[0]) : NULL;

	return words ? take(d, words, nfds, a) : -1;
}

static _Noreturn void be_spare(const struct house *house, const struct config *config,
			       struct run_door *door, const int own[2])
{
	struct desk d = {.config = config, .talk = own[0]};
	struct assignment a = {.house = house, .door = door, .go = own[1]};
	int keep[] = {door->directory, door->alive, door->control, house->homes, own[0], own[1]};

	descriptors_close_others(keep, sizeof(keep) / sizeof(*keep));
	supervise(&a, await, &d);
}

/* ---- in the runner ---- */

static void close_both(int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

static int open_ways(int talk[2], int go[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, talk) < 0)
		return -1;
	if (pipe2(go, O_CLOEXEC) == 0)
		return 0;
	close_both(talk);
	return -1;
}

static struct spare *begin(const struct house *house, const struct config *config,
			   struct run_door *door, struct failure *f)
{
	int talk[2], go[2];

	if (open_ways(talk, go) < 0) {
		failure_errno(f, FAILURE_LATER, errno, "no way to a new process");
		return NULL;
	}
	CRASH_POINT("runner.fork");
	pid_t pid = fork();

	if (pid == 0)
		be_spare(house, config, door, (const int[]){talk[1], go[0]});
	close(talk[1]);
	close(go[0]);
	if (pid < 0) {
		close(talk[0]);
		close(go[1]);
		failure_set(f, FAILURE_LATER, "no process for it");
		return NULL;
	}
	struct spare *s = xcalloc(1, sizeof(*s));

	*s = (struct spare){.talk = talk[0],
			    .go = go[1],
			    .directory = door->directory,
			    .alive = door->alive_read,
			    .house = house};
	door->directory = door->alive_read = -1;
	return s;
}

struct spare *spare_new(const struct house *house, const struct config *config, struct failure *f)
{
	static unsigned number;
	struct run_door door;
	char name[sizeof(((struct spare *)0)->name)];

	snprintf(name, sizeof(name), ".%u",
		 ++number); /* runs have none but '-', letters and digits */
	if (house_prepare(house, name, &door, f) < 0)
		return NULL;
	struct spare *s = begin(house, config, &door, f);

	run_door_close(&door);
	if (s)
		strcpy(s->name, name);
	else
		house_unprepare(house, name);
	return s;
}

static void close_own(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void spare_end(struct spare *s)
{
	if (*s->name)
		house_unprepare(s->house, s->name);
	*s->name = '\0';
	close_own(&s->talk);
	close_own(&s->go);
}

void spare_free(struct spare *s)
{
	if (!s)
		return;
	spare_end(s);
	close_own(&s->directory);
	close_own(&s->alive);
	free(s);
}

bool spare_is_over(const struct spare *s)
{
	char byte;

	return read(s->alive, &byte, 1) == 0;
}

static int write_words(const struct run_ask *ask, const struct order_record *order)
{
	json_t *names = json_array();

	for (size_t i = 0; i < ask->attachments->n; i++)
		json_array_append_new(names, json_string(ask->attachments->names[i]));
	json_t *words = json_pack("{s:s s:s s:s s:o s:I}", "run", ask->run, "rule", ask->rule,
				  "command", ask->command, "attachments", names, "started",
				  (json_int_t)order->started_ms);
	AUTO(free) char *text = words ? json_dumps(words, JSON_COMPACT) : NULL;
	int fd = text ? memfd_create("run", MFD_CLOEXEC) : -1;

	json_decref(words);
	if (fd >= 0 && fd_write(fd, text, strlen(text)) == 0)
		return fd;
	close_own(&fd);
	return -1;
}

static int tell(int talk, int words, const struct attachments *attachments)
{
	int fds[PASSED_MAX] = {words};

	memcpy(fds + 1, attachments->fds, attachments->n * sizeof(*fds));
	return fd_send(talk, "r", 1, fds, 1 + attachments->n, MSG_DONTWAIT) == 1 ? 0 : -1;
}

int spare_assign(struct spare *s, const struct run_ask *ask, const struct order_record *order,
		 struct failure *f)
{
	if (house_assign(s->directory, order, f) < 0)
		return -1;
	int words = write_words(ask, order);
	int done = words < 0 ? -1 : tell(s->talk, words, ask->attachments);
	int error = errno;

	close_own(&words);
	if (done < 0)
		return failure_errno(f, FAILURE_LATER, error, "a process for it");
	close_own(&s->talk);
	return 0;
}

int spare_name(struct spare *s, const char *run, struct failure *f)
{
	if (house_begin(s->house, s->name, run, f) < 0)
		return -1;
	*s->name = '\0';
	return 0;
}

int spare_begin(struct spare *s)
{
	int alive = s->alive;

	/* nobody there: what it left says why, or that it was lost */
	if (write(s->go, "g", 1) < 0)
		errno = 0;
	s->alive = -1;
	return alive;
}
