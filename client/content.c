/* client/content.c - see content.h. */
#include "content.h"

#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "buf.h"
#include "failure.h"
#include "memfd.h"
#include "text.h"

#define TEXT_MAX (64 * 1024 * 1024)

static int open_file(const char *path, struct failure *f)
{
	struct stat about;
	int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return failure_errno(f, FAILURE_REFUSED, errno, "%s", path);
	if (fstat(fd, &about) == 0 && S_ISDIR(about.st_mode)) {
		close(fd);
		return failure_set(f, FAILURE_REFUSED, "%s is a directory", path);
	}
	return fd;
}

static int read_all(int fd, struct buf *out, const char *path, struct failure *f)
{
	for (;;) {
		char *room = buf_room(out, 65536);

		if (!room)
			return failure_set(f, FAILURE_REFUSED, "%s is too large", path);
		ssize_t got = read(fd, room, 65536);
		if (got < 0 && errno != EINTR)
			return failure_errno(f, FAILURE_REFUSED, errno, "%s", path);
		if (got == 0)
			return 0;
		buf_wrote(out, got > 0 ? (size_t)got : 0);
	}
}

static size_t drop_nul(char *bytes, size_t len)
{
	size_t kept = 0;

	for (size_t i = 0; i < len; i++) {
		if (bytes[i])
			bytes[kept++] = bytes[i];
	}
	bytes[kept] = '\0';
	return kept;
}

/* Three octets of UTF-8 at most come of one; the few unassigned ones become '?'. */
static char *from_windows(char *bytes, size_t len)
{
	iconv_t converter = iconv_open("UTF-8", "WINDOWS-1252");
	char *out = xmalloc(len * 3 + 1), *to = out;
	size_t room = len * 3;

	while (len > 0 && iconv(converter, &bytes, &len, &to, &room) == (size_t)-1) {
		*to++ = '?';
		room--;
		bytes++;
		len--;
	}
	*to = '\0';
	iconv_close(converter);
	return out;
}

static char *to_utf8(char *bytes, size_t len)
{
	AUTO(free) char *own = bytes;

	len = drop_nul(own, len);
	return text_is_utf8(own, len) ? TAKE(own) : from_windows(own, len);
}

char *content_utf8_bytes(const char *bytes, size_t len)
{
	char *copy = xmalloc(len + 1);

	memcpy(copy, bytes, len);
	return to_utf8(copy, len);
}

char *content_utf8(const char *text)
{
	return content_utf8_bytes(text, strlen(text));
}

int content_bytes(const char *path, struct buf *out, struct failure *f)
{
	int fd = open_file(path, f);

	if (fd < 0)
		return -1;
	int result = read_all(fd, out, path, f);

	close(fd);
	return result;
}

int content_text(const char *path, char **ret, struct failure *f)
{
	struct buf raw;
	int fd = open_file(path, f);

	if (fd < 0)
		return -1;
	buf_init(&raw, TEXT_MAX);
	int result = read_all(fd, &raw, path, f);
	close(fd);
	if (result == 0) {
		size_t len;
		char *bytes = buf_take(&raw, &len);

		*ret = to_utf8(bytes, len);
	}
	buf_clear(&raw);
	return result;
}

static int copy_all(int from, int to, const char *path, struct failure *f)
{
	AUTO(free) char *bytes = xmalloc(262144);
	ssize_t got;

	while ((got = read(from, bytes, 262144)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return failure_errno(f, FAILURE_REFUSED, errno, "%s", path);
		if (memfd_add(to, bytes, (size_t)got, f) < 0)
			return failure_wrap(f, "%s", path);
	}
	return 0;
}

int content_memfd(const char *path, struct failure *f)
{
	int from = open_file(path, f);

	if (from < 0)
		return -1;
	int to = memfd_open(f);
	int result = to < 0 ? -1 : copy_all(from, to, path, f);
	close(from);
	if (result == 0)
		result = memfd_seal(to, f);
	if (result < 0 && to >= 0)
		close(to);
	return result < 0 ? -1 : to;
}
