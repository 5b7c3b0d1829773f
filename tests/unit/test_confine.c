/* A confined process can't become another program, by any of its threads, by whatever
 * number of the call; all else goes on. Each test confines a process of its own. */
#include "base/confine.h"

#include "expect.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failure.h"

enum { EXIT_CONFINED = 40, EXIT_CANNOT };

static char name[] = "true";
static char *const arguments[] = {name, NULL};
static char *const environment[] = {NULL};
static int go[2]; /* a byte in it: the thread may try */

static void quiet(void)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	/* a sanitizer would report the signal */
	signal(SIGSYS, SIG_DFL);
}

/* The status of a child that does deed once it is confined. */
static int status_of(void (*deed)(void))
{
	pid_t pid = fork();
	struct failure f = {0};
	int status = 0;

	if (pid == 0) {
		quiet();
		if (confine(&f) < 0)
			_exit(EXIT_CANNOT);
		deed();
		_exit(EXIT_CONFINED);
	}
	expect_int(waitpid(pid, &status, 0), pid);
	return status;
}

static void expect_killed(int status)
{
	expect_false(WIFEXITED(status));
	expect_int(WTERMSIG(status), SIGSYS);
}

static void nothing(void)
{
}

static void execute(void)
{
	syscall(SYS_execve, "/bin/true", arguments, environment);
}

static void execute_at(void)
{
	syscall(SYS_execveat, 0, "/bin/true", arguments, environment, 0);
}

static void fork_and_execute(void)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		execute();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
		_exit(EXIT_CANNOT);
}

#ifdef __x86_64__
static void execute_x32(void)
{
	syscall(0x40000000 | 520, "/bin/true", arguments, environment);
}

TEST(the_number_of_another_architecture_does_not_help)
{
	expect_killed(status_of(execute_x32));
}
#endif

TEST(it_goes_on_otherwise)
{
	int status = status_of(nothing);

	expect_true(WIFEXITED(status));
	expect_int(WEXITSTATUS(status), EXIT_CONFINED);
}

TEST(it_can_execute_nothing)
{
	expect_killed(status_of(execute));
	expect_killed(status_of(execute_at));
}

TEST(what_it_forks_can_execute_nothing)
{
	int status = status_of(fork_and_execute);

	expect_true(WIFEXITED(status));
	expect_int(WEXITSTATUS(status), EXIT_CONFINED);
}

static void *execute_when_told(void *unused)
{
	char byte;

	if (read(go[0], &byte, 1) == 1)
		execute();
	return NULL;
}

/* A thread that was there before counts as well. */
static _Noreturn void confine_beside_a_thread(void)
{
	pthread_t thread;
	struct failure f = {0};

	quiet();
	if (pipe(go) < 0 || pthread_create(&thread, NULL, execute_when_told, NULL) != 0 ||
	    confine(&f) < 0 || write(go[1], "x", 1) != 1)
		_exit(EXIT_CANNOT);
	pthread_join(thread, NULL);
	_exit(EXIT_CONFINED);
}

TEST(threads_that_were_there_can_execute_nothing)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		confine_beside_a_thread();
	expect_int(waitpid(pid, &status, 0), pid);
	expect_killed(status);
}

RUN_TESTS()
