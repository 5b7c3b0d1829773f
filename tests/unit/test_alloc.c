/* Memory helpers: copies end with NUL, and running out of memory ends the process. */
#include "alloc.h"

#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auto.h"
#include "expect.h"

TEST(zeroed_memory_is_zero)
{
	AUTO(free) char *bytes = xcalloc(3, 5);

	for (size_t i = 0; i < 15; i++)
		expect_int(bytes[i], 0);
}

TEST(nothing_asked_for_is_still_a_pointer)
{
	AUTO(free) char *none = xmalloc(0);
	AUTO(free) char *zeroed = xcalloc(0, 8);
	AUTO(free) char *grown = xrealloc(NULL, 0);

	expect_some(none);
	expect_some(zeroed);
	expect_some(grown);
}

TEST(copies_end_with_nul)
{
	AUTO(free) char *all = xstrdup("héllo");
	AUTO(free) char *part = xstrndup("hello", 2);
	AUTO(free) char *shorter = xstrndup("hi", 10);
	AUTO(free) char *bytes = xmemdup("a\0b", 3);

	expect_text(all, "héllo");
	expect_text(part, "he");
	expect_text(shorter, "hi");
	expect_bytes(bytes, 4, "a\0b", 4);
}

TEST(printing_makes_what_fits)
{
	AUTO(free) char *text = xprintf("%s-%d-%500s", "a", 7, "z");

	expect_int(strlen(text), 504);
	expect_int(text[503], 'z');
}

TEST(take_leaves_nothing_behind)
{
	char *kept;
	{
		AUTO(free) char *local = xstrdup("x");

		kept = TAKE(local);
		expect_null(local);
	}
	expect_text(kept, "x");
	free(kept);
}

static int signal_of_child(void (*run)(void))
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		struct rlimit none = {0, 0};

		signal(SIGABRT, SIG_DFL);
		setrlimit(RLIMIT_CORE, &none);
		close(STDERR_FILENO);
		run();
		_exit(0);
	}
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void copy_too_much(void)
{
	free(xmemdup("x", SIZE_MAX));
}

TEST(running_out_ends_the_process)
{
	expect_int(signal_of_child(copy_too_much), SIGABRT);
}

RUN_TESTS()
