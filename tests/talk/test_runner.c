/* nunciod's side of the runner's socket against a runner that is a script of this test:
 * what is asked, with which descriptors, and again when a connection breaks. */
#include "rules/runner.h"

#include "tests/unit/expect.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/loop.h"
#include "buf.h"
#include "failure.h"

struct stage {
	struct loop *loop;
	struct runner *runner;
	char folder[64], socket[80];
	int listening, peer;
	int passed; /* the last descriptor that came; -1 */
	unsigned ends;
	enum run_end end;
	int code;
	char reason[200], output[64];
	unsigned troubles, recoveries;
};

static void ended(void *ctx, const struct run_result *result)
{
	struct stage *s = ctx;

	s->ends++;
	s->end = result->end;
	s->code = result->code;
	snprintf(s->reason, sizeof(s->reason), "%s", result->reason);
	snprintf(s->output, sizeof(s->output), "%.*s", (int)result->output_len, result->output);
}

static void troubled(void *ctx, const struct failure *why)
{
	struct stage *s = ctx;

	if (why)
		s->troubles++;
	else
		s->recoveries++;
}

static void listen_again(struct stage *s)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	strcpy(address.sun_path, s->socket);
	unlink(s->socket);
	s->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	expect_int(bind(s->listening, (struct sockaddr *)&address, sizeof(address)), 0);
	expect_int(listen(s->listening, 8), 0);
}

static void set_up(struct stage *s)
{
	*s = (struct stage){.peer = -1, .passed = -1, .listening = -1};
	strcpy(s->folder, "/tmp/nuncio-runner-XXXXXX");
	expect_some(mkdtemp(s->folder));
	snprintf(s->socket, sizeof(s->socket), "%s/s", s->folder);
	s->loop = loop_new();
	s->runner = runner_new(s->loop, s->socket);
	runner_on_trouble(s->runner, troubled, s);
}

static void tear_down(struct stage *s)
{
	runner_free(s->runner);
	loop_free(s->loop);
	if (s->listening >= 0)
		close(s->listening);
	if (s->peer >= 0)
		close(s->peer);
	if (s->passed >= 0)
		close(s->passed);
	unlink(s->socket);
	rmdir(s->folder);
}

/* Turns the loop until somebody knocked. */
static void accept_one(struct stage *s)
{
	if (s->peer >= 0)
		close(s->peer);
	do
		loop_turn(s->loop, false);
	while ((s->peer = accept4(s->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0);
}

static void keep_descriptor(struct stage *s, struct msghdr *message)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(message);

	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(&s->passed, CMSG_DATA(c), sizeof(int));
}

/* The next question must contain these. */
static void expect_question(struct stage *s, const char *method, const char *part)
{
	char bytes[4096], control[CMSG_SPACE(8 * sizeof(int))];
	size_t len = 0;

	while (!len || bytes[len - 1]) {
		struct iovec iov = {bytes + len, sizeof(bytes) - len};
		struct msghdr message = {.msg_iov = &iov,
					 .msg_iovlen = 1,
					 .msg_control = control,
					 .msg_controllen = sizeof(control)};

		loop_turn(s->loop, false);
		ssize_t n = recvmsg(s->peer, &message, MSG_CMSG_CLOEXEC);
		expect_true(n != 0);
		if (n < 0)
			continue;
		keep_descriptor(s, &message);
		len += (size_t)n;
	}
	expect_contains(bytes, method);
	expect_contains(bytes, part);
}

static void say(struct stage *s, const char *text)
{
	size_t len = strlen(text) + 1;

	expect_int(write(s->peer, text, len), len);
}

static void turn_until_end(struct stage *s)
{
	while (!s->ends)
		loop_turn(s->loop, true);
}

#define RESULT                                                                                     \
	"{\"parameters\": {\"end\": \"exited\", \"code\": 3, \"output\": \"aGVsbG8=\", "           \
	"\"total\": 5, \"head\": 5, \"reason\": \"\"}}"

static void start(struct stage *s)
{
	struct runner_attachment attachment = {"a.txt", "abc", 3};
	struct runner_start ask = {.run = "r1",
				   .rule = "torrent",
				   .command = "torrent x",
				   .attachments = &attachment,
				   .nattachments = 1};

	runner_start(s->runner, &ask, ended, s);
}

TEST(a_run_is_begun_and_its_end_collected)
{
	struct stage s;
	char bytes[8] = "";

	set_up(&s);
	listen_again(&s);
	start(&s);
	accept_one(&s);
	expect_question(&s, "io.nuncio.runner.Start", "\"command\":\"torrent x\"");
	expect_true(s.passed >= 0);
	expect_int(pread(s.passed, bytes, sizeof(bytes), 0), 3);
	expect_text(bytes, "abc");
	expect_true(fcntl(s.passed, F_GET_SEALS) & F_SEAL_WRITE);
	say(&s, "{\"parameters\": {\"state\": \"running\"}}");
	expect_question(&s, "io.nuncio.runner.Collect", "\"wait\":true");
	expect_int(s.ends, 0);
	say(&s, RESULT);
	turn_until_end(&s);
	expect_int(s.end, RUN_END_EXITED);
	expect_int(s.code, 3);
	expect_text(s.output, "hello");
	tear_down(&s);
}

TEST(a_broken_connection_is_made_anew_and_the_same_is_asked)
{
	struct stage s;

	set_up(&s);
	listen_again(&s);
	start(&s);
	accept_one(&s);
	expect_question(&s, "Start", "\"run\":\"r1\"");
	/* no answer: nobody knows whether it began */
	accept_one(&s);
	expect_question(&s, "Start", "\"run\":\"r1\"");
	expect_true(s.passed >= 0);
	say(&s, "{\"parameters\": {\"state\": \"running\"}}");
	expect_question(&s, "Collect", "r1");
	accept_one(&s);
	/* it did: only its end is asked */
	expect_question(&s, "Collect", "r1");
	say(&s, RESULT);
	turn_until_end(&s);
	expect_int(s.ends, 1);
	expect_int(s.end, RUN_END_EXITED);
	expect_int(s.troubles, 2);
	expect_int(s.recoveries, 2);
	tear_down(&s);
}

TEST(a_runner_that_is_away_is_waited_for)
{
	struct stage s;

	set_up(&s);
	runner_collect(s.runner, "r2", ended, &s);
	while (s.troubles < 3) {
		loop_turn(s.loop, false);
		loop_turn_clock(s.loop, 1000);
	}
	listen_again(&s);
	loop_turn_clock(s.loop, 60000);
	accept_one(&s);
	expect_question(&s, "Collect", "r2");
	say(&s, "{\"error\": \"io.nuncio.runner.NoSuchRun\"}");
	turn_until_end(&s);
	expect_int(s.end, RUN_END_UNKNOWN);
	expect_int(s.recoveries, 1);
	tear_down(&s);
}

TEST(what_is_refused_never_began)
{
	static const char *const answers[] = {
		"{\"error\": \"io.nuncio.runner.Refused\", \"parameters\": {\"reason\": \"no\"}}",
		"{\"error\": \"io.nuncio.runner.NoSuchRule\", \"parameters\": {\"reason\": \"no\"}}",
	};

	for (size_t i = 0; i < 2; i++) {
		struct stage s;

		set_up(&s);
		listen_again(&s);
		start(&s);
		accept_one(&s);
		expect_question(&s, "Start", "r1");
		say(&s, answers[i]);
		turn_until_end(&s);
		expect_int(s.end, RUN_END_REFUSED);
		expect_text(s.reason, "no");
		tear_down(&s);
	}
}

TEST(a_busy_runner_is_asked_again)
{
	struct stage s;

	set_up(&s);
	listen_again(&s);
	start(&s);
	accept_one(&s);
	expect_question(&s, "Start", "r1");
	say(&s, "{\"error\": \"io.nuncio.runner.Busy\", \"parameters\": {\"reason\": \"16 run\"}}");
	for (int i = 0; i < 10; i++)
		loop_turn(s.loop, false);
	loop_turn_clock(s.loop, 1000);
	accept_one(&s);
	expect_question(&s, "Start", "r1");
	expect_int(s.ends, 0);
	expect_int(s.troubles, 0);
	tear_down(&s);
}

TEST(acknowledging_and_killing_are_said_once)
{
	struct stage s;

	set_up(&s);
	listen_again(&s);
	runner_ack(s.runner, "r1");
	accept_one(&s);
	expect_question(&s, "Ack", "r1");
	say(&s, "{\"parameters\": {}}");
	runner_kill(s.runner, "r9");
	accept_one(&s);
	expect_question(&s, "Kill", "r9");
	say(&s, "{\"error\": \"io.nuncio.runner.NoSuchRun\"}");
	for (int i = 0; i < 10; i++)
		loop_turn(s.loop, false);
	loop_turn_clock(s.loop, 60000);
	loop_turn(s.loop, false);
	expect_int(accept(s.listening, NULL, NULL), -1);
	tear_down(&s);
}

TEST(an_answer_that_is_none_breaks_the_connection)
{
	struct stage s;

	set_up(&s);
	listen_again(&s);
	runner_collect(s.runner, "r1", ended, &s);
	accept_one(&s);
	expect_question(&s, "Collect", "r1");
	say(&s, "what?");
	accept_one(&s);
	expect_question(&s, "Collect", "r1");
	say(&s, "{\"parameters\": {\"end\": \"maybe\"}}");
	accept_one(&s);
	expect_question(&s, "Collect", "r1");
	expect_int(s.ends, 0);
	expect_int(s.troubles, 2);
	tear_down(&s);
}

RUN_TESTS()
