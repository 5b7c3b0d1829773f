/* tests/talk/test_imap.c - a folder is watched: what was there, what comes, what becomes of
 * it, each mail once. */
#include "base/loop.h"
#include "imap_stage.h"
#include "tests/unit/expect.h"

#define ALL_CAPS "IDLE UIDPLUS MOVE"
#define JAN_1 "1767225600" /* 2026, seconds */

static void run(struct imap_stage *s, const char *script, const char *cursor, const char *want)
{
	stage_begin(s, script, NULL);
	stage_open(s, cursor);
	stage_said(s, want);
}

TEST(the_first_time_it_begins_with_what_comes)
{
	struct imap_stage s;

	stage_begin(&s,
		    IMAP_INSIDE(ALL_CAPS) IMAP_SELECTED(2, 5, 7, 6) IMAP_SEARCHED(3, 6, " 5")
			    IMAP_IDLES(4),
		    NULL);
	stage_open(&s, NULL);
	stage_until(&s, "cursor 7 5 ");
	expect_contains(buf_bytes(&s.said), "connecting\nwatching\n");
	talk_run(s.talk);
	stage_end(&s);
}

TEST(what_came_meanwhile_is_caught_up)
{
	struct imap_stage s;

	run(&s,
	    IMAP_INSIDE(ALL_CAPS) IMAP_SELECTED(2, 3, 7, 9)
		    IMAP_SEARCHED(3, 6, " 6 8") "C: A4 UID FETCH 6,8 " IMAP_ITEMS "\r\n" IMAP_MAIL(
			    2, 6, " 1", "a")
			    IMAP_MAIL(3, 8, " 2", "b") "S: A4 OK\r\n" IMAP_IDLES(5),
	    "7 5 100",
	    "connecting\nwatching\n"
	    "mail 7/6 at " JAN_1 ": a, after 7 6 " JAN_1 "\n"
	    "mail 7/8 at 1767312000: b, after 7 8 1767312000\n");
	stage_end(&s);
}

#define WATCHED                                                                                    \
	IMAP_INSIDE(ALL_CAPS) IMAP_SELECTED(2, 1, 7, 6) IMAP_SEARCHED(3, 6, " 5") IMAP_IDLES(4)
#define NEWEST(n, from) "C: DONE\r\nC: A" #n " UID FETCH " #from ":* " IMAP_ITEMS "\r\n"

TEST(a_mail_is_here_one_round_trip_after_it_was_announced)
{
	struct imap_stage s;

	run(&s,
	    WATCHED "S: * 2 EXISTS\r\nS: * 1 RECENT\r\n" NEWEST(5, 6)
		    IMAP_MAIL(2, 6, " 1", "a") "S: A4 OK done\r\nS: A5 OK\r\n" IMAP_IDLES(6),
	    "7 5 100", "connecting\nwatching\nmail 7/6 at " JAN_1 ": a, after 7 6 " JAN_1 "\n");
	stage_end(&s);
}

TEST(exists_inside_other_answers_is_not_lost)
{
	struct imap_stage s;

	/* in SEARCH's, at IDLE's start, between DONE and its OK, in FETCH's */
	run(&s,
	    IMAP_INSIDE(ALL_CAPS) IMAP_SELECTED(
		    2, 1, 7,
		    6) "C: A3 UID SEARCH UID 6:*\r\n"
		       "S: * SEARCH 5\r\nS: * 2 EXISTS\r\nS: A3 OK\r\n" IMAP_SEARCHED(4, 6, " 6") "C: A5 UID FETCH 6 " IMAP_ITEMS "\r\n" IMAP_MAIL(
			       2, 6, " 1",
			       "a") "S: A5 OK\r\n"
				    "C: A6 IDLE\r\nS: * 3 EXISTS\r\nS: + idling\r\n" NEWEST(7, 7)
					    IMAP_MAIL(3, 7, " 1", "b") "S: * 4 EXISTS\r\nS: A6 OK\r\nS: A7 OK\r\n" IMAP_SEARCHED(
						    8, 8,
						    " 8") "C: A9 UID FETCH 8 " IMAP_ITEMS
							  "\r\n" IMAP_MAIL(4, 8, " 1", "c") "S: * 5 EXISTS\r\nS: A9 OK\r\n" IMAP_SEARCHED(
								  10, 9,
								  " 9") "C: A11 UID FETCH 9 " IMAP_ITEMS
									"\r\n" IMAP_MAIL(
										5, 9, " 1",
										"d") "S: A11 OK\r\n" IMAP_IDLES(12),
	    "7 5 100",
	    "connecting\nwatching\nmail 7/6 at " JAN_1 ": a, after 7 6 " JAN_1 "\n"
	    "mail 7/7 at " JAN_1 ": b, after 7 7 " JAN_1 "\n"
	    "mail 7/8 at " JAN_1 ": c, after 7 8 " JAN_1 "\n"
	    "mail 7/9 at " JAN_1 ": d, after 7 9 " JAN_1 "\n");
	stage_end(&s);
}

TEST(one_mail_at_a_time)
{
	struct imap_stage s;

	stage_begin(&s,
		    IMAP_INSIDE(ALL_CAPS) IMAP_SELECTED(2, 3, 7, 9) IMAP_SEARCHED(
			    3, 6, " 8 6") "C: A4 UID FETCH 6,8 " IMAP_ITEMS
					  "\r\n" IMAP_MAIL(3, 8, " 2", "b") IMAP_MAIL(
						  2, 6, " 1", "a") "S: A4 OK\r\n" IMAP_IDLES(5),
		    NULL);
	s.holds = true;
	stage_open(&s, "7 5 100");
	stage_until(&s, "mail 7/6");
	stage_settle(&s);
	expect_null(strstr(buf_bytes(&s.said), "mail 7/8"));
	mailbox_next(s.mailbox);
	stage_until(&s, "mail 7/8");
	mailbox_next(s.mailbox);
	talk_run(s.talk);
	stage_end(&s);
}

TEST(closed_in_the_middle_of_a_mail)
{
	struct imap_stage s;

	stage_begin(&s,
		    WATCHED "S: * 2 EXISTS\r\n" NEWEST(5, 6)
			    IMAP_MAIL(2, 6, " 1", "a") "S: A4 OK done\r\nS: A5 OK\r\n",
		    NULL);
	s.closes = true;
	stage_open(&s, "7 5 100");
	stage_until(&s, "mail 7/6");
	expect_null(s.mailbox);
	talk_free(s.talk);
	s.talk = talk_new(s.loop, "");
	stage_end(&s);
}

TEST(a_large_mail_is_read_whole_and_one_too_large_is_cut)
{
	struct imap_stage s;

	run(&s,
	    IMAP_INSIDE(ALL_CAPS) IMAP_SELECTED(2, 3, 7, 9) IMAP_SEARCHED(
		    3, 6,
		    " 6 7") "C: A4 UID FETCH 6:7 " IMAP_ITEMS "\r\n"
			    "S: * 2 FETCH (UID 6 RFC822.SIZE 300000 INTERNALDATE \" 1-Jan-2026 "
			    "00:00:00 +0000\" BODY[]<0> {14}\r\nS: Subject: x\r\nS: \r\nS: )\r\n"
			    "S: * 3 FETCH (UID 7 RFC822.SIZE 9 INTERNALDATE \" 1-Jan-2026 "
			    "00:00:00 +0000\" BODY[]<0> {14}\r\nS: Subject: y\r\nS: \r\nS: )\r\n"
			    "S: A4 OK\r\nC: A5 UID FETCH 6 (UID RFC822.SIZE INTERNALDATE "
			    "BODY.PEEK[HEADER]<0.262144>)\r\n"
			    "S: * 2 FETCH (UID 6 RFC822.SIZE 300000 INTERNALDATE \" 1-Jan-2026 "
			    "00:00:00 +0000\" BODY[HEADER]<0> {14}\r\nS: Subject: z\r\nS: \r\nS: "
			    ")\r\nS: A5 OK\r\n" IMAP_IDLES(6),
	    "7 5 100",
	    "connecting\nwatching\n"
	    "mail 7/6: z of 300000, 14 here, cut, after 7 6 " JAN_1 "\n"
	    "mail 7/7 at " JAN_1 ": y, after 7 7 " JAN_1 "\n");
	stage_end(&s);
}

#define HEADER_SAID(n, uid)                                                                        \
	"C: A" #n " UID FETCH " #uid                                                               \
	" (UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER]<0.262144>)\r\n"
#define LARGE(seq, uid, part, letter)                                                              \
	"S: * " #seq " FETCH (UID " #uid " RFC822.SIZE 300000 INTERNALDATE \" 1-Jan-2026 "         \
	"00:00:00 +0000\" BODY[" part "]<0> {14}\r\nS: Subject: " letter "\r\nS: \r\nS: )\r\n"

TEST(the_rest_of_a_mail_is_read_while_the_one_before_is_looked_at)
{
	struct imap_stage s;

	stage_begin(&s,
		    IMAP_INSIDE(ALL_CAPS) IMAP_SELECTED(2, 2, 7, 8) IMAP_SEARCHED(
			    3, 6, " 6 7") "C: A4 UID FETCH 6:7 " IMAP_ITEMS
					  "\r\n" IMAP_MAIL(1, 6, " 1", "a") LARGE(
						  2, 7, "", "b") "S: A4 OK\r\n" HEADER_SAID(5, 7)
						  LARGE(2, 7, "HEADER", "b") "S: A5 OK\r\n",
		    NULL);
	s.holds = true;
	stage_open(&s, "7 5 100");
	stage_until(&s, "mail 7/6");
	stage_settle(&s);
	expect_true(talk_is_over(s.talk));
	expect_null(strstr(buf_bytes(&s.said), "mail 7/7"));
	mailbox_next(s.mailbox);
	stage_until(&s, "mail 7/7");
	stage_end(&s);
}

TEST(the_rest_of_a_mail_behind_others_ends_idle)
{
	struct imap_stage s;

	stage_begin(
		&s,
		IMAP_INSIDE(ALL_CAPS) IMAP_SELECTED(2, 3, 7, 9) IMAP_SEARCHED(
			3, 6, " 6 7 8") "C: A4 UID FETCH 6:8 " IMAP_ITEMS "\r\n" IMAP_MAIL(1, 6,
											   " 1",
											   "a")
			IMAP_MAIL(2, 7, " 1", "b")
				LARGE(3, 8, "", "c") "S: A4 OK\r\n" IMAP_IDLES(5) "C: DONE\r\n" HEADER_SAID(
					6,
					8) "S: A5 OK\r\n" LARGE(3, 8, "HEADER",
								"c") "S: A6 OK\r\n" IMAP_IDLES(7),
		NULL);
	s.holds = true;
	stage_open(&s, "7 5 100");
	stage_until(&s, "mail 7/6");
	loop_turn_clock(s.loop, 1000); /* it takes long */
	stage_settle(&s);
	mailbox_next(s.mailbox);
	stage_until(&s, "mail 7/7");
	mailbox_next(s.mailbox);
	stage_until(&s, "mail 7/8");
	mailbox_next(s.mailbox);
	talk_run(s.talk);
	stage_end(&s);
}

TEST(mails_that_come_in_another_order_wait_for_each_other)
{
	const struct talk_options drips = {.drip = true};
	struct imap_stage s;

	stage_begin(&s,
		    WATCHED
		    "S: * 3 EXISTS\r\n" NEWEST(5, 6) "S: A4 OK done\r\n" IMAP_MAIL(3, 7, " 1", "b")
			    IMAP_MAIL(2, 6, " 1", "a") "S: A5 OK\r\n" IMAP_IDLES(6),
		    &drips);
	stage_open(&s, "7 5 100");
	while (!talk_is_over(s.talk)) {
		loop_turn(s.loop, true);
		mailbox_next(s.mailbox); /* the rules are ready for more all the time */
	}
	stage_said(&s, "connecting\nwatching\nmail 7/6 at " JAN_1 ": a, after 7 6 " JAN_1 "\n"
		       "mail 7/7 at " JAN_1 ": b, after 7 7 " JAN_1 "\n");
	stage_end(&s);
}

TEST(uidvalidity_changed)
{
	struct imap_stage s;

	run(&s,
	    IMAP_INSIDE(ALL_CAPS) IMAP_SELECTED(
		    2, 9, 8,
		    21) "C: A3 UID SEARCH UID 1:20 SINCE 30-Dec-2025\r\nS: * SEARCH 3 4 5\r\nS: A3 OK\r\n"
			"C: A4 UID FETCH 3:5 (UID INTERNALDATE)\r\n"
			"S: * 1 FETCH (UID 3 INTERNALDATE \"31-Dec-2025 23:59:59 +0000\")\r\n"
			"S: * 2 FETCH (UID 4 INTERNALDATE \" 1-Jan-2026 00:00:00 +0000\")\r\n"
			"S: * 3 FETCH (UID 5 INTERNALDATE \" 2-Jan-2026 00:00:00 +0000\")\r\nS: A4 OK\r\n"
			"C: A5 UID FETCH 4:5 " IMAP_ITEMS "\r\n" IMAP_MAIL(2, 4, " 1", "a")
				IMAP_MAIL(3, 5, " 2", "b") "S: A5 OK\r\n" IMAP_SEARCHED(
					6, 21, " 20") IMAP_IDLES(7),
	    "7 500 " JAN_1,
	    "connecting\nwatching\n"
	    "mail 8/4 at " JAN_1 ": a stale, after 8 4 " JAN_1 " 20 " JAN_1 "\n"
	    "mail 8/5 at 1767312000: b, after 8 5 1767312000 20 " JAN_1 "\n"
	    "cursor 8 20 1767312000\n");
	stage_end(&s);
}

TEST(uids_begin_anew_in_a_folder_that_was_restored)
{
	struct imap_stage s;

	run(&s,
	    IMAP_INSIDE(ALL_CAPS) IMAP_SELECTED(
		    2, 2, 7,
		    5) "C: A3 UID SEARCH UID *\r\nS: * SEARCH 4\r\nS: A3 OK\r\n"
		       "C: A4 UID SEARCH UID 1:4 SINCE 30-Dec-2025\r\nS: * SEARCH 3 4\r\nS: A4 OK\r\n"
		       "C: A5 UID FETCH 3:4 (UID INTERNALDATE)\r\n"
		       "S: * 1 FETCH (UID 3 INTERNALDATE \"31-Dec-2025 23:59:59 +0000\")\r\n"
		       "S: * 2 FETCH (UID 4 INTERNALDATE \" 2-Jan-2026 00:00:00 +0000\")\r\nS: A5 OK\r\n"
		       "C: A6 UID FETCH 4 " IMAP_ITEMS
		       "\r\n" IMAP_MAIL(2, 4, " 2", "a") "S: A6 OK\r\n" IMAP_SEARCHED(7, 5, " 4")
			       IMAP_IDLES(8),
	    "7 500 " JAN_1,
	    "connecting\nwatching\nmail 7/4 at 1767312000: a, after 7 4 1767312000\n"
	    "cursor 7 4 1767312000\n");
	stage_end(&s);
}

TEST(a_uidnext_too_low_is_not_believed)
{
	struct imap_stage s;

	run(&s,
	    IMAP_INSIDE(ALL_CAPS) IMAP_SELECTED(
		    2, 1, 7,
		    3) "C: A3 UID SEARCH UID *\r\nS: * SEARCH 5\r\nS: A3 OK\r\n" IMAP_SEARCHED(4, 6,
											       " 5")
		    IMAP_IDLES(5),
	    "7 5 100", "connecting\nwatching\n");
	stage_end(&s);
}

TEST(another_folder_with_the_same_uidvalidity_is_seen_for_the_first_time)
{
	struct imap_stage s;

	stage_begin(
		&s,
		IMAP_INSIDE(ALL_CAPS) IMAP_SELECTED(2, 3, 7, 4) IMAP_SEARCHED(
			3, 4, " 3") IMAP_IDLES(4) "S: * 4 EXISTS\r\n" NEWEST(5, 4)
			IMAP_MAIL(4, 4, " 1", "a") "S: A4 OK\r\nS: A5 OK\r\n" IMAP_IDLES(
				6) "C: DONE\r\nC: A7 UID STORE 4 +FLAGS.SILENT (\\Deleted)\r\nS: A6 OK\r\nS: A7 OK\r\n"
				   "C: A8 UID EXPUNGE 4\r\nS: A8 OK\r\n" IMAP_IDLES(9),
		NULL);
	stage_open_at(&s, "7 500 100 @1");
	stage_deed(&s, MAIL_DELETE, "7/3@1", NULL);
	stage_fetch(&s, "7/3@1");
	stage_until(&s, "fetched nothing\n");
	expect_contains(buf_bytes(&s.said), "done: ok\n");
	stage_until(&s, "mail 7/4 ");
	buf_drain(&s.said, s.said.len);
	stage_deed(&s, MAIL_DELETE, s.ref, NULL);
	stage_said(&s, "done: ok\n");
	stage_end(&s);
}

TEST(what_an_old_version_kept_is_of_this_folder)
{
	struct imap_stage s;

	stage_begin(
		&s,
		IMAP_INSIDE(ALL_CAPS) IMAP_SELECTED(
			2, 1, 7,
			6) "C: A3 UID STORE 5 +FLAGS.SILENT (\\Seen)\r\nS: A3 OK\r\n" IMAP_SEARCHED(4,
												    6,
												    "")
			IMAP_IDLES(5),
		NULL);
	stage_open_at(&s, "7 5 100");
	stage_deed(&s, MAIL_FLAG, "7/5", "seen");
	stage_said(&s, "connecting\nwatching\ndone: ok\ncursor 7 5 100\n");
	stage_end(&s);
}

TEST(deeds_interrupt_idle)
{
	struct imap_stage s;

	stage_begin(
		&s,
		WATCHED
		"C: DONE\r\nC: A5 UID STORE 5 +FLAGS.SILENT (\\Seen)\r\nS: A4 OK\r\nS: A5 OK\r\n"
		"C: A6 UID STORE 5 +FLAGS.SILENT ($done)\r\nS: A6 OK\r\n"
		"C: A7 UID MOVE 5 \"Gel&APY-scht\"\r\nS: * 1 EXPUNGE\r\nS: A7 OK\r\n"
		"C: A8 LIST \"\" \"*\"\r\nS: * LIST (\\Drafts) \"/\" d\r\n"
		"S: * LIST (\\HasNoChildren \\trash) \"/\" {3}\r\nS: a\"b\r\nS: A8 OK\r\n"
		"C: A9 UID MOVE 4 \"a\\\"b\"\r\nS: A9 NO [TRYCREATE] none\r\n"
		"C: A10 UID STORE 3 +FLAGS.SILENT (\\Deleted)\r\nS: A10 OK\r\n"
		"C: A11 UID EXPUNGE 3\r\nS: A11 OK\r\n"
		"C: A12 UID FETCH 2 " IMAP_ITEMS
		"\r\n" IMAP_MAIL(1, 2, " 1", "q") "S: A12 OK\r\nC: A13 UID FETCH 1 " IMAP_ITEMS
						  "\r\nS: A13 OK\r\n" IMAP_IDLES(14),
		NULL);
	stage_open(&s, "7 5 100");
	stage_until(&s, "watching\n");
	stage_settle(&s);
	stage_deed(&s, MAIL_FLAG, "7/5", "seen");
	stage_deed(&s, MAIL_FLAG, "7/5", "$done");
	stage_deed(&s, MAIL_FLAG, "7/5", "two words");
	stage_deed(&s, MAIL_MOVE, "7/5", "Gel\xc3\xb6scht");
	stage_deed(&s, MAIL_MOVE, "7/4", "\\Trash");
	stage_deed(&s, MAIL_DELETE, "7/3", NULL);
	stage_fetch(&s, "7/2");
	stage_fetch(&s, "7/1");
	stage_deed(&s, MAIL_DELETE, "6/3", NULL);
	stage_said(&s, "connecting\nwatching\ndone: ok\ndone: ok\n"
		       "done: refused: no flag can be called 'two words'\ndone: ok\n"
		       "done: refused: no such folder: none\ndone: ok\n"
		       "fetched 7/2: q\nfetched nothing\ndone: ok\n");
	stage_end(&s);
}

TEST(without_move_and_uidplus_a_mail_stays_marked)
{
	struct imap_stage s;

	stage_begin(
		&s,
		IMAP_INSIDE("IDLE") IMAP_SELECTED(2, 1, 7, 6) IMAP_SEARCHED(3, 6, "") IMAP_IDLES(
			4) "C: DONE\r\nC: A5 UID COPY 5 \"x\"\r\nS: A4 OK\r\nS: A5 OK\r\n"
			   "C: A6 UID STORE 5 +FLAGS.SILENT (\\Deleted)\r\nS: A6 OK\r\n" IMAP_IDLES(
				   7),
		NULL);
	stage_open(&s, "7 5 100");
	stage_until(&s, "watching\n");
	stage_settle(&s);
	stage_deed(&s, MAIL_MOVE, "7/5", "x");
	stage_said(&s, "connecting\nwatching\ndone: ok\n");
	stage_end(&s);
}

TEST(disabled_extensions_are_not_used)
{
	struct imap_stage s;

	stage_begin(&s,
		    IMAP_INSIDE(ALL_CAPS " ID") IMAP_SELECTED(2, 1, 7, 6) IMAP_SEARCHED(3, 6, ""),
		    NULL);
	s.config.imap.disabled = IMAP_EXT_IDLE | IMAP_EXT_ID;
	stage_open(&s, "7 5 100");
	stage_said(&s, "connecting\npolling\n");
	stage_end(&s);
}

TEST(a_folder_that_can_only_be_read)
{
	struct imap_stage s;

	stage_begin(
		&s,
		IMAP_INSIDE(
			"IDLE") "C: A2 SELECT \"INBOX\"\r\nS: * 0 EXISTS\r\nS: * OK [UIDVALIDITY 7] "
				"x\r\nS: A2 OK [READ-ONLY] x\r\n" IMAP_SEARCHED(3, 6, "")
					IMAP_IDLES(4) "C: DONE\r\nC: A5 UID SEARCH UID 6:*\r\n",
		NULL);
	stage_open(&s, "7 5 100");
	stage_until(&s, "watching\n");
	stage_settle(&s);
	stage_deed(&s, MAIL_DELETE, "7/5", NULL);
	stage_said(&s, "connecting\nwatching\ndone: refused: INBOX can only be read\n");
	stage_end(&s);
}

TEST(no_idle_then_it_asks)
{
	struct imap_stage s;

	stage_begin(
		&s,
		IMAP_INSIDE("UIDPLUS") IMAP_SELECTED(2, 1, 7, 6)
			IMAP_SEARCHED(3, 6, " 5") "C: A4 NOOP\r\nS: * 2 EXISTS\r\nS: A4 OK\r\n" IMAP_SEARCHED(
				5, 6, " 6") "C: A6 UID FETCH 6 " IMAP_ITEMS
					    "\r\n" IMAP_MAIL(2, 6, " 1", "a") "S: A6 OK\r\n",
		NULL);
	stage_open(&s, "7 5 100");
	stage_until(&s, "polling\n");
	stage_settle(&s);
	loop_turn_clock(s.loop, 60000);
	stage_said(&s, "connecting\npolling\nmail 7/6 at " JAN_1 ": a, after 7 6 " JAN_1 "\n");
	stage_end(&s);
}

TEST(a_server_without_idle_tells_by_itself)
{
	struct imap_stage s;

	run(&s,
	    IMAP_INSIDE("UIDPLUS") IMAP_SELECTED(2, 1, 7, 6)
		    IMAP_SEARCHED(3, 6, " 5") "S: * 2 EXISTS\r\n" IMAP_SEARCHED(
			    4, 6, " 6") "C: A5 UID FETCH 6 " IMAP_ITEMS
					"\r\n" IMAP_MAIL(2, 6, " 1", "a") "S: A5 OK\r\n",
	    "7 5 100", "connecting\npolling\nmail 7/6 at " JAN_1 ": a, after 7 6 " JAN_1 "\n");
	stage_end(&s);
}

TEST(idle_is_refused)
{
	struct imap_stage s;

	run(&s,
	    IMAP_INSIDE("IDLE") IMAP_SELECTED(2, 1, 7, 6) IMAP_SEARCHED(
		    3, 6, " 5") "C: A4 IDLE\r\nS: A4 NO not now\r\n" IMAP_SEARCHED(5, 6, " 5"),
	    "7 5 100", "connecting\nwatching\npolling\n");
	stage_end(&s);
}

TEST(idle_is_begun_anew)
{
	struct imap_stage s;

	stage_begin(&s,
		    WATCHED
		    "C: DONE\r\nC: A5 UID SEARCH UID 6:*\r\nS: A4 OK\r\nS: * SEARCH 5\r\nS: A5 "
		    "OK\r\n" IMAP_IDLES(6),
		    NULL);
	stage_open(&s, "7 5 100");
	stage_until(&s, "watching\n");
	stage_settle(&s);
	loop_turn_clock(s.loop, 540000);
	stage_said(&s, "connecting\nwatching\n");
	stage_end(&s);
}

RUN_TESTS()
