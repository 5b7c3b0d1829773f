/* The server over a socket: framing, order, ceilings, descriptors, and that no
 * peer, however it behaves, stalls another. */
#include "server/server.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "tests/unit/expect.h"
#include "failure.h"
#include "house.h"

#define SEND "{\"method\":\"io.nuncio.Send\",\"parameters\":"
#define STATUS "{\"method\":\"io.nuncio.Status\"}"

static void expect_verdict(json_t *reply, const char *want)
{
	AUTO(free) char *got = client_verdict(reply);

	expect_text(got, want);
}

static json_t *parameters(json_t *reply)
{
	return json_object_get(reply, "parameters");
}

static json_int_t number(json_t *reply, const char *name)
{
	json_t *value = json_object_get(parameters(reply), name);

	expect_true(json_is_integer(value));
	return json_integer_value(value);
}

static const char *text(json_t *reply, const char *name)
{
	return json_string_value(json_object_get(parameters(reply), name));
}

static void expect_ask(struct client *c, const char *request, const char *want)
{
	json_t *reply = client_ask(c, request);
	AUTO(free) char *dump = json_dumps(reply, 0);
	AUTO(free) char *got = client_verdict(reply);

	if (strcmp(got, want) != 0)
		expect_stop(__FILE__, __LINE__, "%s\nanswered %s\nwanted %s", request, dump, want);
}

/* ---- framing ---- */

TEST(the_answer_ends_as_the_request_did)
{
	struct house h;
	struct client c;

	house_open(&h, "");
	client_open(&c, &h);
	client_text(&c, STATUS "\n");
	expect_verdict(client_hear(&c), "ok");
	client_say(&c, STATUS "\0" STATUS "\n", 2 * sizeof(STATUS));
	while (!memchr(buf_bytes(&c.in), '\n', c.in.len))
		loop_turn(h.loop, true);
	const char *first_end = memchr(buf_bytes(&c.in), '\0', c.in.len);
	expect_some(first_end);
	expect_int(first_end[-1], '}');
	expect_int(first_end[1], '{');
	client_close(&c);
	house_close(&h);
}

TEST(a_request_may_come_byte_by_byte)
{
	struct house h;
	struct client c;
	const char *request = SEND "{\"to\":[\"me\"],\"text\":\"a } \\\" {\"}}\n";

	house_open(&h, "");
	client_open(&c, &h);
	for (const char *at = request; *at; at++) {
		client_say(&c, at, 1);
		loop_turn(h.loop, false);
	}
	expect_verdict(client_hear(&c), "ok");
	client_close(&c);
	house_close(&h);
}

TEST(after_a_half_close_all_is_answered_in_order_and_then_closed)
{
	struct house h;
	struct client c;
	struct buf lines;

	house_open(&h, "");
	client_open(&c, &h);
	buf_init(&lines, 1000000);
	for (int i = 0; i < 100; i++)
		buf_printf(&lines,
			   SEND "{\"to\":[\"n%d@example.org\"],\"text\":\"x\"}}\n"
				"{\"method\":\"io.nuncio.Nothing%d\"}\n" STATUS "\n",
			   i, i);
	client_say(&c, buf_bytes(&lines), lines.len);
	client_half_close(&c);
	for (int i = 0; i < 100; i++) {
		json_t *sent = client_hear(&c), *wrong = client_hear(&c);
		AUTO(free) char *name = xprintf("io.nuncio.Nothing%d", i);

		expect_int(number(sent, "id"), i + 1);
		expect_text(text(wrong, "method"), name);
		json_decref(sent);
		expect_verdict(wrong, "MethodNotFound");
		expect_verdict(client_hear(&c), "ok");
	}
	client_hear_end(&c);
	buf_clear(&lines);
	client_close(&c);
	house_close(&h);
}

TEST(oneway_gets_no_reply_and_is_done_all_the_same)
{
	struct house h;
	struct client c;
	const char *oneway =
		"{\"method\":\"io.nuncio.Send\",\"oneway\":true,\"parameters\":{\"to\":[\"me\"],"
		"\"text\":\"x\"}}\n{\"method\":\"io.nuncio.Wrong\",\"oneway\":true}\n";

	house_open(&h, "");
	client_open(&c, &h);
	client_text(&c, oneway);
	json_t *reply = client_ask(&c, "{\"method\":\"io.nuncio.Show\",\"parameters\":{\"id\":1}}");
	while (json_object_get(reply, "error")) {
		json_decref(reply);
		reply = client_ask(&c, "{\"method\":\"io.nuncio.Show\",\"parameters\":{\"id\":1}}");
	}
	json_decref(reply);
	client_close(&c);
	house_close(&h);
}

TEST(one_who_asks_and_leaves_is_obeyed)
{
	struct house h;
	struct client c;

	house_open(&h, "");
	client_open(&c, &h);
	client_text(&c, SEND "{\"to\":[\"me\"],\"text\":\"x\"}}\n");
	client_close(&c);
	client_open(&c, &h);
	for (int tries = 0; tries < 1000; tries++) {
		json_t *reply = client_ask(&c, "{\"method\":\"io.nuncio.List\"}");
		size_t n = json_array_size(json_object_get(parameters(reply), "deliveries"));

		json_decref(reply);
		if (n == 1)
			break;
		expect_true(tries < 999);
	}
	client_close(&c);
	house_close(&h);
}

TEST(more_on_what_does_not_stream_gets_one_plain_reply)
{
	struct house h;
	struct client c;

	house_open(&h, "");
	client_open(&c, &h);
	json_t *reply = client_ask(&c, "{\"method\":\"io.nuncio.Status\",\"more\":true}");
	expect_null(json_object_get(reply, "continues"));
	expect_verdict(reply, "ok");
	expect_ask(&c, "{\"method\":\"io.nuncio.Watch\"}", "ExpectedMore");
	client_close(&c);
	house_close(&h);
}

TEST(too_large_a_request_is_named_and_the_peer_closed)
{
	struct house h;
	struct client c;
	AUTO(free) char *filler = xmalloc(300000);

	memset(filler, 'x', 300000);
	house_open(&h, "limits = { request = \"100K\"; message = \"50K\"; };");
	client_open(&c, &h);
	client_text(&c, SEND "{\"to\":[\"me\"],\"text\":\"");
	client_say(&c, filler, 300000);
	watch_want(&c.watch, WATCH_READ);
	while (!c.ended)
		loop_turn(h.loop, true);
	expect_contains(buf_bytes(&c.in), "io.nuncio.OverLimit");
	expect_contains(buf_bytes(&c.in), "102400");
	client_close(&c);
	house_close(&h);
}

TEST(half_a_request_and_then_silence_is_closed_after_a_minute)
{
	struct house h;
	struct client c, other;

	house_open(&h, "");
	client_open(&c, &h);
	client_open(&other, &h);
	client_text(&c, "{\"method\":\n");
	expect_ask(&other, STATUS, "ok");
	loop_turn_clock(h.loop, 59000);
	expect_ask(&other, STATUS, "ok");
	expect_int(c.in.len, 0);
	loop_turn_clock(h.loop, 2000);
	expect_verdict(client_hear(&c), "BadMessage");
	client_hear_end(&c);
	/* silence between requests is no offence */
	expect_ask(&other, STATUS, "ok");
	client_close(&c);
	client_close(&other);
	house_close(&h);
}

TEST(half_a_request_and_then_the_end)
{
	struct house h;
	struct client c;

	house_open(&h, "");
	client_open(&c, &h);
	client_text(&c, STATUS "\n{\"method\":\n");
	client_half_close(&c);
	expect_verdict(client_hear(&c), "ok");
	expect_verdict(client_hear(&c), "BadMessage");
	client_hear_end(&c);
	client_close(&c);
	house_close(&h);
}

TEST(one_who_never_reads_is_not_read_from_and_others_are_served)
{
	struct house h;
	struct client c, other;
	const char *describe = "{\"method\":\"org.varlink.service.GetInterfaceDescription\","
			       "\"parameters\":{\"interface\":\"io.nuncio\"}}\n";
	size_t said = 0;

	house_open(&h, "");
	client_open(&c, &h);
	client_open(&other, &h);
	for (int idle = 0; idle < 200;) {
		ssize_t n = send(c.fd, describe, strlen(describe), MSG_DONTWAIT | MSG_NOSIGNAL);

		said += n > 0 ? (size_t)n : 0;
		idle = n > 0 ? 0 : idle + 1;
		loop_turn(h.loop, false);
		expect_true(said < 20 * 1024 * 1024);
	}
	expect_ask(&other, STATUS, "ok");
	loop_turn_clock(h.loop, 400000);
	expect_ask(&other, STATUS, "ok");
	watch_want(&c.watch, WATCH_READ);
	while (!c.ended)
		loop_turn(h.loop, true);
	client_close(&c);
	client_close(&other);
	house_close(&h);
}

/* An answer that nobody reads keeps neither its request nor what came with it. */
TEST(what_was_answered_is_let_go_though_nobody_reads)
{
	struct house h;
	struct client c;
	int pipes[2];
	char byte;

	expect_int(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	house_open(&h, "");
	client_open(&c, &h);
	for (int i = 0; i < 60; i++)
		client_text(&c, "{\"method\":\"org.varlink.service.GetInterfaceDescription\","
				"\"parameters\":{\"interface\":\"io.nuncio\"}}\n");
	client_pass(&c, "{\"method\":\"io.nuncio.Nothing\",\"parameters\":{\"descriptor\":0}}\n",
		    &pipes[1], 1);
	close(pipes[1]);
	for (int turns = 0; read(pipes[0], &byte, 1) != 0; turns++) {
		expect_true(turns < 1000);
		loop_turn(h.loop, false);
	}
	for (int i = 0; i < 60; i++)
		expect_verdict(client_hear(&c), "ok");
	expect_verdict(client_hear(&c), "MethodNotFound");
	close(pipes[0]);
	client_close(&c);
	house_close(&h);
}

TEST(calls_in_flight_have_a_ceiling_and_all_are_answered)
{
	struct house h;
	struct client c;
	struct buf lines;

	house_open(&h, "limits = { calls_per_peer = 2; };");
	client_open(&c, &h);
	buf_init(&lines, 1000000);
	for (int i = 0; i < 50; i++)
		buf_add_text(&lines, SEND "{\"to\":[\"me\"],\"text\":\"x\"}}\n");
	client_say(&c, buf_bytes(&lines), lines.len);
	for (int i = 0; i < 50; i++)
		expect_verdict(client_hear(&c), "ok");
	buf_clear(&lines);
	client_close(&c);
	house_close(&h);
}

TEST(connections_have_ceilings)
{
	struct house h;
	struct client c[4];

	house_open(&h, "limits = { peers = 10; peers_per_uid = 3; };");
	for (int i = 0; i < 4; i++)
		client_open(&c[i], &h);
	watch_want(&c[3].watch, WATCH_READ);
	while (!c[3].ended)
		loop_turn(h.loop, true);
	expect_contains(buf_bytes(&c[3].in), "io.nuncio.OverLimit");
	expect_contains(buf_bytes(&c[3].in), "\"limit\":3");
	expect_ask(&c[2], STATUS, "ok");
	client_close(&c[0]);
	client_close(&c[3]);
	loop_turn(h.loop, true);
	loop_turn(h.loop, false);
	client_open(&c[0], &h);
	expect_ask(&c[0], STATUS, "ok");
	for (int i = 0; i < 3; i++)
		client_close(&c[i]);
	house_close(&h);
}

/* ---- cases ---- */

static char *read_file(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "r");
	char *bytes = xmalloc(1 << 20);

	if (!file)
		expect_stop(__FILE__, __LINE__, "no file %s", path);
	*ret_len = fread(bytes, 1, (1 << 20) - 1, file);
	bytes[*ret_len] = '\0';
	fclose(file);
	return bytes;
}

/* Each line of the .expect file is one reply: its error or "ok", then a part of
 * its text, or nothing. After the last one the connection ends. */
static void expect_replies(struct client *c, char *lines, const char *name)
{
	for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n")) {
		char *part = line + strcspn(line, " ");
		json_t *reply = client_hear(c);

		if (!reply)
			expect_stop(__FILE__, __LINE__, "%s: no reply, wanted: %s", name, line);
		AUTO(free) char *dump = json_dumps(reply, JSON_COMPACT);
		AUTO(free) char *verdict = client_verdict(reply);
		if (*part)
			*part++ = '\0';
		if (strcmp(verdict, line) != 0 || !strstr(dump, part))
			expect_stop(__FILE__, __LINE__, "%s:\ngot  %s\nwant %s %s", name, dump,
				    line, part);
	}
	json_t *further = client_hear(c);
	if (further)
		expect_stop(__FILE__, __LINE__, "%s: one reply too many: %s", name,
			    json_dumps(further, 0));
}

static void run_case(struct house *h, const char *name)
{
	AUTO(free) char *path = xprintf("%s/%s", CASES, name);
	AUTO(free) char *expect_path = xprintf("%.*s.expect", (int)(strlen(path) - 5), path);
	size_t len, expect_len;
	AUTO(free) char *request = read_file(path, &len);
	AUTO(free) char *want = read_file(expect_path, &expect_len);
	struct client c;

	client_open(&c, h);
	client_say(&c, request, len);
	client_half_close(&c);
	/* answers end as requests do; here lines are easier to take apart */
	expect_replies(&c, want, name);
	client_close(&c);
}

TEST(each_case_is_answered_as_it_says)
{
	struct house h;
	DIR *folder = opendir(CASES);
	unsigned n = 0;

	expect_some(folder);
	house_open_with(&h, "", "limits = { recipients = 5; message = \"20K\"; };");
	for (struct dirent *e = readdir(folder); e; e = readdir(folder)) {
		size_t len = strlen(e->d_name);

		if (len < 5 || strcmp(e->d_name + len - 5, ".json") != 0)
			continue;
		run_case(&h, e->d_name);
		n++;
	}
	closedir(folder);
	expect_true(n >= 60);
	house_close(&h);
}

/* ---- descriptors ---- */

static int memfd(const char *content, size_t len, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	expect_int(write(fd, content, len), len);
	if (seals)
		expect_int(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define WITH_ATTACHMENT                                                                            \
	SEND "{\"to\":[\"me\"],\"text\":\"x\",\"attachments\":[{\"name\":\"a.txt\",\"descriptor\":0}]}}\n"
#define WITH_TWO                                                                                   \
	SEND "{\"to\":[\"me\"],\"attachments\":[{\"name\":\"a\",\"descriptor\":1},"                \
	     "{\"name\":\"b\",\"descriptor\":0}]}}\n"

static json_int_t size_of(struct client *c, json_int_t id)
{
	AUTO(free)
	char *show = xprintf("{\"method\":\"io.nuncio.Show\",\"parameters\":{\"id\":%lld}}",
			     (long long)id);
	json_t *reply = client_ask(c, show);
	json_int_t size = json_integer_value(
		json_object_get(json_object_get(parameters(reply), "message"), "size"));

	json_decref(reply);
	return size;
}

TEST(a_sealed_memfd_is_read)
{
	struct house h;
	struct client c;
	int fd = memfd("hello", 5, SEALS);

	house_open(&h, "");
	client_open(&c, &h);
	client_pass(&c, WITH_ATTACHMENT, &fd, 1);
	json_t *reply = client_hear(&c);
	expect_int(size_of(&c, number(reply, "id")), 6);
	expect_verdict(reply, "ok");
	close(fd);
	client_close(&c);
	house_close(&h);
}

TEST(pipelined_requests_take_their_own_descriptors)
{
	struct house h;
	struct client c;
	int fds[3] = {memfd("1", 1, SEALS), memfd("22", 2, SEALS), memfd("333", 3, SEALS)};

	house_open(&h, "");
	client_open(&c, &h);
	client_pass(&c, WITH_ATTACHMENT, fds, 1);
	client_pass(&c, WITH_TWO, fds + 1, 2);
	json_t *first = client_hear(&c), *second = client_hear(&c);
	expect_int(size_of(&c, number(first, "id")), 2);
	expect_int(size_of(&c, number(second, "id")), 5);
	expect_verdict(first, "ok");
	expect_verdict(second, "ok");
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	client_close(&c);
	house_close(&h);
}

TEST(a_large_descriptor_goes_in_pieces_while_others_are_served)
{
	struct house h;
	struct client c, other;
	size_t len = 20 * 1024 * 1024;
	AUTO(free) char *bytes = xmalloc(len);

	memset(bytes, 'x', len);
	int fd = memfd(bytes, len, SEALS);
	house_open(&h, "");
	client_open(&c, &h);
	client_open(&other, &h);
	client_pass(&c, WITH_ATTACHMENT, &fd, 1);
	expect_ask(&other, STATUS, "ok");
	json_t *reply = client_hear(&c);
	expect_int(size_of(&c, number(reply, "id")), (intmax_t)len + 1);
	expect_verdict(reply, "ok");
	close(fd);
	client_close(&c);
	client_close(&other);
	house_close(&h);
}

static void expect_closed_after(const char *request, const int *fds, size_t n, const char *want)
{
	struct house h;
	struct client c;

	house_open(&h, "");
	client_open(&c, &h);
	if (n)
		client_pass(&c, request, fds, n);
	else
		client_text(&c, request);
	if (want)
		expect_verdict(client_hear(&c), want);
	json_t *last = client_hear(&c);
	expect_contains(text(last, "reason"), "descriptor");
	expect_verdict(last, "BadMessage");
	client_hear_end(&c);
	client_close(&c);
	house_close(&h);
}

TEST(missing_left_over_and_too_many_descriptors_close_the_peer)
{
	int fds[250];

	for (int i = 0; i < 250; i++)
		fds[i] = memfd("x", 1, SEALS);
	expect_closed_after(WITH_ATTACHMENT, NULL, 0, NULL);
	expect_closed_after(WITH_TWO, fds, 1, NULL);
	expect_closed_after(WITH_ATTACHMENT, fds, 2, "ok");
	expect_closed_after(STATUS "\n", fds, 1, "ok");
	expect_closed_after(STATUS "\n", fds, 65, NULL);
	expect_closed_after(STATUS "\n", fds, 250, NULL);
	for (int i = 0; i < 250; i++)
		close(fds[i]);
}

TEST(what_is_not_sealed_is_not_read)
{
	struct house h;
	struct client c;
	int pipes[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char path[] = "/tmp/nuncio-file-XXXXXX";

	expect_int(pipe(pipes), 0);
	house_open(&h, "");
	int fds[] = {memfd("x", 1, 0),
		     memfd("x", 1, F_SEAL_WRITE),
		     memfd("x", 1, F_SEAL_SHRINK | F_SEAL_GROW),
		     memfd("x", 1, F_SEAL_WRITE | F_SEAL_GROW),
		     pipes[0],
		     null,
		     mkstemp(path)};
	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		client_open(&c, &h);
		client_pass(&c, WITH_ATTACHMENT, &fds[i], 1);
		json_t *reply = client_hear(&c);
		expect_contains(text(reply, "reason"), "sealed");
		expect_text(text(reply, "field"), "attachments[0]");
		expect_verdict(reply, "BadMessage");
		client_hear_end(&c);
		client_close(&c);
		close(fds[i]);
	}
	unlink(path);
	close(pipes[1]);
	house_close(&h);
}

/* ---- keys, and watching ---- */

TEST(a_key_covers_the_content_of_descriptors)
{
	struct house h;
	struct client c;
	const char *request = SEND
		"{\"to\":[\"me\"],\"key\":\"k\",\"attachments\":[{\"name\":\"a\",\"descriptor\":0}]}}\n";
	const char *inline_request = SEND
		"{\"key\":\"k\",\"attachments\":[{\"content\":\"b25l\",\"name\":\"a\"}],\"to\":[\"me\"],\"cc\":null}}";
	int one = memfd("one", 3, SEALS), two = memfd("two", 3, SEALS);

	house_open(&h, "");
	client_open(&c, &h);
	client_pass(&c, request, &one, 1);
	json_t *first = client_hear(&c);
	client_pass(&c, request, &one, 1);
	json_t *again = client_hear(&c);
	expect_true(json_is_false(json_object_get(parameters(first), "duplicate")));
	expect_true(json_is_true(json_object_get(parameters(again), "duplicate")));
	expect_int(number(first, "id"), number(again, "id"));
	expect_text(text(first, "message_id"), text(again, "message_id"));
	json_decref(again);
	/* the same bytes, passed in another way, are the same request */
	again = client_ask(&c, inline_request);
	expect_int(number(first, "id"), number(again, "id"));
	client_pass(&c, request, &two, 1);
	expect_verdict(client_hear(&c), "KeyConflict");
	expect_verdict(first, "ok");
	expect_verdict(again, "ok");
	close(one);
	close(two);
	client_close(&c);
	house_close(&h);
}

/* "queued sending sent": the states a watch told, up to its end. */
static void watch_to_end(struct client *c, json_int_t id, struct buf *states)
{
	AUTO(free)
	char *watch = xprintf(
		"{\"method\":\"io.nuncio.Watch\",\"more\":true,\"parameters\":{\"id\":%lld}}\n",
		(long long)id);
	bool goes_on = true;
	json_int_t last = 0;

	client_say(c, watch, strlen(watch));
	while (goes_on) {
		json_t *reply = client_hear(c);
		json_t *event = json_object_get(parameters(reply), "event");

		expect_some(reply);
		expect_true(json_integer_value(json_object_get(event, "id")) > last);
		last = json_integer_value(json_object_get(event, "id"));
		buf_printf(states, "%s ", json_string_value(json_object_get(event, "to")));
		goes_on = json_is_true(json_object_get(reply, "continues"));
		expect_verdict(reply, "ok");
	}
}

TEST(a_watch_tells_past_and_present_without_gap_or_twin)
{
	struct house h;
	struct client c;

	house_open(&h, "");
	client_open(&c, &h);
	for (int i = 0; i < 20; i++) {
		json_t *reply = client_ask(&c, SEND "{\"to\":[\"me\"],\"text\":\"x\"}}");
		struct buf states;

		buf_init(&states, 1000);
		/* how much is past already differs from time to time */
		for (int turns = 0; turns < i; turns++)
			loop_turn(h.loop, false);
		watch_to_end(&c, number(reply, "id"), &states);
		expect_text(buf_bytes(&states), "queued sending sent ");
		buf_drain(&states, states.len);
		watch_to_end(&c, number(reply, "id"), &states);
		expect_text(buf_bytes(&states), "queued sending sent ");
		buf_clear(&states);
		json_decref(reply);
	}
	expect_ask(&c, STATUS, "ok");
	expect_ask(&c, "{\"method\":\"io.nuncio.Watch\",\"more\":true,\"parameters\":{\"id\":999}}",
		   "NoSuchMessage");
	client_close(&c);
	house_close(&h);
}

TEST(a_watcher_that_does_not_read_is_overrun_and_closed)
{
	struct house h;
	struct client c, other;
	const char *watch = "{\"method\":\"io.nuncio.Watch\",\"more\":true}\n";

	house_open(&h, "");
	client_open(&c, &h);
	client_open(&other, &h);
	client_text(&c, watch);
	expect_ask(&other, SEND "{\"to\":[\"me\"],\"text\":\"x\",\"hold\":true}}", "ok");
	for (int i = 0; i < 900; i++)
		expect_ask(
			&other,
			SEND
			"{\"to\":[\"me\",\"a@b.example\",\"c@d.example\",\"e@f.example\"],\"text\":\"x\"}}",
			"ok");
	watch_want(&c.watch, WATCH_READ);
	while (!c.ended)
		loop_turn(h.loop, true);
	expect_contains(buf_bytes(&c.in), "io.nuncio.Overrun");
	expect_ask(&other, STATUS, "ok");
	client_close(&c);
	client_close(&other);
	house_close(&h);
}

TEST(a_watcher_that_leaves_is_forgotten)
{
	struct house h;
	struct client c, other;
	const char *watch = "{\"method\":\"io.nuncio.Watch\",\"more\":true}\n";

	house_open(&h, "limits = { peers_per_uid = 2; };");
	client_open(&other, &h);
	for (int i = 0; i < 5; i++) {
		client_open(&c, &h);
		client_text(&c, watch);
		expect_ask(&other, STATUS, "ok");
		client_close(&c);
		expect_ask(&other, STATUS, "ok");
	}
	/* one that only half-closed is looked after from time to time */
	client_open(&c, &h);
	client_text(&c, watch);
	client_half_close(&c);
	expect_ask(&other, STATUS, "ok");
	expect_ask(&other, SEND "{\"to\":[\"me\"],\"text\":\"x\"}}", "ok");
	expect_verdict(client_hear(&c), "ok");
	client_close(&c);
	loop_turn_clock(h.loop, 11000);
	expect_ask(&other, STATUS, "ok");
	client_open(&c, &h);
	expect_ask(&c, STATUS, "ok");
	client_close(&c);
	client_close(&other);
	house_close(&h);
}

/* ---- the end ---- */

static void mark(void *ctx)
{
	*(bool *)ctx = true;
}

TEST(a_drain_answers_what_was_asked_and_reads_no_more)
{
	struct house h;
	struct client c, watcher;
	const char *watch = "{\"method\":\"io.nuncio.Watch\",\"more\":true}\n";
	bool drained = false;

	house_open(&h, "");
	client_open(&c, &h);
	client_open(&watcher, &h);
	client_text(&watcher, watch);
	expect_ask(&c, STATUS, "ok");
	client_text(&c, SEND "{\"to\":[\"me\"],\"text\":\"x\"}}\n{\"meth");
	loop_turn(h.loop, true);
	server_drain(h.server, 5000, mark, &drained);
	expect_verdict(client_hear(&c), "ok");
	client_hear_end(&c);
	client_hear_end(&watcher);
	while (!drained)
		loop_turn(h.loop, true);
	client_close(&c);
	client_close(&watcher);
	house_close(&h);
}

TEST(a_stop_in_the_middle_of_everything_is_clean)
{
	struct house h;
	struct client c[3];
	const char *watch =
		"{\"method\":\"io.nuncio.Watch\",\"more\":true,\"parameters\":{\"id\":1}}\n";
	size_t len = 5 * 1024 * 1024;
	AUTO(free) char *bytes = xcalloc(1, len);
	int fd = memfd(bytes, len, SEALS);

	house_open(&h, "");
	for (int i = 0; i < 3; i++)
		client_open(&c[i], &h);
	client_pass(&c[0], WITH_ATTACHMENT, &fd, 1);
	client_text(&c[1], SEND "{\"to\":[\"me\"],\"text\":\"x\"}}\n" STATUS "\n");
	client_text(&c[2], watch);
	loop_turn(h.loop, true);
	for (int i = 0; i < 3; i++)
		client_close(&c[i]);
	house_close(&h);
	close(fd);
}

RUN_TESTS()
