/* runner/teller.c - decides what counts as a secret's value: the first line that a command
 * which ended well printed, if it is text. */
#include "teller.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "child.h"
#include "clock.h"
#include "config/secret_ref.h"
#include "failure.h"
#include "fd.h"
#include "offspring.h"
#include "secret.h"
#include "text.h"

#define COMPLAINT_MAX 160 /* kept of what it says on stderr */
#define ROUNDS 100        /* of ending all that came of it */

struct teller {
	const struct secret_ref *ref;
	struct identity who;
	pid_t child;
	int out, err, ended; /* what it prints; its pidfd */
	char *said;          /* room for one byte more than is taken */
	size_t len;
	char complaint[COMPLAINT_MAX + 1];
	size_t complaint_len;
};

/* ---- beginning ---- */

static int hear_complaint(const struct teller *t, int fd, struct failure *f)
{
	struct child_complaint complaint;

	if (!child_complained(fd, &complaint))
		return 0;
	return failure_errno(f, FAILURE_SETUP, complaint.error, "%.100s: %s", t->ref->command[0],
			     complaint.step);
}

static int begin(struct teller *t, struct failure *f)
{
	struct environment_facts none = {0};
	int out[2], err[2], complaints[2];

	if (identity_find(NULL, &t->who, f) < 0)
		return -1;
	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0 ||
	    pipe2(complaints, O_CLOEXEC) < 0)
		return failure_errno(f, FAILURE_LATER, errno, "no pipe for it");
	struct child child = {.argv = t->ref->command,
			      .environment = environment_make(&none, NULL, &t->who),
			      .who = &t->who,
			      .directory = "/",
			      .output = out[1],
			      .errors = err[1],
			      .complain = complaints[1],
			      .parent = getpid()};

	t->child = fork();
	if (t->child == 0)
		child_become(&child);
	close(out[1]);
	close(err[1]);
	close(complaints[1]);
	t->out = out[0];
	t->err = err[0];
	fcntl(t->out, F_SETFL, O_NONBLOCK);
	fcntl(t->err, F_SETFL, O_NONBLOCK);
	t->ended = t->child < 0 ? -1 : (int)syscall(SYS_pidfd_open, t->child, 0);
	if (t->ended < 0)
		return failure_errno(f, FAILURE_LATER, errno, "no process for it");
	return hear_complaint(t, complaints[0], f);
}

/* ---- listening ---- */

/* false: it printed too much. */
static bool hear(struct teller *t)
{
	ssize_t n;

	while ((n = read(t->out, t->said + t->len, TELLER_SECRET_MAX + 1 - t->len)) > 0) {
		t->len += (size_t)n;
		if (t->len > TELLER_SECRET_MAX)
			return false;
	}
	if (n == 0 || errno != EAGAIN) {
		close(t->out);
		t->out = -1;
	}
	return true;
}

static void hear_trouble(struct teller *t)
{
	char bytes[512];
	ssize_t n = read(t->err, bytes, sizeof(bytes));
	size_t room = COMPLAINT_MAX - t->complaint_len;

	if (n > 0) {
		size_t some = (size_t)n < room ? (size_t)n : room;

		memcpy(t->complaint + t->complaint_len, bytes, some);
		t->complaint_len += some;
	} else if (n == 0 || errno != EAGAIN) {
		close(t->err);
		t->err = -1;
	}
}

static int listen_to(struct teller *t, int64_t within_ms, struct failure *f)
{
	int64_t until_ms = clock_mono_ms() + within_ms, left_ms;

	while ((left_ms = until_ms - clock_mono_ms()) > 0) {
		struct pollfd fds[] = {{.fd = t->out, .events = POLLIN},
				       {.fd = t->err, .events = POLLIN},
				       {.fd = t->ended, .events = POLLIN}};

		if (poll(fds, 3, (int)left_ms) < 0 && errno != EINTR)
			break;
		if (t->err >= 0)
			hear_trouble(t);
		if (t->out >= 0 && !hear(t))
			return failure_set(f, FAILURE_SETUP, "it printed more than %d KiB",
					   TELLER_SECRET_MAX / 1024);
		if (fds[2].revents)
			return 0;
	}
	return failure_set(f, FAILURE_SETUP, "it did not end within %lld s (runner.secret_timeout)",
			   (long long)within_ms / 1000);
}

/* ---- the end ---- */

static int end(struct teller *t)
{
	int status = 0;

	kill(-t->child, SIGKILL);
	for (int i = 0; i < ROUNDS && offspring_kill(t->child); i++)
		poll(NULL, 0, 1);
	waitpid(t->child, &status, 0);
	return status;
}

static int check_status(struct teller *t, int status, struct failure *f)
{
	char said[COMPLAINT_MAX + 1], *line_end = strchr(t->complaint, '\n');

	if (status == 0)
		return 0;
	if (line_end)
		*line_end = '\0';
	text_safe_line(said, sizeof(said), t->complaint, strlen(t->complaint));
	return failure_set(f, FAILURE_SETUP, "it ended with %s %d%s%s",
			   WIFSIGNALED(status) ? "signal" : "status",
			   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
			   *said ? ": " : "", said);
}

static int check_value(struct teller *t, struct failure *f)
{
	char *line_end = memchr(t->said, '\n', t->len);
	size_t len = line_end ? (size_t)(line_end - t->said) : t->len;

	len -= len && t->said[len - 1] == '\r';
	if (!len)
		return failure_set(f, FAILURE_SETUP, "the first line it printed is empty");
	if (memchr(t->said, '\0', len))
		return failure_set(f, FAILURE_SETUP, "it printed a NUL byte");
	if (!text_is_utf8(t->said, len))
		return failure_set(f, FAILURE_SETUP, "it printed what is not UTF-8");
	t->said[len] = '\0';
	return 0;
}

static void answer(int fd, json_t *words)
{
	const char *text = json_dumps(words, JSON_COMPACT);

	if (text)
		fd_write(fd, text, strlen(text));
}

static void set_up(void)
{
	setsid();
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	prctl(PR_SET_NAME, "nuncio-secret", 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
}

void teller_run(const struct secret_ref *ref, int64_t within_ms, int fd)
{
	struct teller t = {
		.ref = ref, .out = -1, .err = -1, .said = xcalloc(1, TELLER_SECRET_MAX + 2)};
	struct failure f = {0};

	set_up();
	int done = begin(&t, &f);

	if (done == 0)
		done = listen_to(&t, within_ms, &f);
	int status = t.child > 0 ? end(&t) : 0;

	if (done == 0)
		done = check_status(&t, status, &f);
	if (done == 0)
		done = check_value(&t, &f);
	answer(fd, done == 0 ? json_pack("{s:s}", "value", t.said)
			     : json_pack("{s:s}", "reason", f.text));
	secret_wipe(t.said, TELLER_SECRET_MAX);
	_exit(0);
}
