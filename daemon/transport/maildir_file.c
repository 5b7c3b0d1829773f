/* transport/maildir_file.c - decides in which order a Maildir's files are made
 * safe: bytes, then the name in new/, then the directory. A name that is in new/
 * already is a delivery that was made before. */
#include "transport/maildir_file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "clock.h"
#include "crash.h"
#include "failure.h"
#include "fd.h"

#define STALE_S (36 * 60 * 60)
#define INSTANCE_DIGITS 16
#define TRIAL_BYTES 4096

static void host_name(char *out, size_t size)
{
	if (gethostname(out, size) < 0)
		snprintf(out, size, "localhost");
	out[size - 1] = '\0';
	for (char *c = out; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '.' && *c != '-')
			*c = '_';
}

void maildir_name(char out[MAILDIR_NAME_SIZE], int64_t created_ms, const char *instance,
		  int64_t delivery)
{
	char host[65];

	host_name(host, sizeof(host));
	snprintf(out, MAILDIR_NAME_SIZE, "%" PRId64 ".n%.64s_%" PRId64 ".%s", created_ms / 1000,
		 instance, delivery, host);
}

static char *path_of(const char *path, const char *folder, const char *name)
{
	return xprintf("%s/%s/%s", path, folder, name);
}

static int sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fd < 0 ? -1 : fsync(fd);
	int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return result;
}

/* ---- preparing ---- */

static int make_folder(const char *folder, struct failure *f)
{
	struct stat there;

	if (mkdir(folder, 0700) == 0 || errno == EEXIST) {
		if (stat(folder, &there) == 0 && S_ISDIR(there.st_mode))
			return 0;
		errno = ENOTDIR;
	}
	return failure_errno(f, FAILURE_LATER, errno, "%s", folder);
}

/* "<seconds>.n<16 hex digits>_...": made by us, whichever installation. */
static bool is_ours(const char *name)
{
	size_t seconds = strspn(name, "0123456789");
	const char *instance = name + seconds + 2;

	return seconds && strncmp(name + seconds, ".n", 2) == 0 &&
	       strspn(instance, "0123456789abcdef") == INSTANCE_DIGITS &&
	       instance[INSTANCE_DIGITS] == '_';
}

static void remove_stale(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	struct stat there;

	while (dir && (entry = readdir(dir))) {
		if (is_ours(entry->d_name) &&
		    fstatat(dirfd(dir), entry->d_name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
		    there.st_mtime < clock_wall_ms() / 1000 - STALE_S)
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
}

int maildir_try(const char *path, struct failure *f)
{
	static const char bytes[TRIAL_BYTES];
	char name[MAILDIR_NAME_SIZE];
	int fd;

	maildir_name(name, clock_wall_ms(), "0000000000000000", getpid());
	if (maildir_create(path, name, &fd, f) < 0)
		return -1;
	int result = maildir_write(fd, bytes, sizeof(bytes), f);

	maildir_drop(path, name, fd);
	return result;
}

int maildir_prepare(const char *path, struct failure *f)
{
	static const char *const folders[] = {"tmp", "new", "cur"};

	if (make_folder(path, f) < 0)
		return -1;
	for (size_t i = 0; i < 3; i++) {
		AUTO(free) char *folder = xprintf("%s/%s", path, folders[i]);

		if (make_folder(folder, f) < 0)
			return -1;
		if (i == 0)
			remove_stale(folder);
	}
	if (sync_folder(path) < 0)
		return failure_errno(f, FAILURE_LATER, errno, "%s", path);
	/* a full disk is better noticed before a mail is at stake */
	return maildir_try(path, f);
}

/* ---- one file ---- */

/* Readers put ":2," and flags behind a name. */
static bool is_name(const char *there, const char *name)
{
	size_t len = strlen(name);

	return strncmp(there, name, len) == 0 && (!there[len] || there[len] == ':');
}

static bool folder_has(const char *folder, const char *name)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir)))
		found = is_name(entry->d_name, name);
	if (dir)
		closedir(dir);
	return found;
}

bool maildir_has(const char *path, const char *name, bool search_cur)
{
	AUTO(free) char *file = path_of(path, "new", name);
	AUTO(free) char *new = xprintf("%s/new", path);
	AUTO(free) char *cur = xprintf("%s/cur", path);

	if (access(file, F_OK) == 0)
		return true;
	/* cur/ first and last: a reader may move it from new/ while we look */
	return search_cur &&
	       (folder_has(cur, name) || folder_has(new, name) || folder_has(cur, name));
}

int maildir_keep(const char *path, struct failure *f)
{
	AUTO(free) char *new = xprintf("%s/new", path);
	AUTO(free) char *cur = xprintf("%s/cur", path);

	if (sync_folder(new) < 0)
		return failure_errno(f, FAILURE_LATER, errno, "%s", new);
	if (sync_folder(cur) < 0)
		return failure_errno(f, FAILURE_LATER, errno, "%s", cur);
	return 0;
}

int maildir_create(const char *path, const char *name, int *ret_fd, struct failure *f)
{
	AUTO(free) char *file = path_of(path, "tmp", name);
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = open(file, flags, 0600);

	if (fd < 0 && errno == EEXIST) {
		/* a crash left it: the same delivery is never under way twice */
		unlink(file);
		fd = open(file, flags, 0600);
	}
	if (fd < 0)
		return failure_errno(f, FAILURE_LATER, errno, "%s", file);
	*ret_fd = fd;
	return 0;
}

int maildir_write(int fd, const void *bytes, size_t len, struct failure *f)
{
	if (fd_write(fd, bytes, len) < 0)
		return failure_errno(f, FAILURE_LATER, errno, "writing a mail");
	return 0;
}

/* From tmp/ to new/, safely. errno is set on -1. */
static int move_to_new(const char *from, const char *to, const char *folder)
{
	bool was_there = false;

	if (link(from, to) < 0) {
		was_there = errno == EEXIST;
		if (!was_there)
			return -1;
	}
	CRASH_POINT("maildir.linked");
	if (sync_folder(folder) == 0)
		return 0;
	int error = errno;

	/* Not there any more: a reader has it, so it is delivered */
	if (!was_there && unlink(to) < 0 && errno == ENOENT)
		return 0;
	errno = error;
	return -1;
}

int maildir_deliver(const char *path, const char *name, int fd, struct failure *f)
{
	AUTO(free) char *from = path_of(path, "tmp", name);
	AUTO(free) char *to = path_of(path, "new", name);
	AUTO(free) char *folder = xprintf("%s/new", path);
	int result = fsync(fd);
	int error = errno;

	if (close(fd) < 0 && result == 0) {
		result = -1;
		error = errno;
	}
	CRASH_POINT("maildir.written");
	if (result == 0) {
		result = move_to_new(from, to, folder);
		error = errno;
	}
	unlink(from);
	if (result < 0)
		return failure_errno(f, FAILURE_LATER, error, "%s", to);
	return 0;
}

void maildir_drop(const char *path, const char *name, int fd)
{
	AUTO(free) char *file = path_of(path, "tmp", name);

	close(fd);
	unlink(file);
}
