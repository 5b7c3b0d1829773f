/* What time and new starts do: expiry, leases, forgetting, recovery. */
#include "queue/store.h"

#include "clock.h"
#include "expect.h"
#include "store_hand.h"

TEST(a_sweep_expires_what_waits_too_long_whatever_its_route)
{
	struct hand *h = hand_new();
	struct message_row m = hand_message();
	struct delivery_row d = hand_delivery("a@x");

	d.route = "gone";
	hand_put_row(h, &m, &d);
	d.expires_ms++;
	hand_put_row(h, &m, &d);
	d.expires_ms = 0;
	hand_put_row(h, &m, &d);
	hand_sweep(h, HAND_NOW + 4 * HAND_HOUR, 0);
	expect_text(hand_events(h), "1:queued->expired #0 a@x\n");
	expect_false(h->more);
	hand_sweep(h, HAND_NOW + 400 * HAND_HOUR, 0);
	expect_text(hand_events(h), "2:queued->expired #0 a@x\n");
	hand_free(h);
}

TEST(a_sweep_does_a_bounded_piece)
{
	struct hand *h = hand_new();

	for (int i = 0; i < 41; i++)
		hand_put(h, "a@x b@x c@x d@x e@x f@x g@x h@x i@x j@x k@x l@x m@x");
	hand_sweep(h, HAND_NOW + 5 * HAND_HOUR, 0);
	expect_int(h->changed, STORE_PAGE_MAX);
	expect_true(h->more);
	hand_sweep(h, HAND_NOW + 5 * HAND_HOUR, 0);
	expect_int(h->changed, 41 * 13 - STORE_PAGE_MAX);
	expect_false(h->more);
	hand_free(h);
}

TEST(lapsed_claims_of_others_are_freed_and_ours_are_not)
{
	struct hand *h = hand_new();
	int64_t lapsed_ms = HAND_NOW + HAND_HOUR;

	hand_put(h, "a@x +15550100");
	hand_claim(h, "#mail", 9, 9, HAND_NOW);
	hand_sweep(h, lapsed_ms + 1, 0);
	expect_text(hand_events(h), "");
	hand_sql(h, "UPDATE deliveries SET claim_owner = 'ffff'");
	hand_sweep(h, lapsed_ms, 0);
	expect_text(hand_events(h), "");
	hand_sweep(h, lapsed_ms + 1, 0);
	expect_text(hand_events(h), "1:sending->queued #1 a@x\n"
				    "2:sending->uncertain #1 +15550100\n");
	hand_claim(h, "#mail", 9, 9, lapsed_ms + 1);
	expect_text(hand_told(h), "m1 a@x(1)#2\n");
	hand_free(h);
}

TEST(a_lease_is_renewed_by_its_owner_alone)
{
	struct hand *h = hand_new();
	int64_t ids[] = {1, 2};
	struct batch *b = batch_new();

	hand_put(h, "a@x b@x");
	hand_claim(h, "#mail", 9, 9, HAND_NOW);
	hand_sql(h, "UPDATE deliveries SET claim_owner = 'ffff' WHERE id = 2");
	batch_renew(b, ids, 2, HAND_NOW + 9 * HAND_HOUR);
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	expect_int(hand_number(h, "SELECT lease_until FROM deliveries WHERE id = 1"),
		   HAND_NOW + 9 * HAND_HOUR);
	expect_int(hand_number(h, "SELECT lease_until FROM deliveries WHERE id = 2"),
		   HAND_NOW + HAND_HOUR);
	hand_free(h);
}

TEST(an_end_without_warning_puts_claimed_mail_back_and_doubts_texts)
{
	struct hand *h = hand_new();

	hand_put(h, "a@x +15550100 +friend@x");
	hand_claim(h, "#mail", 9, 9, HAND_NOW);
	hand_reopen(h);
	hand_show(h, 1);
	expect_text(hand_told(h), "1 m1 queued a@x\n"
				  "2 m1 uncertain +15550100\n"
				  "3 m1 queued +friend@x\n");
	expect_contains(hand_events(h), "1:sending->queued #1 a@x\n");
	expect_contains(hand_events(h), "2:sending->uncertain #1 +15550100\n");
	expect_int(hand_number(h, "SELECT count(*) FROM deliveries WHERE lease_until NOT NULL"), 0);
	hand_claim(h, "#mail", 9, 9, HAND_NOW + HAND_HOUR);
	expect_text(hand_told(h), "m1 a@x(1)#2 +friend@x(3)#2\n");
	hand_free(h);
}

TEST(a_claim_of_another_with_a_lease_is_left_alone_at_the_start)
{
	struct hand *h = hand_new();

	hand_put(h, "a@x");
	hand_claim(h, "#mail", 9, 9, HAND_NOW);
	hand_sql(h, "UPDATE deliveries SET claim_owner = 'ffff', lease_until = 9999999999999");
	hand_reopen(h);
	hand_show(h, 1);
	expect_text(hand_told(h), "1 m1 sending a@x\n");
	hand_free(h);
}

TEST(what_is_finished_is_forgotten_with_all_that_is_its)
{
	struct hand *h = hand_new();
	struct message_row m = hand_message();
	struct delivery_row d = hand_delivery("a@x");
	struct batch *b = batch_new();

	m.body = store_new_body(h->store);
	m.content = NULL;
	m.content_size = 5;
	batch_put_chunk(b, m.body, 0, "hello", 5);
	batch_put_message(b, &m, &d, 1, 0);
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	hand_put(h, "b@x");
	hand_do(h, DEED_CANCEL, &(struct filter){.uid = -1, .message = 1}, 0);
	hand_sweep(h, HAND_NOW, HAND_NOW + 5000);
	expect_int(h->forgotten, 0);
	hand_sweep(h, HAND_NOW, HAND_NOW + 5001);
	expect_int(h->forgotten, 1);
	expect_false(h->more);
	hand_show(h, 1);
	expect_text(hand_told(h), "none\n");
	expect_int(hand_number(h, "SELECT (SELECT count(*) FROM chunks) * 100"
				  " + (SELECT count(*) FROM deliveries) * 10"
				  " + (SELECT count(*) FROM events)"),
		   11);
	expect_int(hand_stats(h).by_state[STATE_CANCELED], 0);
	hand_free(h);
}

TEST(numbers_are_never_given_twice)
{
	struct hand *h = hand_new();

	hand_put(h, "a@x");
	hand_put(h, "b@x c@x");
	hand_do(h, DEED_CANCEL, &hand_all, 0);
	hand_sweep(h, HAND_NOW, HAND_NOW * 2);
	expect_int(h->forgotten, 2);
	hand_reopen(h);
	expect_int(hand_put(h, "d@x"), 3);
	hand_list(h, &hand_all, 0, 10);
	expect_text(hand_told(h), "4 m3 queued d@x\n");
	hand_free(h);
}

TEST(content_that_no_message_has_is_swept_at_the_start)
{
	struct hand *h = hand_new();
	struct message_row m = hand_message();
	struct delivery_row d = hand_delivery("a@x");
	struct batch *b = batch_new();
	int64_t first = store_new_body(h->store), mine = store_new_body(h->store);

	batch_put_chunk(b, first, 0, "x", 1);
	batch_put_chunk(b, first, 1, "x", 1);
	batch_put_chunk(b, mine, 0, "hello", 5);
	batch_put_chunk(b, mine + 1, 7, "x", 1);
	m.body = mine;
	m.content = NULL;
	batch_put_message(b, &m, &d, 1, 0);
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	hand_reopen(h);
	expect_false(hand_chunk(h, first, 0));
	expect_true(hand_chunk(h, mine, 0));
	expect_int(hand_number(h, "SELECT count(*) FROM chunks"), 1);
	expect_int(store_new_body(h->store), mine + 1);
	hand_free(h);
}

TEST(the_installation_keeps_its_name_and_two_have_two)
{
	struct hand *h = hand_new(), *other = hand_new();
	char name[17];

	expect_int(strlen(store_instance(h->store)), 16);
	expect_int(strspn(store_instance(h->store), "0123456789abcdef"), 16);
	strcpy(name, store_instance(h->store));
	hand_reopen(h);
	expect_text(store_instance(h->store), name);
	expect_true(strcmp(store_instance(other->store), name) != 0);
	hand_free(h);
	hand_free(other);
}

TEST(pauses_are_known_at_once_and_after_a_new_start)
{
	struct hand *h = hand_new();
	struct paused_result paused;
	struct batch *b = batch_new();

	store_paused(h->store, &paused);
	expect_int(paused.n, 0);
	batch_pause(b, "mail", "new password");
	batch_pause(b, "text", "too dear");
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	store_paused(h->store, &paused);
	expect_int(paused.n, 2);
	b = batch_new();
	batch_resume(b, "mail");
	batch_pause(b, "text", "still");
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	for (int round = 0; round < 2; round++) {
		store_paused(h->store, &paused);
		expect_int(paused.n, 1);
		expect_text(paused.names[0], "text");
		expect_text(paused.reasons[0], "still");
		hand_reopen(h);
	}
	hand_free(h);
}

static void count_answer(void *ctx, const struct batch_result *result)
{
	expect_int(result->status, BATCH_DONE);
	++*(int *)ctx;
}

static void set_noted(struct hand *h, int64_t in_ms)
{
	char statement[120];

	snprintf(statement, sizeof(statement),
		 "UPDATE meta SET value = '%lld' WHERE name = 'clock'",
		 (long long)(clock_wall_ms() + in_ms));
	hand_sql(h, statement);
}

/* As it is after an end without warning. */
TEST(what_was_written_while_the_clock_was_ahead_follows_it_back_at_the_start)
{
	struct hand *h = hand_new();

	hand_put(h, "a@x");
	expect_true(hand_number(h, "SELECT value FROM meta WHERE name = 'clock'") > 0);
	hand_sql(h, "UPDATE deliveries SET attempt_no = 1, life_ms = 1000000");
	int64_t expires_ms = hand_number(h, "SELECT expires_ms FROM deliveries");

	hand_close(h);
	set_noted(h, -1000000);
	expect_int(hand_open(h, &h->why), 0);
	expect_true(hand_number(h, "SELECT expires_ms FROM deliveries") == expires_ms);
	hand_close(h);
	set_noted(h, 900 * HAND_HOUR);
	expect_int(hand_open(h, &h->why), 0);
	expect_true(hand_number(h, "SELECT next_ms FROM deliveries") <= clock_wall_ms());
	expires_ms = hand_number(h, "SELECT expires_ms FROM deliveries");
	expect_true(expires_ms <= clock_wall_ms() + 1000000);
	hand_reopen(h);
	expect_true(hand_number(h, "SELECT expires_ms FROM deliveries") == expires_ms);
	hand_free(h);
}

TEST(closing_waits_for_the_writes_that_were_given)
{
	struct hand *h = hand_new();
	struct message_row m = hand_message();
	struct delivery_row d = hand_delivery("a@x");
	int answered = 0;

	for (int i = 0; i < 100; i++) {
		struct batch *b = batch_new();

		batch_put_message(b, &m, &d, 1, 0);
		store_commit(h->store, b, count_answer, &answered);
	}
	expect_int(answered, 0);
	hand_reopen(h);
	expect_int(answered, 100);
	expect_int(hand_number(h, "SELECT count(*) FROM messages"), 100);
	hand_free(h);
}

RUN_TESTS()
