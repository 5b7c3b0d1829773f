/* tests/talk/test_smtp.c - mails over a plain SMTP connection: flights, recipients,
 * limits, how sessions are kept and left. */
#include "base/loop.h"
#include "buf.h"
#include "smtp_stage.h"
#include "tests/unit/expect.h"
#include "transport/smtp.h"

static void expect_outcome(const struct smtp_stage *s, size_t mail, size_t recipient,
			   enum outcome_kind kind, int code, const char *text)
{
	const struct outcome *o = host_outcome(s->host, mail, recipient);

	expect_some(o);
	if (o->kind != kind || o->code != code || strcmp(o->text, text) != 0)
		expect_stop(__FILE__, __LINE__, "mail %zu, recipient %zu: got %d %d '%s'", mail,
			    recipient, (int)o->kind, o->code, o->text);
}

TEST(one_mail_in_two_flights)
{
	struct smtp_stage s;

	stage_begin(&s,
		    SMTP_PIPELINED SMTP_ENVELOPE("ana@example.net") SMTP_TAKEN SMTP_CONTENT
		    "S: 250 2.0.0 queued as 1234\r\n",
		    NULL);
	host_add_simple(s.host, "ana@example.net");
	stage_run(&s);
	expect_outcome(&s, 0, 0, OUTCOME_SENT, 250, "queued as 1234");
	expect_text(host_outcome(s.host, 0, 0)->enhanced, "2.0.0");
	expect_int(host_ups(s.host), 1);
	expect_int(host_downs(s.host), 0);
	stage_end(&s);
}

TEST(without_pipelining_step_by_step)
{
	struct smtp_stage s;

	stage_begin(&s,
		    SMTP_STEPWISE "C: MAIL FROM:<box@example.com>\r\nS: 250 Ok\r\n"
				  "C: RCPT TO:<ana@example.net>\r\nS: 250 Ok\r\n"
				  "C: DATA\r\nS: 354 go on\r\n" SMTP_CONTENT "S: 250 done\r\n"
				  "C: MAIL FROM:<box@example.com>\r\nS: 250 Ok\r\n"
				  "C: RCPT TO:<bo@example.net>\r\nS: 550 5.1.1 nobody\r\n"
				  "C: RSET\r\nS: 250 Ok\r\n"
				  "C: MAIL FROM:<box@example.com>\r\nS: 451 not now\r\n"
				  "C: MAIL FROM:<box@example.com>\r\nS: 250 Ok\r\n"
				  "C: RCPT TO:<di@example.net>\r\nS: 250 Ok\r\n"
				  "C: DATA\r\nS: 354 go on\r\n" SMTP_CONTENT "S: 250 done\r\n",
		    NULL);
	host_add_simple(s.host, "ana@example.net");
	host_add_simple(s.host, "bo@example.net");
	host_add_simple(s.host, "cy@example.net");
	host_add_simple(s.host, "di@example.net");
	stage_run(&s);
	expect_outcome(&s, 0, 0, OUTCOME_SENT, 250, "done");
	expect_outcome(&s, 1, 0, OUTCOME_REFUSED, 550, "nobody");
	expect_outcome(&s, 2, 0, OUTCOME_LATER, 451, "not now");
	expect_outcome(&s, 3, 0, OUTCOME_SENT, 250, "done");
	stage_end(&s);
}

TEST(the_next_envelope_rides_with_the_dot)
{
	struct smtp_stage s;

	stage_begin(&s,
		    SMTP_PIPELINED SMTP_ENVELOPE("ana@example.net")
			    SMTP_TAKEN SMTP_CONTENT SMTP_ENVELOPE(
				    "bo@example.net") "S: 250 first\r\n" SMTP_TAKEN SMTP_CONTENT
				    SMTP_ENVELOPE("cy@example.net") "S: 451 second\r\n" SMTP_TAKEN
					    SMTP_CONTENT "S: 554 third\r\n",
		    NULL);
	host_add_simple(s.host, "ana@example.net");
	host_add_simple(s.host, "bo@example.net");
	host_add_simple(s.host, "cy@example.net");
	stage_run(&s);
	expect_outcome(&s, 0, 0, OUTCOME_SENT, 250, "first");
	expect_outcome(&s, 1, 0, OUTCOME_LATER, 451, "second");
	expect_outcome(&s, 2, 0, OUTCOME_REFUSED, 554, "third");
	stage_end(&s);
}

TEST(five_recipients_two_refused_one_transaction)
{
	const struct host_mail mail = {
		.to = {"a@example.net", "b@example.net", "c@example.net", "d@example.net",
		       "e@example.net"},
		.raw = "Subject: hi\r\n\r\nHello.\r\n",
	};
	struct smtp_stage s;

	stage_begin(&s,
		    SMTP_PIPELINED "C: MAIL FROM:<box@example.com>\r\n"
				   "C: RCPT TO:<a@example.net>\r\nC: RCPT TO:<b@example.net>\r\n"
				   "C: RCPT TO:<c@example.net>\r\nC: RCPT TO:<d@example.net>\r\n"
				   "C: RCPT TO:<e@example.net>\r\nC: DATA\r\n"
				   "S: 250 Ok\r\nS: 250 Ok\r\nS: 550 5.1.1 no b\r\nS: 250 Ok\r\n"
				   "S: 550-5.7.1 no\r\nS: 550 5.7.1 d\r\nS: 250 Ok\r\n"
				   "S: 354 go on\r\n" SMTP_CONTENT "S: 250 thanks\r\n",
		    NULL);
	host_add(s.host, &mail);
	stage_run(&s);
	expect_outcome(&s, 0, 0, OUTCOME_SENT, 250, "thanks");
	expect_outcome(&s, 0, 1, OUTCOME_REFUSED, 550, "no b");
	expect_outcome(&s, 0, 2, OUTCOME_SENT, 250, "thanks");
	expect_outcome(&s, 0, 3, OUTCOME_REFUSED, 550, "no d");
	expect_outcome(&s, 0, 4, OUTCOME_SENT, 250, "thanks");
	stage_end(&s);
}

TEST(greylisted_and_full_wait_the_rest_goes)
{
	const struct host_mail mail = {
		.to = {"a@example.net", "b@example.net", "c@example.net"},
		.raw = "Subject: hi\r\n\r\nHello.\r\n",
	};
	struct smtp_stage s;

	stage_begin(&s,
		    SMTP_PIPELINED "C: MAIL FROM:<box@example.com>\r\n"
				   "C: RCPT TO:<a@example.net>\r\nC: RCPT TO:<b@example.net>\r\n"
				   "C: RCPT TO:<c@example.net>\r\nC: DATA\r\n"
				   "S: 250 Ok\r\nS: 450 4.2.0 greylisted\r\nS: 250 Ok\r\n"
				   "S: 452 4.2.2 full\r\nS: 354 go on\r\n" SMTP_CONTENT
				   "S: 250 thanks\r\n",
		    NULL);
	host_add(s.host, &mail);
	stage_run(&s);
	expect_outcome(&s, 0, 0, OUTCOME_LATER, 450, "greylisted");
	expect_outcome(&s, 0, 1, OUTCOME_SENT, 250, "thanks");
	expect_outcome(&s, 0, 2, OUTCOME_LATER, 452, "full");
	stage_end(&s);
}

TEST(too_many_recipients_go_in_the_next_transaction)
{
	const struct host_mail mail = {
		.to = {"a@example.net", "b@example.net", "c@example.net", "d@example.net",
		       "e@example.net"},
		.raw = "Subject: hi\r\n\r\nHello.\r\n",
	};
	struct smtp_stage s;

	/* the limit of two is learnt, and the rest rides with the dot */
	stage_begin(&s,
		    SMTP_PIPELINED
		    "C: MAIL FROM:<box@example.com>\r\n"
		    "C: RCPT TO:<a@example.net>\r\nC: RCPT TO:<b@example.net>\r\n"
		    "C: RCPT TO:<c@example.net>\r\nC: RCPT TO:<d@example.net>\r\n"
		    "C: RCPT TO:<e@example.net>\r\nC: DATA\r\n"
		    "S: 250 Ok\r\nS: 250 Ok\r\nS: 250 Ok\r\n"
		    "S: 452 4.5.3 too many\r\nS: 452 too many\r\nS: 552 too many\r\n"
		    "S: 354 go on\r\n" SMTP_CONTENT "C: MAIL FROM:<box@example.com>\r\n"
		    "C: RCPT TO:<c@example.net>\r\nC: RCPT TO:<d@example.net>\r\n"
		    "C: DATA\r\n"
		    "S: 250 first\r\nS: 250 Ok\r\nS: 250 Ok\r\nS: 250 Ok\r\n"
		    "S: 354 go on\r\n" SMTP_CONTENT SMTP_ENVELOPE(
			    "e@example.net") "S: 250 second\r\nS: 250 Ok\r\nS: 452 4.5.3 still\r\n"
					     "S: 554 no valid recipients\r\n",
		    NULL);
	host_add(s.host, &mail);
	stage_run(&s);
	expect_outcome(&s, 0, 0, OUTCOME_SENT, 250, "first");
	expect_outcome(&s, 0, 1, OUTCOME_SENT, 250, "first");
	expect_outcome(&s, 0, 2, OUTCOME_SENT, 250, "second");
	expect_outcome(&s, 0, 3, OUTCOME_SENT, 250, "second");
	expect_outcome(&s, 0, 4, OUTCOME_LATER, 452, "still");
	stage_end(&s);
}

TEST(recipients_per_mail_is_kept)
{
	const struct host_mail mail = {
		.to = {"a@example.net", "b@example.net", "c@example.net"},
		.raw = "Subject: hi\r\n\r\nHello.\r\n",
	};
	struct smtp_stage s;

	stage_begin(&s,
		    SMTP_PIPELINED
		    "C: MAIL FROM:<box@example.com>\r\n"
		    "C: RCPT TO:<a@example.net>\r\nC: RCPT TO:<b@example.net>\r\n"
		    "C: DATA\r\nS: 250 Ok\r\nS: 250 Ok\r\nS: 250 Ok\r\n"
		    "S: 354 go on\r\n" SMTP_CONTENT SMTP_ENVELOPE(
			    "c@example.net") "S: 250 first\r\n" SMTP_TAKEN SMTP_CONTENT
					     "S: 250 second\r\n",
		    NULL);
	s.config.smtp.recipients_per_mail = 2;
	host_add(s.host, &mail);
	stage_run(&s);
	expect_outcome(&s, 0, 1, OUTCOME_SENT, 250, "first");
	expect_outcome(&s, 0, 2, OUTCOME_SENT, 250, "second");
	stage_end(&s);
}

TEST(all_refused_and_yet_354_gets_a_lone_dot)
{
	struct smtp_stage s;

	stage_begin(
		&s,
		SMTP_PIPELINED SMTP_ENVELOPE(
			"ana@example.net") "S: 250 Ok\r\nS: 550 5.1.1 nobody\r\nS: 354 go on\r\n"
					   "C: .\r\n" SMTP_ENVELOPE(
						   "bo@example.net") "S: 554 no recipients\r\n" SMTP_TAKEN
						   SMTP_CONTENT "S: 250 done\r\n",
		NULL);
	host_add_simple(s.host, "ana@example.net");
	host_add_simple(s.host, "bo@example.net");
	stage_run(&s);
	expect_outcome(&s, 0, 0, OUTCOME_REFUSED, 550, "nobody");
	expect_outcome(&s, 1, 0, OUTCOME_SENT, 250, "done");
	stage_end(&s);
}

TEST(no_dot_for_a_refused_mail_that_somebody_would_get)
{
	struct smtp_stage s;

	stage_begin(&s,
		    SMTP_PIPELINED SMTP_ENVELOPE(
			    "ana@example.net") "S: 550 5.7.1 not you\r\nS: 250 Ok\r\n"
					       "S: 354 go on\r\nGONE\r\n",
		    NULL);
	host_add_simple(s.host, "ana@example.net");
	stage_run(&s);
	expect_int(host_outcome(s.host, 0, 0)->kind, OUTCOME_REFUSED);
	expect_text(host_outcome(s.host, 0, 0)->enhanced, "5.7.1");
	expect_int(host_downs(s.host), 0);
	stage_end(&s);
}

TEST(all_refused_and_no_354_is_reset)
{
	struct smtp_stage s;

	stage_begin(
		&s,
		SMTP_PIPELINED SMTP_ENVELOPE(
			"ana@example.net") "S: 250 Ok\r\nS: 550 5.1.1 nobody\r\nS: 554 no recipients\r\n"
					   "C: RSET\r\n" SMTP_ENVELOPE(
						   "bo@example.net") "S: 250 Ok\r\n" SMTP_TAKEN
						   SMTP_CONTENT "S: 250 done\r\n",
		NULL);
	host_add_simple(s.host, "ana@example.net");
	host_add_simple(s.host, "bo@example.net");
	stage_run(&s);
	expect_outcome(&s, 0, 0, OUTCOME_REFUSED, 550, "nobody");
	expect_outcome(&s, 1, 0, OUTCOME_SENT, 250, "done");
	stage_end(&s);
}

TEST(a_refused_sender_is_every_recipients)
{
	const struct host_mail mail = {
		.to = {"a@example.net", "b@example.net"},
		.raw = "Subject: hi\r\n\r\nHello.\r\n",
	};
	struct smtp_stage s;

	stage_begin(
		&s,
		SMTP_PIPELINED SMTP_ENVELOPE(
			"a@example.net") "S: 553 5.1.8 bad sender\r\nS: 503 need MAIL\r\nS: 503 need RCPT\r\n",
		NULL);
	s.config.smtp.recipients_per_mail = 1;
	host_add(s.host, &mail);
	stage_run(&s);
	expect_outcome(&s, 0, 0, OUTCOME_REFUSED, 553, "bad sender");
	expect_outcome(&s, 0, 1, OUTCOME_REFUSED, 553, "bad sender");
	expect_int(host_downs(s.host), 0);
	stage_end(&s);
}

TEST(data_refused)
{
	struct smtp_stage s;

	stage_begin(&s,
		    SMTP_PIPELINED SMTP_ENVELOPE(
			    "ana@example.net") "S: 250 Ok\r\nS: 250 Ok\r\nS: 451 4.3.0 disk\r\n",
		    NULL);
	host_add_simple(s.host, "ana@example.net");
	stage_run(&s);
	expect_outcome(&s, 0, 0, OUTCOME_LATER, 451, "disk");
	stage_end(&s);
}

TEST(too_large_is_not_even_tried)
{
	struct smtp_stage s;

	stage_begin(&s,
		    SMTP_HELLO "S: 250-PIPELINING\r\nS: 250 SIZE 20\r\n"
			       "C: MAIL FROM:<box@example.com> SIZE=12\r\n"
			       "C: RCPT TO:<bo@example.net>\r\nC: DATA\r\n" SMTP_TAKEN
			       "C: Subject: x\r\nC: .\r\nS: 250 done\r\n",
		    NULL);
	host_add_simple(s.host, "ana@example.net");
	host_add(s.host, &(struct host_mail){.to = {"bo@example.net"}, .raw = "Subject: x\r\n"});
	stage_run(&s);
	expect_outcome(&s, 0, 0, OUTCOME_REFUSED, 552, "message of 23 bytes, server takes 20");
	expect_text(host_outcome(s.host, 0, 0)->enhanced, "5.3.4");
	stage_end(&s);
}

TEST(smtputf8_and_8bitmime_only_where_needed)
{
	const struct host_mail mail = {
		.to = {"ana@example.net", "j\xc3\xb8rg@example.net"},
		.raw = "Subject: hi\r\n\r\nbl\xc3\xa5\r\n",
		.eight_bit = true,
	};
	struct smtp_stage s;

	stage_begin(&s,
		    SMTP_HELLO "S: 250-PIPELINING\r\nS: 250-8BITMIME\r\nS: 250 SMTPUTF8\r\n"
			       "C: MAIL FROM:<box@example.com> BODY=8BITMIME SMTPUTF8\r\n"
			       "C: RCPT TO:<ana@example.net>\r\n"
			       "C: RCPT TO:<j\xc3\xb8rg@example.net>\r\n"
			       "C: DATA\r\nS: 250 Ok\r\nS: 250 Ok\r\nS: 250 Ok\r\nS: 354 go\r\n"
			       "C: Subject: hi\r\nC: \r\nC: bl\xc3\xa5\r\nC: .\r\n" SMTP_ENVELOPE(
				       "bo@example.net") "S: 250 done\r\n" SMTP_TAKEN SMTP_CONTENT
							 "S: 250 done\r\n",
		    NULL);
	host_add(s.host, &mail);
	host_add_simple(s.host, "bo@example.net");
	stage_run(&s);
	expect_outcome(&s, 0, 1, OUTCOME_SENT, 250, "done");
	stage_end(&s);
}

TEST(without_smtputf8_who_needs_it_is_refused)
{
	const struct host_mail mail = {
		.to = {"j\xc3\xb8rg@example.net", "ana@example.net"},
		.raw = "Subject: hi\r\n\r\nHello.\r\n",
	};
	struct smtp_stage s;

	stage_begin(&s,
		    SMTP_PIPELINED SMTP_ENVELOPE("ana@example.net") SMTP_TAKEN SMTP_CONTENT
		    "S: 250 done\r\n",
		    NULL);
	host_add(s.host, &mail);
	stage_run(&s);
	expect_int(host_outcome(s.host, 0, 0)->kind, OUTCOME_REFUSED);
	expect_text(host_outcome(s.host, 0, 0)->enhanced, "5.6.7");
	expect_outcome(&s, 0, 1, OUTCOME_SENT, 250, "done");
	stage_end(&s);
}

TEST(dots_are_stuffed_across_pieces)
{
	const struct host_mail mail = {
		.to = {"ana@example.net"},
		.raw = "Subject: hi\r\n\r\n.\r\n..two\r\nend.\r\n",
	};

	for (size_t piece = 1; piece < 8; piece++) {
		struct smtp_stage s;

		stage_begin(&s,
			    SMTP_PIPELINED SMTP_ENVELOPE("ana@example.net") SMTP_TAKEN
			    "C: Subject: hi\r\nC: \r\nC: ..\r\nC: ...two\r\nC: end.\r\nC: .\r\n"
			    "S: 250 done\r\n",
			    NULL);
		host_slow_content(s.host, piece);
		host_add(s.host, &mail);
		stage_run(&s);
		expect_outcome(&s, 0, 0, OUTCOME_SENT, 250, "done");
		stage_end(&s);
	}
}

TEST(a_large_message_line_by_line)
{
	enum { LINES = 12000 };
	struct host_mail mail = {.to = {"ana@example.net"}};
	struct buf raw, script;
	struct smtp_stage s;

	buf_init(&raw, 1 << 22);
	buf_init(&script, 1 << 22);
	buf_add_text(&script, SMTP_PIPELINED SMTP_ENVELOPE("ana@example.net") SMTP_TAKEN);
	for (int i = 0; i < LINES; i++) {
		buf_printf(&raw, "%s%070d\r\n", i % 7 ? "" : ".", i);
		buf_printf(&script, "C: %s%070d\r\n", i % 7 ? "" : "..", i);
	}
	buf_add_text(&script, "C: .\r\nS: 250 done\r\n");
	mail.raw = buf_bytes(&raw);
	stage_begin(&s, buf_bytes(&script), NULL);
	host_add(s.host, &mail);
	stage_run(&s);
	expect_outcome(&s, 0, 0, OUTCOME_SENT, 250, "done");
	stage_end(&s);
	buf_clear(&raw);
	buf_clear(&script);
}

RUN_TESTS()
