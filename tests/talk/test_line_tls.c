/* A line with TLS: whom it believes, how STARTTLS can be attacked, how it ends. */
#include "net/line.h"

#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/loop.h"
#include "tests/unit/expect.h"
#include "net/resolve.h"
#include "recorder.h"
#include "talk.h"

#define GREETED_AND_LEFT "S: 220 hello\r\nC: QUIT\r\nS: 221 bye\r\nCLOSE\r\nGONE\r\n"

static void greet_and_leave(struct recorder *r, struct talk *peer)
{
	recorder_dial(r, talk_port(peer));
	recorder_until(r, "220 hello|");
	expect_true(line_is_secure(r->line));
	line_printf(r->line, "QUIT\r\n");
	recorder_until(r, "CLOSED|");
	expect_text(recorder_story(r), "CONNECTED|220 hello|221 bye|CLOSED|");
}

TEST(tls_at_once_with_a_good_certificate)
{
	struct talk_options at_once = {.tls_at_once = true};
	struct recorder r;

	recorder_init(&r, talk_ca_file(), NULL);
	r.options.tls_at_once = true;
	struct talk *peer = talk_with(r.loop, GREETED_AND_LEFT, &at_once);
	greet_and_leave(&r, peer);
	expect_text(line_tls_version(r.line), "TLSv1.3");
	recorder_forget(&r);
	talk_finished(peer);
	recorder_clear(&r);
}

TEST(an_address_is_a_name_too_and_tls_1_2_is_enough)
{
	struct talk_options at_once = {.tls_at_once = true, .max_tls = TLS1_2_VERSION};
	struct recorder r;

	recorder_init(&r, talk_ca_file(), NULL);
	r.options.tls_at_once = true;
	r.options.host = "127.0.0.1";
	struct talk *peer = talk_with(r.loop, GREETED_AND_LEFT, &at_once);
	greet_and_leave(&r, peer);
	expect_text(line_tls_version(r.line), "TLSv1.2");
	recorder_forget(&r);
	talk_finished(peer);
	recorder_clear(&r);
}

TEST(tls_1_1_is_not_enough)
{
	struct talk_options old = {.tls_at_once = true, .max_tls = TLS1_1_VERSION};
	struct recorder r;

	recorder_init(&r, talk_ca_file(), NULL);
	r.options.tls_at_once = true;
	struct talk *peer = talk_with(r.loop, GREETED_AND_LEFT, &old);
	recorder_dial(&r, talk_port(peer));
	recorder_until(&r, "FAILED|");
	expect_text(recorder_story(&r), "FAILED|");
	expect_int(r.why.kind, FAILURE_LATER);
	talk_free(peer);
	recorder_clear(&r);
}

TEST(starttls_secures_and_talks_on)
{
	struct talk_options options = {.certificate = TALK_GOOD};
	struct recorder r;

	recorder_init(&r, talk_ca_file(), NULL);
	struct talk *peer = talk_with(r.loop,
				      "S: 220 hello\r\nC: STARTTLS\r\nS: 220 go\r\nSTARTTLS\r\n"
				      "C: EHLO box\r\nS: 250 secret\r\nCLOSE\r\n",
				      &options);
	r.secure_after = "220 go";
	recorder_dial(&r, talk_port(peer));
	recorder_until(&r, "220 hello|");
	line_printf(r.line, "STARTTLS\r\n");
	recorder_until(&r, "SECURED|");
	line_printf(r.line, "EHLO box\r\n");
	recorder_until(&r, "CLOSED|");
	expect_text(recorder_story(&r), "CONNECTED|220 hello|220 go|SECURED|250 secret|CLOSED|");
	talk_finished(peer);
	recorder_clear(&r);
}

/* What comes of a server with this certificate, at once and by STARTTLS. */
static void expect_disbelief(enum talk_certificate certificate, const char *text)
{
	for (int at_once = 0; at_once < 2; at_once++) {
		struct talk_options options = {.tls_at_once = at_once, .certificate = certificate};
		struct recorder r;

		recorder_init(&r, talk_ca_file(), NULL);
		r.options.tls_at_once = at_once;
		r.secure_after = "220 go";
		struct talk *peer = talk_with(
			r.loop, at_once ? "S: 220 hello\r\n" : "S: 220 go\r\nSTARTTLS\r\n",
			&options);
		recorder_dial(&r, talk_port(peer));
		recorder_until(&r, "FAILED|");
		expect_text(recorder_story(&r), at_once ? "FAILED|" : "CONNECTED|220 go|FAILED|");
		expect_text(r.why.text, text);
		expect_int(r.why.kind, FAILURE_SETUP);
		expect_false(line_is_secure(r.line));
		talk_run(peer);
		expect_contains(talk_problem(peer), "the TLS handshake broke");
		talk_free(peer);
		recorder_clear(&r);
	}
}

TEST(certificates_that_prove_nothing_are_refused_with_the_reason)
{
	expect_disbelief(TALK_EXPIRED, "certificate has expired");
	expect_disbelief(TALK_NOT_YET,
			 "certificate is not valid yet (is this machine's clock right?)");
	expect_disbelief(TALK_OTHER_HOST, "certificate is for another host than localhost");
	expect_disbelief(TALK_OTHER_CA, "certificate is from a CA we do not trust");
	expect_disbelief(TALK_SELF_SIGNED, "certificate is self-signed and not in our CA file");
}

TEST(the_system_does_not_know_our_ca)
{
	struct talk_options at_once = {.tls_at_once = true};
	struct tls_options system = {.ca_file = NULL};
	struct recorder r;

	recorder_init(&r, NULL, NULL);
	expect_ok(tls_new(&system, &r.tls, &r.why), &r.why);
	r.options.tls = r.tls;
	r.options.tls_at_once = true;
	struct talk *peer = talk_with(r.loop, "S: 220 hello\r\n", &at_once);
	recorder_dial(&r, talk_port(peer));
	recorder_until(&r, "FAILED|");
	expect_text(r.why.text, "certificate is from a CA we do not trust");
	expect_int(r.why.kind, FAILURE_SETUP);
	talk_free(peer);
	recorder_clear(&r);
}

TEST(the_right_pin_passes)
{
	struct talk_options at_once = {.tls_at_once = true};
	struct recorder r;

	recorder_init(&r, talk_ca_file(), talk_pin(TALK_GOOD));
	r.options.tls_at_once = true;
	struct talk *peer = talk_with(r.loop, GREETED_AND_LEFT, &at_once);
	greet_and_leave(&r, peer);
	recorder_forget(&r);
	talk_finished(peer);
	recorder_clear(&r);
}

TEST(another_key_than_the_pin_is_refused_whoever_signed_it)
{
	struct talk_options at_once = {.tls_at_once = true};
	struct recorder r;

	recorder_init(&r, talk_ca_file(), talk_pin(TALK_EXPIRED));
	r.options.tls_at_once = true;
	struct talk *peer = talk_with(r.loop, "S: 220 hello\r\n", &at_once);
	recorder_dial(&r, talk_port(peer));
	recorder_until(&r, "FAILED|");
	expect_contains(r.why.text, "certificate has another key than the pin: ");
	expect_contains(r.why.text, talk_pin(TALK_GOOD));
	expect_int(r.why.kind, FAILURE_SETUP);
	talk_free(peer);
	recorder_clear(&r);
}

TEST(settings_that_cannot_be_are_said)
{
	struct tls_options bad[] = {
		{.ca_file = "/nowhere/ca.pem"},
		{.pin = ""},
		{.pin = "12ab"},
		{.pin = "zz00000000000000000000000000000000000000000000000000000000000000"},
		{.pin = "00000000000000000000000000000000000000000000000000000000000000001"},
	};
	struct failure f;
	struct tls *tls;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		expect_failure(tls_new(&bad[i], &tls, &f), &f, FAILURE_SETUP);
}

TEST(text_behind_the_answer_to_starttls_is_an_attack)
{
	struct recorder r;

	recorder_init(&r, talk_ca_file(), NULL);
	struct talk *peer = talk_new(r.loop, "S: 220 go\r\nS: 250-AUTH PLAIN\r\nSTARTTLS\r\n");
	r.secure_after = "220 go";
	recorder_dial(&r, talk_port(peer));
	recorder_until(&r, "FAILED|");
	expect_contains(r.why.text, "localhost sent plain text where TLS begins");
	expect_int(r.why.kind, FAILURE_SETUP);
	expect_false(strstr(recorder_story(&r), "SECURED"));
	talk_free(peer);
	recorder_clear(&r);
}

TEST(text_that_came_but_was_not_yet_read_is_an_attack_too)
{
	struct recorder r;
	int fds[2];

	recorder_init(&r, talk_ca_file(), NULL);
	expect_int(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	recorder_over(&r, fds[0]);
	expect_int(write(fds[1], "220 go\r\n", 8), 8);
	recorder_until(&r, "220 go|");
	expect_int(write(fds[1], "250 x\r\n", 7), 7);
	line_secure(r.line);
	recorder_until(&r, "FAILED|");
	expect_int(r.why.kind, FAILURE_SETUP);
	close(fds[1]);
	recorder_clear(&r);
}

/* What comes of a server that answers our hello like this. */
static void expect_no_tls(const char *script, const char *text)
{
	struct recorder r;

	recorder_init(&r, talk_ca_file(), NULL);
	r.options.tls_at_once = true;
	struct talk *peer = talk_new(r.loop, script);
	recorder_dial(&r, talk_port(peer));
	recorder_until(&r, "FAILED|");
	expect_text(recorder_story(&r), "FAILED|");
	expect_contains(r.why.text, text);
	expect_int(r.why.kind, FAILURE_LATER);
	talk_free(peer);
	recorder_clear(&r);
}

TEST(servers_that_do_not_shake_hands)
{
	expect_no_tls("S: 220 mail.example.com ESMTP\r\n", "localhost does not speak TLS here");
	expect_no_tls("CLOSE\r\n", "localhost ended the connection in the TLS handshake");
	expect_no_tls("RESET\r\n", "localhost");
}

TEST(a_server_that_is_silent_where_tls_begins_is_given_up)
{
	struct recorder r;

	recorder_init(&r, talk_ca_file(), NULL);
	struct talk *peer = talk_new(r.loop, "S: 220 go\r\n");
	r.secure_after = "220 go";
	recorder_dial(&r, talk_port(peer));
	recorder_until(&r, "220 go|");
	loop_turn(r.loop, false);
	loop_turn_clock(r.loop, 10000);
	recorder_until(&r, "FAILED|");
	expect_contains(r.why.text, "no TLS with 127.0.0.1:");
	expect_contains(r.why.text, " within 10 s");
	expect_int(r.why.kind, FAILURE_LATER);
	talk_free(peer);
	recorder_clear(&r);
}

TEST(a_fin_without_goodbye_is_an_end_like_any_other)
{
	struct talk_options at_once = {.tls_at_once = true};
	struct recorder r;

	recorder_init(&r, talk_ca_file(), NULL);
	r.options.tls_at_once = true;
	struct talk *peer = talk_with(r.loop, "S: 220 hello\r\nDROP\r\n", &at_once);
	recorder_dial(&r, talk_port(peer));
	recorder_until(&r, "CLOSED|");
	expect_text(recorder_story(&r), "CONNECTED|220 hello|CLOSED|");
	talk_finished(peer);
	recorder_clear(&r);
}

TEST(sessions_are_resumed_but_only_for_their_host)
{
	struct talk_options at_once = {.tls_at_once = true};
	static const char *const hosts[] = {"localhost", "localhost", "127.0.0.1"};
	static const unsigned resumed[] = {0, 1, 1};

	for (int version = 0; version < 2; version++) {
		struct recorder r;

		at_once.max_tls = version ? TLS1_2_VERSION : 0;
		recorder_init(&r, talk_ca_file(), talk_pin(TALK_GOOD));
		r.options.tls_at_once = true;
		struct talk *peer = talk_with(r.loop,
					      GREETED_AND_LEFT "ACCEPT\r\n" GREETED_AND_LEFT
							       "ACCEPT\r\n" GREETED_AND_LEFT,
					      &at_once);
		for (int i = 0; i < 3; i++) {
			r.options.host = hosts[i];
			greet_and_leave(&r, peer);
			recorder_forget(&r);
			expect_int(talk_resumptions(peer), resumed[i]);
		}
		talk_finished(peer);
		recorder_clear(&r);
	}
}

TEST(a_record_larger_than_what_may_wait_is_read_bit_by_bit)
{
	struct talk_options at_once = {.tls_at_once = true};
	static char script[20000];
	struct recorder r;
	size_t len, total = 0;

	memset(script, 'x', sizeof(script) - 1);
	memcpy(script, "S: ", 3);
	memcpy(script + sizeof(script) - 3, "\r\n", 2);
	recorder_init(&r, talk_ca_file(), NULL);
	r.options.tls_at_once = true;
	r.options.max_in = 100;
	r.leaves_unread = true;
	struct talk *peer = talk_with(r.loop, script, &at_once);
	recorder_dial(&r, talk_port(peer));
	recorder_until(&r, "CONNECTED|");
	while (total < sizeof(script) - 4) {
		line_bytes(r.line, &len);
		expect_true(len <= 100);
		line_drain(r.line, len);
		total += len;
		loop_turn(r.loop, len == 0);
	}
	expect_int(total, sizeof(script) - 4);
	talk_finished(peer);
	recorder_clear(&r);
}

TEST(a_megabyte_goes_out_in_order)
{
	struct talk_options at_once = {.tls_at_once = true};
	struct recorder r;

	recorder_init(&r, talk_ca_file(), NULL);
	r.options.tls_at_once = true;
	struct talk *peer = talk_with(
		r.loop, "C: line 0\r\nC: ...\r\nC: line 99999\r\nS: 250 ok\r\n", &at_once);
	recorder_dial(&r, talk_port(peer));
	for (int i = 0; i < 100000; i++)
		line_printf(r.line, "line %d\r\n", i);
	recorder_until(&r, "250 ok|");
	expect_int(line_unsent(r.line), 0);
	talk_finished(peer);
	recorder_clear(&r);
}

RUN_TESTS()
