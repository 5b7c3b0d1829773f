/* Texts whose provider is asked: which are due, what is known of them, whose is whose. */
#include "queue/store_track.h"

#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "clock.h"
#include "expect.h"
#include "store_hand.h"

struct heard {
	bool answered;
	struct failure why;
	char text[600];
	int64_t next_ms;
};

static void hear(void *ctx, const struct track_result *result)
{
	struct heard *heard = ctx;
	size_t len = 0, size = sizeof(heard->text);

	for (size_t i = 0; i < result->n; i++) {
		const struct tracked *t = &result->rows[i];

		len += (size_t)snprintf(heard->text + len, size - len, "%s %s %s %d", t->recipient,
					state_name(t->state), t->remote_id,
					(int)(t->since_ms - HAND_NOW));
		for (const char *const *o = t->owned; o && *o; o++)
			len += (size_t)snprintf(heard->text + len, size - len, " not %s", *o);
		if (t->content)
			len += (size_t)snprintf(heard->text + len, size - len, " %.*s",
						(int)t->content_len, (const char *)t->content);
		len += (size_t)snprintf(heard->text + len, size - len, "|");
	}
	heard->next_ms = result->next_ms;
	if (result->why)
		heard->why = *result->why;
	heard->answered = true;
}

static struct heard track(struct hand *h, int64_t in_ms)
{
	struct heard heard = {0};

	store_track(h->store, "sms", HAND_NOW + in_ms - clock_ahead_ms(), 10, hear, &heard);
	while (!heard.answered)
		loop_turn(h->loop, true);
	return heard;
}

/* A text that was claimed, and what came of it. Returns its delivery. */
static int64_t send(struct hand *h, const char *number, enum delivery_state to, const char *sid,
		    int64_t ask_in_ms)
{
	int64_t message = hand_put(h, number);
	int64_t delivery = hand_number(h, "SELECT max(id) FROM deliveries");

	hand_claim(h, "#mail", 1, 1, HAND_NOW);
	struct delivery_change change = hand_change(message, delivery, STATE_SENDING, to, 1);

	change.transport = "sms";
	change.remote_id = sid;
	change.at_ms = HAND_NOW + 300;
	change.next_ms = HAND_NOW + ask_in_ms;
	expect_int(hand_move(h, &change), BATCH_DONE);
	return delivery;
}

TEST(what_is_due_is_told_with_what_is_needed_to_ask)
{
	struct hand *h = hand_new();

	send(h, "+15550001", STATE_ACCEPTED, "SM1", 5000);
	send(h, "+15550002", STATE_UNCERTAIN, "", 6000);
	expect_text(track(h, 4990).text, "");
	expect_true(track(h, 4990).next_ms == HAND_NOW + 5000);
	expect_text(track(h, 5010).text, "+15550001 accepted SM1 0|");
	expect_text(track(h, 6010).text, "+15550001 accepted SM1 0|+15550002 uncertain  0 hello|");
	expect_int(track(h, 6010).next_ms, 0);
	hand_free(h);
}

TEST(it_is_looked_for_since_its_attempt_began_though_the_clock_was_set_meanwhile)
{
	struct hand *h = hand_new();
	int64_t message = hand_put(h, "+15550001");

	hand_claim(h, "#mail", 1, 1, HAND_NOW);
	clock_turn_wall(-60000);
	struct delivery_change change = hand_change(message, 1, STATE_SENDING, STATE_UNCERTAIN, 1);

	change.transport = "sms";
	expect_int(hand_move(h, &change), BATCH_DONE);
	expect_true(hand_number(h, "SELECT since_ms FROM tracked") < HAND_NOW - 59000);
	clock_turn_wall(60000);
	hand_free(h);
}

/* The next write makes the rows follow; until then they are read as what they are. */
TEST(its_moment_comes_when_it_would_have_though_the_clock_was_set)
{
	struct hand *h = hand_new();

	send(h, "+15550001", STATE_ACCEPTED, "SM1", 5000);
	clock_turn_wall(-60000);
	expect_text(track(h, 4000 - 60000).text, "");
	expect_contains(track(h, 5500 - 60000).text, "accepted SM1");
	hand_put(h, "a@x");
	expect_text(track(h, 4000 - 60000).text, "");
	expect_contains(track(h, 5500 - 60000).text, "accepted SM1");
	clock_turn_wall(60000);
	hand_free(h);
}

TEST(a_look_that_failed_says_why)
{
	struct hand *h = hand_new();

	hand_sql(h, "DROP TABLE bundles");
	struct heard heard = track(h, 0);

	expect_int(heard.why.kind, FAILURE_LATER);
	expect_contains(heard.why.text, "no such table");
	hand_free(h);
}

TEST(mail_is_not_tracked)
{
	struct hand *h = hand_new();
	int64_t message = hand_put(h, "a@x");
	int64_t delivery = hand_number(h, "SELECT max(id) FROM deliveries");

	hand_claim(h, "#mail", 1, 1, HAND_NOW);
	struct delivery_change change =
		hand_change(message, delivery, STATE_SENDING, STATE_SENT, 1);

	expect_int(hand_move(h, &change), BATCH_DONE);
	expect_int(hand_number(h, "SELECT count(*) FROM tracked"), 0);
	hand_free(h);
}

TEST(what_another_owns_is_known_and_cannot_be_adopted)
{
	struct hand *h = hand_new();

	send(h, "+15550001", STATE_ACCEPTED, "SM1", 90000);
	int64_t second = send(h, "+15550001", STATE_UNCERTAIN, "", 5000);

	expect_text(track(h, 5010).text, "+15550001 uncertain  0 not SM1 hello|");
	struct delivery_change change = hand_change(hand_number(h, "SELECT max(id) FROM messages"),
						    second, STATE_UNCERTAIN, STATE_ACCEPTED, 1);

	change.remote_id = "SM1";
	expect_int(hand_move(h, &change), BATCH_MISSED);
	change.remote_id = "SM2";
	expect_int(hand_move(h, &change), BATCH_DONE);
	hand_free(h);
}

TEST(a_later_moment_is_kept_and_the_last_is_none)
{
	struct hand *h = hand_new();
	int64_t delivery = send(h, "+15550001", STATE_ACCEPTED, "SM1", 5000);
	struct batch *b = batch_new();

	batch_ask_again(b, delivery, HAND_NOW + 20000);
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	expect_text(track(h, 19990).text, "");
	expect_text(track(h, 20010).text, "+15550001 accepted SM1 0|");
	b = batch_new();
	batch_ask_again(b, delivery, 0);
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	expect_text(track(h, 90010).text, "");
	hand_free(h);
}

/* A text that went by a transport which is there no more. */
static int64_t stray(struct hand *h, const char *number, enum delivery_state to, const char *sid)
{
	int64_t delivery = send(h, number, to, sid, 5000);

	hand_sql(
		h,
		"UPDATE tracked SET transport = 'old' WHERE delivery = (SELECT max(id) FROM deliveries)");
	return delivery;
}

TEST(who_can_be_asked_no_more_is_waited_for_a_day)
{
	struct hand *h = hand_new();
	int64_t accepted = stray(h, "+15550001", STATE_ACCEPTED, "SM1");
	int64_t uncertain = stray(h, "+15550002", STATE_UNCERTAIN, "");
	int64_t sent = stray(h, "+15550003", STATE_ACCEPTED, "SM3");
	struct delivery_change change = hand_change(sent, sent, STATE_ACCEPTED, STATE_SENT, 1);

	send(h, "+15550004", STATE_ACCEPTED, "SM4", 5000);
	change.message =
		hand_number(h, "SELECT message FROM deliveries WHERE recipient = '+15550003'");
	change.next_ms = HAND_NOW + 9000;
	expect_int(hand_move(h, &change), BATCH_DONE);
	hand_sweep(h, HAND_NOW + 24 * HAND_HOUR - 1, 0);
	expect_text(hand_events(h), "");
	expect_int(hand_number(h, "SELECT count(*) FROM tracked WHERE next_ms > 0"), 4);
	hand_sweep(h, HAND_NOW + 24 * HAND_HOUR, 0);
	AUTO(free)
	char *told = xprintf(
		"%d:accepted->sent #1 +15550001 0 unconfirmed: its transport is there no more\n"
		"%d:uncertain->held #1 +15550002 0 perhaps sent, by a transport that is there"
		" no more: release or cancel it\n",
		(int)accepted, (int)uncertain);
	expect_text(hand_events(h), told);
	expect_int(hand_number(h, "SELECT count(*) FROM tracked WHERE next_ms > 0"), 1);
	hand_sweep(h, HAND_NOW + 48 * HAND_HOUR, 0);
	expect_text(hand_events(h), "");
	expect_text(track(h, 5010).text, "+15550004 accepted SM4 0|");
	hand_free(h);
}

TEST(who_has_said_stop_is_sent_nothing_for_a_day)
{
	struct hand *h = hand_new();

	send(h, "+15550001", STATE_SUPPRESSED, "", 0);
	hand_put(h, "+15550001");
	hand_claim(h, "#mail", 1, 1, HAND_NOW + HAND_HOUR);
	expect_text(hand_told(h), "");
	expect_contains(hand_events(h), "queued->suppressed");
	hand_put(h, "+15550001");
	hand_sql(h, "UPDATE deliveries SET expires_ms = 0");
	hand_claim(h, "#mail", 1, 1, HAND_NOW + 25 * HAND_HOUR);
	expect_contains(hand_told(h), "+15550001");
	hand_free(h);
}

RUN_TESTS()
