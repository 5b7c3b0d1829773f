/* runner/child.c - decides what a program of a rule starts with: no shell, no terminal, no
 * descriptor of ours, no core dump, no way to more rights, an environment of its own. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_SOFT 1024
#define FILES_HARD 4096
#define PROCESSES_MAX 1024 /* of a user that was switched to: all of them count */
#define EXIT_NEVER_BEGAN 127

static _Noreturn void complain(const struct child *c, const char *step)
{
	struct child_complaint complaint = {.error = errno};

	snprintf(complaint.step, sizeof(complaint.step), "%s", step);
	if (write(c->complain, &complaint, sizeof(complaint)) < 0)
		_exit(EXIT_NEVER_BEGAN + 1);
	_exit(EXIT_NEVER_BEGAN);
}

/* Others than those that we ignore were set right when the runner began, and handlers go
 * by themselves. */
static void reset_signals(void)
{
	static const int ignored[] = {SIGPIPE, SIGCHLD, SIGHUP, SIGINT};
	sigset_t none;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		signal(ignored[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int limit(int what, rlim_t soft, rlim_t hard)
{
	struct rlimit now;

	if (getrlimit((__rlimit_resource_t)what, &now) < 0)
		return -1;
	if (hard > now.rlim_max)
		hard = now.rlim_max;
	now.rlim_max = hard;
	now.rlim_cur = soft < hard ? soft : hard;
	return setrlimit((__rlimit_resource_t)what, &now);
}

static void set_limits(const struct child *c)
{
	if (limit(RLIMIT_CORE, 0, 0) < 0 || limit(RLIMIT_NOFILE, FILES_SOFT, FILES_HARD) < 0)
		complain(c, "limits");
	if (c->memory && limit(RLIMIT_AS, c->memory, c->memory) < 0)
		complain(c, "memory");
	if (c->who->switched && limit(RLIMIT_NPROC, PROCESSES_MAX, PROCESSES_MAX) < 0)
		complain(c, "limits");
}

static void set_descriptors(const struct child *c)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, 0) < 0 || dup2(c->output, 1) < 0 ||
	    dup2(c->errors ? c->errors : c->output, 2) < 0)
		complain(c, "descriptors");
	/* all of ours are closed on exec by themselves; what came from elsewhere is not */
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
}

static void become_user(const struct child *c)
{
	const struct identity *who = c->who;

	if (who->switched && (setgroups((size_t)who->ngroups, who->groups) < 0 ||
			      setresgid(who->gid, who->gid, who->gid) < 0 ||
			      setresuid(who->uid, who->uid, who->uid) < 0))
		complain(c, "user");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		complain(c, "no_new_privs");
}

/* All that can be done before is. */
static void await_word(const struct child *c)
{
	ssize_t n;
	char byte;

	if (!c->go)
		return;
	do
		n = read(c->go, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return;
	errno = 0;
	complain(c, "");
}

void child_become(const struct child *c)
{
	reset_signals();
	if (setsid() < 0)
		complain(c, "session");
	umask(077);
	set_descriptors(c);
	set_limits(c);
	become_user(c);
	/* nobody would see its end any more. After the change of user, which unsets it */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != c->parent)
		_exit(EXIT_NEVER_BEGAN);
	if (chdir(c->directory) < 0)
		complain(c, "directory");
	await_word(c);
	execve(c->argv[0], c->argv, c->environment);
	complain(c, "program");
}

bool child_complained(int fd, struct child_complaint *ret)
{
	ssize_t n;

	do
		n = read(fd, ret, sizeof(*ret));
	while (n < 0 && errno == EINTR);
	return n == sizeof(*ret);
}
