/* common/socket_path.c - decides when a socket's file is left over from one who died. */
#include "socket_path.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failure.h"

int socket_path_address(const char *path, struct sockaddr_un *ret, struct failure *f)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(ret->sun_path))
		return failure_set(f, FAILURE_SETUP,
				   "the path %s is longer than the %zu bytes a socket can have",
				   path, sizeof(ret->sun_path) - 1);
	strcpy(ret->sun_path, path);
	return 0;
}

static bool somebody_answers(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool answers =
		fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
			    errno != ECONNREFUSED);

	if (fd >= 0)
		close(fd);
	return answers;
}

int socket_path_clear(const struct sockaddr_un *address, struct failure *f)
{
	struct stat about;

	if (lstat(address->sun_path, &about) < 0)
		return 0;
	if (!S_ISSOCK(about.st_mode))
		return failure_set(f, FAILURE_SETUP, "%s exists and is no socket",
				   address->sun_path);
	if (somebody_answers(address))
		return failure_set(f, FAILURE_SETUP,
				   "another program answers at %s: does it run already?",
				   address->sun_path);
	unlink(address->sun_path);
	return 0;
}
