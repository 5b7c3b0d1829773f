/* A line without TLS: bytes, bounds, waiting, ends, and who is dialled. */
#include "net/line.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "clock.h"
#include "tests/unit/expect.h"
#include "net/resolve.h"
#include "recorder.h"
#include "talk.h"

static struct talk *begin(struct recorder *r, const char *script,
			  const struct talk_options *options)
{
	struct talk *peer;
	int fd;

	recorder_init(r, NULL, NULL);
	peer = talk_pair(r->loop, script, options, &fd);
	recorder_over(r, fd);
	return peer;
}

TEST(lines_come_and_go)
{
	struct recorder r;
	struct talk *peer =
		begin(&r,
		      "S: 220 hello\r\nC: EHLO box\r\nS: 250-one\r\nS:\r\nS: 250 two\r\n"
		      "C: QUIT 7\r\nCLOSE\r\n",
		      NULL);

	recorder_until(&r, "220 hello|");
	line_write(r.line, "EHLO ", 5);
	line_write(r.line, "box\r\n", 5);
	recorder_until(&r, "250 two|");
	line_printf(r.line, "%s %d\r\n", "QUIT", 7);
	recorder_until(&r, "CLOSED|");
	expect_text(recorder_story(&r), "CONNECTED|220 hello|250-one||250 two|CLOSED|");
	expect_false(line_is_secure(r.line));
	expect_null(line_tls_version(r.line));
	expect_int(line_unsent(r.line), 0);
	talk_finished(peer);
	recorder_clear(&r);
}

TEST(a_server_that_drips_is_understood)
{
	struct talk_options drip = {.drip = true};
	struct recorder r;
	struct talk *peer =
		begin(&r, "S: 220-slow\r\nS: 220 but sure\r\nC: ok\r\nS= 250\r\nCLOSE\r\n", &drip);

	recorder_until(&r, "220 but sure|");
	line_printf(r.line, "ok\r\n");
	recorder_until(&r, "CLOSED|");
	expect_text(recorder_story(&r), "CONNECTED|220-slow|220 but sure|CLOSED|");
	size_t len;
	const char *rest = line_bytes(r.line, &len);
	expect_bytes(rest, len, "250", 3);
	line_drain(r.line, 3);
	line_bytes(r.line, &len);
	expect_int(len, 0);
	talk_finished(peer);
	recorder_clear(&r);
}

/* Both ends in the test's own hands; each packet is one write of the line. */
static void begin_raw(struct recorder *r, int type, int *ret_fd)
{
	int fds[2];

	recorder_init(r, NULL, NULL);
	expect_int(socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	recorder_over(r, fds[0]);
	*ret_fd = fds[1];
	recorder_until(r, "CONNECTED|");
}

TEST(what_one_turn_writes_leaves_in_one_flight)
{
	struct recorder r;
	char flight[100];
	int fd;

	begin_raw(&r, SOCK_SEQPACKET, &fd);
	line_printf(r.line, "MAIL FROM:<a@x>\r\n");
	line_printf(r.line, "RCPT TO:<b@x>\r\n");
	line_write(r.line, "DATA\r\n", 6);
	expect_int(line_unsent(r.line), 38);
	expect_int(recv(fd, flight, sizeof(flight), 0), -1);
	loop_turn(r.loop, false);
	expect_int(recv(fd, flight, sizeof(flight), 0), 38);
	expect_int(line_unsent(r.line), 0);
	loop_turn(r.loop, false);
	expect_int(r.drained, 1);
	close(fd);
	recorder_clear(&r);
}

TEST(a_nul_in_a_line_is_kept_and_a_bare_lf_ends_one)
{
	struct recorder r;
	const char *text;
	size_t len;
	int fd;

	begin_raw(&r, SOCK_STREAM, &fd);
	r.leaves_unread = true;
	expect_int(write(fd, "a\0b\r\nc\nd\re\r\n\r\nrest", 18), 18);
	loop_turn(r.loop, true);
	expect_true(line_take(r.line, &text, &len));
	expect_bytes(text, len + 1, "a\0b", 4);
	expect_true(line_take(r.line, &text, &len));
	expect_bytes(text, len + 1, "c", 2);
	expect_true(line_take(r.line, &text, &len));
	expect_bytes(text, len + 1, "d\re", 4);
	expect_true(line_take(r.line, &text, &len));
	expect_int(len, 0);
	expect_false(line_take(r.line, &text, &len));
	text = line_bytes(r.line, &len);
	expect_bytes(text, len, "rest", 4);
	close(fd);
	recorder_clear(&r);
}

TEST(a_line_that_does_not_fit_ends_the_connection)
{
	struct recorder r;
	int fd;

	recorder_init(&r, NULL, NULL);
	r.options.max_in = 20;
	struct talk *peer =
		talk_pair(r.loop, "S: short\r\nS: this one is longer than twenty\r\n", NULL, &fd);
	recorder_over(&r, fd);
	recorder_until(&r, "FAILED|");
	expect_text(recorder_story(&r), "CONNECTED|short|FAILED|");
	expect_int(r.why.kind, FAILURE_LATER);
	expect_text(r.why.text, "localhost sent a line longer than 20 bytes");
	talk_free(peer);
	recorder_clear(&r);
}

TEST(what_nobody_takes_is_not_read_and_comes_when_it_is_taken)
{
	struct recorder r;
	char block[1000];
	size_t len, total = 0;
	int fd;

	begin_raw(&r, SOCK_STREAM, &fd);
	line_free(r.line);
	memset(block, 'x', sizeof(block));
	int fds[2];
	expect_int(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	r.options.max_in = 100;
	r.leaves_unread = true;
	recorder_over(&r, fds[0]);
	expect_int(write(fds[1], block, sizeof(block)), sizeof(block));
	for (int i = 0; i < 10; i++)
		loop_turn(r.loop, false);
	line_bytes(r.line, &len);
	expect_int(len, 100);
	close(fds[1]);
	while (total < sizeof(block)) {
		line_bytes(r.line, &len);
		expect_true(len <= 100);
		total += len < 70 ? len : 70;
		line_drain(r.line, len < 70 ? len : 70);
		loop_turn(r.loop, len == 0);
	}
	recorder_until(&r, "CLOSED|");
	close(fd);
	recorder_clear(&r);
}

TEST(writing_waits_for_a_peer_that_does_not_read)
{
	static char block[100000];
	struct recorder r;
	size_t total = 0;
	int fd;

	begin_raw(&r, SOCK_STREAM, &fd);
	for (int i = 0; i < 20; i++)
		line_write(r.line, block, sizeof(block));
	for (int i = 0; i < 10; i++)
		loop_turn(r.loop, false);
	expect_true(line_unsent(r.line) > 0);
	expect_int(r.drained, 0);
	while (total < 20 * sizeof(block)) {
		ssize_t len = recv(fd, block, sizeof(block), 0);

		total += len > 0 ? (size_t)len : 0;
		loop_turn(r.loop, len < 0);
	}
	loop_turn(r.loop, false);
	expect_int(line_unsent(r.line), 0);
	expect_int(r.drained, 1);
	close(fd);
	recorder_clear(&r);
}

TEST(a_reset_is_a_failure_after_what_was_said_before)
{
	struct recorder r;

	recorder_init(&r, NULL, NULL);
	struct talk *peer = talk_new(r.loop, "S: 421 too busy\r\nC: *\r\nRESET\r\n");
	recorder_dial(&r, talk_port(peer));
	recorder_until(&r, "421 too busy|");
	expect_contains(line_peer(r.line), "127.0.0.1:");
	line_printf(r.line, "EHLO\r\n");
	recorder_until(&r, "FAILED|");
	expect_text(recorder_story(&r), "CONNECTED|421 too busy|FAILED|");
	expect_int(r.why.kind, FAILURE_LATER);
	/* nothing follows, whatever is asked of it */
	line_printf(r.line, "QUIT\r\n");
	line_wait(r.line, 10);
	line_secure(r.line);
	loop_turn_clock(r.loop, 1000);
	for (int i = 0; i < 5; i++)
		loop_turn(r.loop, false);
	expect_text(recorder_story(&r), "CONNECTED|421 too busy|FAILED|");
	expect_int(line_unsent(r.line), 0);
	talk_finished(peer);
	recorder_clear(&r);
}

TEST(a_line_may_be_freed_at_every_word)
{
	static const enum line_word words[] = {LINE_CONNECTED, LINE_READABLE, LINE_DRAINED,
					       LINE_TIMED_OUT, LINE_CLOSED};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		struct recorder r;
		int fd, fds[2];

		begin_raw(&r, SOCK_STREAM, &fd);
		recorder_forget(&r);
		r.free_at = 1u << words[i];
		expect_int(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
		expect_int(write(fds[1], "hello\r\n", 7), 7);
		recorder_over(&r, fds[0]);
		line_printf(r.line, "hello\r\n");
		line_wait(r.line, 1);
		if (words[i] == LINE_CLOSED)
			close(fds[1]);
		loop_turn_clock(r.loop, 1);
		while (r.line)
			loop_turn(r.loop, true);
		loop_turn(r.loop, false);
		if (words[i] != LINE_CLOSED)
			close(fds[1]);
		close(fd);
		recorder_clear(&r);
	}
}

TEST(waiting_ends_by_the_clock_unless_it_begins_again)
{
	struct recorder r;
	int fd;

	begin_raw(&r, SOCK_STREAM, &fd);
	line_wait(r.line, 300000);
	loop_turn_clock(r.loop, 299000);
	loop_turn(r.loop, false);
	line_wait(r.line, 300000);
	loop_turn_clock(r.loop, 299000);
	loop_turn(r.loop, false);
	line_wait(r.line, 0);
	loop_turn_clock(r.loop, 900000);
	loop_turn(r.loop, false);
	expect_text(recorder_story(&r), "CONNECTED|");
	line_wait(r.line, 300000);
	loop_turn_clock(r.loop, 300000);
	loop_turn(r.loop, false);
	expect_text(recorder_story(&r), "CONNECTED|TIMED_OUT|");
	/* it still stands */
	expect_int(write(fd, "late\r\n", 6), 6);
	recorder_until(&r, "late|");
	close(fd);
	recorder_clear(&r);
}

/* A loopback port; with queue < 0 nobody listens on it. */
static int port_open(int queue, struct sockaddr_in *ret)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	expect_int(bind(fd, (struct sockaddr *)&address, len), 0);
	expect_int(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	if (queue >= 0)
		expect_int(listen(fd, queue), 0);
	*ret = address;
	return fd;
}

static void add_address(struct address_list *list, const struct sockaddr_in *address)
{
	memcpy(&list->at[list->count].address, address, sizeof(*address));
	list->at[list->count++].len = sizeof(*address);
}

/* Its queue is full: who connects hears nothing. */
struct dead_port {
	int listener, clients[4];
	struct sockaddr_in address;
};

static void dead_port_open(struct dead_port *dead)
{
	dead->listener = port_open(0, &dead->address);
	for (int i = 0; i < 4; i++) {
		dead->clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(dead->clients[i], (struct sockaddr *)&dead->address,
			      sizeof(dead->address));
	}
}

static void dead_port_close(struct dead_port *dead)
{
	for (int i = 0; i < 4; i++)
		close(dead->clients[i]);
	close(dead->listener);
}

TEST(a_dead_first_address_costs_a_quarter_of_a_second)
{
	struct address_list list = {.count = 0};
	struct dead_port dead;
	struct recorder r;
	struct sockaddr_in alive = {.sin_family = AF_INET};

	recorder_init(&r, NULL, NULL);
	struct talk *peer = talk_new(r.loop, "S: 220 hello\r\nGONE\r\n");
	dead_port_open(&dead);
	alive.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	add_address(&list, &dead.address);
	add_address(&list, &alive);
	resolver_pretend(r.resolver, "localhost", &list, 0);
	recorder_dial(&r, talk_port(peer));
	loop_turn(r.loop, true);
	loop_turn(r.loop, false);
	expect_text(recorder_story(&r), "");
	loop_turn_clock(r.loop, 250);
	recorder_until(&r, "220 hello|");
	expect_int(ntohs(dead.address.sin_port) == talk_port(peer), false);
	expect_contains(line_peer(r.line), "127.0.0.1:");
	recorder_forget(&r);
	talk_finished(peer);
	dead_port_close(&dead);
	recorder_clear(&r);
}

TEST(addresses_that_refuse_are_passed_at_once)
{
	struct address_list list = {.count = 0};
	struct sockaddr_in refusing, alive = {.sin_family = AF_INET};
	struct recorder r;
	int fd = port_open(-1, &refusing);
	int64_t begun_ms;

	recorder_init(&r, NULL, NULL);
	struct talk *peer = talk_new(r.loop, "S: 220 hello\r\n");
	for (int i = 0; i < RESOLVE_MAX - 1; i++)
		add_address(&list, &refusing);
	alive.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	add_address(&list, &alive);
	resolver_pretend(r.resolver, "localhost", &list, 0);
	begun_ms = clock_mono_ms();
	recorder_dial(&r, talk_port(peer));
	recorder_until(&r, "220 hello|");
	/* 250 ms for each would be 3.75 s */
	expect_true(clock_mono_ms() - begun_ms < 3000);
	talk_finished(peer);
	close(fd);
	recorder_clear(&r);
}

TEST(nobody_there_is_said_with_the_reason)
{
	struct address_list list = {.count = 0};
	struct sockaddr_in refusing;
	struct recorder r;
	int fd = port_open(-1, &refusing);

	recorder_init(&r, NULL, NULL);
	r.options.host = "127.0.0.1";
	recorder_dial(&r, ntohs(refusing.sin_port));
	recorder_until(&r, "FAILED|");
	expect_contains(r.why.text, "cannot connect to 127.0.0.1: 127.0.0.1:");
	expect_contains(r.why.text, ": Connection refused");
	expect_int(r.why.kind, FAILURE_LATER);
	recorder_forget(&r);
	add_address(&list, &refusing);
	add_address(&list, &refusing);
	resolver_pretend(r.resolver, "mail.example.com", &list, 0);
	r.options.host = "mail.example.com";
	r.free_at = 1u << LINE_FAILED;
	recorder_dial(&r, 25);
	recorder_until(&r, "FAILED|");
	expect_contains(r.why.text, "none of 2 addresses of mail.example.com answers: ");
	close(fd);
	recorder_clear(&r);
}

TEST(a_name_that_does_not_exist_is_said)
{
	struct recorder r;

	recorder_init(&r, NULL, NULL);
	resolver_pretend(r.resolver, "localhost", NULL, 0);
	recorder_dial(&r, 25);
	recorder_until(&r, "FAILED|");
	expect_contains(r.why.text, "no address for localhost");
	expect_int(r.why.kind, FAILURE_LATER);
	recorder_clear(&r);
}

TEST(name_and_connection_together_have_one_deadline)
{
	struct address_list list = {.count = 0};
	struct dead_port dead;
	struct recorder r;

	recorder_init(&r, NULL, NULL);
	dead_port_open(&dead);
	add_address(&list, &dead.address);
	resolver_pretend(r.resolver, "localhost", &list, 6000);
	recorder_dial(&r, 2525);
	loop_turn_clock(r.loop, 7000);
	loop_turn(r.loop, false);
	expect_text(recorder_story(&r), "");
	loop_turn_clock(r.loop, 3000);
	loop_turn(r.loop, false);
	expect_text(recorder_story(&r), "FAILED|");
	expect_text(r.why.text, "no connection to localhost:2525 within 10 s");
	expect_int(r.why.kind, FAILURE_LATER);
	dead_port_close(&dead);
	recorder_clear(&r);
}

TEST(a_line_freed_while_it_dials_says_nothing)
{
	struct dead_port dead;
	struct address_list list = {.count = 0};
	struct recorder r;

	recorder_init(&r, NULL, NULL);
	dead_port_open(&dead);
	add_address(&list, &dead.address);
	resolver_pretend(r.resolver, "localhost", &list, 0);
	recorder_dial(&r, 2525);
	recorder_forget(&r);
	recorder_dial(&r, 2525);
	loop_turn(r.loop, true);
	recorder_forget(&r);
	loop_turn_clock(r.loop, 60000);
	loop_turn(r.loop, false);
	expect_text(recorder_story(&r), "");
	dead_port_close(&dead);
	recorder_clear(&r);
}

RUN_TESTS()
