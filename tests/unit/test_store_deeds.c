/* What operators and owners do and see: deeds, lists, one message, counts. */
#include "queue/store_read.h"

#include "expect.h"
#include "store_hand.h"

static void move(struct hand *h, int64_t message, int64_t delivery, enum delivery_state to)
{
	struct delivery_change c = hand_change(message, delivery, STATE_SENDING, to, 1);

	expect_int(hand_move(h, &c), BATCH_DONE);
}

/* 1 failed, 2 sent, 3 queued, 4 sending, 5 held (to be sent later). */
static struct hand *hand_with_one_of_each(void)
{
	struct hand *h = hand_new();
	struct message_row m = hand_message();
	struct delivery_row d = hand_delivery("e@y");

	hand_put(h, "a@x b@x");
	hand_claim(h, "#mail", 1, 9, HAND_NOW);
	move(h, 1, 1, STATE_FAILED);
	move(h, 1, 2, STATE_SENT);
	hand_put(h, "d@x");
	hand_claim(h, "#mail", 1, 9, HAND_NOW);
	hand_put(h, "c@y");
	m.uid = 1001;
	d.state = STATE_HELD;
	hand_put_row(h, &m, &d);
	return h;
}

TEST(cancel_takes_what_waits_and_passes_the_rest_over)
{
	struct hand *h = hand_with_one_of_each();

	hand_do(h, DEED_CANCEL, &hand_all, 0);
	expect_text(hand_events(h), "4:queued->canceled #0 c@y\n5:held->canceled #0 e@y\n");
	expect_int(h->passed_over, 3);
	expect_true(h->done);
	expect_int(hand_number(h, "SELECT sum(live) FROM messages"), 1);
	hand_free(h);
}

TEST(hold_and_release)
{
	struct hand *h = hand_with_one_of_each();

	hand_do(h, DEED_HOLD, &hand_all, 0);
	expect_text(hand_events(h), "4:queued->held #0 c@y\n");
	hand_claim(h, "#mail", 9, 9, HAND_NOW + HAND_HOUR);
	expect_text(hand_told(h), "");
	expect_int(h->next_ms, 0);
	hand_do(h, DEED_RELEASE, &(struct filter){.uid = 1001}, 0);
	expect_text(hand_events(h), "5:held->queued #0 e@y\n");
	hand_claim(h, "#mail", 9, 9, HAND_NOW + 5000);
	expect_text(hand_told(h), "m4 e@y(5)#1\n");
	hand_free(h);
}

TEST(what_was_held_past_its_time_lives_anew_when_released)
{
	struct hand *h = hand_new();

	hand_put(h, "a@x");
	hand_do(h, DEED_HOLD, &hand_all, 0);
	hand_sweep(h, HAND_NOW + 9 * HAND_HOUR, 0);
	expect_text(hand_events(h), "");
	hand_sql(h, "UPDATE deliveries SET expires_ms = 5");
	hand_do(h, DEED_RELEASE, &hand_all, 0);
	expect_int(hand_number(h, "SELECT expires_ms FROM deliveries"),
		   HAND_NOW + 5000 + 4 * HAND_HOUR);
	hand_free(h);
}

TEST(what_has_a_date_keeps_it_unless_it_is_named_to_retry)
{
	struct hand *h = hand_new();
	struct message_row m = hand_message();
	struct delivery_row d = hand_delivery("a@x");

	d.next_ms = HAND_NOW + HAND_HOUR;
	hand_put_row(h, &m, &d);
	hand_do(h, DEED_RETRY, &hand_all, 0);
	expect_text(hand_events(h), "");
	expect_int(h->passed_over, 1);
	hand_do(h, DEED_HOLD, &hand_all, 0);
	hand_do(h, DEED_RELEASE, &hand_all, 0);
	hand_claim(h, "#mail", 9, 9, HAND_NOW + HAND_HOUR - 1);
	expect_text(hand_told(h), "");
	expect_int(h->next_ms, HAND_NOW + HAND_HOUR);
	hand_do(h, DEED_RETRY, &(struct filter){.message = 1, .uid = -1}, 0);
	hand_claim(h, "#mail", 9, 9, HAND_NOW + 5000);
	expect_text(hand_told(h), "m1 a@x(1)#1\n");
	/* what was tried waits for no date */
	hand_sql(h, "UPDATE deliveries SET state = 2, claim_owner = NULL, lease_until = NULL,"
		    " next_ms = next_ms + 9000000");
	hand_do(h, DEED_RETRY, &hand_all, 0);
	expect_int(h->passed_over, 0);
	hand_free(h);
}

TEST(retry_gives_what_failed_its_life_again_and_keeps_the_count)
{
	struct hand *h = hand_with_one_of_each();

	hand_do(h, DEED_RETRY, &hand_all, 0);
	expect_text(hand_events(h), "1:failed->queued #1 a@x\n4:queued->queued #0 c@y\n");
	expect_int(h->passed_over, 3);
	expect_int(hand_number(h, "SELECT expires_ms FROM deliveries WHERE id = 1"),
		   HAND_NOW + 5000 + 4 * HAND_HOUR);
	expect_int(hand_number(h, "SELECT expires_ms FROM deliveries WHERE id = 4"),
		   HAND_NOW + 4 * HAND_HOUR);
	hand_claim(h, "#mail", 1, 9, HAND_NOW + 5000);
	expect_text(hand_told(h), "m1 a@x(1)#2\n");
	expect_int(hand_number(h, "SELECT live FROM messages WHERE id = 1"), 1);
	/* a second life is as long as the first */
	struct delivery_change c = hand_change(1, 1, STATE_SENDING, STATE_FAILED, 2);

	expect_int(hand_move(h, &c), BATCH_DONE);
	hand_do(h, DEED_RETRY, &(struct filter){.delivery = 1, .uid = -1}, 0);
	expect_int(hand_number(h, "SELECT expires_ms FROM deliveries WHERE id = 1"),
		   HAND_NOW + 5000 + 4 * HAND_HOUR);
	hand_free(h);
}

TEST(filters_narrow_what_is_listed)
{
	struct hand *h = hand_with_one_of_each();

	hand_list(h, &(struct filter){.uid = -1, .message = 1}, 0, 10);
	expect_text(hand_told(h), "1 m1 failed a@x\n2 m1 sent b@x\n");
	hand_list(h, &(struct filter){.uid = -1, .delivery = 2}, 0, 10);
	expect_text(hand_told(h), "2 m1 sent b@x\n");
	hand_list(h, &(struct filter){.uid = -1, .delivery = 3, .message = 1}, 0, 10);
	expect_text(hand_told(h), "");
	hand_list(h, &(struct filter){.uid = 1001}, 0, 10);
	expect_text(hand_told(h), "5 m4 held e@y\n");
	hand_list(h, &(struct filter){.uid = -1, .states = 1u << STATE_SENT | 1u << STATE_SENDING},
		  0, 10);
	expect_text(hand_told(h), "2 m1 sent b@x\n3 m2 sending d@x\n");
	hand_list(h, &(struct filter){.uid = -1, .recipient = "*@Y"}, 0, 10);
	expect_text(hand_told(h), "4 m3 queued c@y\n5 m4 held e@y\n");
	hand_list(h, &(struct filter){.uid = -1, .route = "#sms"}, 0, 10);
	expect_text(hand_told(h), "");
	expect_true(h->done);
	hand_list(h, &(struct filter){.uid = -1, .message = 77}, 0, 10);
	expect_text(hand_told(h), "");
	expect_true(h->done);
	hand_free(h);
}

TEST(lists_come_in_pages)
{
	struct hand *h = hand_with_one_of_each();

	hand_list(h, &hand_all, 0, 2);
	expect_text(hand_told(h), "1 m1 failed a@x\n2 m1 sent b@x\n");
	expect_false(h->done);
	hand_list(h, &hand_all, h->last, 2);
	expect_text(hand_told(h), "3 m2 sending d@x\n4 m3 queued c@y\n");
	hand_list(h, &hand_all, h->last, 2);
	expect_text(hand_told(h), "5 m4 held e@y\n");
	expect_true(h->done);
	hand_free(h);
}

static void put_many(struct hand *h, size_t n)
{
	struct message_row m = hand_message();
	struct delivery_row *rows = calloc(n, sizeof(*rows));
	struct batch *b = batch_new();

	for (size_t i = 0; i < n; i++)
		rows[i] = hand_delivery("a@x");
	batch_put_message(b, &m, rows, n, 0);
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	free(rows);
}

TEST(deeds_on_many_go_on_page_by_page)
{
	struct hand *h = hand_new();
	size_t changed = 0, pages = 0;

	put_many(h, 1200);
	for (h->last = 0, h->done = false; !h->done; pages++) {
		hand_do(h, DEED_HOLD, &hand_all, h->last);
		expect_true(h->changed <= STORE_PAGE_MAX);
		changed += h->changed;
	}
	expect_int(changed, 1200);
	expect_int(pages, 3);
	expect_int(hand_stats(h).by_state[STATE_HELD], 1200);
	hand_free(h);
}

TEST(a_step_of_a_list_ends_though_it_found_nothing)
{
	struct hand *h = hand_new();
	size_t steps = 0;

	put_many(h, 25000);
	hand_put(h, "z@x");
	for (h->last = 0, h->done = false; !h->done; steps++)
		hand_list(h, &(struct filter){.uid = -1, .recipient = "z@*"}, h->last, 10);
	expect_int(steps, 2);
	expect_text(hand_told(h), "25001 m2 queued z@x\n");
	hand_free(h);
}

static void look_closely(void *ctx, const struct show_result *r)
{
	expect_null(r->why);
	expect_text(r->message->spec, "{}");
	expect_text(r->message->subject, "greeting");
	expect_text(r->message->sender, "box@example.com");
	expect_text(r->message->message_id, "<1@example.com>");
	expect_null(r->message->key);
	expect_null(r->message->content);
	expect_int(r->message->content_size, 5);
	expect_int(r->message->uid, 1000);
	expect_int(r->message->pid, 42);
	expect_int(r->events[0].uid, 1000);
	expect_int(r->events[0].from, 0);
	expect_text(r->deliveries[0].route, "#mail");
	expect_text(r->deliveries[0].transport, "mail");
	expect_int(r->deliveries[0].attempt_no, 1);
	*(bool *)ctx = true;
}

TEST(show_tells_all_of_a_message)
{
	struct hand *h = hand_with_one_of_each();
	bool looked = false;

	store_show(h->store, 1, look_closely, &looked);
	expect_false(looked);
	while (!looked)
		loop_turn(h->loop, true);
	hand_show(h, 1);
	expect_text(hand_events(h), "0:->queued #0 \n"
				    "1:queued->sending #1 a@x\n"
				    "2:queued->sending #1 b@x\n"
				    "1:sending->failed #1 a@x\n"
				    "2:sending->sent #1 b@x\n");
	hand_show(h, 99);
	expect_text(hand_told(h), "none\n");
	hand_free(h);
}

TEST(counts_follow_what_happens_and_a_new_start)
{
	struct hand *h = hand_with_one_of_each();

	for (int round = 0; round < 2; round++) {
		struct stats_result r = hand_stats(h);

		expect_int(r.by_state[STATE_FAILED], 1);
		expect_int(r.by_state[STATE_SENT], 1);
		/* the claimed one waits again after a new start */
		expect_int(r.by_state[STATE_SENDING], round == 0);
		expect_int(r.by_state[STATE_QUEUED], round == 0 ? 1 : 2);
		expect_int(r.by_state[STATE_HELD], 1);
		expect_int(r.nroutes, 1);
		expect_text(r.routes[0].route, "#mail");
		expect_int(r.routes[0].waiting, 2);
		expect_int(r.routes[0].oldest_ms, HAND_NOW);
		expect_true(r.database_bytes > 0);
		hand_reopen(h);
	}
	hand_free(h);
}

TEST(the_oldest_that_waits_is_found_again_when_an_older_one_comes_back)
{
	struct hand *h = hand_new();
	struct message_row m = hand_message();
	struct delivery_row d = hand_delivery("a@x");
	struct delivery_change c;

	for (int i = 0; i < 3; i++) {
		m.created_ms = HAND_NOW + i;
		hand_put_row(h, &m, &d);
	}
	expect_int(hand_stats(h).routes[0].oldest_ms, HAND_NOW);
	hand_claim(h, "#mail", 2, 1, HAND_NOW);
	expect_int(hand_stats(h).routes[0].oldest_ms, HAND_NOW);
	for (int64_t id = 1; id <= 2; id++) {
		c = hand_change(id, id, STATE_SENDING, STATE_FAILED, 1);
		expect_int(hand_move(h, &c), BATCH_DONE);
	}
	expect_int(hand_stats(h).routes[0].oldest_ms, HAND_NOW + 2);
	hand_do(h, DEED_RETRY, &(struct filter){.uid = -1, .delivery = 2}, 0);
	expect_int(hand_stats(h).routes[0].oldest_ms, HAND_NOW + 1);
	hand_do(h, DEED_CANCEL, &hand_all, 0);
	expect_int(hand_stats(h).routes[0].waiting, 0);
	expect_int(hand_stats(h).routes[0].oldest_ms, 0);
	hand_free(h);
}

RUN_TESTS()
