/* common/secret.c - secrets on pages of their own. Where a secret is found and
 * when it is needed is decided in config/. */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "failure.h"

enum { SECRET_FILE_MAX = 64 * 1024 };

struct secret {
	size_t mapped; /* bytes of the mapping this stands at the start of */
	size_t len;
	char bytes[]; /* len, then a NUL */
};

/* Zeroed, with room for len bytes and their NUL. */
static struct secret *new_pages(size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t mapped = (sizeof(struct secret) + len + 1 + page - 1) / page * page;
	struct secret *s =
		mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (s == MAP_FAILED) {
		perror("out of memory");
		abort();
	}
	madvise(s, mapped, MADV_DONTDUMP);
	s->mapped = mapped;
	s->len = len;
	return s;
}

struct secret *secret_new(const char *bytes, size_t len)
{
	struct secret *s = new_pages(len);

	if (len)
		memcpy(s->bytes, bytes, len);
	return s;
}

void secret_free(struct secret *s)
{
	if (!s)
		return;
	size_t mapped = s->mapped;

	secret_wipe(s, mapped);
	munmap(s, mapped);
}

/* Fills s, which has room for one byte more than is allowed. */
static int read_all(int fd, struct secret *s, const char *path, struct failure *f)
{
	size_t room = s->len;

	for (s->len = 0; s->len < room;) {
		ssize_t n = read(fd, s->bytes + s->len, room - s->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failure_errno(f, FAILURE_SETUP, errno, "secret file %s", path);
		if (n == 0)
			return 0;
		s->len += (size_t)n;
	}
	return failure_set(f, FAILURE_SETUP, "secret file %s: larger than 64 KiB", path);
}

static int take_value(const struct secret *all, const char *path, struct secret **ret,
		      struct failure *f)
{
	size_t len = all->len;

	if (len && all->bytes[len - 1] == '\n')
		len--;
	if (!len)
		return failure_set(f, FAILURE_SETUP, "secret file %s: empty", path);
	if (memchr(all->bytes, '\0', len))
		return failure_set(f, FAILURE_SETUP, "secret file %s: has a NUL byte inside", path);
	*ret = secret_new(all->bytes, len);
	return 0;
}

int secret_read_file(const char *path, struct secret **ret, struct failure *f)
{
	/* O_NONBLOCK: a FIFO in its place must not stop the daemon */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return failure_errno(f, FAILURE_SETUP, errno, "secret file %s", path);
	AUTO(secret_free) struct secret *all = new_pages(SECRET_FILE_MAX + 1);
	int result = read_all(fd, all, path, f);

	close(fd);
	return result < 0 ? -1 : take_value(all, path, ret, f);
}

const char *secret_bytes(const struct secret *s)
{
	return s->bytes;
}

size_t secret_len(const struct secret *s)
{
	return s->len;
}

/* Takes as long whatever differs. Not libcrypto's: to load it would be most of what many a
 * command does. */
static bool is_same(const char *a, const char *b, size_t len)
{
	const volatile unsigned char *x = (const volatile unsigned char *)a;
	const volatile unsigned char *y = (const volatile unsigned char *)b;
	unsigned char differs = 0;

	for (size_t i = 0; i < len; i++)
		differs |= x[i] ^ y[i];
	return differs == 0;
}

bool secret_equal(const struct secret *s, const char *bytes, size_t len)
{
	/* of another length: compared with bytes itself, to take as long */
	bool same_len = len == s->len;

	return is_same(bytes, same_len ? s->bytes : bytes, len) & same_len;
}

void secret_wipe(void *bytes, size_t len)
{
	if (len)
		explicit_bzero(bytes, len);
}
