/* What the service manager hears, and that nobody is missed where there is none. */
#include "base/notify.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "expect.h"

/* An abstract name of the kernel's choice: nothing is left in any folder. */
static int manager_open(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(address);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	expect_int(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
	expect_int(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	address.sun_path[0] = '@';
	address.sun_path[len - offsetof(struct sockaddr_un, sun_path)] = '\0';
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	return fd;
}

static const char *manager_hears(int fd)
{
	static char text[1000];
	ssize_t len = recv(fd, text, sizeof(text) - 1, 0);

	expect_true(len > 0);
	text[len] = '\0';
	return text;
}

TEST(each_state_is_one_datagram)
{
	int fd = manager_open();

	notify_ready("3 transports");
	expect_text(manager_hears(fd), "READY=1\nSTATUS=3 transports");
	notify_status("mail paused\nREADY=1");
	expect_text(manager_hears(fd), "STATUS=mail paused?READY=1");
	notify_stopping();
	expect_text(manager_hears(fd), "STOPPING=1");
	close(fd);
}

TEST(a_long_start_and_a_life_sign)
{
	int fd = manager_open();

	expect_true(notify_is_heard());
	notify_extend(90500);
	expect_text(manager_hears(fd), "EXTEND_TIMEOUT_USEC=90500000");
	notify_alive();
	expect_text(manager_hears(fd), "WATCHDOG=1");
	close(fd);
}

TEST(a_watchdog_is_ours_or_none)
{
	char pid[20];

	unsetenv("WATCHDOG_USEC");
	expect_int(notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "60000000", 1);
	expect_int(notify_watchdog_ms(), 60000);
	setenv("WATCHDOG_PID", "1", 1);
	expect_int(notify_watchdog_ms(), 0);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	expect_int(notify_watchdog_ms(), 60000);
	setenv("WATCHDOG_USEC", "-5", 1);
	expect_int(notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "soon", 1);
	expect_int(notify_watchdog_ms(), 0);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

TEST(reloading_says_a_time_that_is_not_before_now)
{
	long long said_us = 0;
	struct timespec now;
	int fd = manager_open();

	clock_gettime(CLOCK_MONOTONIC, &now);
	notify_reloading();
	expect_int(sscanf(manager_hears(fd), "RELOADING=1\nMONOTONIC_USEC=%lld", &said_us), 1);
	expect_true(said_us >= (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	close(fd);
}

TEST(no_manager_or_a_strange_one_is_no_trouble)
{
	char long_path[200] = "/";

	memset(long_path + 1, 'x', sizeof(long_path) - 2);
	unsetenv("NOTIFY_SOCKET");
	expect_false(notify_is_heard());
	notify_ready("fine");
	setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
	notify_ready("fine");
	setenv("NOTIFY_SOCKET", long_path, 1);
	notify_ready("fine");
	setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
	notify_stopping();
}

RUN_TESTS()
