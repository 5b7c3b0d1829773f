/* tests/talk/test_smtp_trouble.c - servers that go away, fall silent, or talk
 * nonsense, at each step; how many sessions there are, and when they end. */
#include "alloc.h"
#include "base/loop.h"
#include "smtp_stage.h"
#include "tests/unit/expect.h"
#include "transport/smtp.h"

#define LOST                                                                                       \
	"connection lost after the message was sent; it may arrive twice, with the same "          \
	"Message-ID"

static const char *const steps[] = {
	"S: 220 mail.example.com\r\nC: EHLO test.example.com\r\n",
	"S: 250-mail.example.com\r\nS: 250 PIPELINING\r\n" SMTP_ENVELOPE("ana@example.net"),
	"S: 250 MAIL\r\n",
	"S: 250 RCPT\r\n",
	("S: 354 DATA\r\n" SMTP_CONTENT),
};
#define STEPS (sizeof(steps) / sizeof(*steps))

/* The first so many steps, then the trouble. */
static void stage_trouble(struct smtp_stage *s, size_t upto, const char *trouble)
{
	char script[1024] = "";

	for (size_t i = 0; i < upto; i++)
		strcat(script, steps[i]);
	strcat(script, trouble);
	stage_begin(s, script, NULL);
	host_add_simple(s->host, "ana@example.net");
}

static void expect_untouched(const struct smtp_stage *s)
{
	const struct outcome *o = host_outcome(s->host, 0, 0);

	if (o) {
		expect_int(o->kind, OUTCOME_UNTOUCHED);
		expect_true(host_is_finished(s->host, 0));
	}
	expect_int(host_downs(s->host), 1);
	expect_int(host_why(s->host)->kind, FAILURE_LATER);
}

TEST(going_down_at_each_step)
{
	for (size_t i = 0; i <= STEPS; i++) {
		struct smtp_stage s;

		stage_trouble(&s, i, "S: 421 4.3.2 shutting down\r\nCLOSE\r\n");
		stage_run_down(&s);
		expect_untouched(&s);
		expect_contains(host_why(s.host)->text, "421 4.3.2 shutting down");
		stage_end(&s);
	}
}

TEST(dropped_at_each_step)
{
	static const char *const ways[] = {"CLOSE\r\n", "RESET\r\n"};

	for (size_t i = 0; i <= STEPS; i++)
		for (size_t way = 0; way < 2; way++) {
			struct smtp_stage s;

			stage_trouble(&s, i, ways[way]);
			stage_run_down(&s);
			if (i < STEPS) {
				expect_untouched(&s);
			} else {
				expect_int(host_outcome(s.host, 0, 0)->kind, OUTCOME_LATER);
				expect_text(host_outcome(s.host, 0, 0)->text, LOST);
				expect_int(host_downs(s.host), 1);
			}
			stage_end(&s);
		}
}

TEST(silent_at_each_step)
{
	static const int64_t waits_s[STEPS + 1] = {300, 300, 300, 300, 120, 600};

	for (size_t i = 0; i <= STEPS; i++) {
		struct smtp_stage s;

		stage_trouble(&s, i, "GONE\r\n");
		stage_open(&s);
		host_wake(s.host);
		for (int turns = 0; turns < 200; turns++)
			loop_turn(s.loop, false);
		loop_turn_clock(s.loop, (waits_s[i] - 1) * 1000);
		for (int turns = 0; turns < 20; turns++)
			loop_turn(s.loop, false);
		expect_int(host_downs(s.host), 0);
		loop_turn_clock(s.loop, 1001);
		talk_until(s.loop, host_was_down(s.host));
		if (i < STEPS)
			expect_untouched(&s);
		else
			expect_text(host_outcome(s.host, 0, 0)->text, LOST);
		expect_contains(host_why(s.host)->text, "did not answer");
		stage_end(&s);
	}
}

TEST(the_configured_wait_is_a_ceiling)
{
	struct smtp_stage s;

	stage_trouble(&s, STEPS - 1, "GONE\r\n");
	s.config.smtp.answer_timeout_ms = 20000;
	stage_open(&s);
	host_wake(s.host);
	for (int turns = 0; turns < 200; turns++)
		loop_turn(s.loop, false);
	loop_turn_clock(s.loop, 20001);
	talk_until(s.loop, host_was_down(s.host));
	expect_untouched(&s);
	stage_end(&s);
}

TEST(nonsense_at_each_step)
{
	static const char *const nonsense[] = {
		"S: 334 huh?\r\nGONE\r\n",
		"S: <html>\r\nGONE\r\n",
		"S: 250-a\r\nS: 251 b\r\nGONE\r\n",
	};

	for (size_t i = 0; i <= STEPS; i++)
		for (size_t kind = 0; kind < 3; kind++) {
			struct smtp_stage s;

			stage_trouble(&s, i, nonsense[kind]);
			stage_run_down(&s);
			if (i < STEPS)
				expect_untouched(&s);
			else
				expect_text(host_outcome(s.host, 0, 0)->text, LOST);
			stage_end(&s);
		}
}

TEST(more_answers_than_questions)
{
	struct smtp_stage s;

	stage_trouble(&s, STEPS, "S: 250 done\r\nS: 250 and more\r\nGONE\r\n");
	stage_run_down(&s);
	expect_int(host_outcome(s.host, 0, 0)->kind, OUTCOME_SENT);
	expect_contains(host_why(s.host)->text, "unexpected answer to nothing: 250 and more");
	stage_end(&s);
}

/* In one write with the answer before it: said before our question was heard. */
TEST(answers_before_their_questions)
{
	static const struct {
		size_t upto;
		const char *said;
	} cases[] = {
		{0, "S: 220 hi\r\nS: 250 early\r\nGONE\r\n"},
		{1, "S: 250-mail.example.com\r\nS: 250 PIPELINING\r\nS: 250 early\r\nGONE\r\n"},
		{4, "S: 354 go on\r\nS: 250 early\r\nGONE\r\n"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct smtp_stage s;

		stage_trouble(&s, cases[i].upto, cases[i].said);
		stage_run_down(&s);
		expect_contains(host_why(s.host)->text, "unexpected answer to nothing: 250 early");
		if (cases[i].upto == 4)
			expect_int(host_outcome(s.host, 0, 0)->kind, OUTCOME_LATER);
		stage_end(&s);
	}
}

static const struct host_mail three = {
	.to = {"gone@example.net", "shutdown@example.net", "ana@example.net"},
	.raw = "Subject: hi\r\n\r\nHello.\r\n",
};
#define FLIGHT                                                                                     \
	"C: MAIL FROM:<box@example.com>\r\nC: RCPT TO:<gone@example.net>\r\n"                      \
	"C: RCPT TO:<shutdown@example.net>\r\nC: RCPT TO:<ana@example.net>\r\nC: DATA\r\n"

static void settle_turns(struct smtp_stage *s)
{
	for (int turns = 0; turns < 20; turns++)
		loop_turn(s->loop, false);
}

TEST(one_address_shuts_the_server_down)
{
	struct smtp_stage s;

	stage_begin(&s,
		    SMTP_PIPELINED FLIGHT
		    "S: 250 Ok\r\nS: 550 5.1.1 gone\r\n"
		    "S: 421 4.3.2 shutdown\r\nCLOSE\r\n"
		    "ACCEPT\r\n" SMTP_PIPELINED "C: MAIL FROM:<box@example.com>\r\n"
		    "C: RCPT TO:<shutdown@example.net>\r\n"
		    "C: RCPT TO:<ana@example.net>\r\n"
		    "C: DATA\r\nS: 250 Ok\r\nS: 421 4.3.2 shutdown\r\nCLOSE\r\n",
		    NULL);
	host_add(s.host, &three);
	stage_run(&s);
	expect_int(host_outcome(s.host, 0, 0)->kind, OUTCOME_REFUSED);
	expect_text(host_outcome(s.host, 0, 0)->enhanced, "5.1.1");
	for (size_t i = 1; i < 3; i++) {
		expect_int(host_outcome(s.host, 0, i)->kind, OUTCOME_UNTOUCHED);
		expect_false(host_outcome(s.host, 0, i)->tried);
	}
	settle_turns(&s);
	expect_int(host_downs(s.host), 0);
	host_again(s.host, 0);
	stage_run_down(&s);
	for (size_t i = 1; i < 3; i++)
		expect_true(host_outcome(s.host, 0, i)->tried);
	expect_contains(host_why(s.host)->text, "RCPT: 421 4.3.2 shutdown");
	stage_end(&s);
}

TEST(refusals_outlive_the_session_they_were_heard_in)
{
	static const struct {
		const char *said;
		enum outcome_kind gone, others;
		unsigned downs;
	} cases[] = {
		{"250 Ok\r\nS: 550 gone", OUTCOME_REFUSED, OUTCOME_UNTOUCHED, 0},
		{"250 Ok\r\nS: 451 not now", OUTCOME_LATER, OUTCOME_UNTOUCHED, 1},
		{"550 not you\r\nS: 503 no MAIL", OUTCOME_REFUSED, OUTCOME_REFUSED, 0},
		{"451 not you\r\nS: 503 no MAIL", OUTCOME_LATER, OUTCOME_LATER, 1},
		{"250 Ok\r\nS: 250 Ok", OUTCOME_UNTOUCHED, OUTCOME_UNTOUCHED, 1},
	};
	static const char *const ways[] = {"S: 421 4.7.0 too many errors\r\nCLOSE\r\n",
					   "CLOSE\r\n"};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (size_t way = 0; way < 2; way++) {
			char script[1024];
			struct smtp_stage s;

			snprintf(script, sizeof(script), "%sS: %s\r\n%s", SMTP_PIPELINED FLIGHT,
				 cases[i].said, ways[way]);
			stage_begin(&s, script, NULL);
			host_add(s.host, &three);
			stage_run(&s);
			expect_int(host_outcome(s.host, 0, 0)->kind, cases[i].gone);
			for (size_t to = 1; to < 3; to++)
				expect_int(host_outcome(s.host, 0, to)->kind, cases[i].others);
			settle_turns(&s);
			expect_int(host_downs(s.host), cases[i].downs);
			stage_end(&s);
		}
}

TEST(who_was_turned_down_is_settled_when_the_dot_is_not_answered_well)
{
	struct smtp_stage s;

	stage_begin(&s,
		    SMTP_PIPELINED FLIGHT
		    "S: 250 Ok\r\nS: 550 5.1.1 gone\r\nS: 250 Ok\r\nS: 250 Ok\r\n"
		    "S: 354 go on\r\n" SMTP_CONTENT "S: 421 4.3.2 shutdown\r\nCLOSE\r\n",
		    NULL);
	host_add(s.host, &three);
	stage_run_down(&s);
	expect_int(host_outcome(s.host, 0, 0)->kind, OUTCOME_REFUSED);
	expect_int(host_outcome(s.host, 0, 1)->kind, OUTCOME_UNTOUCHED);
	stage_end(&s);
}

/* Behind a stray answer each next one would hit the wrong recipient. */
TEST(refusals_heard_from_one_who_talks_nonsense_count_for_nobody)
{
	static const char *const nonsense[] = {"S: 354 huh?\r\nGONE\r\n", "S: <html>\r\nGONE\r\n"};

	for (size_t i = 0; i < 2; i++) {
		char script[1024];
		struct smtp_stage s;

		snprintf(script, sizeof(script), "%sS: 250 Ok\r\nS: 550 gone\r\n%s",
			 SMTP_PIPELINED FLIGHT, nonsense[i]);
		stage_begin(&s, script, NULL);
		host_add(s.host, &three);
		stage_run_down(&s);
		for (size_t to = 0; to < 3; to++)
			expect_int(host_outcome(s.host, 0, to)->kind, OUTCOME_UNTOUCHED);
		stage_end(&s);
	}
}

TEST(the_days_limit_is_no_mails_fault)
{
	struct smtp_stage s;

	stage_trouble(&s, STEPS, "S: 550 5.4.5 Daily user sending limit exceeded\r\nGONE\r\n");
	stage_run_down(&s);
	expect_untouched(&s);
	stage_end(&s);
}

TEST(login_is_wanted_after_all)
{
	static const char *const codes[] = {"530", "534", "535", "538"};

	for (size_t i = 0; i < 4; i++)
		for (size_t step = 2; step <= 4; step++) {
			char said[80];
			struct smtp_stage s;

			snprintf(said, sizeof(said),
				 "S: %s 5.7.0 Authentication required\r\nGONE\r\n", codes[i]);
			stage_trouble(&s, step, said);
			stage_run_down(&s);
			expect_int(host_why(s.host)->kind, FAILURE_REFUSED);
			expect_int(host_outcome(s.host, 0, 0)->kind, OUTCOME_UNTOUCHED);
			stage_end(&s);
		}
}

TEST(out_of_step_is_nobodys_fault)
{
	for (size_t step = 2; step <= 3; step++) {
		struct smtp_stage s;

		stage_trouble(&s, step, "S: 503 5.5.1 Bad sequence\r\nGONE\r\n");
		stage_run_down(&s);
		expect_untouched(&s);
		stage_end(&s);
	}
}

TEST(a_chained_mail_is_untouched_when_the_first_is_lost)
{
	struct smtp_stage s;

	stage_begin(&s,
		    SMTP_PIPELINED SMTP_ENVELOPE("ana@example.net")
			    SMTP_TAKEN SMTP_CONTENT SMTP_ENVELOPE("bo@example.net") "RESET\r\n",
		    NULL);
	host_add_simple(s.host, "ana@example.net");
	host_add_simple(s.host, "bo@example.net");
	stage_run_down(&s);
	expect_text(host_outcome(s.host, 0, 0)->text, LOST);
	expect_int(host_outcome(s.host, 1, 0)->kind, OUTCOME_UNTOUCHED);
	stage_end(&s);
}

TEST(refused_in_the_middle_of_the_message)
{
	static char body[2 * 1024 * 1024];
	struct host_mail mail = {.to = {"ana@example.net"}, .raw = body, .raw_len = sizeof(body)};
	struct smtp_stage s;

	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = "A: line of header\r\n"[i % 19];
	memcpy(body + sizeof(body) - 2, "\r\n", 2);
	stage_begin(&s,
		    SMTP_PIPELINED SMTP_ENVELOPE("ana@example.net") SMTP_TAKEN
		    "C: A: line of header\r\nS: 552 5.3.4 enough\r\nCLOSE\r\n",
		    NULL);
	host_add(s.host, &mail);
	stage_run(&s);
	expect_int(host_outcome(s.host, 0, 0)->kind, OUTCOME_REFUSED);
	expect_int(host_outcome(s.host, 0, 0)->code, 552);
	host_free(s.host);
	s.host = NULL;
	talk_free(s.talk);
	s.talk = NULL;
	stage_end(&s);
}

TEST(content_that_breaks_off_never_gets_its_dot)
{
	static const struct {
		enum failure_kind kind;
		enum outcome_kind outcome;
	} cases[] = {{FAILURE_LATER, OUTCOME_LATER}, {FAILURE_REFUSED, OUTCOME_REFUSED}};

	for (size_t i = 0; i < 2; i++)
		for (size_t slow = 0; slow < 2; slow++) {
			struct smtp_stage s;

			stage_begin(&s,
				    SMTP_PIPELINED SMTP_ENVELOPE("ana@example.net") SMTP_TAKEN
				    "GONE\r\n",
				    NULL);
			host_slow_content(s.host, slow ? 1 : 0);
			host_break_content(s.host, cases[i].kind, 0);
			host_add_simple(s.host, "ana@example.net");
			stage_run(&s);
			expect_int(host_outcome(s.host, 0, 0)->kind, cases[i].outcome);
			expect_contains(host_outcome(s.host, 0, 0)->text, "the disk is gone");
			expect_int(host_downs(s.host), 0);
			stage_end(&s);
		}
}

RUN_TESTS()
