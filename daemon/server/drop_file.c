/* server/drop_file.c - see drop_file.h. Others write into this directory: names are
 * opened, never followed, and judged by what was opened. */
#include "server/drop_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "clock.h"
#include "failure.h"
#include "fd.h"

#define DROP_MODE 03733 /* others write, and see nothing; files have its group */
#define STALE_MS ((int64_t)24 * 60 * 60 * 1000)
#define PIECE_BYTES 65536

/* ---- the directories ---- */

static int open_directory(const char *state, const char *name, mode_t mode, int *ret,
			  struct failure *f)
{
	AUTO(free) char *path = xprintf("%s/%s", state, name);

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return failure_errno(f, FAILURE_SETUP, errno, "can't make %s", path);
	*ret = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret < 0)
		return failure_errno(f, FAILURE_SETUP, errno, "%s", path);
	struct stat about;

	if (fstat(*ret, &about) < 0 || ((about.st_mode & 07777) != mode && fchmod(*ret, mode) < 0))
		return 1;
	return 0;
}

int drop_open(struct drop *d, const char *state, bool *ret_mode_missing, struct failure *f)
{
	*d = (struct drop){.directory = -1, .rejected = -1};
	int result = open_directory(state, "rejected", 0700, &d->rejected, f);

	if (result >= 0)
		result = open_directory(state, "drop", DROP_MODE, &d->directory, f);
	*ret_mode_missing = result > 0;
	if (result >= 0)
		return 0;
	drop_close(d);
	return -1;
}

void drop_close(struct drop *d)
{
	if (d->directory >= 0)
		close(d->directory);
	if (d->rejected >= 0)
		close(d->rejected);
	*d = (struct drop){.directory = -1, .rejected = -1};
}

/* A beginning that nobody goes on with. */
static void sweep(const struct drop *d, const char *name, int64_t now_ms)
{
	struct stat about;

	if (fstatat(d->directory, name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !S_ISDIR(about.st_mode) && (int64_t)about.st_mtime * 1000 < now_ms - STALE_MS)
		unlinkat(d->directory, name, 0);
}

static bool is_directory(const struct drop *d, const struct dirent *entry)
{
	struct stat about;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(d->directory, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(about.st_mode);
}

size_t drop_list(const struct drop *d, int64_t now_ms, char ***ret, bool *ret_more)
{
	int fd = openat(d->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	size_t n = 0;

	*ret = xcalloc(DROP_NAMES_MAX, sizeof(**ret));
	*ret_more = false;
	while (listing && !*ret_more && (entry = readdir(listing))) {
		if (is_directory(d, entry))
			continue;
		if (entry->d_name[0] == '.')
			sweep(d, entry->d_name, now_ms);
		else if (n == DROP_NAMES_MAX)
			*ret_more = true;
		else
			(*ret)[n++] = xstrdup(entry->d_name);
	}
	if (listing)
		closedir(listing);
	else if (fd >= 0)
		close(fd);
	return n;
}

/* ---- one mail ---- */

void drop_mail_clear(struct drop_mail *m)
{
	spool_clear(&m->spool);
	if (m->memfd >= 0)
		close(m->memfd);
	m->memfd = -1;
}

/* The file's group is the directory's, and says nothing of its owner. */
static void find_owner(uid_t uid, struct caller *ret)
{
	AUTO(free) char *room = xmalloc(PIECE_BYTES);
	struct passwd user, *found;

	*ret = (struct caller){.uid = uid, .gid = (gid_t)-1};
	ret->trusted = uid == 0 || uid == geteuid();
	if (getpwuid_r(uid, &user, room, PIECE_BYTES, &found) == 0 && found)
		ret->gid = user.pw_gid;
}

static int open_file(const struct drop *d, const char *name, uint64_t max_bytes, int *ret,
		     struct stat *about, struct failure *f)
{
	int fd = openat(d->directory, name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == EMFILE || errno == ENFILE || errno == EIO))
		return failure_errno(f, FAILURE_LATER, errno, "it can't be opened");
	if (fd < 0)
		return failure_errno(f, FAILURE_REFUSED, errno, "it can't be opened");
	*ret = fd;
	if (fstat(fd, about) < 0 || about->st_nlink == 0)
		return failure_set(f, FAILURE_LATER, "it is gone");
	if (!S_ISREG(about->st_mode))
		return failure_set(f, FAILURE_REFUSED, "it is not a file");
	if (about->st_nlink != 1)
		return failure_set(f, FAILURE_REFUSED, "it has other names besides this one");
	if ((uint64_t)about->st_size > max_bytes + SPOOL_HEAD_MAX)
		return failure_set(f, FAILURE_REFUSED, "it is larger than `limits.message`");
	return 0;
}

static int read_some(int fd, char *bytes, size_t want, uint64_t at, size_t *ret, struct failure *f)
{
	*ret = 0;
	while (*ret < want) {
		ssize_t got = pread(fd, bytes + *ret, want - *ret, (off_t)(at + *ret));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return failure_errno(f, FAILURE_LATER, errno, "it can't be read");
		if (got == 0)
			break;
		*ret += (size_t)got;
	}
	return 0;
}

static int copy_mail(int from, uint64_t at, uint64_t size, int to, struct failure *f)
{
	AUTO(free) char *bytes = xmalloc(PIECE_BYTES);

	while (size) {
		size_t want = size < PIECE_BYTES ? (size_t)size : PIECE_BYTES, got;

		if (read_some(from, bytes, want, at, &got, f) < 0)
			return -1;
		if (got < want)
			return failure_set(f, FAILURE_REFUSED, "it was cut short");
		if (fd_write(to, bytes, got) < 0)
			return failure_errno(f, FAILURE_LATER, errno, "no memory for a mail");
		at += got;
		size -= got;
	}
	return 0;
}

static int take_content(int fd, uint64_t size, struct drop_mail *m, struct failure *f)
{
	size_t want = size < SPOOL_HEAD_MAX ? (size_t)size : SPOOL_HEAD_MAX, got, mail;
	AUTO(free) char *head = xmalloc(want + 1);

	if (read_some(fd, head, want, 0, &got, f) < 0 ||
	    spool_read_head(head, got, size, &m->spool, &mail, f) < 0)
		return -1;
	m->memfd = memfd_create("mail", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (m->memfd < 0)
		return failure_errno(f, FAILURE_LATER, errno, "no memory for a mail");
	if (copy_mail(fd, mail, m->spool.size, m->memfd, f) < 0)
		return -1;
	if (fcntl(m->memfd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) < 0)
		return failure_errno(f, FAILURE_LATER, errno, "a mail can't be sealed");
	return 0;
}

int drop_read(const struct drop *d, const char *name, uint64_t max_bytes, struct drop_mail *ret,
	      struct failure *f)
{
	struct stat about;
	int fd = -1;

	*ret = (struct drop_mail){.memfd = -1};
	int result = open_file(d, name, max_bytes, &fd, &about, f);

	if (result == 0)
		result = take_content(fd, (uint64_t)about.st_size, ret, f);
	if (result == 0)
		find_owner(about.st_uid, &ret->caller);
	else
		drop_mail_clear(ret);
	if (fd >= 0)
		close(fd);
	return result;
}

/* ---- putting away ---- */

int drop_remove(const struct drop *d, const char *name, struct failure *f)
{
	if (unlinkat(d->directory, name, 0) < 0 && errno != ENOENT)
		return failure_errno(f, FAILURE_LATER, errno, "it can't be removed");
	return 0;
}

int drop_set_aside(const struct drop *d, const char *name, char ret_name[64], struct failure *f)
{
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(ret_name, 64, "%lld.%u", (long long)clock_wall_ms(), i);
		if (renameat2(d->directory, name, d->rejected, ret_name, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return failure_errno(f, FAILURE_LATER, errno, "it can't be set aside");
}
