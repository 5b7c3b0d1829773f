/* runner/attach.c - decides what attachments are called on disk, whose they are, and
 * which descriptors may be read at all: one that its sender can still change, or where
 * reading may wait, is none. */
#include "attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failure.h"
#include "text.h"
#include "tree.h"

#define SEALS_NEEDED (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)
#define NAME_MAX_KEPT 200

int attachments_check(const struct attachments *a, struct failure *f)
{
	for (size_t i = 0; i < a->n; i++) {
		int seals = fcntl(a->fds[i], F_GET_SEALS);

		if (seals < 0 || (seals & SEALS_NEEDED) != SEALS_NEEDED)
			return failure_set(f, FAILURE_REFUSED, "attachment %zu is no sealed memory",
					   i + 1);
	}
	return 0;
}

static void cut(char *name)
{
	size_t len = strlen(name);

	if (len <= NAME_MAX_KEPT)
		return;
	len = NAME_MAX_KEPT;
	while (len && ((unsigned char)name[len] & 0xc0) == 0x80)
		len--;
	name[len] = '\0';
}

void attachment_safe_name(char *out, size_t size, const char *given, unsigned number)
{
	text_safe_line(out, size, given, strlen(given));
	cut(out);
	for (char *c = out; *c; c++)
		if (*c == '/' || *c == '\\' || *c == '?')
			*c = '_';
	if (*out == '.' || *out == '-' || *out == ' ')
		*out = '_';
	if (!*out)
		snprintf(out, size, "attachment-%u", number);
}

static int copy(int from, int to)
{
	struct stat about;
	off_t at = 0;

	if (fstat(from, &about) < 0)
		return -1;
	while (at < about.st_size) {
		ssize_t n = sendfile(to, from, &at, (size_t)(about.st_size - at));

		if (n == 0)
			errno = EIO;
		if (n == 0 || (n < 0 && errno != EINTR))
			return -1;
	}
	return 0;
}

static int create(int directory, const char *given, unsigned number)
{
	char name[NAME_MAX_KEPT + 60], twin[sizeof(name) + 16];
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

	attachment_safe_name(name, sizeof(name), given, number);
	int fd = openat(directory, name, flags, 0600);

	if (fd >= 0 || errno != EEXIST)
		return fd;
	snprintf(twin, sizeof(twin), "%u-%s", number, name);
	return openat(directory, twin, flags, 0600);
}

static int give(int fd, uid_t uid, gid_t gid)
{
	return uid == (uid_t)-1 ? 0 : fchown(fd, uid, gid);
}

static int save(const struct attachments *a, int directory, uid_t uid, gid_t gid)
{
	for (size_t i = 0; i < a->n; i++) {
		int fd = create(directory, a->names[i], (unsigned)i + 1);

		if (fd < 0)
			return -1;
		int done = copy(a->fds[i], fd) < 0 || give(fd, uid, gid) < 0 ? -1 : 0;

		close(fd);
		if (done < 0)
			return -1;
	}
	return give(directory, uid, gid);
}

static int make_dir(int parent, const char *name)
{
	if (mkdirat(parent, name, 0700) < 0)
		return -1;
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int attachments_save(const struct attachments *a, int homes, const char *run, uid_t uid, gid_t gid,
		     struct failure *f)
{
	tree_remove(homes, run); /* of a run that was prepared, and never began */
	int own = make_dir(homes, run);
	int inner = own < 0 ? -1 : make_dir(own, "attachments");
	/* given away last: until then nobody else can be in there */
	int done = inner < 0 || save(a, inner, uid, gid) < 0 || give(own, uid, gid) < 0 ? -1 : 0;

	if (done < 0)
		failure_errno(f, FAILURE_LATER, errno, "can't save the attachments");
	if (inner >= 0)
		close(inner);
	if (own >= 0)
		close(own);
	return done;
}
