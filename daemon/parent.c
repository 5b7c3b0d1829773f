/* parent.c - decides when the runner is started again, and passes signals on. It reads no
 * mail and talks to nobody: all it does is fork, wait and kill. */
#include "parent.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "clock.h"
#include "config/config.h"
#include "daemon.h"
#include "log.h"

#define AGAIN_MS 1000

struct parent {
	const struct daemon_options *options;
	char *runner;                 /* owned; the program */
	pid_t daemon_pid, runner_pid; /* 0: is not there */
	int64_t again_ms;             /* mono; when the runner is started anew; 0: it runs */
	sigset_t signals, before;
	struct log log;
};

/* ---- is it wanted? ---- */

static bool answers(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good;

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path)) {
		close(fd);
		return false;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	good = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return good;
}

bool parent_is_wanted(const struct daemon_options *options)
{
	AUTO(free) char *path = options->config ? xstrdup(options->config) : config_default_path();
	AUTO(config_unref) const struct config *config = NULL;

	if (getenv("NOTIFY_SOCKET") || getenv("LISTEN_FDS"))
		return false;
	/* a bad one is the daemon's to complain of */
	return config_load(path, &config, NULL, NULL, NULL) == 0 && config_runs_programs(config) &&
	       !answers(config->runner.socket);
}

/* ---- the children ---- */

/* Beside this program, as installed and as built. */
static char *find_runner(void)
{
	static const char *const places[] = {"nuncio-runner", "../runner/nuncio-runner"};
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (len < 0)
		return NULL;
	self[len] = '\0';
	const char *folder = dirname(self);

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		AUTO(free) char *path = xprintf("%s/%s", folder, places[i]);

		if (access(path, X_OK) == 0)
			return TAKE(path);
	}
	return NULL;
}

/* In the child: signals as they were, and no life without the parent. */
static void be_child(const struct parent *p, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigprocmask(SIG_SETMASK, &p->before, NULL);
	if (getppid() != parent)
		_exit(EX_OSERR);
}

static void start_runner(struct parent *p)
{
	char *config = (char *)p->options->config;
	char flag[] = "-f";
	char *argv[] = {p->runner, config ? flag : NULL, config, NULL};
	pid_t parent = getpid();

	p->again_ms = 0;
	p->runner_pid = fork();
	if (p->runner_pid == 0) {
		be_child(p, parent);
		execv(p->runner, argv);
		_exit(EX_OSERR);
	}
	if (p->runner_pid < 0) {
		p->runner_pid = 0;
		p->again_ms = clock_mono_ms() + AGAIN_MS;
	}
}

static int start_daemon(struct parent *p)
{
	pid_t parent = getpid();

	p->daemon_pid = fork();
	if (p->daemon_pid == 0) {
		be_child(p, parent);
		exit(daemon_run(p->options));
	}
	return p->daemon_pid < 0 ? -1 : 0;
}

static int status_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* true: the daemon ended, with *ret. */
static bool reap(struct parent *p, int *ret)
{
	bool over = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == p->daemon_pid) {
			p->daemon_pid = 0;
			*ret = status_of(status);
			over = true;
		} else if (pid == p->runner_pid) {
			log_warn(&p->log, "nuncio-runner ended with %d: it is started again",
				 status_of(status));
			p->runner_pid = 0;
			p->again_ms = clock_mono_ms() + AGAIN_MS;
		}
	}
	return over;
}

static void pass_on(const struct parent *p, int signo)
{
	if (p->daemon_pid)
		kill(p->daemon_pid, signo);
	if (signo == SIGHUP && p->runner_pid)
		kill(p->runner_pid, signo);
}

/* The next signal; 0: it is time for the runner. */
static int wait_signal(struct parent *p)
{
	int64_t left_ms = p->again_ms ? p->again_ms - clock_mono_ms() : 0;
	struct timespec wait = {.tv_sec = left_ms / 1000, .tv_nsec = left_ms % 1000 * 1000000};

	if (!p->again_ms)
		return sigwaitinfo(&p->signals, NULL);
	if (left_ms <= 0)
		return 0;
	int signo = sigtimedwait(&p->signals, NULL, &wait);

	return signo < 0 && errno == EAGAIN ? 0 : signo;
}

static int watch(struct parent *p)
{
	int status = EX_OSERR;

	for (;;) {
		int signo = wait_signal(p);

		if (signo == 0)
			start_runner(p);
		else if (signo == SIGCHLD && reap(p, &status))
			return status;
		else if (signo > 0 && signo != SIGCHLD)
			pass_on(p, signo);
	}
}

int parent_run(const struct daemon_options *options)
{
	struct parent p = {.options = options};
	int status;

	log_init(&p.log, "nunciod");
	p.runner = find_runner();
	if (!p.runner) {
		log_warn(&p.log, "nuncio-runner is not beside nunciod, and does not run: no rule "
				 "can run anything");
		return daemon_run(options);
	}
	sigemptyset(&p.signals);
	sigaddset(&p.signals, SIGTERM);
	sigaddset(&p.signals, SIGINT);
	sigaddset(&p.signals, SIGHUP);
	sigaddset(&p.signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &p.signals, &p.before);
	start_runner(&p);
	status = start_daemon(&p) < 0 ? EX_OSERR : watch(&p);
	if (p.runner_pid) {
		kill(p.runner_pid, SIGTERM);
		waitpid(p.runner_pid, NULL, 0);
	}
	free(p.runner);
	return status;
}
