/* queue/reserve.c - decides how much room the queue leaves free for itself, and keeps
 * a file of that size where others could take it. */
#include "queue/reserve.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "log.h"

#define LOG_PAGE_BYTES 4120 /* a page and its frame's header */
/* How many pages the write-ahead log may hold before they move to their places: more
 * make it rarer, and the wait of who commits then longer. */
#define LOG_PAGES 2000
#define LOG_BYTES_MAX (11 << 20) /* of so many pages, and a third more */
#define LOG_SHARE 8              /* of a small disk, an eighth at most */
/* What a delivery adds until it is over: two events, the answer, pages split for them */
#define DELIVERY_BYTES 384
#define SMALL_WRITE_BYTES (1 << 20)
#define TRY_EVERY_MS 1000
#define AGAIN_MS (10 * 1000) /* after it was needed */

static int64_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

/* For us, on its disk. One that can't be asked says itself when it is full. */
static int64_t free_in(const char *directory)
{
	struct statvfs about;
	uint64_t bytes;

	if (statvfs(directory, &about) < 0 || about.f_blocks == 0)
		return INT64_MAX / 4;
	bytes = (uint64_t)about.f_bavail * about.f_frsize;
	return bytes < INT64_MAX / 4 ? (int64_t)bytes : INT64_MAX / 4;
}

static int64_t log_bytes_for(const char *directory)
{
	struct statvfs about;
	uint64_t share;

	if (statvfs(directory, &about) < 0)
		return LOG_BYTES_MAX;
	share = (uint64_t)about.f_blocks * about.f_frsize / LOG_SHARE;
	return share && share < LOG_BYTES_MAX ? (int64_t)share : LOG_BYTES_MAX;
}

void reserve_init(struct reserve *r, const char *directory, const char *database)
{
	*r = (struct reserve){0};
	r->directory = xstrdup(directory);
	r->file = xprintf("%s/reserve", directory);
	r->database = xstrdup(database);
	r->log = xprintf("%s-wal", database);
	r->log_bytes = log_bytes_for(directory);
	r->held_bytes = size_of(r->file);
}

void reserve_clear(struct reserve *r)
{
	free(r->directory);
	free(r->database);
	free(r->file);
	free(r->log);
	*r = (struct reserve){0};
}

int reserve_log_pages(const struct reserve *r)
{
	int64_t pages = r->log_bytes * 3 / 4 / LOG_PAGE_BYTES;

	return pages < LOG_PAGES ? (int)pages : LOG_PAGES;
}

static int64_t at_least_0(int64_t n)
{
	return n > 0 ? n : 0;
}

int64_t reserve_room_least(const struct reserve *r, int64_t waiting, int64_t log_used)
{
	return free_in(r->directory) - r->log_bytes - log_used - waiting * DELIVERY_BYTES;
}

int64_t reserve_room(const struct reserve *r, const struct reserve_use *use)
{
	int64_t free_bytes = free_in(r->directory), log_size = size_of(r->log);
	int64_t for_log = at_least_0(r->log_bytes - log_size);
	int64_t to_grow = at_least_0(use->database_bytes - size_of(r->database));
	int64_t in_database =
		free_bytes - for_log - to_grow + use->free_bytes - use->waiting * DELIVERY_BYTES;
	int64_t in_log = free_bytes + at_least_0(log_size - use->log_used);

	return in_database < in_log ? in_database : in_log;
}

static void allocate(const char *path, int64_t bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return;
	/* what there is of it is kept when it can't be all */
	if (posix_fallocate(fd, 0, bytes) != 0)
		log_debug(NULL, "no room for a reserve of %lld bytes yet", (long long)bytes);
	close(fd);
}

/* What others would have to leave, were it not taken: what the queue will need for its
 * log and what is in it comes first. */
static int64_t can_hold(const struct reserve *r, int64_t log_used)
{
	int64_t left = r->held_bytes + free_in(r->directory) - log_used - SMALL_WRITE_BYTES -
		       at_least_0(r->log_bytes - size_of(r->log));

	return left < r->log_bytes ? left : r->log_bytes;
}

void reserve_keep(struct reserve *r, int64_t log_used)
{
	int64_t now_ms, bytes;

	if (r->held_bytes >= r->log_bytes)
		return;
	now_ms = clock_mono_ms();
	if (now_ms < r->next_try_ms)
		return;
	r->next_try_ms = now_ms + TRY_EVERY_MS;
	bytes = can_hold(r, log_used);
	if (bytes <= r->held_bytes)
		return;
	allocate(r->file, bytes);
	r->held_bytes = size_of(r->file);
}

bool reserve_is_wanted(const struct reserve *r)
{
	return free_in(r->directory) < SMALL_WRITE_BYTES;
}

bool reserve_release(struct reserve *r)
{
	bool held = r->held_bytes > 0;

	r->held_bytes = 0;
	r->next_try_ms = clock_mono_ms() + AGAIN_MS;
	return unlink(r->file) == 0 && held;
}
