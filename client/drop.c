/* client/drop.c - see drop.h. The file has no name until it is whole: O_TMPFILE, or
 * where the file system has none, a name with a dot before it, which the daemon passes
 * over. */
#include "drop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "buf.h"
#include "failure.h"
#include "fd.h"
#include "spool.h"

struct drop {
	int directory, file;
	const char *name;
	char *temporary; /* owned; NULL: the file has no name yet */
};

const char *drop_directory(void)
{
	const char *given = getenv("NUNCIO_SPOOL");

	return given && *given ? given : SPOOL_DROP;
}

/* The daemon must read it: by its group, where the directory gives it to files. */
static int set_mode(struct drop *d)
{
	struct stat directory, file;

	if (fstat(d->directory, &directory) < 0 || fstat(d->file, &file) < 0)
		return -1;
	bool given = directory.st_mode & S_ISGID && directory.st_gid == file.st_gid;

	return fchmod(d->file, given ? 0640 : 0600);
}

static int create(struct drop *d)
{
	d->file = openat(d->directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (d->file < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
		d->temporary = xprintf(".%s", d->name);
		d->file = openat(d->directory, d->temporary,
				 O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0600);
	}
	return d->file < 0 ? -1 : set_mode(d);
}

static int copy_mail(int to, int from, uint64_t size)
{
	AUTO(free) char *bytes = xmalloc(65536);

	for (uint64_t at = 0; at < size;) {
		ssize_t got = pread(from, bytes, 65536, (off_t)at);

		if (got == 0)
			errno = EIO;
		if (got == 0 || (got < 0 && errno != EINTR))
			return -1;
		if (got > 0 && fd_write(to, bytes, (size_t)got) < 0)
			return -1;
		at += got > 0 ? (uint64_t)got : 0;
	}
	return 0;
}

static int give_name(struct drop *d)
{
	char path[40];

	if (d->temporary)
		return renameat(d->directory, d->temporary, d->directory, d->name);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", d->file);
	return linkat(AT_FDCWD, path, d->directory, d->name, AT_SYMLINK_FOLLOW);
}

/* Who may not read the directory can't sync it; the second fsync of the file takes its
 * new name along where the file system keeps a journal. */
static int sync_name(struct drop *d)
{
	int readable = openat(d->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fsync(d->file);

	if (readable >= 0) {
		if (fsync(readable) < 0)
			result = -1;
		close(readable);
	}
	return result;
}

static void take_back(struct drop *d, bool named)
{
	int error = errno;

	if (named)
		unlinkat(d->directory, d->name, 0);
	else if (d->temporary)
		unlinkat(d->directory, d->temporary, 0);
	errno = error;
}

static int fill(struct drop *d, const struct buf *head, const struct spool *spool, int fd)
{
	if (create(d) < 0 || fd_write(d->file, buf_bytes(head), head->len) < 0 ||
	    copy_mail(d->file, fd, spool->size) < 0 || fsync(d->file) < 0 || give_name(d) < 0) {
		take_back(d, false);
		return -1;
	}
	if (sync_name(d) < 0) {
		take_back(d, true);
		return -1;
	}
	return 0;
}

int drop_leave(const char *directory, const struct spool *spool, int fd, struct failure *f)
{
	struct drop d = {.file = -1, .name = spool->key};
	struct buf head;

	buf_init(&head, SPOOL_HEAD_MAX);
	int result = spool_add_head(&head, spool, f);

	if (result == 0) {
		d.directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
		result = d.directory < 0 ? -1 : fill(&d, &head, spool, fd);
		if (result < 0)
			failure_errno(f, FAILURE_LATER, errno, "%s", directory);
		if (d.file >= 0)
			close(d.file);
		if (d.directory >= 0)
			close(d.directory);
	}
	free(d.temporary);
	buf_clear(&head);
	return result;
}
