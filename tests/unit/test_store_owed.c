/* What senders are still to hear, and that it is told once. */
#include "queue/store_owed.h"

#include <stdio.h>

#include "clock.h"
#include "expect.h"
#include "queue/store.h"
#include "store_hand.h"

struct asked {
	struct hand *hand;
	char text[300];
	bool answered;
};

static void owed_came(void *ctx, const struct owed_result *owed)
{
	struct asked *a = ctx;
	size_t n = 0;

	a->answered = true;
	expect_null(owed->why);
	if (!owed->message)
		return;
	n += (size_t)snprintf(a->text, sizeof(a->text),
			      "m%lld %s %.*s:", (long long)owed->message->id,
			      owed->delay ? "delay" : "failure", (int)owed->content_len,
			      (const char *)owed->content);
	for (size_t i = 0; i < owed->ndeliveries; i++)
		n += (size_t)snprintf(a->text + n, sizeof(a->text) - n, " %s%s",
				      owed->deliveries[i].recipient,
				      owed->deliveries[i].notice == NOTICE_WANTED ? "!" : "");
}

static const char *owed(struct hand *h, int64_t slow_before_ms)
{
	static struct asked a;

	a = (struct asked){.hand = h};
	store_owed(h->store, slow_before_ms, owed_came, &a);
	while (!a.answered)
		loop_turn(h->loop, true);
	return a.text;
}

/* Deliveries 1 and 2 of message 1, claimed, and of whose failure the sender is to hear. */
static struct hand *hand_claimed(void)
{
	struct hand *h = hand_new();
	struct message_row m = hand_message();
	struct delivery_row d[2] = {hand_delivery("a@x"), hand_delivery("b@x")};
	struct batch *b = batch_new();

	m.tell_delay = true;
	d[0].notice = d[1].notice = NOTICE_WANTED;
	batch_put_message(b, &m, d, 2, 0);
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	hand_claim(h, "#mail", 1, 9, HAND_NOW);
	return h;
}

static void move(struct hand *h, int64_t delivery, enum delivery_state to)
{
	struct delivery_change c = hand_change(1, delivery, STATE_SENDING, to, 1);

	expect_int(hand_move(h, &c), BATCH_DONE);
}

/* A notice of these deliveries, as one batch. */
static enum batch_status tell(struct hand *h, const int64_t *deliveries, size_t n)
{
	struct message_row m = hand_message();
	struct delivery_row d = hand_delivery("me@x");
	struct batch *b = batch_new();

	batch_tell(b, 1, deliveries, n);
	batch_put_message(b, &m, &d, 1, 0);
	return hand_commit(h, b).status;
}

TEST(failures_are_owed_until_they_are_told)
{
	struct hand *h = hand_claimed();
	const int64_t both[] = {1, 2};

	expect_text(owed(h, 0), "");
	move(h, 1, STATE_FAILED);
	expect_text(owed(h, 0), "m1 failure hello: a@x! b@x!");
	hand_reopen(h);
	expect_text(owed(h, 0), "m1 failure hello: a@x! b@x!");
	/* the second has not failed: nothing of that batch happens */
	expect_int(tell(h, both, 2), BATCH_MISSED);
	expect_int(hand_number(h, "SELECT count(*) FROM messages"), 1);
	expect_int(tell(h, both, 1), BATCH_DONE);
	expect_text(owed(h, 0), "");
	expect_int(tell(h, both, 1), BATCH_MISSED);
	expect_int(hand_number(h, "SELECT count(*) FROM messages"), 2);
	hand_free(h);
}

TEST(after_a_retry_it_is_owed_anew)
{
	struct hand *h = hand_claimed();
	const int64_t first = 1;

	move(h, 1, STATE_FAILED);
	expect_int(tell(h, &first, 1), BATCH_DONE);
	hand_do(h, DEED_RETRY, &(struct filter){.uid = -1, .delivery = 1}, 0);
	expect_text(owed(h, 0), "");
	hand_claim(h, "#mail", 9, 9, HAND_NOW + HAND_HOUR);
	struct delivery_change c = hand_change(1, 1, STATE_SENDING, STATE_FAILED, 2);
	expect_int(hand_move(h, &c), BATCH_DONE);
	expect_text(owed(h, 0), "m1 failure hello: a@x! b@x!");
	hand_free(h);
}

TEST(what_is_sent_canceled_or_not_asked_for_is_not_owed)
{
	struct hand *h = hand_claimed();

	move(h, 1, STATE_SENT);
	hand_put(h, "c@x");
	hand_claim(h, "#mail", 1, 9, HAND_NOW);
	struct delivery_change c = hand_change(2, 3, STATE_SENDING, STATE_FAILED, 1);
	expect_int(hand_move(h, &c), BATCH_DONE);
	expect_text(owed(h, 0), "");
	hand_free(h);
}

TEST(delay_is_owed_once_and_only_while_something_waits)
{
	struct hand *h = hand_claimed();

	expect_text(owed(h, HAND_NOW), "");
	expect_text(owed(h, HAND_NOW + HAND_HOUR), "m1 delay hello: a@x! b@x!");
	move(h, 1, STATE_SENT);
	expect_text(owed(h, HAND_NOW + HAND_HOUR), "m1 delay hello: a@x! b@x!");
	expect_int(tell(h, NULL, 0), BATCH_DONE);
	expect_int(tell(h, NULL, 0), BATCH_MISSED);
	expect_text(owed(h, HAND_NOW + HAND_HOUR), "");
	hand_free(h);
}

TEST(delay_is_what_it_waited_and_not_what_the_clock_was_set_by)
{
	int64_t ahead_ms = clock_ahead_ms();

	clock_turn_wall(HAND_NOW - clock_wall_ms());
	struct hand *h = hand_claimed();

	clock_turn_wall(6 * HAND_HOUR);
	hand_put(h, "c@x");
	expect_text(owed(h, HAND_NOW + 2 * HAND_HOUR), "");
	expect_text(owed(h, HAND_NOW + 7 * HAND_HOUR), "m1 delay hello: a@x! b@x!");
	clock_turn_wall(ahead_ms - clock_ahead_ms());
	hand_free(h);
}

RUN_TESTS()
