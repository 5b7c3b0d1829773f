/* base/notify.c - decides how the service manager is reached. It never fails
 * aloud: a manager that does not listen is no reason to stop sending mail. */
#include "base/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

#define STATUS_SIZE 256

static void notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, strlen(path));
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address,
	       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
	close(fd);
}

void notify_ready(const char *status)
{
	char line[STATUS_SIZE], text[STATUS_SIZE + 32];

	text_safe_line(line, sizeof(line), status, strlen(status));
	snprintf(text, sizeof(text), "READY=1\nSTATUS=%s", line);
	notify(text);
}

void notify_reloading(void)
{
	char text[80];
	struct timespec now;

	/* To the microsecond: a time before the manager's own request is ignored */
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	notify(text);
}

void notify_stopping(void)
{
	notify("STOPPING=1");
}

void notify_status(const char *status)
{
	char line[STATUS_SIZE], text[STATUS_SIZE + 32];

	text_safe_line(line, sizeof(line), status, strlen(status));
	snprintf(text, sizeof(text), "STATUS=%s", line);
	notify(text);
}

bool notify_is_heard(void)
{
	return getenv("NOTIFY_SOCKET");
}

void notify_extend(int64_t ms)
{
	char text[60];

	snprintf(text, sizeof(text), "EXTEND_TIMEOUT_USEC=%lld", (long long)ms * 1000);
	notify(text);
}

void notify_alive(void)
{
	notify("WATCHDOG=1");
}

int64_t notify_watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (!usec || (pid && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	long long ms = strtoll(usec, NULL, 10) / 1000;

	return ms > 0 ? ms : 0;
}
