/* queue/store_lock.c - one process a directory: a lock of the open file, which
 * goes with the process however it ends. Modes do not depend on the umask. */
#include "queue/store_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failure.h"

/* Its name shall be on disk before anything is promised that lies in it. A parent
 * that we may not read is its owner's concern. */
static void sync_parent(const char *directory)
{
	char parent[PATH_MAX + 4];
	int fd;

	snprintf(parent, sizeof(parent), "%s/..", directory);
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

/* $XDG_STATE_HOME may not be there yet: folders of one's own are made 0700. */
static void make_parents(const char *directory)
{
	char parent[PATH_MAX];

	snprintf(parent, sizeof(parent), "%s", directory);
	for (char *slash = strchr(parent + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(parent, 0700) == 0)
			sync_parent(parent);
		*slash = '/';
	}
}

static int make_directory(const char *directory, struct failure *f)
{
	struct stat st;

	make_parents(directory);
	/* others pass through it to what is open to them; all else in it is not */
	if (mkdir(directory, 0711) == 0) {
		sync_parent(directory);
		return chmod(directory, 0711) == 0 ? 0
						   : failure_errno(f, FAILURE_SETUP, errno,
								   "state directory %s", directory);
	}
	if (errno != EEXIST)
		return failure_errno(f, FAILURE_SETUP, errno, "can't make state directory %s",
				     directory);
	if (stat(directory, &st) < 0)
		return failure_errno(f, FAILURE_SETUP, errno, "state directory %s", directory);
	if (!S_ISDIR(st.st_mode))
		return failure_set(f, FAILURE_SETUP, "%s is not a directory: `state` needs one",
				   directory);
	if (st.st_mode & S_IWOTH)
		return failure_set(f, FAILURE_SETUP,
				   "everybody may write into state directory %s: chmod o-w it",
				   directory);
	return 0;
}

int state_file(const char *path, struct failure *f)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct stat st;

	if (fd < 0)
		return failure_errno(f, FAILURE_SETUP, errno, "can't write %s", path);
	if (fstat(fd, &st) < 0 || (st.st_size == 0 && fchmod(fd, 0600) < 0)) {
		failure_errno(f, FAILURE_SETUP, errno, "can't write %s", path);
		close(fd);
		return -1;
	}
	close(fd);
	return 0;
}

static int in_use(const char *directory, int fd, struct failure *f)
{
	char pid[24];
	ssize_t len = pread(fd, pid, sizeof(pid) - 1, 0);

	pid[len > 0 ? len : 0] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	return failure_set(f, FAILURE_SETUP, "state directory %s is in use by process %s",
			   directory, pid[0] ? pid : "(unknown)");
}

static int write_pid(int fd)
{
	char pid[24];
	int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());

	/* not emptied first: a full disk gives nothing back */
	return pwrite(fd, pid, (size_t)len, 0) != len || ftruncate(fd, len) < 0 ? -1 : 0;
}

int state_lock(const char *directory, int *ret_fd, struct failure *f)
{
	char path[PATH_MAX];
	int fd, error;

	if (make_directory(directory, f) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/lock", directory);
	if (state_file(path, f) < 0)
		return -1;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return failure_errno(f, FAILURE_SETUP, errno, "can't write %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && write_pid(fd) == 0) {
		*ret_fd = fd;
		return 0;
	}
	error = errno;
	if (error == EWOULDBLOCK)
		in_use(directory, fd, f);
	else
		failure_errno(f, FAILURE_SETUP, error, "can't lock %s", path);
	close(fd);
	return -1;
}
