/* runner/supervise.c - decides how long a run may go on, and what its end is called.
 *
 *   RUNNING -> (its time is over, or somebody says so: SIGTERM to the group)
 *   ENDING  -> (10 s later: SIGKILL to all that came of it)
 *   KILLING
 * and from each of them, when the program itself has ended,
 *   LEFTOVERS, for 2 s at most while somebody else still holds its output
 *   OVER */
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "child.h"
#include "clock.h"
#include "config/config.h"
#include "crash.h"
#include "failure.h"
#include "offspring.h"
#include "output.h"
#include "tree.h"

#define GRACE_MS 10000 /* between SIGTERM and SIGKILL */
#define AGAIN_MS 50    /* between two rounds of SIGKILL: they may fork meanwhile */
#define LEFTOVERS_MS 2000
#define CLEAR_MS 3000 /* for the last rounds */
#define PIECE 65536
#define LAST_PIECES 64 /* of output read after everybody was killed */

enum phase { PHASE_RUNNING, PHASE_ENDING, PHASE_KILLING, PHASE_LEFTOVERS, PHASE_OVER };

struct supervisor {
	const struct assignment *a;
	struct identity who;
	struct output output;
	struct run_result result;
	enum phase phase;
	int64_t until_ms; /* of the phase, monotonic */
	int pipe;         /* owned: what it prints; -1: at its end */
	int signals;      /* owned: a signalfd */
	pid_t child;
	int status;        /* as wait4() said */
	enum run_end told; /* RUN_END_RUNNING: it ends by itself */
	bool dropped;      /* it was not to begin */
};

/* ---- phases ---- */

static void phase_to(struct supervisor *s, enum phase next, int64_t for_ms)
{
	s->phase = next;
	s->until_ms = clock_mono_ms() + for_ms;
}

static void kill_all(struct supervisor *s)
{
	kill(-s->child, SIGKILL);
	offspring_kill(s->child);
	phase_to(s, PHASE_KILLING, AGAIN_MS);
}

/* how: what its end is called then. The first reason stays. */
static void tell_to_end(struct supervisor *s, enum run_end how)
{
	if (s->phase != PHASE_RUNNING)
		return;
	s->told = how;
	kill(-s->child, SIGTERM);
	phase_to(s, PHASE_ENDING, GRACE_MS);
}

static void time_passed(struct supervisor *s)
{
	switch (s->phase) {
	case PHASE_RUNNING:
		tell_to_end(s, RUN_END_TIMED_OUT);
		break;
	case PHASE_ENDING:
	case PHASE_KILLING:
		kill_all(s);
		break;
	case PHASE_LEFTOVERS:
		phase_to(s, PHASE_OVER, 0);
		break;
	case PHASE_OVER:
		break;
	}
}

/* ---- what happens ---- */

static void read_output(struct supervisor *s, int pieces)
{
	static char bytes[PIECE];

	while (s->pipe >= 0 && pieces-- > 0) {
		ssize_t n = read(s->pipe, bytes, sizeof(bytes));

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n > 0) {
			output_add(&s->output, bytes, (size_t)n);
			continue;
		}
		close(s->pipe);
		s->pipe = -1;
	}
}

/* Orphans that fell to us. The program itself is left for the very end: as long as it is
 * not waited for, nobody else can get its number. */
static void reap(struct supervisor *s)
{
	siginfo_t info = {0};

	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid > 0) {
		if (info.si_pid == s->child) {
			if (s->phase != PHASE_LEFTOVERS)
				phase_to(s, PHASE_LEFTOVERS, LEFTOVERS_MS);
			return;
		}
		waitpid(info.si_pid, NULL, 0);
		info.si_pid = 0;
	}
}

static void read_signals(struct supervisor *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			tell_to_end(s, RUN_END_LOST);
	reap(s);
}

static void read_control(struct supervisor *s)
{
	char bytes[16];

	while (read(s->a->door->control, bytes, sizeof(bytes)) > 0)
		tell_to_end(s, RUN_END_KILLED);
}

static void turn(struct supervisor *s)
{
	struct pollfd fds[] = {{.fd = s->signals, .events = POLLIN},
			       {.fd = s->a->door->control, .events = POLLIN},
			       {.fd = s->pipe, .events = POLLIN}};
	int64_t left = s->until_ms - clock_mono_ms();

	if (left > INT32_MAX)
		left = INT32_MAX;
	if (poll(fds, 3, left > 0 ? (int)left : 0) < 0 && errno != EINTR)
		return;
	if (fds[2].revents)
		read_output(s, 1);
	if (fds[1].revents)
		read_control(s);
	if (fds[0].revents)
		read_signals(s);
	if (s->phase == PHASE_LEFTOVERS && s->pipe < 0)
		phase_to(s, PHASE_OVER, 0);
	if (clock_mono_ms() >= s->until_ms)
		time_passed(s);
}

/* ---- the beginning ---- */

static int prepare_output(struct supervisor *s, struct failure *f)
{
	uint64_t max = s->a->order->action->max_output;
	int fd = openat(s->a->door->directory, "output",
			O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return failure_errno(f, FAILURE_LATER, errno, "can't keep its output");
	output_init(&s->output, fd, max < RUN_OUTPUT_MAX ? (size_t)max : RUN_OUTPUT_MAX);
	return 0;
}

/* Waits until the program is there, or says why it can't be. */
static int hear_complaint(struct supervisor *s, int fd, struct failure *f)
{
	struct child_complaint complaint;

	if (!child_complained(fd, &complaint))
		return 0;
	waitpid(s->child, NULL, 0);
	s->dropped = complaint.error == 0;
	return failure_errno(f, FAILURE_REFUSED, complaint.error, "%s: %s", s->a->order->argv[0],
			     complaint.step);
}

static int fork_child(struct supervisor *s, struct child *child, int complaints[2],
		      struct failure *f)
{
	CRASH_POINT("run.exec");
	/* Faster: it borrows our memory until it is the program. Never as another user, who could
	 * hold it there. */
	s->child = s->who.switched ? fork() : vfork();
	if (s->child == 0)
		child_become(child);
	close(child->output);
	close(complaints[1]);
	if (s->child < 0)
		return failure_errno(f, FAILURE_LATER, errno, "no process for it");
	int done = hear_complaint(s, complaints[0], f);

	close(complaints[0]);
	return done;
}

static int begin_program(struct supervisor *s, char **environment, struct failure *f)
{
	const struct action_config *action = s->a->order->action;
	AUTO(free) char *work = xprintf("%s/homes/%s", s->a->house->path, s->a->run);
	int printed[2], complaints[2];

	if (pipe2(printed, O_CLOEXEC) < 0 || pipe2(complaints, O_CLOEXEC) < 0)
		return failure_errno(f, FAILURE_LATER, errno, "no pipe for it");
	s->pipe = printed[0];
	fcntl(s->pipe, F_SETFL, O_NONBLOCK);
	struct child child = {.argv = s->a->order->argv,
			      .environment = environment,
			      .who = &s->who,
			      .directory = action->directory ? action->directory : work,
			      .memory = action->memory,
			      .output = printed[1],
			      .complain = complaints[1],
			      .go = s->a->go,
			      .parent = getpid()};
	return fork_child(s, &child, complaints, f);
}

static int begin(struct supervisor *s, struct failure *f)
{
	const struct assignment *a = s->a;
	struct environment_facts facts = {a->run, a->rule, a->attachments_path};

	if (identity_find(a->order->action->user, &s->who, f) < 0 || prepare_output(s, f) < 0 ||
	    attachments_save(&a->attachments, a->house->homes, a->run,
			     s->who.switched ? s->who.uid : (uid_t)-1, s->who.gid, f) < 0)
		return -1;
	char **environment = environment_make(&facts, a->order->action, &s->who);
	int done = begin_program(s, environment, f);

	environment_free(environment);
	phase_to(s, PHASE_RUNNING, a->order->action->timeout_ms);
	return done;
}

/* ---- the end ---- */

static int64_t spent_ms(const struct rusage *usage)
{
	return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000LL +
	       (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1000;
}

static void name_end(struct supervisor *s)
{
	struct run_result *r = &s->result;
	struct rusage usage = {0};

	wait4(s->child, &s->status, 0, &usage);
	r->cpu_ms = spent_ms(&usage);
	r->max_rss_kib = usage.ru_maxrss;
	r->end = s->told != RUN_END_RUNNING ? s->told
		 : WIFSIGNALED(s->status)   ? RUN_END_SIGNALED
					    : RUN_END_EXITED;
	r->code = WIFSIGNALED(s->status) ? WTERMSIG(s->status) : WEXITSTATUS(s->status);
	r->reason = r->end == RUN_END_LOST ? "the runner was told to end while it ran"
		    : s->output.error      ? "not all of its output could be kept"
					   : "";
}

/* Nobody who came of this run is left, as far as that is in our power. */
static void clear_offspring(struct supervisor *s)
{
	int64_t until = clock_mono_ms() + CLEAR_MS;

	while (offspring_kill(s->child) && clock_mono_ms() < until)
		poll(NULL, 0, 1);
	read_output(s, LAST_PIECES);
}

static void set_up(struct supervisor *s)
{
	sigset_t wanted;

	setsid();
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	prctl(PR_SET_NAME, "nuncio-run", 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGCHLD);
	sigaddset(&wanted, SIGTERM);
	sigprocmask(SIG_SETMASK, &wanted, NULL);
	s->signals = signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
}

void supervise(struct assignment *assignment,
	       int (*await)(void *ctx, struct assignment *assignment), void *ctx)
{
	struct supervisor s = {
		.a = assignment, .pipe = -1, .output = {.fd = -1}, .told = RUN_END_RUNNING};
	struct failure f = {0};

	set_up(&s);
	if (await(ctx, assignment) < 0)
		_exit(0);
	s.result = (struct run_result){.started_ms = assignment->started_ms, .reason = ""};
	if (begin(&s, &f) < 0) {
		if (s.dropped) {
			tree_remove(assignment->house->homes, assignment->run);
			_exit(0);
		}
		s.result.end = RUN_END_REFUSED;
		s.result.reason = f.text;
	} else {
		CRASH_POINT("run.going");
		while (s.phase != PHASE_OVER)
			turn(&s);
		clear_offspring(&s);
		name_end(&s);
	}
	s.result.ended_ms = clock_wall_ms();
	output_finish(&s.output);
	CRASH_POINT("run.ended");
	int done = house_finish(assignment->door->directory, &s.result, &s.output, &f);

	CRASH_POINT("run.written");
	_exit(done < 0);
}
