/* tests/talk/test_imap_trouble.c - servers that go away, fall silent or talk nonsense, and a
 * machine that slept: it ends with a reason and comes back by itself, and no mail is
 * lost or seen twice. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "base/loop.h"
#include "clock.h"
#include "imap_stage.h"
#include "tests/unit/expect.h"

#define CAPS "IDLE UIDPLUS MOVE"
#define SELECTED IMAP_INSIDE(CAPS) IMAP_SELECTED(2, 1, 7, 6)
#define WATCHED SELECTED IMAP_SEARCHED(3, 6, "") IMAP_IDLES(4)
#define FETCH_SAID(n, uid) "C: A" #n " UID FETCH " #uid " " IMAP_ITEMS "\r\n"
#define AGAIN "ACCEPT\r\n"

/* After what the script ends with, it is down for this reason; a second later all is well. */
static void expect_recovers(const char *script, const char *part)
{
	char *whole = xprintf("%s%s%s", script, AGAIN, WATCHED);
	struct mailbox_status status;
	struct imap_stage s;

	stage_begin(&s, whole, NULL);
	free(whole);
	stage_open(&s, "7 5 100");
	stage_until(&s, "down, later: ");
	expect_contains(buf_bytes(&s.said), part);
	mailbox_status(s.mailbox, &status);
	expect_int(status.state, MAILBOX_DOWN);
	expect_contains(status.reason, part);
	expect_true(status.next_try_ms > clock_wall_ms() - 1000);
	loop_turn_clock(s.loop, 1000);
	buf_drain(&s.said, s.said.len);
	stage_until(&s, "watching\n");
	mailbox_status(s.mailbox, &status);
	expect_int(status.state, MAILBOX_WATCHING);
	expect_text(status.reason, "");
	stage_end(&s);
}

TEST(a_server_that_goes_at_any_step)
{
	static const struct {
		const char *script, *part;
	} cases[] = {
		{"CLOSE\r\n", "(at: greeting)"},
		{"RESET\r\n", ""},
		{"S: * PREAUTH x\r\nC: A1 CAPABILITY\r\nCLOSE\r\n", "(at: CAPABILITY)"},
		{IMAP_INSIDE(CAPS) "C: A2 SELECT *\r\nCLOSE\r\n", "(at: SELECT)"},
		{SELECTED "C: A3 UID SEARCH *\r\nCLOSE\r\n", "(at: UID SEARCH)"},
		{SELECTED IMAP_SEARCHED(3, 6, " 6") FETCH_SAID(4, 6) "CLOSE\r\n",
		 "(at: UID FETCH)"},
		{SELECTED IMAP_SEARCHED(3, 6, " 6") FETCH_SAID(
			 4, 6) "S: * 2 FETCH (UID 6 BODY[]<0> {100}\r\nS: Subj\r\nDROP\r\n",
		 "(at: UID FETCH)"},
		{SELECTED IMAP_SEARCHED(3, 6, "") "C: A4 IDLE\r\nCLOSE\r\n", "(at: IDLE)"},
		{WATCHED "CLOSE\r\n", "(at: idling)"},
		{WATCHED "S: * BYE Server shutting down.\r\nCLOSE\r\n",
		 "the server said goodbye: Server shutting down."},
		{WATCHED "S: * 2 EXISTS\r\nC: DONE\r\nCLOSE\r\n", "(at: newest)"},
		{WATCHED "S: nonsense\r\n", "not IMAP"},
		{WATCHED "S: * OK [UIDVALIDITY 8] new\r\n", "UIDVALIDITY changed"},
		{WATCHED "S: * 1 FETCH (BODY[] {100000}\r\n", "asked for were"},
		{SELECTED "C: A3 UID SEARCH *\r\nS: A3 BAD what\r\n", "UID SEARCH: what"},
		{SELECTED IMAP_SEARCHED(3, 6, " 6") FETCH_SAID(4, 6) "S: A4 NO broken\r\n",
		 "a mail can't be read: broken"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_recovers(cases[i].script, cases[i].part);
}

/* Silence at the end of the script, for so long. */
static void expect_silence_ends(const char *script, int64_t after_ms, const char *part)
{
	char *whole = xprintf("%s%s%s", script, "GONE\r\n" AGAIN, WATCHED);
	struct imap_stage s;

	stage_begin(&s, whole, NULL);
	free(whole);
	stage_open(&s, "7 5 100");
	stage_settle(&s);
	loop_turn_clock(s.loop, after_ms - 1000);
	stage_settle(&s);
	expect_null(strstr(buf_bytes(&s.said), "down"));
	loop_turn_clock(s.loop, 1000);
	stage_until(&s, "down, later: ");
	expect_contains(buf_bytes(&s.said), part);
	loop_turn_clock(s.loop, 1000);
	stage_until(&s, "watching\n");
	talk_run(s.talk);
	stage_end(&s);
}

TEST(a_deadline_in_every_state)
{
	static const struct {
		const char *script;
		int64_t ms;
		const char *part;
	} cases[] = {
		{"", 30000, "did not answer (greeting)"},
		{"S: * PREAUTH x\r\nC: A1 CAPABILITY\r\n", 60000, "did not answer (CAPABILITY)"},
		{IMAP_INSIDE(CAPS) "C: A2 SELECT *\r\n", 60000, "did not answer (SELECT)"},
		{SELECTED "C: A3 UID SEARCH *\r\n", 60000, "did not answer (UID SEARCH)"},
		{SELECTED IMAP_SEARCHED(3, 6, "") "C: A4 IDLE\r\n", 60000, "did not answer (IDLE)"},
		{WATCHED "S: * 2 EXISTS\r\nC: DONE\r\nC: A5 UID FETCH *\r\n", 30000,
		 "did not answer (newest)"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_silence_ends(cases[i].script, cases[i].ms, cases[i].part);
}

TEST(idle_lives_by_any_bytes)
{
	struct imap_stage s;

	stage_begin(&s, WATCHED "S: * OK Still here\r\nC: DONE\r\nC: A5 UID SEARCH *\r\n", NULL);
	stage_open(&s, "7 5 100");
	stage_settle(&s);
	loop_turn_clock(s.loop, 539000);
	stage_settle(&s);
	expect_null(strstr(buf_bytes(&s.said), "down"));
	loop_turn_clock(s.loop, 1000);
	talk_run(s.talk);
	stage_end(&s);
}

TEST(the_machine_slept)
{
	struct imap_stage s;

	stage_begin(&s, WATCHED "GONE\r\n" AGAIN WATCHED, NULL);
	stage_open(&s, "7 5 100");
	stage_settle(&s);
	clock_turn_suspend(600000);
	loop_turn_clock(s.loop, 30000);
	stage_settle(&s);
	stage_said(&s, "connecting\nwatching\nconnecting\nwatching\n");
	stage_end(&s);
}

TEST(back_off_doubles_and_starts_over)
{
	static const char refused[] = "S: * BYE no\r\nGONE\r\n";
	char *script = xprintf("%sACCEPT\r\n%sACCEPT\r\n%sACCEPT\r\n%s", refused, refused, refused,
			       WATCHED "CLOSE\r\n");
	struct mailbox_status status;
	int64_t rest_ms = 1000;
	struct imap_stage s;

	stage_begin(&s, script, NULL);
	free(script);
	stage_open(&s, "7 5 100");
	for (int i = 0; i < 3; i++) {
		stage_until(&s, "down, ");
		mailbox_status(s.mailbox, &status);
		expect_int(status.failures, i + 1);
		expect_true(status.next_try_ms - clock_wall_ms() <= rest_ms);
		expect_true(status.next_try_ms - clock_wall_ms() > rest_ms * 3 / 4 - 500);
		buf_drain(&s.said, s.said.len);
		loop_turn_clock(s.loop, rest_ms);
		rest_ms *= 2;
	}
	stage_until(&s, "down, ");
	mailbox_status(s.mailbox, &status);
	expect_int(status.reconnects, 0);
	expect_true(status.next_try_ms - clock_wall_ms() > 5000); /* it was up for a moment only */
	stage_end(&s);
}

TEST(a_mail_that_is_out_is_not_handed_over_again)
{
	struct imap_stage s;

	stage_begin(&s,
		    SELECTED IMAP_SEARCHED(3, 6, " 6") FETCH_SAID(4, 6) IMAP_MAIL(
			    2, 6, " 1", "a") "S: A4 OK\r\nCLOSE\r\n" AGAIN IMAP_INSIDE(CAPS)
			    IMAP_SELECTED(2, 2, 7, 7) IMAP_SEARCHED(3, 7, " 6 7") FETCH_SAID(4, 7)
				    IMAP_MAIL(3, 7, " 1", "b") "S: A4 OK\r\n" IMAP_IDLES(5),
		    NULL);
	s.holds = true;
	stage_open(&s, "7 5 100");
	stage_until(&s, "down, ");
	loop_turn_clock(s.loop, 1000);
	stage_settle(&s);
	expect_contains(buf_bytes(&s.said), "mail 7/6");
	expect_null(strstr(buf_bytes(&s.said), "mail 7/7"));
	mailbox_next(s.mailbox);
	stage_until(&s, "mail 7/7");
	mailbox_next(s.mailbox);
	talk_run(s.talk);
	stage_end(&s);
}

#define MARKS(n) "C: A" #n " UID STORE 5 +FLAGS.SILENT (\\Deleted)\r\n"
#define COPIES "IDLE UIDPLUS"
#define COPIES_SELECTED IMAP_INSIDE(COPIES) IMAP_SELECTED(2, 1, 7, 6)

TEST(a_move_that_failed_after_its_copy_copies_no_more)
{
	struct imap_stage s;

	/* refused, refused to go, the server goes, at last */
	stage_begin(
		&s,
		COPIES_SELECTED "C: A3 UID COPY 5 \"x\"\r\nS: A3 OK\r\n" MARKS(
			4) "S: A4 NO [INUSE] locked\r\n" IMAP_SEARCHED(5, 6, "")
			IMAP_IDLES(6) "C: DONE\r\n" MARKS(
				7) "S: A6 OK\r\nS: A7 OK\r\n"
				   "C: A8 UID EXPUNGE 5\r\nS: A8 NO no\r\n" IMAP_IDLES(
					   9) "C: DONE\r\n" MARKS(10) "CLOSE\r\n" AGAIN COPIES_SELECTED
					   MARKS(3) "S: A3 OK\r\n"
						    "C: A4 UID EXPUNGE 5\r\nS: A4 OK\r\n"
						    /* another folder, and the same once more */
						    "C: A5 UID COPY 5 \"y\"\r\nS: A5 OK\r\n" MARKS(
							    6) "S: A6 OK\r\n"
							       "C: A7 UID EXPUNGE 5\r\nS: A7 OK\r\n"
							       "C: A8 UID COPY 5 \"x\"\r\nS: A8 NO full\r\n" IMAP_SEARCHED(
								       9, 6, "") IMAP_IDLES(10),
		NULL);
	stage_open(&s, "7 5 100");
	stage_deed(&s, MAIL_MOVE, "7/5", "x");
	stage_until(&s, "done: later: locked\n");
	stage_settle(&s);
	stage_deed(&s, MAIL_MOVE, "7/5", "x");
	stage_until(&s, "done: refused: no\n");
	stage_settle(&s);
	stage_deed(&s, MAIL_MOVE, "7/5", "x");
	stage_until(&s, "done: later: the connection ended\n");
	buf_drain(&s.said, s.said.len);
	loop_turn_clock(s.loop, 2000);
	stage_until(&s, "connecting\n");
	stage_deed(&s, MAIL_MOVE, "7/5", "x");
	stage_deed(&s, MAIL_MOVE, "7/5", "y");
	stage_deed(&s, MAIL_MOVE, "7/5", "x");
	stage_said(&s, "connecting\nwatching\ndone: ok\ndone: ok\ndone: refused: full\n");
	stage_end(&s);
}

TEST(deeds_while_it_is_down)
{
	struct imap_stage s;

	stage_begin(&s, WATCHED "C: DONE\r\nC: A5 UID STORE *\r\nCLOSE\r\n", NULL);
	stage_open(&s, "7 5 100");
	stage_settle(&s);
	stage_deed(&s, MAIL_FLAG, "7/5", "seen");
	stage_until(&s, "down, ");
	stage_deed(&s, MAIL_FLAG, "7/5", "seen");
	stage_until(&s, "done: later: the mailbox is down");
	expect_contains(buf_bytes(&s.said), "done: later: the connection ended");
	stage_end(&s);
}

TEST(deeds_are_not_refused_because_the_folder_is)
{
	struct imap_stage s;

	stage_begin(&s, IMAP_INSIDE(CAPS) "C: A2 SELECT *\r\nS: A2 NO no such folder\r\n", NULL);
	stage_open(&s, "7 5 100");
	stage_deed(&s, MAIL_FLAG, "7/5", "seen");
	stage_fetch(&s, "7/5");
	stage_until(&s, "fetched: later: ");
	expect_contains(buf_bytes(&s.said), "down, setup: INBOX: no such folder");
	expect_contains(buf_bytes(&s.said), "done: later: INBOX: no such folder");
	stage_end(&s);
}

/* Mail 7 is handed over after mail 6 ended so many conversations. */
static void expect_passed_over(const char *script, int ends)
{
	struct imap_stage s;

	stage_begin(&s, script, NULL);
	stage_open(&s, "7 5 100");
	for (int i = 0; i < ends; i++) {
		stage_until(&s, "down, later: ");
		expect_null(strstr(buf_bytes(&s.said), "mail 7/"));
		buf_drain(&s.said, s.said.len);
		loop_turn_clock(s.loop, 300000);
	}
	stage_until(&s, "mail 7/7");
	expect_null(strstr(buf_bytes(&s.said), "mail 7/6"));
	talk_run(s.talk);
	stage_end(&s);
}

#define SELECTED_3 IMAP_INSIDE(CAPS) IMAP_SELECTED(2, 3, 7, 9)
#define TWO_NEW SELECTED_3 IMAP_SEARCHED(3, 6, " 6 7")
#define BOTH_SAID(n) "C: A" #n " UID FETCH 6:7 " IMAP_ITEMS "\r\n"
#define GIVES_7(n) FETCH_SAID(n, 7) IMAP_MAIL(3, 7, " 1", "b") "S: A" #n " OK\r\n"

TEST(a_mail_the_server_cannot_read_is_passed_over_in_the_end)
{
	expect_passed_over(
		TWO_NEW BOTH_SAID(4) IMAP_MAIL(3, 7, " 1", "b") "S: A4 NO broken\r\n" FETCH_SAID(
			5, 6) "S: A5 NO broken\r\n"
			      "GONE\r\n" AGAIN TWO_NEW FETCH_SAID(
				      4, 6) "S: A4 NO broken\r\nGONE\r\n" AGAIN TWO_NEW
				      FETCH_SAID(4, 6) "S: A4 NO broken\r\n" GIVES_7(5)
					      IMAP_IDLES(6),
		2);
}

TEST(a_mail_the_server_stumbles_over_is_passed_over_in_the_end)
{
	static const char *const answers[] = {"NO [SERVERBUG] Internal error", "NO [INUSE] busy",
					      "BAD Command Error. 12"};

	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		struct buf script;

		buf_init(&script, SIZE_MAX);
		buf_printf(&script,
			   TWO_NEW BOTH_SAID(4) "S: A4 %s\r\n" FETCH_SAID(5, 6) "S: A5 %s\r\n",
			   answers[i], answers[i]);
		for (int n = 2; n <= 10; n++)
			buf_printf(&script,
				   "GONE\r\n" AGAIN TWO_NEW FETCH_SAID(4, 6) "S: A4 %s\r\n",
				   answers[i]);
		buf_add_text(&script, GIVES_7(5) IMAP_IDLES(6));
		expect_passed_over(buf_bytes(&script), 9);
		buf_clear(&script);
	}
}

TEST(a_mail_at_which_the_server_goes_is_passed_over_in_the_end)
{
	struct buf script;

	buf_init(&script, SIZE_MAX);
	buf_add_text(&script, TWO_NEW BOTH_SAID(4));
	for (int n = 2; n <= 10; n++)
		buf_add_text(&script, "CLOSE\r\n" AGAIN TWO_NEW FETCH_SAID(4, 6));
	buf_add_text(&script, "CLOSE\r\n" AGAIN SELECTED_3 IMAP_SEARCHED(3, 7, " 7") GIVES_7(4)
				      IMAP_IDLES(5));
	expect_passed_over(buf_bytes(&script), 10);
	buf_clear(&script);
}

TEST(the_first_mail_not_given_is_the_one_it_goes_at)
{
	struct buf script;

	/* 7 came, and 8 ends it ten times */
	buf_init(&script, SIZE_MAX);
	buf_add_text(&script,
		     SELECTED_3 IMAP_SEARCHED(3, 6, " 7 8") "C: A4 UID FETCH 7:8 " IMAP_ITEMS
							    "\r\n" IMAP_MAIL(2, 7, " 1", "b"));
	buf_add_text(&script, "CLOSE\r\n" AGAIN SELECTED_3 IMAP_SEARCHED(3, 6, " 7 8") GIVES_7(4)
				      FETCH_SAID(5, 8));
	for (int n = 3; n <= 10; n++)
		buf_add_text(&script, "CLOSE\r\n" AGAIN SELECTED_3 IMAP_SEARCHED(3, 8, " 8")
					      FETCH_SAID(4, 8));
	buf_add_text(&script, "CLOSE\r\n" AGAIN SELECTED_3 IMAP_SEARCHED(3, 9, " 8") IMAP_IDLES(4));

	struct imap_stage s;

	stage_begin(&s, buf_bytes(&script), NULL);
	stage_open(&s, "7 5 100");
	for (int i = 0; i < 10; i++) {
		stage_until(&s, "down, later: ");
		buf_drain(&s.said, s.said.len);
		loop_turn_clock(s.loop, 300000);
	}
	stage_until(&s, "cursor 7 8 ");
	talk_run(s.talk);
	stage_end(&s);
	buf_clear(&script);
}

RUN_TESTS()
