/* server/listener.c - decides where the socket lies and what happens when there
 * are no descriptors left for one who knocks. Who may stay is server.c's to say. */
#include "server/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "base/deadline.h"
#include "base/loop.h"
#include "failure.h"
#include "log.h"
#include "socket_path.h"

#define TURN_ACCEPTS 64 /* at most in one turn of the loop */
#define REST_MS 1000    /* when the kernel has no descriptor or memory for one more */

struct listener {
	struct loop *loop;
	char *path; /* owned */
	int fd;     /* owned */
	int spare;  /* owned: given up to turn one away when there are no others left */
	dev_t device;
	ino_t inode; /* of our file */
	struct watch watch;
	struct deadline rest;
	listener_accepted_fn *accepted;
	void *ctx;
	struct log log;
};

static int make_folder(const char *path, struct failure *f)
{
	AUTO(free) char *folder = xstrdup(path);
	char *slash = strrchr(folder, '/');

	if (!slash || slash == folder)
		return 0;
	*slash = '\0';
	if (mkdir(folder, 0755) == 0) {
		/* whatever the umask says: others come here to speak with us */
		if (chmod(folder, 0755) == 0)
			return 0;
	} else if (errno == EEXIST) {
		return 0;
	}
	return failure_errno(f, FAILURE_SETUP, errno, "socket: can't make the folder %s", folder);
}

static int bind_path(struct listener *l, unsigned mode, struct failure *f)
{
	struct sockaddr_un address;
	struct stat about;

	if (socket_path_address(l->path, &address, f) < 0)
		return failure_wrap(f, "socket");
	if (make_folder(l->path, f) < 0)
		return -1;
	if (socket_path_clear(&address, f) < 0)
		return failure_wrap(f, "socket");
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0 || bind(l->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return failure_errno(f, FAILURE_SETUP, errno, "socket: can't make %s", l->path);
	if (lstat(l->path, &about) == 0) {
		l->device = about.st_dev;
		l->inode = about.st_ino;
	}
	if (chmod(l->path, (mode_t)mode) < 0 || listen(l->fd, SOMAXCONN) < 0)
		return failure_errno(f, FAILURE_SETUP, errno, "socket: can't use %s", l->path);
	return 0;
}

static void rest_over(void *ctx)
{
	struct listener *l = ctx;

	if (l->spare < 0)
		l->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	watch_want(&l->watch, WATCH_READ);
}

/* The one who knocks is let in and sent away at once: left in the queue it would
 * wake the loop for ever. */
static void turn_away(struct listener *l)
{
	log_warn(&l->log, "no descriptors left: a connection was closed");
	if (l->spare >= 0)
		close(l->spare);
	int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	l->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	watch_want(&l->watch, 0);
	deadline_set(&l->rest, REST_MS);
}

static void knocked(void *ctx, unsigned what)
{
	struct listener *l = ctx;

	for (int i = 0; i < TURN_ACCEPTS; i++) {
		int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			l->accepted(l->ctx, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			turn_away(l);
		return;
	}
}

static struct listener *listener_new(struct loop *loop, const char *path,
				     listener_accepted_fn *accepted, void *ctx)
{
	struct listener *l = xcalloc(1, sizeof(*l));

	*l = (struct listener){.loop = loop,
			       .path = xstrdup(path),
			       .fd = -1,
			       .spare = open("/dev/null", O_RDONLY | O_CLOEXEC),
			       .accepted = accepted,
			       .ctx = ctx};
	log_init(&l->log, "server");
	deadline_init(&l->rest, loop, rest_over, l);
	return l;
}

static struct listener *listener_begin(struct listener *l)
{
	watch_init(&l->watch, l->loop, l->fd, knocked, l);
	watch_want(&l->watch, WATCH_READ);
	return l;
}

int listener_open(struct loop *loop, const char *path, unsigned mode,
		  listener_accepted_fn *accepted, void *ctx, struct listener **ret,
		  struct failure *f)
{
	struct listener *l = listener_new(loop, path, accepted, ctx);

	if (bind_path(l, mode, f) < 0) {
		listener_free(l);
		return -1;
	}
	*ret = listener_begin(l);
	return 0;
}

static int check_passed(const struct listener *l, struct failure *f)
{
	struct sockaddr_un address = {0};
	socklen_t size = sizeof(address) - 1, word = sizeof(int);
	int type = 0, listens = 0;

	if (getsockname(l->fd, (struct sockaddr *)&address, &size) < 0 ||
	    address.sun_family != AF_UNIX ||
	    getsockopt(l->fd, SOL_SOCKET, SO_TYPE, &type, &word) < 0 || type != SOCK_STREAM ||
	    getsockopt(l->fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &word) < 0 || !listens)
		return failure_set(f, FAILURE_SETUP,
				   "the service manager passed descriptor %d, which is no "
				   "listening Unix stream socket: see nunciod.socket",
				   l->fd);
	if (strcmp(address.sun_path, l->path) != 0)
		log_warn(&l->log, "the service manager listens at %s, not at %s as `socket` says",
			 address.sun_path, l->path);
	return 0;
}

int listener_adopt(struct loop *loop, int fd, const char *path, listener_accepted_fn *accepted,
		   void *ctx, struct listener **ret, struct failure *f)
{
	struct listener *l = listener_new(loop, path, accepted, ctx);

	l->fd = fd;
	if (check_passed(l, f) < 0) {
		listener_free(l);
		return -1;
	}
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	*ret = listener_begin(l);
	return 0;
}

void listener_free(struct listener *l)
{
	struct stat about;

	if (!l)
		return;
	watch_clear(&l->watch);
	deadline_clear(&l->rest);
	if (l->inode && lstat(l->path, &about) == 0 && about.st_ino == l->inode &&
	    about.st_dev == l->device)
		unlink(l->path);
	if (l->fd >= 0)
		close(l->fd);
	if (l->spare >= 0)
		close(l->spare);
	free(l->path);
	free(l);
}
