/* common/activation.c - decides which of the descriptors from 3 on is meant. The
 * environment that tells of them is for this process alone, and is cleared. */
#include "activation.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_FD 3
#define FDS_MAX 64

static int count_fds(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");

	if (!pid || !count || strtol(pid, NULL, 10) != getpid())
		return 0;
	long n = strtol(count, NULL, 10);

	return n > 0 && n <= FDS_MAX ? (int)n : 0;
}

/* names are separated by colons. */
static int find_name(const char *names, const char *name, int n)
{
	size_t len = strlen(name);

	for (int i = 0; names && i < n; i++) {
		size_t end = strcspn(names, ":");

		if (end == len && strncmp(names, name, len) == 0)
			return i;
		names = names[end] ? names + end + 1 : NULL;
	}
	return -1;
}

int activation_take(const char *name)
{
	int n = count_fds();
	int which = n == 1 ? 0 : find_name(getenv("LISTEN_FDNAMES"), name, n);

	for (int i = 0; i < n; i++)
		fcntl(FIRST_FD + i, F_SETFD, FD_CLOEXEC);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return which < 0 ? -1 : FIRST_FD + which;
}
