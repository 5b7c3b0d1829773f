/* tests/talk/test_smtp_slow.c - a server that takes a message slowly, by the test's
 * own clock: who reads at all is waited for, who does not is left. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "base/loop.h"
#include "net/resolve.h"
#include "smtp_stage.h"
#include "tests/unit/expect.h"

#define MINUTE_MS (60 * 1000)
#define BIG_BYTES (8 * 1024 * 1024) /* more than the kernels hold */

struct slow {
	struct smtp_stage stage;
	int listener, fd;
	char *body;  /* owned */
	size_t read; /* of what the client says */
	char last[5];
};

static void slow_listen(struct slow *s)
{
	struct address_list list = {.count = 1};
	struct sockaddr_in *in = (struct sockaddr_in *)&list.at[0].address;
	socklen_t len = sizeof(*in);
	int buffer = 32 * 1024;

	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(s->listener, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	expect_int(bind(s->listener, (struct sockaddr *)in, len), 0);
	expect_int(listen(s->listener, 1), 0);
	getsockname(s->listener, (struct sockaddr *)in, &len);
	list.at[0].len = len;
	resolver_pretend(s->stage.resolver, "slow.example.com", &list, 0);
	free(s->stage.config.smtp.host);
	s->stage.config.smtp.host = xstrdup("slow.example.com");
}

static void slow_turn(struct slow *s)
{
	for (int turns = 0; turns < 20; turns++)
		loop_turn(s->stage.loop, false);
}

static void slow_pass(struct slow *s, int64_t ms)
{
	slow_turn(s);
	loop_turn_clock(s->stage.loop, ms);
	slow_turn(s);
}

/* Takes this many bytes, or the whole message. */
static void slow_read(struct slow *s, size_t bytes)
{
	static char room[4096];

	for (size_t end = s->read + bytes; s->read < end && strcmp(s->last, "\n.\r\n") != 0;) {
		ssize_t len = recv(s->fd, room, sizeof(room), MSG_DONTWAIT);

		expect_true(len > 0 || (len < 0 && errno == EAGAIN));
		for (ssize_t i = 0; i < len; i++) {
			memmove(s->last, s->last + 1, 3);
			s->last[3] = room[i];
		}
		s->read += len > 0 ? (size_t)len : 0;
		loop_turn(s->stage.loop, false);
	}
}

static void slow_say(struct slow *s, const char *said, const char *until)
{
	char heard[1024] = "";

	expect_true(send(s->fd, said, strlen(said), MSG_NOSIGNAL) > 0);
	while (*until && !strstr(heard, until)) {
		ssize_t len = recv(s->fd, heard, sizeof(heard) - 1, MSG_DONTWAIT | MSG_PEEK);

		expect_true(len != 0);
		heard[len > 0 ? len : 0] = '\0';
		loop_turn(s->stage.loop, false);
	}
	if (*until)
		expect_true(recv(s->fd, heard, strlen(heard), 0) > 0);
}

/* Up to where the message is due. timeout_ms: the configured wait. */
static void slow_begin(struct slow *s, size_t bytes, int64_t timeout_ms)
{
	struct host_mail mail = {.to = {"ana@example.net"}, .raw_len = bytes};

	memset(s, 0, sizeof(*s));
	stage_begin(&s->stage, "", NULL);
	slow_listen(s);
	s->stage.config.smtp.answer_timeout_ms = timeout_ms;
	mail.raw = s->body = xmalloc(bytes);
	for (size_t i = 0; i < bytes; i++)
		s->body[i] = "A: line of header\r\n"[i % 19];
	memcpy(s->body + bytes - 2, "\r\n", 2);
	host_add(s->stage.host, &mail);
	stage_open(&s->stage);
	host_wake(s->stage.host);
	slow_turn(s);
	s->fd = accept(s->listener, NULL, NULL);
	expect_true(s->fd >= 0);
	slow_say(s, "220 hi\r\n", "EHLO test.example.com\r\n");
	slow_say(s, "250-hi\r\n250 PIPELINING\r\n", "DATA\r\n");
	slow_say(s, "250 Ok\r\n250 Ok\r\n354 go on\r\n", "");
}

static void slow_end(struct slow *s)
{
	close(s->fd);
	close(s->listener);
	talk_free(s->stage.talk);
	s->stage.talk = NULL;
	stage_end(&s->stage);
	free(s->body);
}

static void expect_sent(struct slow *s)
{
	slow_say(s, "250 2.0.0 kept\r\n", "");
	talk_until(s->stage.loop, host_all_finished(s->stage.host));
	expect_int(host_outcome(s->stage.host, 0, 0)->kind, OUTCOME_SENT);
	expect_int(host_downs(s->stage.host), 0);
}

TEST(who_goes_on_reading_gets_the_whole_message)
{
	struct slow s;

	slow_begin(&s, BIG_BYTES, 20 * 1000);
	while (strcmp(s.last, "\n.\r\n") != 0) {
		slow_read(&s, 100 * 1000);
		slow_pass(&s, 15 * 1000);
	}
	expect_sent(&s);
	slow_end(&s);
}

TEST(the_dot_is_answered_to_when_it_has_come)
{
	struct slow s;

	slow_begin(&s, 250 * 1000, 0);
	while (strcmp(s.last, "\n.\r\n") != 0) {
		slow_read(&s, 50 * 1000);
		slow_pass(&s, 9 * MINUTE_MS);
	}
	expect_sent(&s);
	slow_end(&s);
}

TEST(the_configured_wait_does_not_cut_what_is_being_delivered)
{
	struct slow s;

	slow_begin(&s, 1000, 20 * 1000);
	slow_read(&s, 2000);
	slow_pass(&s, 9 * MINUTE_MS);
	expect_sent(&s);
	slow_end(&s);
}

TEST(who_stops_reading_is_left)
{
	struct slow s;

	slow_begin(&s, BIG_BYTES, 20 * 1000);
	slow_read(&s, 100 * 1000);
	for (int waits = 0; waits < 3; waits++) /* what the kernels took was progress, once */
		slow_pass(&s, 20 * 1000 + 1);
	talk_until(s.stage.loop, host_was_down(s.stage.host));
	expect_int(host_outcome(s.stage.host, 0, 0)->kind, OUTCOME_UNTOUCHED);
	expect_contains(host_why(s.stage.host)->text, "stopped taking the message");
	slow_end(&s);
}

RUN_TESTS()
