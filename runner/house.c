/* runner/house.c - decides when a run counts as begun and as ended: by a rename, after
 * what is renamed is on disk. */
#include "house.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "failure.h"
#include "fd.h"
#include "output.h"
#include "tree.h"

#define RECORD_MAX 65536
#define RESERVE_BYTES (16 * 1024)

/* ---- the directories ---- */

static int open_own(int parent, const char *path, mode_t mode)
{
	struct stat about;

	if (mkdirat(parent, path, mode) < 0 && errno != EEXIST)
		return -1;
	int fd = openat(parent, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (fstat(fd, &about) == 0 && about.st_uid == geteuid() &&
	    !(about.st_mode & (S_IWGRP | S_IWOTH)) && fchmod(fd, mode) == 0)
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

static int open_rooms(struct house *h, int base)
{
	/* users of rules pass through to their own directories, and see no others' names */
	mode_t through = geteuid() == 0 ? 0711 : 0700;

	h->lock = openat(base, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (h->lock < 0 || flock(h->lock, LOCK_EX | LOCK_NB) < 0)
		return -1;
	h->runs = open_own(base, "runs", 0700);
	h->homes = open_own(base, "homes", through);
	return h->runs < 0 || h->homes < 0 ? -1 : 0;
}

/* A user's runner may come before that user's first nunciod. The system's places are made
 * by its manager, as nunciod's user's. */
static void make_parents(const char *path)
{
	AUTO(free) char *parent = xstrdup(path);
	char *slash = geteuid() == 0 ? NULL : strchr(parent + 1, '/');

	for (; slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(parent, 0700); /* when it can't be, what lies in it can't either */
		*slash = '/';
	}
}

int house_open(struct house *h, const char *path, struct failure *f)
{
	*h = (struct house){.path = xstrdup(path), .lock = -1, .runs = -1, .homes = -1};

	make_parents(path);
	int base = open_own(AT_FDCWD, path, geteuid() == 0 ? 0711 : 0700);

	if (base < 0)
		return failure_errno(f, FAILURE_SETUP, errno,
				     "runner.state: can't use %s (it must be a directory of the "
				     "runner's user that nobody else writes to)",
				     path);
	int done = open_rooms(h, base);
	int error = errno;

	close(base);
	if (done < 0 && error == EWOULDBLOCK)
		return failure_set(f, FAILURE_SETUP, "runner.state: another runner works in %s",
				   path);
	if (done < 0)
		return failure_errno(f, FAILURE_SETUP, error, "runner.state: %s", path);
	return 0;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void house_close(struct house *h)
{
	close_fd(h->lock);
	close_fd(h->runs);
	close_fd(h->homes);
	free(h->path);
	*h = (struct house){.lock = -1, .runs = -1, .homes = -1};
}

/* ---- records ---- */

/* Takes json. The file is there whole, or not at all; durable: also after a power cut. */
static int write_record(int directory, const char *name, json_t *json, bool durable)
{
	AUTO(free) char *text = json_dumps(json, JSON_COMPACT);
	AUTO(free) char *new = xprintf("%s.tmp", name);
	int fd = openat(directory, new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int done = fd < 0 || !text ? -1 : fd_write(fd, text, strlen(text));

	if (done == 0 && durable)
		done = fsync(fd);
	close_fd(fd);
	if (done == 0)
		done = renameat(directory, new, directory, name);
	json_decref(json);
	return done == 0 && durable ? fsync(directory) : done;
}

static json_t *read_record(int directory, const char *name)
{
	AUTO(free) char *text = xmalloc(RECORD_MAX);
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, RECORD_MAX);

	close_fd(fd);
	return len <= 0 ? NULL : json_loadb(text, (size_t)len, 0, NULL);
}

static int open_run(const struct house *h, const char *run)
{
	return openat(h->runs, run, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* ---- the beginning ---- */

static int open_door(struct run_door *door)
{
	if (mkfifoat(door->directory, "alive", 0600) < 0 ||
	    mkfifoat(door->directory, "control", 0600) < 0)
		return -1;
	door->alive_read = openat(door->directory, "alive", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	door->alive = openat(door->directory, "alive", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	/* both ends: it is never at its end */
	door->control = openat(door->directory, "control", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return door->alive_read < 0 || door->alive < 0 || door->control < 0 ? -1 : 0;
}

static json_t *order_json(const struct order_record *order)
{
	return json_pack("{s:s s:I}", "rule", order->rule, "started",
			 (json_int_t)order->started_ms);
}

/* Room for the result, whatever the program does to the disk. Where there is none to begin
 * with it is run all the same: it may be what makes room. */
static void reserve_room(int directory)
{
	int fd = openat(directory, "reserve", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0 && posix_fallocate(fd, 0, RESERVE_BYTES) != 0)
		unlinkat(directory, "reserve", 0);
	close_fd(fd);
}

static int make_run(const struct house *h, const char *new, struct run_door *door)
{
	if (mkdirat(h->runs, new, 0700) < 0)
		return -1;
	door->directory = open_run(h, new);
	if (door->directory < 0 || open_door(door) < 0)
		return -1;
	reserve_room(door->directory);
	return 0;
}

int house_prepare(const struct house *h, const char *name, struct run_door *ret, struct failure *f)
{
	struct run_door door = {-1, -1, -1, -1};
	AUTO(free) char *new = xprintf(".%s", name);

	if (make_run(h, new, &door) < 0) {
		int error = errno;

		run_door_close(&door);
		tree_remove(h->runs, new);
		return failure_errno(f, FAILURE_LATER, error, "runner.state");
	}
	*ret = door;
	return 0;
}

/* Nothing waits for the disk before the program begins: that it was begun is in nunciod's
 * ledger, and what a power cut takes from here is a run nobody knows, which is never
 * begun again but told of as interrupted. */
int house_assign(int directory, const struct order_record *order, struct failure *f)
{
	if (write_record(directory, "order", order_json(order), false) < 0)
		return failure_errno(f, FAILURE_LATER, errno, "runner.state");
	return 0;
}

int house_begin(const struct house *h, const char *name, const char *run, struct failure *f)
{
	AUTO(free) char *prepared = xprintf(".%s", name);

	if (renameat(h->runs, prepared, h->runs, run) < 0)
		return failure_errno(f, FAILURE_LATER, errno, "runner.state");
	return 0;
}

void house_unprepare(const struct house *h, const char *name)
{
	AUTO(free) char *prepared = xprintf(".%s", name);

	tree_remove(h->runs, prepared);
}

void run_door_close(struct run_door *door)
{
	close_fd(door->directory);
	close_fd(door->alive_read);
	close_fd(door->alive);
	close_fd(door->control);
	*door = (struct run_door){-1, -1, -1, -1};
}

int house_alive(const struct house *h, const char *run)
{
	AUTO(free) char *name = xprintf("%s/alive", run);
	int fd = openat(h->runs, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	char byte;

	if (fd < 0)
		return -1;
	/* nothing comes through it: at its end nobody holds the other one */
	if (read(fd, &byte, 1) < 0 && errno == EAGAIN)
		return fd;
	close(fd);
	return -1;
}

int house_order(const struct house *h, const char *run, struct order_record *ret)
{
	int directory = open_run(h, run);
	json_t *json = directory < 0 ? NULL : read_record(directory, "order");
	const char *rule = json_string_value(json_object_get(json, "rule"));
	int done = rule && strlen(rule) < sizeof(ret->rule) ? 0 : -1;

	if (done == 0) {
		strcpy(ret->rule, rule);
		ret->started_ms = json_integer_value(json_object_get(json, "started"));
	}
	json_decref(json);
	close_fd(directory);
	return done;
}

void house_tell(const struct house *h, const char *run)
{
	AUTO(free) char *name = xprintf("%s/control", run);
	int fd = openat(h->runs, name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

	/* full: it was told often enough; nobody reads: it is over */
	if (fd >= 0 && write(fd, "k", 1) < 0)
		errno = 0;
	close_fd(fd);
}

/* ---- the end ---- */

static int sync_at(int directory, const char *name)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	int done = fd < 0 ? -1 : fsync(fd);

	close_fd(fd);
	return done;
}

int house_finish(int directory, const struct run_result *result, const struct output *output,
		 struct failure *f)
{
	json_t *json = run_result_write(result);

	unlinkat(directory, "reserve", 0);
	json_object_set_new(json, "total", json_integer((json_int_t)output->total));
	json_object_set_new(json, "kept", json_integer((json_int_t)output->len));
	json_object_set_new(json, "head", json_integer((json_int_t)output->head));
	json_object_set_new(json, "oldest", json_integer((json_int_t)output->oldest));
	/* what the beginning left to be written too: without it the result is nobody's */
	if (sync_at(directory, "order") < 0 || write_record(directory, "result", json, true) < 0 ||
	    sync_at(directory, "..") < 0)
		return failure_errno(f, FAILURE_LATER, errno, "the result");
	return 0;
}

static int64_t number(json_t *json, const char *name)
{
	return json_integer_value(json_object_get(json, name));
}

static char *read_output(int directory, json_t *json, size_t *ret_len)
{
	size_t len = (size_t)number(json, "kept");
	int fd = len ? openat(directory, "output", O_RDONLY | O_CLOEXEC) : -1;
	char *bytes = fd >= 0 && len <= RUN_OUTPUT_MAX ? xmalloc(len) : NULL;

	*ret_len = len;
	if (bytes && output_read(fd, (size_t)number(json, "head"), (size_t)number(json, "oldest"),
				 bytes, len) < 0) {
		free(bytes);
		bytes = NULL;
	}
	if (!bytes)
		*ret_len = 0;
	close_fd(fd);
	return bytes;
}

json_t *house_result(const struct house *h, const char *run)
{
	int directory = open_run(h, run);
	json_t *json = directory < 0 ? NULL : read_record(directory, "result");
	const char *end = json_string_value(json_object_get(json, "end"));
	struct run_result r = {0};
	json_t *result = NULL;

	if (end && run_end_find(end, &r.end)) {
		AUTO(free) char *bytes = read_output(directory, json, &r.output_len);

		r.code = (int)number(json, "code");
		r.started_ms = number(json, "started");
		r.ended_ms = number(json, "ended");
		r.cpu_ms = number(json, "cpu");
		r.max_rss_kib = number(json, "rss");
		r.reason = json_string_value(json_object_get(json, "reason"));
		r.output = bytes;
		r.output_total = (uint64_t)number(json, "total");
		r.head_len =
			r.output_total > r.output_len ? (size_t)number(json, "head") : r.output_len;
		if (r.head_len > r.output_len)
			r.head_len = r.output_len;
		result = run_result_write(&r);
	}
	json_decref(json);
	close_fd(directory);
	return result;
}

void house_forget(const struct house *h, const char *run)
{
	AUTO(free) char *old = xprintf(".%s", run);

	tree_remove(h->runs, old);
	if (renameat(h->runs, run, h->runs, old) == 0)
		fsync(h->runs);
	tree_remove(h->runs, old);
	/* what a program left there may be much: it is swept by another process */
	renameat(h->homes, run, h->homes, old);
}

void house_each(const struct house *h,
		void (*found)(void *ctx, const char *run, const struct order_record *order),
		void *ctx)
{
	int fd = openat(h->runs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct order_record order;
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (run_id_is_good(entry->d_name) && house_order(h, entry->d_name, &order) == 0)
			found(ctx, entry->d_name, &order);
	if (dir)
		closedir(dir);
}
