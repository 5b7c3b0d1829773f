/* runner/offspring.c - looks through /proc: a daemon leaves its session, and its process
 * group too, but when its parents end it becomes ours. */
#include "offspring.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct about {
	char state;
	long parent, session;
};

/* "PID (NAME) STATE PARENT GROUP SESSION ...", where NAME may hold anything. */
static bool read_about(const char *pid, struct about *ret)
{
	char path[64], text[512];

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (len <= 0)
		return false;
	text[len] = '\0';
	const char *behind = strrchr(text, ')');
	return behind &&
	       sscanf(behind + 1, " %c %ld %*d %ld", &ret->state, &ret->parent, &ret->session) == 3;
}

static bool is_ours(const char *name, pid_t session)
{
	struct about about;

	return isdigit((unsigned char)*name) && read_about(name, &about) && about.state != 'Z' &&
	       (about.parent == getpid() || about.session == session);
}

bool offspring_kill(pid_t session)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	bool any = false;

	while (dir && (entry = readdir(dir))) {
		if (!is_ours(entry->d_name, session))
			continue;
		any = true;
		kill((pid_t)strtol(entry->d_name, NULL, 10), SIGKILL);
	}
	if (dir)
		closedir(dir);
	return any;
}
