/* mailbox/maildir_folder.c - decides which files of a Maildir are mails, what they are
 * called, and how they move without another program's noticing. */
#include "mailbox/maildir_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "clock.h"
#include "failure.h"

/* "new/", "cur/" */
#define PLACE_LEN 4
/* A header longer than this is none. */
#define HEADER_BYTES (1024 * 1024)

void maildir_names_clear(struct maildir_names *names)
{
	for (size_t i = names->at; i < names->n; i++)
		free(names->names[i].name);
	free(names->names);
	*names = (struct maildir_names){0};
}

void maildir_mail_clear(struct maildir_mail *mail)
{
	free(mail->name);
	free(mail->ref);
	free(mail->bytes);
	*mail = (struct maildir_mail){0};
}

static int make_folder(const char *path, struct failure *f)
{
	static const char *const parts[] = {"", "/tmp", "/new", "/cur"};

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		AUTO(free) char *folder = xprintf("%s%s", path, parts[i]);

		if (mkdir(folder, 0700) < 0 && errno != EEXIST)
			return failure_errno(f, FAILURE_LATER, errno, "%s", folder);
	}
	return 0;
}

int maildir_make(const char *path, struct failure *f)
{
	return make_folder(path, f);
}

/* ---- names ---- */

static size_t unique_len(const char *name)
{
	return strcspn(name, ":");
}

static char *ref_of(const char *name)
{
	size_t n = unique_len(name), len = 0;
	char *ref = xmalloc(3 * n + 1);

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c > ' ' && c < 0x7f && c != '%')
			ref[len++] = (char)c;
		else
			len += (size_t)snprintf(ref + len, 4, "%%%02X", c);
	}
	ref[len] = '\0';
	return ref;
}

static int find_in(const char *path, const char *part, const char *ref, char **ret)
{
	AUTO(free) char *folder = xprintf("%s/%s", path, part);
	DIR *dir = opendir(folder);
	struct dirent *entry;

	if (!dir)
		return -1;
	while (!*ret && (entry = readdir(dir))) {
		AUTO(free) char *its = ref_of(entry->d_name);

		if (entry->d_name[0] != '.' && strcmp(its, ref) == 0)
			*ret = xprintf("%s/%s", part, entry->d_name);
	}
	closedir(dir);
	return 0;
}

/* Where it is now, as "cur/NAME"; NULL: nowhere. */
static int find(const char *path, const char *ref, char **ret, struct failure *f)
{
	*ret = NULL;
	/* the first again: it may have moved behind our back */
	if (find_in(path, "new", ref, ret) < 0 || (!*ret && find_in(path, "cur", ref, ret) < 0) ||
	    (!*ret && find_in(path, "new", ref, ret) < 0))
		return failure_errno(f, FAILURE_LATER, errno, "%s", path);
	return 0;
}

/* ---- reading ---- */

static int by_age(const void *a, const void *b)
{
	const struct maildir_name *x = a, *y = b;

	if (x->mtime_ns != y->mtime_ns)
		return x->mtime_ns < y->mtime_ns ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void note_trouble(struct maildir_names *names, const char *name, int error)
{
	AUTO(free) char *ref = ref_of(name);

	if (!names->trouble[0])
		snprintf(names->trouble, sizeof(names->trouble), "new/%.100s can't be read: %s",
			 ref, strerror(error));
}

static void look_at(struct maildir_names *names, int dir_fd, const char *name)
{
	struct stat about;

	if (name[0] == '.' || fstatat(dir_fd, name, &about, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (!S_ISREG(about.st_mode)) {
		note_trouble(names, name, S_ISDIR(about.st_mode) ? EISDIR : EINVAL);
	} else if (faccessat(dir_fd, name, R_OK, AT_EACCESS) < 0) {
		note_trouble(names, name, errno);
	} else {
		int64_t ns = (int64_t)about.st_mtim.tv_sec * 1000000000 + about.st_mtim.tv_nsec;

		names->names[names->n++] =
			(struct maildir_name){.name = xstrdup(name), .mtime_ns = ns};
	}
}

int maildir_look(const char *path, struct maildir_names *ret, struct failure *f)
{
	AUTO(free) char *folder = xprintf("%s/new", path);
	DIR *dir = opendir(folder);
	struct dirent *entry;

	maildir_names_clear(ret);
	if (!dir)
		return failure_errno(f, FAILURE_LATER, errno, "%s", folder);
	ret->names = xcalloc(MAILDIR_BATCH, sizeof(*ret->names));
	errno = 0;
	while (ret->n < MAILDIR_BATCH && (entry = readdir(dir)))
		look_at(ret, dirfd(dir), entry->d_name);
	closedir(dir);
	qsort(ret->names, ret->n, sizeof(*ret->names), by_age);
	return 0;
}

/* The bytes of fd, or its header when there are too many. -1 and errno. */
static int read_bytes(int fd, uint64_t max_bytes, struct maildir_mail *ret)
{
	size_t max = ret->cut && max_bytes > HEADER_BYTES ? HEADER_BYTES : (size_t)max_bytes;
	size_t room = ret->size < max ? (size_t)ret->size : max;
	ssize_t len = 0;

	ret->bytes = xmalloc(room + 1);
	while (ret->len < room && (len = read(fd, ret->bytes + ret->len, room - ret->len)) > 0)
		ret->len += (size_t)len;
	ret->bytes[ret->len] = '\0';
	return len < 0 ? -1 : 0;
}

static void cut_after_header(struct maildir_mail *mail)
{
	const char *lf = memmem(mail->bytes, mail->len, "\n\n", 2);
	const char *crlf = memmem(mail->bytes, mail->len, "\n\r\n", 3);
	const char *end = lf ? lf + 2 : NULL;

	if (crlf && (!lf || crlf < lf))
		end = crlf + 3;
	if (end)
		mail->len = (size_t)(end - mail->bytes);
}

/* -1 and errno. place: "new/NAME". */
static int read_mail(const char *path, const char *place, uint64_t max_bytes,
		     struct maildir_mail *ret)
{
	AUTO(free) char *file = xprintf("%s/%s", path, place);
	int fd = open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat about;
	int result = -1, error = EINVAL;

	if (fd < 0)
		return -1;
	if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode)) {
		ret->size = (uint64_t)about.st_size;
		ret->cut = ret->size > max_bytes;
		ret->received_ms =
			(int64_t)about.st_mtim.tv_sec * 1000 + about.st_mtim.tv_nsec / 1000000;
		result = read_bytes(fd, max_bytes, ret);
		error = errno;
	}
	close(fd);
	errno = error;
	if (result < 0) {
		maildir_mail_clear(ret);
		return -1;
	}
	if (ret->cut)
		cut_after_header(ret);
	ret->name = xstrdup(place + PLACE_LEN);
	ret->ref = ref_of(ret->name);
	return 0;
}

void maildir_next(const char *path, struct maildir_names *names, uint64_t max_bytes,
		  struct maildir_mail *ret)
{
	while (!ret->name && names->at < names->n) {
		struct maildir_name *next = &names->names[names->at++];
		AUTO(free) char *name = TAKE(next->name);
		AUTO(free) char *place = xprintf("new/%s", name);

		if (read_mail(path, place, max_bytes, ret) < 0 && errno != ENOENT)
			note_trouble(names, name, errno);
	}
}

int maildir_find(const char *path, const char *ref, uint64_t max_bytes, struct maildir_mail *ret,
		 struct failure *f)
{
	AUTO(free) char *place = NULL;

	if (find(path, ref, &place, f) < 0)
		return -1;
	if (place && read_mail(path, place, max_bytes, ret) < 0 && errno != ENOENT)
		return failure_errno(f, FAILURE_LATER, errno, "%s/%s", path, place);
	return 0;
}

/* ---- moving ---- */

static int failed(const char *path, struct failure *f)
{
	bool refused = errno == EACCES || errno == EPERM;

	return failure_errno(f, refused ? FAILURE_REFUSED : FAILURE_LATER, errno, "%s", path);
}

/* Nothing is written over. Gone is as good as moved. */
static int move(const char *path, const char *from, const char *to_path, const char *to,
		struct failure *f)
{
	AUTO(free) char *old = xprintf("%s/%s", path, from);
	AUTO(free) char *new = xprintf("%s/%s", to_path, to);

	if (renameat2(AT_FDCWD, old, AT_FDCWD, new, RENAME_NOREPLACE) == 0)
		return 0;
	/* a file system that can't */
	if (errno == EINVAL && access(new, F_OK) < 0 && rename(old, new) == 0)
		return 0;
	return errno == ENOENT && access(old, F_OK) < 0 ? 0 : failed(new, f);
}

static char *cur_place(const char *name)
{
	const char *info = name + unique_len(name);
	AUTO(free) char *unique = xstrndup(name, unique_len(name));

	return xprintf("cur/%s%s", unique, *info ? info : ":2,");
}

int maildir_settle(const char *path, const char *name, struct failure *f)
{
	AUTO(free) char *from = xprintf("new/%s", name);
	AUTO(free) char *to = cur_place(name);
	AUTO(free) char *taken = xprintf("%s/%s", path, to);
	AUTO(free)
	char *other = xprintf("cur/%.*s_%lld:2,", (int)unique_len(name), name,
			      (long long)clock_wall_ms());

	/* a name that is not unique must not stop what comes after it */
	return move(path, from, path, access(taken, F_OK) == 0 ? other : to, f);
}

static int remove_mail(const char *path, const char *place, struct failure *f)
{
	AUTO(free) char *file = xprintf("%s/%s", path, place);

	return unlink(file) == 0 || errno == ENOENT ? 0 : failed(file, f);
}

/* Flags stand in the order of the alphabet. */
static char *with_flag(const char *name, char flag)
{
	const char *info = strstr(name, ":2,");
	const char *flags = info ? info + 3 : "";
	size_t before = 0;

	while (flags[before] && flags[before] < flag)
		before++;
	return xprintf("cur/%.*s:2,%.*s%s%s", (int)unique_len(name), name, (int)before, flags,
		       flags[before] == flag ? "" : (char[]){flag, '\0'}, flags + before);
}

static int flag_mail(const char *path, const char *place, const char *target, struct failure *f)
{
	static const struct {
		const char *name;
		char flag;
	} flags[] = {{"seen", 'S'}, {"flagged", 'F'}, {"answered", 'R'}};

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		if (strcmp(flags[i].name, target) != 0)
			continue;
		AUTO(free) char *to = with_flag(place + PLACE_LEN, flags[i].flag);

		return strcmp(place, to) == 0 ? 0 : move(path, place, path, to, f);
	}
	return failure_set(f, FAILURE_REFUSED, "a Maildir knows the flags seen, flagged, answered");
}

static int move_mail(const char *path, const char *place, const char *target, struct failure *f)
{
	const char *name = place + PLACE_LEN;

	if (target[0] != '.' || !target[1] || strchr(target, '/') || strstr(target, ".."))
		return failure_set(f, FAILURE_REFUSED,
				   "a folder of a Maildir is written like '.Archive'");
	AUTO(free) char *folder = xprintf("%s/%s", path, target);
	AUTO(free) char *to = cur_place(name);

	return make_folder(folder, f) < 0 ? -1 : move(path, place, folder, to, f);
}

int maildir_deed(const char *path, enum deed_on_mail deed, const char *ref, const char *target,
		 struct failure *f)
{
	AUTO(free) char *place = NULL;

	if (find(path, ref, &place, f) < 0)
		return -1;
	if (!place)
		return 0;
	switch (deed) {
	case MAIL_FLAG:
		return flag_mail(path, place, target, f);
	case MAIL_MOVE:
		return move_mail(path, place, target, f);
	case MAIL_DELETE:
		return remove_mail(path, place, f);
	}
	return 0;
}
