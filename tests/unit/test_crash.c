/* Crash points: the process dies at the passing that was asked for, only there. */
#include "crash.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "expect.h"

static char point[] = "x";

static void *pass_many(void *ctx)
{
	for (int i = 0; i < 1000; i++)
		CRASH_POINT(ctx);
	return NULL;
}

static void pass_some(void)
{
	CRASH_POINT("store.commit");
	CRASH_POINT("smtp.dot");
	CRASH_POINT("store.commit");
}

static void pass_in_threads(void)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, pass_many, point);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

/* The signal that ended the child, or 0. */
static int ended_by(const char *at, void (*run)(void))
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		if (at)
			setenv("NUNCIO_CRASH_AT", at, 1);
		run();
		_exit(0);
	}
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST(it_dies_at_the_passing_named)
{
	expect_int(ended_by("store.commit:1", pass_some), SIGKILL);
	expect_int(ended_by("store.commit:2", pass_some), SIGKILL);
	expect_int(ended_by("smtp.dot:1", pass_some), SIGKILL);
	expect_int(ended_by("*:3", pass_some), SIGKILL);
}

TEST(it_lives_everywhere_else)
{
	expect_int(ended_by(NULL, pass_some), 0);
	expect_int(ended_by("", pass_some), 0);
	expect_int(ended_by("store.commit", pass_some), 0);
	expect_int(ended_by("store.commit:3", pass_some), 0);
	expect_int(ended_by("store:1", pass_some), 0);
	expect_int(ended_by("*:4", pass_some), 0);
	expect_int(ended_by("*:0", pass_some), 0);
}

TEST(threads_count_together)
{
	expect_int(ended_by("x:4000", pass_in_threads), SIGKILL);
	expect_int(ended_by("x:4001", pass_in_threads), 0);
}

RUN_TESTS()
