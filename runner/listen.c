/* runner/listen.c - decides who may speak to the runner: the user of nunciod, and the
 * runner's own, who could change all it knows anyway. */
#include "listen.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "activation.h"
#include "alloc.h"
#include "auto.h"
#include "config/config.h"
#include "failure.h"
#include "socket_path.h"

int listen_user(const struct runner_config *config, uid_t *ret, struct failure *f)
{
	const char *user = config->user;

	*ret = geteuid();
	if (!user)
		return 0;
	if (*user && !user[strspn(user, "0123456789")]) {
		*ret = (uid_t)strtoul(user, NULL, 10);
		return 0;
	}
	const struct passwd *found = getpwnam(user);

	if (!found)
		return failure_set(f, FAILURE_SETUP, "runner.user: there is no user '%.60s' here",
				   user);
	*ret = found->pw_uid;
	return 0;
}

static int make_folder(const char *path, uid_t user, struct failure *f)
{
	AUTO(free) char *folder = xstrdup(path);
	char *slash = strrchr(folder, '/');

	if (!slash || slash == folder)
		return 0;
	*slash = '\0';
	if (mkdir(folder, 0755) < 0)
		return errno == EEXIST ? 0
				       : failure_errno(f, FAILURE_SETUP, errno,
						       "runner.socket: can't make %s", folder);
	/* nunciod's socket may come to lie here too */
	if (chmod(folder, 0755) < 0 || (geteuid() == 0 && chown(folder, user, (gid_t)-1) < 0))
		return failure_errno(f, FAILURE_SETUP, errno, "runner.socket: %s", folder);
	return 0;
}

static int bind_path(int fd, const struct sockaddr_un *address, uid_t user, struct failure *f)
{
	mode_t before = umask(0177);
	int done = bind(fd, (const struct sockaddr *)address, sizeof(*address));

	umask(before);
	if (done == 0 && user != geteuid() && geteuid() == 0)
		done = lchown(address->sun_path, user, (gid_t)-1);
	if (done == 0)
		done = listen(fd, SOMAXCONN);
	if (done < 0)
		return failure_errno(f, FAILURE_SETUP, errno, "runner.socket: can't make %s",
				     address->sun_path);
	return 0;
}

int listen_open(const struct runner_config *config, uid_t user, int *ret_fd, struct failure *f)
{
	struct sockaddr_un address;
	int fd = activation_take("nuncio-runner");

	if (fd >= 0) {
		fcntl(fd, F_SETFL, O_NONBLOCK);
		*ret_fd = fd;
		return 0;
	}
	if (socket_path_address(config->socket, &address, f) < 0)
		return failure_wrap(f, "runner.socket");
	if (make_folder(config->socket, user, f) < 0)
		return -1;
	/* runners of one state directory exclude each other before */
	if (socket_path_clear(&address, f) < 0)
		return failure_wrap(f, "runner.socket");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return failure_errno(f, FAILURE_LATER, errno, "runner.socket");
	if (bind_path(fd, &address, user, f) < 0) {
		close(fd);
		return -1;
	}
	*ret_fd = fd;
	return 0;
}

int listen_accept(int fd, uid_t user, uid_t *ret_stranger)
{
	struct ucred who = {.uid = (uid_t)-1};
	socklen_t size = sizeof(who);
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	*ret_stranger = (uid_t)-1;
	if (peer < 0)
		return -1;
	if (getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 &&
	    (who.uid == user || who.uid == geteuid()))
		return peer;
	*ret_stranger = who.uid;
	close(peer);
	return -1;
}
