/* Which descriptor is taken of those that a service manager passed. */
#include "activation.h"

#include <fcntl.h>
#include <unistd.h>

#include "expect.h"

static void pass(const char *fds, const char *names)
{
	char pid[20];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", fds, 1);
	if (names)
		setenv("LISTEN_FDNAMES", names, 1);
	else
		unsetenv("LISTEN_FDNAMES");
}

TEST(the_only_one_has_any_name)
{
	pass("1", "nunciod.socket");
	expect_int(activation_take("nuncio"), 3);
	expect_null(getenv("LISTEN_FDS"));
	expect_null(getenv("LISTEN_PID"));
	expect_int(activation_take("nuncio"), -1);
	pass("1", NULL);
	expect_int(activation_take("nuncio"), 3);
}

TEST(of_several_the_name_decides)
{
	pass("3", "nunciod:x:nuncio");
	expect_int(activation_take("nuncio"), 5);
	pass("2", "a:b");
	expect_int(activation_take("nuncio"), -1);
	pass("2", "a:b:nuncio");
	expect_int(activation_take("nuncio"), -1);
	pass("2", NULL);
	expect_int(activation_take("nuncio"), -1);
}

TEST(another_process_s_and_nonsense_are_left)
{
	pass("1", "nuncio");
	setenv("LISTEN_PID", "1", 1);
	expect_int(activation_take("nuncio"), -1);
	pass("-1", "nuncio");
	expect_int(activation_take("nuncio"), -1);
	pass("99999999999", "nuncio");
	expect_int(activation_take("nuncio"), -1);
	pass("", "nuncio");
	expect_int(activation_take("nuncio"), -1);
}

TEST(it_is_closed_on_exec)
{
	int fd = dup(0), spare = -1;

	/* descriptor 3 may be anything here: it is put back */
	if (fd != 3) {
		spare = dup(3);
		dup2(fd, 3);
	}
	pass("1", NULL);
	expect_int(activation_take("nuncio"), 3);
	expect_true(fcntl(3, F_GETFD) & FD_CLOEXEC);
	if (spare >= 0)
		dup2(spare, 3);
}

RUN_TESTS()
