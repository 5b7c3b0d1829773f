/* tests/talk/test_smtp_sessions.c - how many sessions there are, how long they are
 * kept, and what one that ends means for the transport. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/loop.h"
#include "buf.h"
#include "net/resolve.h"
#include "smtp_stage.h"
#include "tests/unit/expect.h"
#include "transport/smtp.h"

#define MAIL(to) SMTP_ENVELOPE(to) SMTP_TAKEN SMTP_CONTENT "S: 250 done\r\n"

static void turn(struct smtp_stage *s, int turns)
{
	for (int i = 0; i < turns; i++)
		loop_turn(s->loop, false);
}

TEST(an_idle_session_is_kept_then_left)
{
	struct smtp_stage s;

	stage_begin(&s,
		    SMTP_PIPELINED MAIL("ana@example.net") MAIL(
			    "bo@example.net") "C: QUIT\r\nS: 221 bye\r\nGONE\r\n"
					      "ACCEPT\r\n" SMTP_PIPELINED MAIL("cy@example.net"),
		    NULL);
	host_add_simple(s.host, "ana@example.net");
	stage_run(&s);
	loop_turn_clock(s.loop, 9000);
	turn(&s, 20);
	host_add_simple(s.host, "bo@example.net");
	stage_run(&s);
	loop_turn_clock(s.loop, 9000);
	turn(&s, 20);
	loop_turn_clock(s.loop, 1001);
	turn(&s, 200);
	host_add_simple(s.host, "cy@example.net");
	stage_run(&s);
	expect_int(host_downs(s.host), 0);
	stage_end(&s);
}

/* The queue hands parcels out only after up(): it must come all the same. */
TEST(work_that_comes_while_the_only_session_leaves_gets_a_new_one)
{
	struct smtp_stage s;

	stage_begin(&s,
		    SMTP_PIPELINED MAIL("ana@example.net") "C: QUIT\r\nS: 221 bye\r\nGONE\r\n"
							   "ACCEPT\r\n" SMTP_PIPELINED,
		    NULL);
	host_add_simple(s.host, "ana@example.net");
	stage_run(&s);
	host_forget(s.host);
	loop_turn_clock(s.loop, 10001);
	turn(&s, 1);
	transport_smtp.wake(host_transport(s.host), 1);
	talk_until(s.loop, host_was_up(s.host));
	expect_int(host_downs(s.host), 0);
	stage_end(&s);
}

TEST(a_server_that_closes_an_idle_session_is_no_outage)
{
	static const char *const ways[] = {
		SMTP_PIPELINED MAIL("ana@example.net") "CLOSE\r\nACCEPT\r\n" SMTP_PIPELINED MAIL(
			"bo@example.net"),
		SMTP_PIPELINED MAIL("ana@example.net") "RESET\r\nACCEPT\r\n" SMTP_PIPELINED MAIL(
			"bo@example.net"),
		SMTP_PIPELINED MAIL(
			"ana@example.net") "S: 421 4.4.2 idle\r\nCLOSE\r\nACCEPT\r\n" SMTP_PIPELINED
			MAIL("bo@example.net"),
	};

	for (size_t i = 0; i < 3; i++) {
		struct smtp_stage s;

		stage_begin(&s, ways[i], NULL);
		host_add_simple(s.host, "ana@example.net");
		stage_run(&s);
		turn(&s, 200);
		host_add_simple(s.host, "bo@example.net");
		stage_run(&s);
		expect_int(host_outcome(s.host, 1, 0)->kind, OUTCOME_SENT);
		expect_int(host_downs(s.host), 0);
		stage_end(&s);
	}
}

TEST(closed_just_when_the_next_envelope_goes_out)
{
	struct smtp_stage s;

	stage_begin(
		&s,
		SMTP_PIPELINED MAIL("ana@example.net")
			SMTP_ENVELOPE("bo@example.net") "CLOSE\r\nACCEPT\r\n" SMTP_PIPELINED MAIL(
				"bo@example.net"),
		NULL);
	host_add_simple(s.host, "ana@example.net");
	stage_run(&s);
	host_add_simple(s.host, "bo@example.net");
	stage_run(&s);
	expect_int(host_outcome(s.host, 1, 0)->kind, OUTCOME_UNTOUCHED);
	expect_true(!host_outcome(s.host, 1, 0)->tried);
	expect_int(host_downs(s.host), 0);
	host_again(s.host, 1);
	stage_run(&s);
	expect_int(host_outcome(s.host, 1, 0)->kind, OUTCOME_SENT);
	stage_end(&s);
}

/* The server gave up waiting just when we began. */
TEST(a_stale_421_crosses_an_envelope)
{
	static const struct {
		const char *said;
		unsigned downs;
	} cases[] = {
		{"S: 421 4.4.2 idle for too long\r\n", 0},
		{"S: 421 command timeout\r\n", 0},
		{"S: 421 4.3.2 shutting down\r\n", 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char script[1024];
		struct smtp_stage s;

		snprintf(script, sizeof(script), "%s%sCLOSE\r\nACCEPT\r\n%s",
			 SMTP_PIPELINED MAIL("ana@example.net") SMTP_ENVELOPE("bo@example.net"),
			 cases[i].said, SMTP_PIPELINED MAIL("bo@example.net"));
		stage_begin(&s, script, NULL);
		host_add_simple(s.host, "ana@example.net");
		stage_run(&s);
		host_add_simple(s.host, "bo@example.net");
		stage_run(&s);
		turn(&s, 20);
		expect_int(host_outcome(s.host, 1, 0)->kind, OUTCOME_UNTOUCHED);
		expect_int(host_outcome(s.host, 1, 0)->tried, cases[i].downs);
		expect_int(host_downs(s.host), cases[i].downs);
		host_again(s.host, 1);
		stage_run(&s);
		expect_int(host_outcome(s.host, 1, 0)->kind, OUTCOME_SENT);
		stage_end(&s);
	}
}

/* The queue lays parcels ready only once it hears that a session is there. */
TEST(a_session_waits_a_moment_for_its_first_mail_whatever_idle_says)
{
	struct smtp_stage s;

	stage_begin(&s, SMTP_PIPELINED MAIL("ana@example.net") "C: QUIT\r\nS: 221 bye\r\nGONE\r\n",
		    NULL);
	s.config.smtp.idle_ms = 0;
	stage_open(&s);
	host_probe(s.host);
	talk_until(s.loop, host_was_up(s.host));
	loop_turn_clock(s.loop, 900);
	turn(&s, 20);
	host_add_simple(s.host, "ana@example.net");
	stage_run(&s);
	loop_turn_clock(s.loop, 1);
	turn(&s, 200);
	expect_int(host_downs(s.host), 0);
	stage_end(&s);
}

TEST(what_is_said_to_quit_is_no_outage)
{
	struct smtp_stage s;

	stage_begin(&s, SMTP_PIPELINED MAIL("ana@example.net") "C: QUIT\r\nS: bye then\r\nGONE\r\n",
		    NULL);
	s.config.smtp.mails_per_session = 1;
	host_add_simple(s.host, "ana@example.net");
	stage_run(&s);
	turn(&s, 200);
	expect_int(host_downs(s.host), 0);
	stage_end(&s);
}

TEST(a_hundred_mails_then_a_new_session)
{
	struct buf script;
	struct smtp_stage s;

	buf_init(&script, 1 << 20);
	buf_add_text(&script, SMTP_PIPELINED SMTP_ENVELOPE("a@example.net"));
	for (int i = 0; i < 100; i++) {
		if (i > 0)
			buf_add_text(&script, "S: 250 done\r\n");
		buf_add_text(&script, SMTP_TAKEN SMTP_CONTENT);
		if (i < 99)
			buf_add_text(&script, SMTP_ENVELOPE("a@example.net"));
	}
	buf_add_text(&script, "S: 250 done\r\nC: QUIT\r\nS: 221 bye\r\nGONE\r\nACCEPT\r\n");
	buf_add_text(&script, SMTP_PIPELINED MAIL("a@example.net"));
	stage_begin(&s, buf_bytes(&script), NULL);
	for (int i = 0; i < 101; i++)
		host_add_simple(s.host, "a@example.net");
	stage_run(&s);
	for (size_t i = 0; i < 101; i++)
		expect_int(host_outcome(s.host, i, 0)->kind, OUTCOME_SENT);
	expect_int(host_downs(s.host), 0);
	stage_end(&s);
	buf_clear(&script);
}

TEST(exactly_as_many_as_a_session_takes)
{
	struct smtp_stage s;

	stage_begin(&s, SMTP_PIPELINED MAIL("ana@example.net") "C: QUIT\r\nS: 221 bye\r\nGONE\r\n",
		    NULL);
	s.config.smtp.mails_per_session = 1;
	host_add_simple(s.host, "ana@example.net");
	stage_run(&s);
	turn(&s, 200);
	stage_end(&s);
}

TEST(an_outage_costs_one_connection_and_is_told_once)
{
	struct smtp_stage s;

	stage_begin(&s, "S: 421 busy\r\nCLOSE\r\nACCEPT\r\n" SMTP_PIPELINED MAIL("a@example.net"),
		    NULL);
	s.config.concurrency = 4;
	host_add_simple(s.host, "a@example.net");
	stage_open(&s);
	transport_smtp.wake(host_transport(s.host), 8);
	talk_until(s.loop, host_was_down(s.host));
	turn(&s, 200);
	expect_int(host_downs(s.host), 1);
	host_forget(s.host);
	stage_run(&s);
	expect_int(host_ups(s.host), 1);
	expect_int(host_downs(s.host), 0);
	stage_end(&s);
}

TEST(a_probe_connects_with_nothing_to_carry)
{
	struct smtp_stage s;

	stage_begin(&s, SMTP_PIPELINED "C: QUIT\r\nS: 221 bye\r\nGONE\r\n", NULL);
	stage_open(&s);
	host_probe(s.host);
	talk_until(s.loop, host_was_up(s.host));
	host_forget(s.host);
	host_probe(s.host); /* the one session there may be is there */
	talk_until(s.loop, host_was_up(s.host));
	loop_turn_clock(s.loop, 10001);
	stage_end(&s);
}

TEST(a_probe_of_a_dead_server)
{
	struct smtp_stage s;

	stage_begin(&s, "S: 554 no\r\nGONE\r\nACCEPT\r\nS: 554 still no\r\nGONE\r\n", NULL);
	stage_open(&s);
	host_probe(s.host);
	talk_until(s.loop, host_was_down(s.host));
	host_forget(s.host);
	host_probe(s.host);
	talk_until(s.loop, host_was_down(s.host));
	expect_contains(host_why(s.host)->text, "554 still no");
	stage_end(&s);
}

static void set_flag(void *ctx)
{
	bool *flag = ctx;

	*flag = true;
}

TEST(retiring_finishes_what_is_under_way)
{
	struct smtp_stage s;
	bool idle = false;

	stage_begin(&s,
		    SMTP_PIPELINED SMTP_ENVELOPE("ana@example.net") SMTP_TAKEN SMTP_CONTENT
		    "S: 250 done\r\nC: QUIT\r\nS: 221 bye\r\nGONE\r\n",
		    NULL);
	host_slow_content(s.host, 1);
	host_add_simple(s.host, "ana@example.net");
	stage_open(&s);
	host_wake(s.host);
	talk_until(s.loop, host_was_up(s.host));
	host_add_simple(s.host, "bo@example.net");
	transport_smtp.retire(host_transport(s.host), set_flag, &idle);
	talk_until(s.loop, &idle);
	expect_int(host_outcome(s.host, 0, 0)->kind, OUTCOME_SENT);
	expect_null(host_outcome(s.host, 1, 0));
	stage_end(&s);
}

TEST(retiring_with_nothing_under_way)
{
	struct smtp_stage s;
	bool idle = false;

	stage_begin(&s, "", NULL);
	stage_open(&s);
	transport_smtp.retire(host_transport(s.host), set_flag, &idle);
	expect_false(idle);
	talk_until(s.loop, &idle);
	stage_end(&s);
}

TEST(closing_in_the_middle_tells_nobody)
{
	struct smtp_stage s;

	stage_begin(&s, SMTP_PIPELINED SMTP_ENVELOPE("ana@example.net") SMTP_TAKEN "GONE\r\n",
		    NULL);
	host_slow_content(s.host, 1);
	host_add_simple(s.host, "ana@example.net");
	stage_open(&s);
	host_wake(s.host);
	talk_until(s.loop, host_was_up(s.host));
	turn(&s, 6);
	host_free(s.host);
	s.host = NULL;
	talk_free(s.talk);
	s.talk = NULL;
	stage_end(&s);
}

/* Connections from now on go there. */
static void redirect(struct smtp_stage *s, const struct talk *to)
{
	struct address_list list = {.count = 1};
	struct sockaddr_in *in = (struct sockaddr_in *)&list.at[0].address;

	in->sin_family = AF_INET;
	in->sin_port = htons(talk_port(to));
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	list.at[0].len = sizeof(*in);
	resolver_pretend(s->resolver, "localhost", &list, 0);
}

TEST(one_of_two_sessions_fails)
{
	struct smtp_stage s;
	struct talk *other;

	stage_begin(&s,
		    SMTP_STEPWISE "C: MAIL FROM:<box@example.com>\r\n" /* and never an answer */,
		    NULL);
	s.config.concurrency = 2;
	other = talk_new(
		s.loop,
		SMTP_PIPELINED SMTP_ENVELOPE("bo@example.net") SMTP_TAKEN SMTP_CONTENT SMTP_ENVELOPE(
			"cy@example.net") "S: 250 done\r\nS: 250 Ok\r\nS: 421 4.3.2 going\r\nCLOSE\r\n");
	host_add_simple(s.host, "ana@example.net");
	stage_open(&s);
	host_wake(s.host);
	talk_run(s.talk);
	redirect(&s, other);
	host_add_simple(s.host, "bo@example.net");
	host_add_simple(s.host, "cy@example.net");
	host_wake(s.host);
	while (!host_is_finished(s.host, 2))
		loop_turn(s.loop, true);
	turn(&s, 20);
	expect_int(host_outcome(s.host, 1, 0)->kind, OUTCOME_SENT);
	expect_int(host_outcome(s.host, 2, 0)->kind, OUTCOME_UNTOUCHED);
	expect_int(host_ups(s.host), 2);
	expect_int(host_downs(s.host), 0);
	talk_finished(other);

	/* while it lasts no third one is opened; when the last is gone, it is an outage */
	host_again(s.host, 2);
	host_wake(s.host);
	turn(&s, 20);
	expect_false(host_is_finished(s.host, 2));
	talk_free(s.talk);
	s.talk = NULL;
	talk_until(s.loop, host_was_down(s.host));
	expect_int(host_outcome(s.host, 0, 0)->kind, OUTCOME_UNTOUCHED);
	expect_null(host_outcome(s.host, 2, 0));
	expect_int(host_downs(s.host), 1);
	stage_end(&s);
}

RUN_TESTS()
