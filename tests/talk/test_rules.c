/* tests/talk/test_rules.c - commands of a mailbox whose server goes away, or says no, at any
 * step between a mail and the end of its disposal: each runs once, is answered once, and
 * what is to become of its mail is done as soon as that is possible. */
#include <signal.h>
#include <sys/resource.h>

#include "alloc.h"
#include "auto.h"
#include "imap_stage.h"
#include "rules_stage.h"
#include "tests/unit/expect.h"

#define ALL_CAPS "IDLE UIDPLUS MOVE"
#define NO_MOVE "IDLE UIDPLUS"

/* What a rule does with its mail. */
#define COUNT(disposal)                                                                            \
	"{ name = \"count\"; on = { mail = \"inbox\"; };"                                          \
	"  when = { from = \"me\"; command = \"^count (?<what>.)$\"; proof = \"none\"; };"         \
	"  do = { run = [\"/bin/true\", \"{what}\"]; }; then = { mail = \"" disposal "\"; }; }"

#define WATCHED(caps)                                                                              \
	IMAP_INSIDE(caps) IMAP_SELECTED(2, 1, 7, 6) IMAP_SEARCHED(3, 6, " 5") IMAP_IDLES(4)
#define COMES WATCHED_MAIL(ALL_CAPS)
/* A mail comes, is handed over, and it idles again. */
#define WATCHED_MAIL(caps)                                                                         \
	WATCHED(caps)                                                                              \
	"S: * 2 EXISTS\r\nC: DONE\r\nC: A5 UID FETCH 6:* " IMAP_ITEMS                              \
	"\r\n" STAGE_MAIL(2, 6, "a") "S: A4 OK done\r\nS: A5 OK\r\n"                               \
				     "C: A6 IDLE\r\nS: + idling\r\nC: DONE\r\n"
/* The next connection: the mail is there still, and was seen. */
#define AGAIN(caps)                                                                                \
	"ACCEPT\r\n" IMAP_INSIDE(caps) IMAP_SELECTED(2, 2, 7, 7) IMAP_SEARCHED(3, 7, " 6")
/* It was not. */
#define AGAIN_UNSEEN                                                                               \
	"ACCEPT\r\n" IMAP_INSIDE(ALL_CAPS) IMAP_SELECTED(2, 2, 7, 7)                               \
		IMAP_SEARCHED(3, 6, " 6") "C: A4 UID FETCH 6 " IMAP_ITEMS "\r\n" STAGE_MAIL(       \
			2, 6, "a") "S: A4 OK\r\nC: A5 IDLE\r\nS: + idling\r\nC: DONE\r\n"          \
				   "C: A6 UID STORE 6 +FLAGS.SILENT (\\Deleted)\r\n"               \
				   "S: A5 OK\r\nS: A6 OK\r\n"                                      \
				   "C: A7 UID EXPUNGE 6\r\nS: A7 OK\r\n" IMAP_IDLES(8)
#define DELETED(store, expunge)                                                                    \
	"C: A" #store " UID STORE 6 +FLAGS.SILENT (\\Deleted)\r\nS: A" #store " OK\r\n"            \
	"C: A" #expunge " UID EXPUNGE 6\r\nS: A" #expunge " OK\r\n"
#define MARK "C: A7 UID STORE 6 +FLAGS.SILENT (\\Deleted)\r\n"
#define MOVE "C: A7 UID MOVE 6 \"Done\"\r\n"
#define COPY "C: A7 UID COPY 6 \"Done\"\r\n"

/* A script, and what the rule does; at its end the mail needs nothing more. */
static void expect_once(const char *script, const char *rule)
{
	struct rules_stage s;

	rules_open(&s, script, rule, "");
	rules_until_told(&s, "Re: count a", 1);
	rules_settled(&s);
	expect_int(s.nruns, 1);
	expect_int(s.nbegun, 1);
	expect_int(rules_told(&s, ""), 1);
	rules_end(&s);
}

TEST(the_server_goes_before_the_mail_is_here)
{
#define ASKED WATCHED(ALL_CAPS) "S: * 2 EXISTS\r\nC: DONE\r\nC: A5 UID FETCH 6:* " IMAP_ITEMS "\r\n"
	static const char *const scripts[] = {
		WATCHED(ALL_CAPS) "S: * 2 EXISTS\r\nC: DONE\r\nCLOSE\r\n" AGAIN_UNSEEN,
		ASKED "RESET\r\n" AGAIN_UNSEEN,
		ASKED "S: * 2 FETCH (UID 6 RFC822.SIZE " STAGE_SIZE " BODY[]<0> {" STAGE_SIZE
		      "}\r\nS: From: me@exa\r\nDROP\r\n" AGAIN_UNSEEN,
		ASKED STAGE_MAIL(2, 6, "a") "CLOSE\r\n" AGAIN_UNSEEN,
		ASKED STAGE_MAIL(2, 6, "a") "S: * BYE now\r\nCLOSE\r\n" AGAIN_UNSEEN,
		ASKED STAGE_MAIL(2, 6, "a") "S: A4 OK\r\nS: A5 BAD what\r\nGONE\r\n" AGAIN_UNSEEN,
	};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++)
		expect_once(scripts[i], COUNT("delete"));
}

TEST(the_server_goes_while_a_mail_is_deleted)
{
	static const char *const scripts[] = {
		/* before it is asked, and before or after it did what it was asked */
		COMES "CLOSE\r\n" AGAIN(ALL_CAPS) DELETED(4, 5) IMAP_IDLES(6),
		COMES MARK "CLOSE\r\n" AGAIN(ALL_CAPS) DELETED(4, 5) IMAP_IDLES(6),
		COMES MARK "S: A6 OK\r\nS: A7 OK\r\nRESET\r\n" AGAIN(ALL_CAPS) DELETED(4, 5)
			IMAP_IDLES(6),
		COMES MARK
		"S: A6 OK\r\nS: A7 OK\r\nC: A8 UID EXPUNGE 6\r\nCLOSE\r\n" AGAIN(ALL_CAPS)
			DELETED(4, 5) IMAP_IDLES(6),
		COMES MARK
		"S: A6 OK\r\nS: A7 OK\r\nC: A8 UID EXPUNGE 6\r\nS: * BYE out\r\nCLOSE\r\n" AGAIN(
			ALL_CAPS) DELETED(4, 5) IMAP_IDLES(6),
		/* and twice */
		COMES MARK "CLOSE\r\n" AGAIN(
			ALL_CAPS) "C: A4 UID STORE 6 +FLAGS.SILENT (\\Deleted)\r\nCLOSE\r\n" AGAIN(ALL_CAPS)
			DELETED(4, 5) IMAP_IDLES(6),
	};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++)
		expect_once(scripts[i], COUNT("delete"));
}

TEST(the_server_goes_while_a_mail_is_moved)
{
#define MOVED(n) "C: A" #n " UID MOVE 6 \"Done\"\r\nS: A" #n " OK\r\n"
#define COPIED "C: A4 UID COPY 6 \"Done\"\r\nS: A4 OK\r\n" DELETED(5, 6) IMAP_IDLES(7)
	static const char *const scripts[] = {
		COMES MOVE "CLOSE\r\n" AGAIN(ALL_CAPS) MOVED(4) IMAP_IDLES(5),
		COMES MOVE "S: A6 OK\r\nS: * 2 EXPUNGE\r\nRESET\r\n" AGAIN(ALL_CAPS) MOVED(4)
			IMAP_IDLES(5),
		WATCHED_MAIL(NO_MOVE) COPY "CLOSE\r\n" AGAIN(NO_MOVE) COPIED,
		WATCHED_MAIL(NO_MOVE) COPY
		"S: A6 OK\r\nS: A7 OK\r\nC: A8 UID STORE *\r\nCLOSE\r\n" AGAIN(NO_MOVE)
			DELETED(4, 5) IMAP_IDLES(6),
	};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++)
		expect_once(scripts[i], COUNT("move Done"));
}

/* A script that goes on when it was tried again, which is not at once. */
static void expect_once_in_time(const char *script, const char *rule)
{
	struct rules_stage s;

	rules_open(&s, script, rule, "");
	rules_until_told(&s, "Re: count a", 1);
	while (!talk_is_over(s.talk)) {
		loop_turn_clock(s.house.loop, 1000);
		loop_turn(s.house.loop, false);
	}
	rules_settled(&s);
	expect_int(s.nbegun, 1);
	expect_int(rules_told(&s, ""), 1);
	rules_end(&s);
}

/* It idles, and tries again. */
#define LATER(idle, n, say)                                                                        \
	"C: A" #idle " IDLE\r\nS: + idling\r\nC: DONE\r\nC: A" #n " " say "\r\nS: A" #idle " OK\r\n"
#define SAYS(n, answer) "S: A" #n " " answer "\r\n"
#define THRICE(say, answer)                                                                        \
	"C: A7 " say "\r\nS: A6 OK\r\n" SAYS(7, answer) LATER(8, 9, say) SAYS(9, answer)           \
		LATER(10, 11, say) SAYS(11, answer) IMAP_IDLES(12)
#define SAY_MARK "UID STORE 6 +FLAGS.SILENT (\\Deleted)"
#define SAY_MOVE "UID MOVE 6 \"Done\""
#define SAY_EXPUNGE(n, answer) "C: A" #n " UID EXPUNGE 6\r\n" SAYS(n, answer)
#define EXPUNGE_THRICE(answer)                                                                     \
	MARK "S: A6 OK\r\nS: A7 OK\r\n" SAY_EXPUNGE(8, answer) LATER(9, 10, SAY_MARK)              \
		SAYS(10, "OK") SAY_EXPUNGE(11, answer) LATER(12, 13, SAY_MARK) SAYS(13, "OK")      \
			SAY_EXPUNGE(14, answer) IMAP_IDLES(15)

/* Three times: then the mail stays, the operator reads it in the log, and that was that. */
TEST(the_server_says_no_to_what_is_to_become_of_a_mail)
{
	static const struct {
		const char *script, *rule;
	} cases[] = {
		{COMES THRICE(SAY_MARK, "NO not yours"), COUNT("delete")},
		{COMES THRICE(SAY_MARK, "BAD what"), COUNT("delete")},
		{COMES EXPUNGE_THRICE("NO x"), COUNT("delete")},
		{COMES EXPUNGE_THRICE("BAD x"), COUNT("delete")},
		{COMES THRICE(SAY_MOVE, "NO [TRYCREATE] no such"), COUNT("move Done")},
		{COMES THRICE(SAY_MOVE, "BAD what"), COUNT("move Done")},
		{WATCHED_MAIL(NO_MOVE) THRICE("UID COPY 6 \"Done\"", "NO over quota"),
		 COUNT("move Done")},
		{COMES THRICE("UID STORE 6 +FLAGS.SILENT (\\Seen)", "NO x"), COUNT("seen")},
		/* it was busy, and did not say that */
		{COMES MARK "S: A6 OK\r\nS: A7 BAD throttled\r\n" LATER(8, 9, SAY_MARK)
			 SAYS(9, "OK") SAY_EXPUNGE(10, "OK") IMAP_IDLES(11),
		 COUNT("delete")},
		/* it is there no more */
		{COMES MARK "S: A6 OK\r\nS: A7 NO [EXPUNGEISSUED] gone\r\n" IMAP_IDLES(8),
		 COUNT("delete")},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_once_in_time(cases[i].script, cases[i].rule);
}

TEST(a_no_that_passes_is_tried_again)
{
	expect_once_in_time(COMES MARK "S: A6 OK\r\nS: A7 NO [INUSE] not now\r\n" LATER(
				    8, 9, SAY_MARK) SAYS(9, "NO [INUSE] x") LATER(10, 11, SAY_MARK)
				    SAYS(11, "NO [INUSE] x") LATER(12, 13, SAY_MARK) SAYS(13, "OK")
					    SAY_EXPUNGE(14, "OK") IMAP_IDLES(15),
			    COUNT("delete"));
}

TEST(mail_that_comes_inside_other_answers_is_obeyed)
{
	struct rules_stage s;

	/* in SEARCH's, at IDLE's start, between DONE and its OK, in FETCH's, in NOOP's */
	rules_open(
		&s,
		IMAP_INSIDE("UIDPLUS") IMAP_SELECTED(2, 1, 7, 6) "C: A3 UID SEARCH UID 6:*\r\nS: * SEARCH 5\r\nS: * 2 EXISTS\r\nS: A3 OK\r\n" IMAP_SEARCHED(
			4, 6,
			" 6") "C: A5 UID FETCH 6 " IMAP_ITEMS
			      "\r\nS: * 3 EXISTS\r\n" STAGE_MAIL(2, 6, "a") "S: A5 OK\r\n" IMAP_SEARCHED(
				      6, 7,
				      " 7") "C: A7 UID FETCH 7 " IMAP_ITEMS
					    "\r\n" STAGE_MAIL(3, 7, "b") "S: * 4 EXISTS\r\nS: A7 OK\r\n" IMAP_SEARCHED(
						    8, 8,
						    " 8") "C: A9 UID FETCH 8 " IMAP_ITEMS
							  "\r\n" STAGE_MAIL(
								  4, 8,
								  "c") "S: A9 OK\r\n"
								       "C: A10 NOOP\r\nS: * 5 EXISTS\r\nS: A10 OK\r\n" IMAP_SEARCHED(
									       11, 9,
									       " 9") "C: A12 UID FETCH 9 " IMAP_ITEMS
										     "\r\n" STAGE_MAIL(
											     5, 9,
											     "d") "S: A12 OK\r\n",
		COUNT("keep"), "");
	while (rules_told(&s, "Re: count ") < 3)
		loop_turn(s.house.loop, true);
	while (!talk_is_over(s.talk)) {
		loop_turn_clock(s.house.loop, 1000);
		loop_turn(s.house.loop, false);
	}
	rules_until_told(&s, "Re: count ", 4);
	rules_settled(&s);
	expect_int(s.nruns, 4);
	expect_int(s.nbegun, 4);
	for (char what = 'a'; what <= 'd'; what++) {
		AUTO(free) char *subject = xprintf("Re: count %c", what);

		expect_int(rules_told(&s, subject), 1);
	}
	rules_end(&s);
}

#define ASK                                                                                        \
	"{ name = \"count\"; on = { mail = [\"inbox\", \"drop\"]; };"                              \
	"  when = { from = \"me\"; command = \"^count (?<what>[a-m])$\"; proof = \"confirm\"; };"  \
	"  do = { run = [\"/bin/true\", \"{what}\"]; }; then = { mail = \"keep\"; }; }"
#define PLAIN_ROW                                                                                  \
	"{ name = \"plain\"; on = { mail = \"drop\"; };"                                           \
	"  when = { from = \"me\"; command = \"^count (?<what>[n-z])$\"; proof = \"none\"; };"     \
	"  do = { run = [\"/bin/true\", \"{what}\"]; }; then = { mail = \"keep\"; }; }"
#define DROP "{ name = \"drop\"; type = \"maildir\"; path = \"@/drop\"; authserv = \"none\"; }"

TEST(a_mailbox_that_goes_with_a_reload_while_a_mail_is_fetched_stops_no_other)
{
	struct rules_stage s;

	rules_open(&s,
		   WATCHED(ALL_CAPS) "S: * 2 EXISTS\r\nC: DONE\r\nC: A5 UID FETCH 6:* " IMAP_ITEMS
				     "\r\n" STAGE_MAIL(
					     2, 6, "a") "S: A4 OK done\r\nS: A5 OK\r\n"
							"C: A6 IDLE\r\nS: + idling\r\nC: DONE\r\n"
							"C: A7 UID FETCH 6 *\r\nGONE\r\n",
		   ASK ", " PLAIN_ROW, DROP);
	rules_until_told(&s, "Is this command yours?", 1);
	AUTO(free) char *code = rules_code(&s);
	AUTO(free)
	char *mail = xprintf("From: me@example.org\nSubject: yes\n\nkey: %s\n", code);

	rules_drop(&s, "drop", mail);
	while (!talk_awaits_end(s.talk))
		loop_turn(s.house.loop, true);
	rules_change(&s, PLAIN_ROW, false);
	talk_run(s.talk);
	rules_drop(&s, "drop", "From: me@example.org\nSubject: count n\n\n");
	while (!rules_told(&s, "Re: count n")) {
		loop_turn_clock(s.house.loop, 100);
		loop_turn(s.house.loop, false);
	}
	rules_settled(&s);
	expect_int(s.nruns, 1);
	rules_end(&s);
}

TEST(a_mailbox_that_goes_with_a_reload_while_a_mail_comes_and_is_there_again)
{
	struct rules_stage s;

	rules_open(&s,
		   ASKED "S: * 2 FETCH (UID 6 BODY[]<0> {100}\r\nS: From\r\nGONE\r\n" AGAIN_UNSEEN,
		   COUNT("delete"), DROP);
	while (!talk_awaits_end(s.talk))
		loop_turn(s.house.loop, true);
	rules_change(&s, PLAIN_ROW, false);
	rules_until_watched(&s);
	rules_flush(&s);
	rules_change(&s, COUNT("delete"), true);
	rules_until_told(&s, "Re: count a", 1);
	rules_settled(&s);
	expect_int(s.nbegun, 1);
	expect_int(rules_told(&s, ""), 1);
	rules_end(&s);
}

TEST(a_mailbox_that_changes_while_a_mail_is_disposed_of)
{
	struct rules_stage s;

	rules_open(&s, COMES MARK "GONE\r\n" AGAIN(ALL_CAPS) DELETED(4, 5) IMAP_IDLES(6),
		   COUNT("delete"), DROP);
	while (!talk_awaits_end(s.talk))
		loop_turn(s.house.loop, true);
	rules_change(&s, PLAIN_ROW, false);
	rules_flush(&s);
	rules_change(&s, COUNT("delete"), true);
	rules_until_told(&s, "Re: count a", 1);
	rules_settled(&s);
	expect_int(s.nbegun, 1);
	rules_end(&s);
}

/* Files can't grow: the store fails, and what waits for it is tried again, so often. */
static void while_nothing_can_be_written(struct rules_stage *s, unsigned times)
{
	struct rlimit before, none = {0};

	expect_int(getrlimit(RLIMIT_FSIZE, &before), 0);
	none.rlim_max = before.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	expect_int(setrlimit(RLIMIT_FSIZE, &none), 0);
	rules_let_go(s);
	for (unsigned i = 0; i < times; i++) {
		loop_turn_clock(s->house.loop, 5000);
		for (unsigned turns = 0; turns < 5; turns++)
			loop_turn(s->house.loop, false);
		rules_flush(s);
	}
	expect_int(setrlimit(RLIMIT_FSIZE, &before), 0);
	loop_turn_clock(s->house.loop, 5000);
}

TEST(a_report_is_not_lost_because_it_could_not_be_written_for_long)
{
	struct rules_stage s;

	rules_open(&s, "", PLAIN_ROW, DROP);
	s.holds = true;
	rules_until_watched(&s);
	rules_drop(&s, "drop", "From: me@example.org\nSubject: count n\n\n");
	while (!s.nbegun)
		loop_turn(s.house.loop, true);
	while_nothing_can_be_written(&s, 250);
	rules_until_told(&s, "Re: count n", 1);
	rules_settled(&s);
	expect_int(s.nbegun, 1);
	rules_end(&s);
}

TEST(a_question_is_not_refused_because_it_could_not_be_written_for_long)
{
	static const char ask[] =
		"{ name = \"ask\"; on = { mail = \"drop\"; }; when = { from = \"me\"; "
		"command = \"^count\"; proof = \"confirm\"; }; do = { run = "
		"[\"/bin/true\"]; }; }";
	struct rules_stage s;

	rules_open(&s, "", ask, DROP);
	rules_until_watched(&s);
	rules_drop(&s, "drop", "From: me@example.org\nSubject: count n\n\n");
	while_nothing_can_be_written(&s, 30);
	rules_until_told(&s, "Is this command yours?", 1);
	rules_settled(&s);
	expect_int(rules_told(&s, ""), 1);
	rules_end(&s);
}

RUN_TESTS()
