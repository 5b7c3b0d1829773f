/* base/folder.c - see folder.h. What arrived is not asked: whoever hears of it looks
 * into the directory, which alone knows. */
#include "base/folder.h"

#include <errno.h>
#include <sys/inotify.h>
#include <unistd.h>

static void ready(void *ctx, unsigned what)
{
	struct folder *f = ctx;
	char events[4096] __attribute__((aligned(8)));
	bool any = false;

	while (read(f->fd, events, sizeof(events)) > 0)
		any = true;
	if (any)
		f->arrived(f->ctx);
}

int folder_watch(struct folder *f, struct loop *loop, const char *path, task_fn *arrived, void *ctx)
{
	*f = (struct folder){.arrived = arrived, .ctx = ctx};
	f->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (f->fd < 0)
		return -1;
	if (inotify_add_watch(f->fd, path, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
		int error = errno;

		folder_clear(f);
		errno = error;
		return -1;
	}
	watch_init(&f->watch, loop, f->fd, ready, f);
	watch_want(&f->watch, WATCH_READ);
	return 0;
}

void folder_clear(struct folder *f)
{
	watch_clear(&f->watch);
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}
