/* client/run.c - nuncio run: runs a program, and tells how it ended. What it prints goes
 * where it would go without us; the last of it goes into the message. Its exit status is
 * ours. */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "buf.h"
#include "clock.h"
#include "content.h"
#include "duration.h"
#include "failure.h"
#include "fd.h"
#include "link.h"
#include "text.h"
#include "varlink.h"
#include "whom.h"

enum {
	TAIL_BYTES = 4000,
	CHARACTER_REST_BYTES = 3, /* of UTF-8, behind its first one */
	ANSWER_MS = 60 * 1000,
	PIECE_BYTES = 65536,
	STATUS_SIGNAL = 128,
	NOT_FOUND = 127,
	NO_EXEC = 126
};

struct run {
	json_t *to;               /* owned; NULL: not said */
	const char *by, *subject; /* NULL: not said */
	bool only_failure;
	char **command;
	pid_t pid;
	int out, err; /* pipes from it; -1: closed */
	struct buf tail;
	bool cut;
	int status; /* as waitpid() gives it */
	int64_t began_ms;
};

static volatile sig_atomic_t child; /* 0: there is none, or it ended */

static void pass_signal(int number)
{
	int error = errno;

	if (child)
		kill((pid_t)child, number);
	errno = error;
}

static void keep(struct run *r, const char *bytes, size_t len)
{
	if (len > TAIL_BYTES) {
		bytes += len - TAIL_BYTES;
		len = TAIL_BYTES;
		r->cut = true;
	}
	if (r->tail.len + len > TAIL_BYTES) {
		buf_drain(&r->tail, r->tail.len + len - TAIL_BYTES);
		r->cut = true;
	}
	buf_add(&r->tail, bytes, len);
}

static void pass_on(struct run *r, int *from, int to)
{
	char piece[PIECE_BYTES];
	ssize_t n = read(*from, piece, sizeof(piece));

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		close(*from);
		*from = -1;
		return;
	}
	fd_write(to, piece, (size_t)n); /* nobody reads: the program goes on all the same */
	keep(r, piece, (size_t)n);
}

/* Who wants to end us wants the program to end: we stay to tell. What is ignored (nohup)
 * stays so. */
static void pass_signals_on(void)
{
	static const int passed[] = {SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = pass_signal, .sa_flags = SA_RESTART}, old;

	for (size_t i = 0; i < sizeof(passed) / sizeof(*passed); i++) {
		if (sigaction(passed[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(passed[i], &action, NULL);
	}
}

/* A pipe in the place of one of them would be taken for it. */
static void open_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* In the child. mask: of signals, as it was. */
_Noreturn static void begin(struct run *r, const int out[2], const int err[2], const sigset_t *mask)
{
	dup2(out[1], STDOUT_FILENO);
	dup2(err[1], STDERR_FILENO);
	sigprocmask(SIG_SETMASK, mask, NULL);
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	execvp(r->command[0], r->command);
	int status = errno == ENOENT ? NOT_FOUND : NO_EXEC;

	fprintf(stderr, "nuncio run: %s: %s\n", r->command[0], strerror(errno));
	fflush(stderr);
	_exit(status);
}

static int start(struct run *r)
{
	int out[2], err[2];
	sigset_t all, mask;

	open_standard_files();
	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0) {
		fprintf(stderr, "nuncio run: %s\n", strerror(errno));
		return EX_OSERR;
	}
	/* ^C is for the program; we stay to tell */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	r->began_ms = clock_mono_ms();
	/* until it is known whom to pass signals on to */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &mask);
	r->pid = fork();
	if (r->pid == 0)
		begin(r, out, err, &mask);
	child = r->pid > 0 ? r->pid : 0;
	pass_signals_on();
	sigprocmask(SIG_SETMASK, &mask, NULL);
	close(out[1]);
	close(err[1]);
	r->out = out[0];
	r->err = err[0];
	if (r->pid > 0)
		return 0;
	fprintf(stderr, "nuncio run: %s\n", strerror(errno));
	return EX_OSERR;
}

/* options: WNOHANG, or 0 to wait for it. No signal may reach who has its number next: it is
 * forgotten before it is reaped. */
static bool has_ended(struct run *r, int options)
{
	siginfo_t about = {0};

	while (waitid(P_PID, (id_t)r->pid, &about, WEXITED | WNOWAIT | options) < 0 &&
	       errno == EINTR)
		;
	if (!about.si_pid && options)
		return false;
	child = 0;
	while (waitpid(r->pid, &r->status, 0) < 0 && errno == EINTR)
		;
	return true;
}

/* Until it ended; what its children still print afterwards is not waited for. */
static void attend(struct run *r)
{
	bool ended = false;

	while (r->out >= 0 || r->err >= 0) {
		struct pollfd fds[2] = {{.fd = r->out, .events = POLLIN},
					{.fd = r->err, .events = POLLIN}};
		int n = poll(fds, 2, ended ? 0 : 200);

		if (n == 0 && ended)
			return;
		if (fds[0].revents)
			pass_on(r, &r->out, STDOUT_FILENO);
		if (fds[1].revents)
			pass_on(r, &r->err, STDERR_FILENO);
		if (!ended)
			ended = has_ended(r, WNOHANG);
	}
	if (!ended)
		has_ended(r, 0);
}

static bool went_well(const struct run *r)
{
	return WIFEXITED(r->status) && WEXITSTATUS(r->status) == 0;
}

static char *ending(const struct run *r)
{
	char took[40];

	duration_print(took, sizeof(took), (clock_mono_ms() - r->began_ms) / 1000 * 1000);
	if (WIFSIGNALED(r->status))
		return xprintf("ended by signal %d (%s) after %s", WTERMSIG(r->status),
			       strsignal(WTERMSIG(r->status)), took);
	if (went_well(r))
		return xprintf("done after %s", took);
	return xprintf("failed with status %d after %s", WEXITSTATUS(r->status), took);
}

static char *words_of(char **command)
{
	struct buf words;

	buf_init(&words, 2000);
	for (char **word = command; *word; word++)
		if (buf_printf(&words, "%s%s", word == command ? "" : " ", *word) < 0)
			break;
	return buf_take(&words, NULL);
}

/* The last it printed, without the rest of a character that was cut in two. */
static char *tail_of(const struct run *r)
{
	const char *bytes = buf_bytes(&r->tail);
	size_t skip = 0;

	while (r->cut && skip < CHARACTER_REST_BYTES && skip < r->tail.len &&
	       ((unsigned char)bytes[skip] & 0xc0) == 0x80)
		skip++;
	return content_utf8_bytes(bytes + skip, r->tail.len - skip);
}

static json_t *message(const struct run *r)
{
	char host[65] = "";
	AUTO(free) char *end = ending(r), *words = words_of(r->command);
	AUTO(free) char *command = content_utf8(words);
	AUTO(free) char *tail = tail_of(r);
	const char *slash = strrchr(r->command[0], '/');
	AUTO(free) char *name = content_utf8(slash ? slash + 1 : r->command[0]);
	char line[200];

	gethostname(host, sizeof(host) - 1);
	AUTO(free) char *subject = xprintf("%s: %s", name, end);
	AUTO(free)
	char *text = xprintf("%s\n%s on %s\n%s%s%s", command, end, host, r->tail.len ? "\n" : "",
			     r->cut ? "[...]\n" : "", tail);

	text_safe_line(line, sizeof(line), r->subject ? r->subject : subject,
		       strlen(r->subject ? r->subject : subject));
	json_t *all = json_pack("{s:O, s:s, s:s}", "to", r->to, "subject", line, "text", text);

	if (all && r->by)
		json_object_set_new(all, "by", json_string(r->by));
	return all;
}

static void tell(struct context *context, const struct run *r)
{
	struct varlink_reply reply;
	struct failure f;
	int status = 0;
	AUTO(link_close) struct link *link = context_link(context, &status);

	if (!link)
		return;
	/* not for good: nothing but SIGKILL ends us any more */
	if (link_send(link, "Send", message(r), false, NULL, 0, &f) < 0 ||
	    link_receive(link, ANSWER_MS, &reply, &f) < 0) {
		say_failure(&f);
		return;
	}
	if (reply.error)
		say_error(&reply);
	varlink_reply_clear(&reply);
}

static int take_option(struct run *r, int c)
{
	switch (c) {
	case 't':
		if (!r->to)
			r->to = json_array();
		return whom_add("run", r->to, optarg);
	case 'b':
		r->by = optarg;
		return 0;
	case 's':
		r->subject = optarg;
		return 0;
	case 'f':
		r->only_failure = true;
		return 0;
	default:
		return usage_error("run", "that is not an option of it");
	}
}

int run_run(struct context *context, int argc, char **argv)
{
	static const struct option options[] = {
		{"to", required_argument, NULL, 't'},
		{"by", required_argument, NULL, 'b'},
		{"subject", required_argument, NULL, 's'},
		{"only-failure", no_argument, NULL, 'f'},
		{0},
	};
	struct run r = {.out = -1, .err = -1};
	int c, status = 0;

	while (!status && (c = getopt_long(argc, argv, "+t:s:", options, NULL)) != -1)
		status = take_option(&r, c);
	r.command = argv + optind;
	if (!status && !*r.command)
		status = usage_error("run", "which program?");
	if (!r.to)
		r.to = json_pack("[s]", "me");
	if (!status && json_array_size(r.to) == 0)
		status = usage_error("run", "to whom?");
	buf_init(&r.tail, 2 * TAIL_BYTES + 1);
	if (!status)
		status = start(&r);
	if (!status) {
		attend(&r);
		if (!r.only_failure || !went_well(&r))
			tell(context, &r);
		status = WIFSIGNALED(r.status) ? STATUS_SIGNAL + WTERMSIG(r.status)
					       : WEXITSTATUS(r.status);
	}
	buf_clear(&r.tail);
	json_decref(r.to);
	return status;
}
