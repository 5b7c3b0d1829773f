/* How many texts may go to a number, and in a day; and what goes together. */
#include "queue/store_texts.h"

#include "alloc.h"
#include "clock.h"
#include "expect.h"
#include "message/letter.h"
#include "store_hand.h"

#define ME "+15559998888"
#define MINUTE INT64_C(60000)

static struct text_rules rules_of(const char *throttle)
{
	struct text_rules rules = {.day_ms = HAND_NOW - HAND_HOUR,
				   .tomorrow_ms = HAND_NOW + HAND_HOUR};
	struct failure f;

	expect_int(throttle_parse(throttle, &rules.throttle, &f), 0);
	return rules;
}

static int64_t put_with(struct hand *h, const char *text, unsigned priority, char **media)
{
	struct letter l = {.kind = LETTER_COMPOSED, .has_text = true, .text_size = strlen(text)};
	struct message_row m = hand_message();
	struct delivery_row d = hand_delivery(ME);
	char *spec, mailbox[] = "me@x", id[] = "id@x", boundary[] = "b", marker[] = "m";

	l.from = (struct address){.mailbox = mailbox, .ascii = mailbox};
	l.media = media;
	l.message_id = id;
	l.boundary = boundary;
	l.marker = marker;
	m.spec = spec = letter_to_spec(&l);
	m.content = text;
	m.content_size = strlen(text);
	m.priority = priority;
	int64_t message = hand_put_row(h, &m, &d);

	free(spec);
	return message;
}

static int64_t put(struct hand *h, const char *text, unsigned priority)
{
	return put_with(h, text, priority, NULL);
}

static void claim(struct hand *h, const struct text_rules *rules, int64_t after_ms)
{
	h->texts = rules;
	hand_claim(h, "#mail", 9, 1, HAND_NOW + after_ms);
}

TEST(windows_hold_over_a_restart_and_open_when_the_oldest_is_past)
{
	struct text_rules rules = rules_of("2/1m");
	struct hand *h = hand_new();

	put(h, "one", 2);
	claim(h, &rules, 0);
	put(h, "two", 2);
	claim(h, &rules, 10000);
	put(h, "three", 2);
	claim(h, &rules, 20000);
	expect_text(hand_told(h), "");
	expect_int(h->next_ms, HAND_NOW + MINUTE);
	hand_reopen(h);
	claim(h, &rules, MINUTE - 1);
	expect_text(hand_told(h), "");
	claim(h, &rules, MINUTE);
	expect_text(hand_told(h), "m3 " ME "(3)#1\n");
	hand_free(h);
}

TEST(a_clock_that_is_set_takes_them_along)
{
	struct text_rules rules = rules_of("1/1m");
	struct hand *h = hand_new();

	put(h, "one", 2);
	claim(h, &rules, 0);
	put(h, "two", 2);
	hand_sql(h, "UPDATE deliveries SET next_ms = 1, expires_ms = 0 WHERE id = 2");
	clock_turn_wall(-HAND_HOUR);
	claim(h, &rules, 30000 - HAND_HOUR);
	expect_text(hand_told(h), "");
	expect_int((hand_number(h, "SELECT at_ms FROM texts") + 500) / 1000,
		   (HAND_NOW - HAND_HOUR) / 1000);
	claim(h, &rules, MINUTE + 1000 - HAND_HOUR);
	expect_text(hand_told(h), "m2 " ME "(2)#1\n");
	clock_turn_wall(HAND_HOUR);
	hand_free(h);
}

TEST(a_clock_set_back_while_nobody_watched_locks_nobody_out)
{
	struct text_rules rules = rules_of("1/1m");
	struct hand *h = hand_new();

	put(h, "one", 2);
	claim(h, &rules, 30 * MINUTE);
	put(h, "two", 2);
	claim(h, &rules, 0);
	expect_text(hand_told(h), "");
	expect_int(h->next_ms, HAND_NOW + MINUTE);
	hand_sweep(h, HAND_NOW, 0);
	claim(h, &rules, MINUTE);
	expect_text(hand_told(h), "m2 " ME "(2)#1\n");
	hand_free(h);
}

TEST(the_last_that_may_go_takes_the_others_along_and_they_share_its_fate)
{
	struct text_rules rules = rules_of("1/1m");
	struct hand *h = hand_new();
	struct delivery_change change;

	put(h, "one", 2);
	put(h, "two", 3);
	put(h, "three", 2);
	claim(h, &rules, 0);
	expect_text(hand_told(h), "m1 " ME "(1)#1\n");
	expect_int(hand_number(h, "SELECT count(*) FROM deliveries WHERE state = 3 AND bundle = 1"),
		   3);
	expect_int(hand_number(h,
			       "SELECT CAST(content AS TEXT) = '3 messages:\n- one\n- three\n- two'"
			       " FROM bundles WHERE lead = 1"),
		   1);
	expect_int(hand_number(h, "SELECT count(*) FROM texts"), 1);
	/* nobody knows what became of it: it is looked for as one */
	hand_reopen(h);
	expect_int(hand_number(h, "SELECT count(*) FROM deliveries WHERE state = 12"), 3);
	expect_int(hand_number(h, "SELECT count(*) FROM tracked"), 1);
	change = hand_change(1, 1, STATE_UNCERTAIN, STATE_ACCEPTED, 1);
	change.remote_id = "SM1";
	expect_int(hand_move(h, &change), BATCH_DONE);
	expect_int(hand_number(h, "SELECT count(*) FROM deliveries WHERE state = 4"
				  " AND remote_id = 'SM1'"),
		   3);
	hand_free(h);
}

TEST(a_picture_goes_with_no_other_and_is_one_segment)
{
	struct text_rules rules = rules_of("1/1m");
	char url[] = "https://example.com/a.png", *media[] = {url, NULL}, words[400];
	struct hand *h = hand_new();

	memset(words, 'a', sizeof(words));
	words[sizeof(words) - 1] = '\0';
	rules.pictures = true;
	put_with(h, words, 2, media);
	put(h, "one", 2);
	put(h, "two", 2);
	put_with(h, "three", 2, media);
	claim(h, &rules, 0);
	expect_text(hand_told(h), "m1 " ME "(1)#1\n");
	expect_int(hand_number(h, "SELECT segments FROM texts"), 1);
	claim(h, &rules, MINUTE);
	expect_text(hand_told(h), "m2 " ME "(2)#1\n");
	expect_int(hand_number(h, "SELECT count(*) FROM deliveries WHERE bundle = 2"), 2);
	claim(h, &rules, 2 * MINUTE);
	expect_text(hand_told(h), "m4 " ME "(4)#1\n");
	hand_free(h);
}

/* By a way that has no pictures the URL is a line, and counted. */
TEST(a_url_as_a_line_is_counted)
{
	struct text_rules rules = rules_of("1/1m");
	char url[201], *media[] = {url, NULL};
	struct hand *h = hand_new();

	memset(url, 'a', sizeof(url));
	memcpy(url, "https://a/", 10);
	url[sizeof(url) - 1] = '\0';
	put_with(h, "See", 2, media);
	claim(h, &rules, 0);
	expect_int(hand_number(h, "SELECT segments FROM texts"), 2);
	hand_free(h);
}

TEST(one_that_is_known_not_to_be_there_is_as_if_it_had_not_been_sent)
{
	struct text_rules rules = rules_of("1/1m");
	struct hand *h = hand_new();
	struct delivery_change change;

	put(h, "one", 2);
	put(h, "two", 2);
	claim(h, &rules, 0);
	change = hand_change(1, 1, STATE_SENDING, STATE_QUEUED, 1);
	change.new_attempt = 0;
	change.next_ms = HAND_NOW;
	expect_int(hand_move(h, &change), BATCH_DONE);
	expect_int(hand_number(h, "SELECT count(*) FROM deliveries WHERE state = 2 AND bundle = 0"
				  " AND attempt_no = 0"),
		   2);
	expect_int(hand_number(h, "SELECT count(*) FROM texts"), 0);
	claim(h, &rules, 1);
	expect_text(hand_told(h), "m1 " ME "(1)#1\n");
	hand_free(h);
}

TEST(who_leads_hands_that_on_when_its_own_fate_is_decided)
{
	struct text_rules rules = rules_of("1/1m");
	struct filter first = {.message = 1, .uid = -1};
	struct hand *h = hand_new();

	put(h, "one", 2);
	put(h, "two", 2);
	claim(h, &rules, 0);
	hand_reopen(h);
	hand_do(h, DEED_CANCEL, &first, 0);
	expect_int(h->changed, 1);
	expect_int(hand_number(h, "SELECT delivery FROM tracked WHERE next_ms > 0"), 2);
	expect_int(hand_number(h, "SELECT lead FROM bundles"), 2);
	expect_int(hand_number(h, "SELECT state FROM deliveries WHERE id = 2"), STATE_UNCERTAIN);
	hand_free(h);
}

TEST(what_is_above_the_cap_is_not_touched_and_goes_the_next_day)
{
	struct text_rules rules = rules_of("none");
	struct hand *h = hand_new();

	rules.max_messages = 1;
	rules.urgent_passes = true;
	put(h, "one", 2);
	put(h, "two", 2);
	claim(h, &rules, 0);
	expect_text(hand_told(h), "m1 " ME "(1)#1\n");
	expect_int(h->next_ms, rules.tomorrow_ms);
	expect_int(hand_number(h, "SELECT attempt_no FROM deliveries WHERE id = 2"), 0);
	put(h, "urgent", 0);
	claim(h, &rules, 1);
	expect_text(hand_told(h), "m3 " ME "(3)#1\n");
	rules.day_ms = HAND_NOW + HAND_HOUR;
	rules.tomorrow_ms = HAND_NOW + 25 * HAND_HOUR;
	claim(h, &rules, HAND_HOUR);
	expect_text(hand_told(h), "m2 " ME "(2)#1\n");
	hand_free(h);
}

RUN_TESTS()
