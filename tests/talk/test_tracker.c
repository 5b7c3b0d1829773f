/* What became of texts, as it comes to be known: the tracker over a real store, the Twilio
 * transport and a scripted API, while the clock is turned. */
#include "queue/tracker.h"

#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "clock.h"
#include "message/letter.h"
#include "queue/store_track.h"
#include "queue/store_work.h"
#include "tests/unit/expect.h"
#include "tests/unit/store_hand.h"
#include "transport/twilio.h"
#include "twilio_stage.h"

#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
/* clang-format off */
#define OK "S: HTTP/1.1 200 OK\nS: Connection: close\nS: \nS= "
#define ASK_ONE(n, status, more) HEAR_GET(ONE(n)) OK TEXT(n, status, more) "\n" NEXT
#define EVERYONE LIST "?From=%2B15017122661&PageSize=1000"
#define NOBODY "C: nobody asks\n"
/* clang-format on */

struct stage {
	struct hand *hand;
	struct twilio_stage twilio;
	struct tracker *tracker;
	struct buf story; /* "1:accepted>sent " */
};

static void happened(void *ctx, const struct event_row *events, size_t n, bool again)
{
	struct stage *s = ctx;

	for (size_t i = 0; i < n; i++)
		buf_printf(&s->story, "%lld:%s>%s ", (long long)events[i].delivery,
			   state_name(events[i].from), state_name(events[i].to));
	expect_true(again == (events[0].to == STATE_QUEUED));
}

static void stage_open(struct stage *s, const char *script)
{
	static const struct tracker_events events = {happened};

	clock_turn_wall(HAND_NOW - clock_wall_ms());
	*s = (struct stage){.hand = hand_new()};
	alarm(120);
	buf_init(&s->story, 65536);
	twilio_stage_init(&s->twilio, s->hand->loop, script, NULL);
	s->tracker =
		tracker_new(s->hand->loop, s->hand->store, &transport_twilio,
			    host_transport(s->twilio.host), &s->twilio.config, NULL, &events, s);
}

static void stage_close(struct stage *s)
{
	twilio_stage_clear(&s->twilio);
	tracker_free(s->tracker);
	hand_free(s->hand);
	buf_clear(&s->story);
	alarm(0);
}

/* A text that was just sent: accepted with a sid, or, without one, uncertain. Its expiry is
 * four hours off. Returns its delivery. */
static int64_t put(struct stage *s, const char *sid)
{
	char mailbox[] = "me@x", id[] = "id@x", boundary[] = "b", marker[] = "m";
	struct letter l = {.has_text = true, .text_size = 5};
	struct message_row m = hand_message();
	struct delivery_row d = hand_delivery(ME);

	l.from = (struct address){.mailbox = mailbox, .ascii = mailbox};
	l.message_id = id;
	l.boundary = boundary;
	l.marker = marker;
	AUTO(free) char *spec = letter_to_spec(&l);
	m.spec = spec;
	m.subject = NULL;
	int64_t message = hand_put_row(s->hand, &m, &d);

	hand_claim(s->hand, "#mail", 1, 1, HAND_NOW);
	int64_t delivery = hand_number(s->hand, "SELECT max(id) FROM deliveries");
	struct delivery_change change = hand_change(message, delivery, STATE_SENDING,
						    *sid ? STATE_ACCEPTED : STATE_UNCERTAIN, 1);

	change.transport = "sms";
	change.remote_id = sid;
	change.next_ms = HAND_NOW + 5 * SECOND;
	expect_int(hand_move(s->hand, &change), BATCH_DONE);
	return delivery;
}

/* When it is asked for next, so long after it was sent; below 0: never. */
static int64_t exact_next_of(struct stage *s, int64_t delivery)
{
	char statement[120];

	snprintf(statement, sizeof(statement),
		 "SELECT next_ms - since_ms FROM tracked WHERE delivery = %lld",
		 (long long)delivery);
	return hand_number(s->hand, statement);
}

/* To the second: two clocks are read for it. */
static int64_t next_of(struct stage *s, int64_t delivery)
{
	return (exact_next_of(s, delivery) + SECOND / 2) / SECOND * SECOND;
}

static void expect_state(struct stage *s, int64_t delivery, const char *state)
{
	char statement[120];

	snprintf(statement, sizeof(statement), "SELECT state FROM deliveries WHERE id = %lld",
		 (long long)delivery);
	expect_text(state_name((enum delivery_state)hand_number(s->hand, statement)), state);
}

/* It is then so long after all was sent, or later. */
static void turn_to(struct stage *s, int64_t age_ms)
{
	int64_t ms = HAND_NOW + age_ms - clock_wall_ms();

	loop_turn_clock(s->hand->loop, ms > 0 ? ms : 0);
	tracker_poke(s->tracker);
}

/* At that age it is asked for, and what was heard is on disk. */
static void ask_at(struct stage *s, int64_t delivery, int64_t age_ms)
{
	int64_t before = exact_next_of(s, delivery);

	turn_to(s, age_ms);
	while (exact_next_of(s, delivery) == before) {
		if (talk_problem(s->twilio.server))
			expect_stop(__FILE__, __LINE__, "%s", talk_problem(s->twilio.server));
		/* a rest between rounds ends by the clock, too */
		loop_turn_clock(s->hand->loop, 100);
		for (int i = 0; i < 20; i++)
			loop_turn(s->hand->loop, false);
	}
	/* what is on disk is told */
	hand_commit(s->hand, batch_new());
}

/* Nothing more is asked, however long it takes. */
static void expect_silence(struct stage *s, int64_t delivery)
{
	expect_true(next_of(s, delivery) < 0);
	for (int hours = 0; hours < 30; hours++) {
		loop_turn_clock(s->hand->loop, HOUR);
		tracker_poke(s->tracker);
		hand_stats(s->hand);
		for (int i = 0; i < 10; i++)
			loop_turn(s->hand->loop, false);
	}
	expect_null(talk_problem(s->twilio.server));
}

static void expect_story(struct stage *s, const char *story)
{
	expect_text(buf_bytes(&s->story), story);
	buf_drain(&s->story, s->story.len);
}

/* ---- statuses ---- */

TEST(a_status_never_goes_back)
{
	struct stage s;

	stage_open(&s,
		   ASK_ONE("1", "sending", "") ASK_ONE("1", "sent", "") ASK_ONE("1", "queued", "")
			   ASK_ONE("1", "accepted", "") ASK_ONE("1", "teleported", "")
				   ASK_ONE("1", "sent", "") ASK_ONE("1", "delivered", "") NOBODY);
	int64_t one = put(&s, SM("1"));

	ask_at(&s, one, 5 * SECOND);
	expect_story(&s, "");
	expect_state(&s, one, "accepted");
	ask_at(&s, one, 20 * SECOND);
	expect_story(&s, "1:accepted>sent ");
	ask_at(&s, one, 50 * SECOND);
	ask_at(&s, one, 110 * SECOND);
	ask_at(&s, one, 410 * SECOND);
	ask_at(&s, one, 410 * SECOND + HOUR);
	expect_story(&s, "");
	expect_state(&s, one, "sent");
	ask_at(&s, one, 420 * SECOND + 2 * HOUR);
	expect_story(&s, "1:sent>delivered ");
	expect_silence(&s, one);
	expect_story(&s, "");
	stage_close(&s);
}

static void expect_end(const char *status, const char *code, bool sent, const char *state)
{
	AUTO(free)
	char *last = xprintf(",\"error_code\":%s,\"num_media\":\"0\"}", code);
	AUTO(free)
	char *script =
		xprintf("%s%s%s{\"sid\":\"" SM("1") "\",\"status\":\"%s\"%s\n" NEXT NOBODY,
			sent ? ASK_ONE("1", "sent", "") : "", HEAR_GET(ONE("1")), OK, status, last);
	struct stage s;

	stage_open(&s, script);
	int64_t one = put(&s, SM("1"));

	ask_at(&s, one, 5 * SECOND);
	if (sent)
		ask_at(&s, one, 20 * SECOND);
	expect_state(&s, one, state);
	expect_silence(&s, one);
	expect_state(&s, one, state);
	stage_close(&s);
}

TEST(at_its_end_nobody_asks_any_more)
{
	for (int sent = 0; sent < 2; sent++) {
		expect_end("delivered", "null", sent, "delivered");
		expect_end("read", "null", sent, "delivered");
		expect_end("partially_delivered", "null", sent, "delivered");
		expect_end("undelivered", "30005", sent, "undelivered");
		expect_end("failed", "30007", sent, "failed");
		expect_end("canceled", "null", sent, sent ? "failed" : "canceled");
	}
	expect_end("failed", "30036", false, "expired");
	expect_end("failed", "21610", false, "suppressed");
}

TEST(what_failed_in_passing_is_tried_again_while_it_lives)
{
	struct stage s;

	stage_open(&s, HEAR_GET(ONE("1")) OK TEXT("1", "undelivered",
						  ",\"error_code\":30001") "\n" NEXT NOBODY);
	int64_t one = put(&s, SM("1"));

	ask_at(&s, one, 5 * SECOND);
	expect_story(&s, "1:accepted>queued ");
	expect_silence(&s, one);
	stage_close(&s);
	stage_open(&s, HEAR_GET(ONE("1")) OK TEXT("1", "undelivered",
						  ",\"error_code\":30001") "\n" NEXT NOBODY);
	one = put(&s, SM("1"));
	hand_sql(s.hand, "UPDATE deliveries SET expires_ms = 1800000006000");
	ask_at(&s, one, 5 * SECOND);
	expect_story(&s, "1:accepted>undelivered ");
	stage_close(&s);
}

/* ---- lists ---- */

TEST(many_are_asked_for_by_pages)
{
	struct stage s;
	static const char script[] = HEAR_GET(EVERYONE) OK PAGE(
		TEXT("9", "sent", ",\"date_created\":\"Fri, 15 Jan 2027 08:00:03 +0000\"") "," TEXT(
			"2", "delivered", ",\"date_created\":\"Fri, 15 Jan 2027 08:00:02 +0000\""),
		"\"/next\"") "\n" NEXT HEAR_GET("/next")
		OK PAGE(TEXT("1", "sent", ",\"date_created\":\"Fri, 15 Jan 2027 08:00:01 +0000\""),
			"null") "\n" NEXT HEAR_GET(ONE("3"))
			OK TEXT("3", "failed", ",\"error_code\":30007") "\n" NEXT NOBODY;

	stage_open(&s, script);
	int64_t one = put(&s, SM("1")), two = put(&s, SM("2")), three = put(&s, SM("3"));

	ask_at(&s, one, 5 * SECOND);
	expect_state(&s, one, "sent");
	expect_state(&s, two, "delivered");
	expect_state(&s, three, "failed");
	expect_int(next_of(&s, one), 20 * SECOND);
	expect_null(talk_problem(s.twilio.server));
	stage_close(&s);
}

/* A SID nobody knows there any more says nothing of the text: after a day that is said. */
#define GONE_ONE                                                                                   \
	HEAR_GET(ONE("1"))                                                                         \
	"S: HTTP/1.1 404 Not Found\nS: Connection: close\nS: \n"                                   \
	"S= {\"code\":20404,\"message\":\"not found\",\"status\":404}\n" NEXT

TEST(a_sid_that_is_unknown_there_decides_nothing)
{
	struct stage s;

	stage_open(&s, GONE_ONE GONE_ONE GONE_ONE GONE_ONE NOBODY);
	int64_t one = put(&s, SM("1"));

	ask_at(&s, one, 5 * SECOND);
	ask_at(&s, one, 20 * SECOND);
	expect_story(&s, "");
	expect_state(&s, one, "accepted");
	expect_int(next_of(&s, one), 50 * SECOND);
	ask_at(&s, one, DAY + SECOND);
	ask_at(&s, one, DAY + 2 * SECOND);
	expect_story(&s, "1:accepted>sent 1:sent>sent ");
	expect_silence(&s, one);
	stage_close(&s);
}

/* ---- when ---- */

TEST(it_is_asked_at_its_times_and_a_day_long)
{
	static const int64_t moments[] = {5, 20, 50, 110, 410};
	struct buf script;
	struct stage s;
	unsigned hours = 0;

	buf_init(&script, 65536);
	for (int i = 0; i < 5 + 24 + 1; i++)
		buf_add_text(&script, ASK_ONE("1", "queued", ""));
	buf_add_text(&script, NOBODY);
	stage_open(&s, buf_bytes(&script));
	int64_t one = put(&s, SM("1"));

	for (size_t i = 0; i < sizeof(moments) / sizeof(*moments); i++) {
		expect_int(next_of(&s, one), moments[i] * SECOND);
		ask_at(&s, one, moments[i] * SECOND);
	}
	/* then hourly; the last of the day ends it, after one more look */
	for (; next_of(&s, one) > 0 && hours < 30; hours++) {
		int64_t next_ms = next_of(&s, one);

		ask_at(&s, one, next_ms);
		if (next_of(&s, one) > DAY + HOUR)
			expect_stop(__FILE__, __LINE__, "asked too late");
	}
	expect_int(hours, 24 + 1);
	expect_story(&s, "1:accepted>sent 1:sent>sent ");
	expect_silence(&s, one);
	stage_close(&s);
	buf_clear(&script);
}

/* Not before: for each moment one question and no more. */
TEST(it_is_not_asked_before_its_time)
{
	struct stage s;

	stage_open(&s, ASK_ONE("1", "queued", "") ASK_ONE("1", "queued", "") NOBODY);
	int64_t one = put(&s, SM("1"));

	hand_sql(s.hand, "UPDATE tracked SET next_ms = since_ms + 410000");
	for (int64_t age_ms = 10 * SECOND; age_ms < 300 * SECOND; age_ms += 30 * SECOND) {
		turn_to(&s, age_ms);
		hand_stats(s.hand);
		for (int i = 0; i < 20; i++)
			loop_turn(s.hand->loop, false);
		expect_int(next_of(&s, one), 410 * SECOND);
	}
	ask_at(&s, one, 410 * SECOND);
	ask_at(&s, one, 420 * SECOND + HOUR);
	expect_story(&s, "");
	stage_close(&s);
}

/* ---- trouble ---- */

TEST(while_it_does_not_answer_it_is_asked_less_often_and_then_all_is_known)
{
	struct stage s;

	stage_open(
		&s, HEAR_GET(ONE("1")) "S: HTTP/1.1 503 Busy\nS: Connection: close\nS: \n" NEXT
			    HEAR_GET(ONE("1")) OK
		"<html>\n" NEXT HEAR_GET(ONE(
			"1")) "S: HTTP/1.1 302 Found\nS: Location: /x\nS: Connection: close\nS: \n" NEXT
			HEAR_GET(ONE("1")) "RESET\nACCEPT\n" ASK_ONE("1", "delivered", "") NOBODY);
	int64_t one = put(&s, SM("1"));

	ask_at(&s, one, 5 * SECOND);
	expect_story(&s, "1:accepted>delivered ");
	expect_silence(&s, one);
	stage_close(&s);
}

/* Freed in the middle of a question it says nothing more, and the text is still to be asked. */
TEST(freed_in_the_middle_it_leaves_all_as_it_was)
{
	struct stage s;

	stage_open(&s, HEAR_GET(ONE("1")) "S: HTTP/1.1 200 OK\n");
	int64_t one = put(&s, SM("1"));

	turn_to(&s, 5 * SECOND);
	talk_run(s.twilio.server);
	expect_int(next_of(&s, one), 5 * SECOND);
	expect_story(&s, "");
	stage_close(&s);
}

/* ---- uncertain ---- */

#define MINE LIST "?To=%2B15559998888&PageSize=1000"
#define NONE_LISTED HEAR_GET(MINE) OK PAGE("", "null") "\n" NEXT

TEST(what_no_list_has_is_sent_again_only_after_ten_minutes)
{
	static const int64_t moments[] = {5, 30, 120, 600};
	struct stage s;

	stage_open(&s, NONE_LISTED NONE_LISTED NONE_LISTED NONE_LISTED NOBODY);
	int64_t one = put(&s, "");

	for (size_t i = 0; i < 4; i++) {
		expect_story(&s, "");
		expect_int(next_of(&s, one), moments[i] * SECOND);
		ask_at(&s, one, moments[i] * SECOND);
	}
	expect_story(&s, "1:uncertain>queued ");
	expect_silence(&s, one);
	stage_close(&s);
}

TEST(what_a_list_has_is_adopted)
{
	struct stage s;

	stage_open(&s, NONE_LISTED HEAR_GET(MINE) OK PAGE(
			       TEXT("1", "sent",
				    ",\"date_created\":\"Fri, 15 Jan 2027 08:00:01 +0000\""),
			       "null") "\n" NEXT NOBODY);
	int64_t one = put(&s, "");

	ask_at(&s, one, 5 * SECOND);
	ask_at(&s, one, 30 * SECOND);
	expect_story(&s, "1:uncertain>sent ");
	expect_int(hand_number(
			   s.hand,
			   "SELECT count(*) FROM tracked WHERE remote_id = '" SM(
				   "1") "' AND next_ms / 1000 - since_ms / 1000 BETWEEN 49 AND 51"),
		   1);
	stage_close(&s);
}

/* ---- the wall clock is set ---- */

#define DATED(time)                                                                                \
	"S: HTTP/1.1 200 OK\nS: Date: Fri, 15 Jan 2027 " time " GMT\nS: Connection: close\nS: \nS= "

TEST(set_back_it_still_finds_what_was_sent_before)
{
	struct stage s;

	stage_open(&s, HEAR_GET(MINE) DATED("08:00:05") PAGE("", "null") "\n" NEXT HEAR_GET(
			       MINE) DATED("08:00:30")
			       PAGE(TEXT("1", "sent",
					 ",\"date_created\":\"Fri, 15 Jan 2027 08:00:01 +0000\""),
				    "null") "\n" NEXT NOBODY);
	int64_t one = put(&s, "");

	clock_turn_wall(-60 * SECOND);
	ask_at(&s, one, 5 * SECOND - 60 * SECOND);
	expect_int(next_of(&s, one), 30 * SECOND);
	ask_at(&s, one, 30 * SECOND - 60 * SECOND);
	expect_story(&s, "1:uncertain>sent ");
	stage_close(&s);
}

TEST(set_forward_it_still_waits_ten_minutes_for_what_no_list_has)
{
	static const int64_t moments[] = {5, 30, 120, 600};
	struct stage s;

	stage_open(&s, NONE_LISTED NONE_LISTED NONE_LISTED NONE_LISTED NOBODY);
	int64_t one = put(&s, "");

	clock_turn_wall(HOUR);
	for (size_t i = 0; i < 4; i++) {
		expect_story(&s, "");
		expect_int(next_of(&s, one), moments[i] * SECOND);
		ask_at(&s, one, moments[i] * SECOND + HOUR);
	}
	expect_story(&s, "1:uncertain>queued ");
	stage_close(&s);
}

TEST(set_forward_it_still_asks_for_a_day)
{
	struct stage s;

	stage_open(&s, ASK_ONE("1", "queued", "") ASK_ONE("1", "delivered", "") NOBODY);
	int64_t one = put(&s, SM("1"));

	clock_turn_wall(2 * DAY);
	ask_at(&s, one, 5 * SECOND + 2 * DAY);
	expect_story(&s, "");
	expect_int(next_of(&s, one), 20 * SECOND);
	ask_at(&s, one, 20 * SECOND + 2 * DAY);
	expect_story(&s, "1:accepted>delivered ");
	stage_close(&s);
}

TEST(set_in_the_middle_of_a_question_nothing_ends_early)
{
	struct stage s;

	stage_open(&s, ASK_ONE("1", "queued", "") NOBODY);
	int64_t one = put(&s, SM("1"));

	turn_to(&s, 5 * SECOND);
	clock_turn_wall(2 * DAY);
	ask_at(&s, one, 5 * SECOND + 2 * DAY);
	expect_story(&s, "");
	expect_int(next_of(&s, one), 20 * SECOND);
	stage_close(&s);
}

RUN_TESTS()
