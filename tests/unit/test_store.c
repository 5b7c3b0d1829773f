/* What is put is kept, claimed in order, and changes state by compare-and-set. */
#include "queue/store.h"

#include <sys/stat.h>

#include "expect.h"
#include "store_hand.h"

TEST(a_message_is_put_claimed_and_settled)
{
	struct hand *h = hand_new();
	struct delivery_change sent;

	expect_int(hand_put(h, "a@example.com"), 1);
	hand_claim(h, "#mail", 10, 10, HAND_NOW);
	expect_text(hand_told(h), "m1 a@example.com(1)#1\n");
	expect_text(hand_events(h), "1:queued->sending #1 a@example.com\n");
	expect_int(h->next_ms, 0);
	sent = hand_change(1, 1, STATE_SENDING, STATE_SENT, 1);
	sent.code = 250;
	sent.enhanced = "2.0.0";
	sent.text = "ok";
	expect_int(hand_move(h, &sent), BATCH_DONE);
	hand_show(h, 1);
	expect_text(hand_told(h), "1 m1 sent a@example.com 250 2.0.0 ok\n");
	expect_text(hand_events(h), "0:->queued #0 \n"
				    "1:queued->sending #1 a@example.com\n"
				    "1:sending->sent #1 a@example.com 250 ok\n");
	expect_int(hand_number(h, "SELECT live FROM messages"), 0);
	expect_int(hand_number(h, "SELECT finished_ms FROM messages"), HAND_NOW + 1000);
	hand_free(h);
}

TEST(files_are_for_us_alone_whatever_the_umask)
{
	mode_t before = umask(0);
	struct hand *h = hand_new();
	static const char *const files[] = {"queue.db", "queue.db-wal", "lock"};
	struct stat st;
	char path[80];

	hand_put(h, "a@example.com");
	umask(before);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", h->directory, files[i]);
		expect_int(stat(path, &st), 0);
		expect_int(st.st_mode & 0777, 0600);
	}
	hand_free(h);
}

static void keep_claim(void *ctx, struct claim_result *result)
{
	struct claimed_message **ret = ctx;

	expect_int(result->n, 1);
	*ret = result->messages[0];
}

TEST(a_claim_brings_all_that_was_put)
{
	struct hand *h = hand_new();
	struct message_row m = hand_message();
	struct delivery_row d = hand_delivery("a@example.com");
	struct claimed_message *got = NULL;
	const char *route = "#mail";

	m.content = "a\0b\r\n";
	m.spec = "{\"to\": [\"a\"]}";
	m.priority = 1;
	hand_put_row(h, &m, &d);
	store_claim(h->store,
		    &(struct claim_request){.routes = &route,
					    .nroutes = 1,
					    .max_messages = 1,
					    .max_recipients = 5,
					    .transport = "mail",
					    .now_ms = HAND_NOW},
		    keep_claim, &got);
	while (!got)
		loop_turn(h->loop, true);
	expect_bytes(got->content, got->content_size, "a\0b\r\n", 5);
	expect_text(got->spec, m.spec);
	expect_text(got->sender, "box@example.com");
	expect_int(got->uid, 1000);
	expect_int(got->priority, 1);
	expect_int(got->created_ms, HAND_NOW);
	expect_int(got->deliveries[0].expires_ms, d.expires_ms);
	claimed_message_free(got);
	hand_free(h);
}

TEST(the_same_key_and_content_is_the_same_message)
{
	struct hand *h = hand_new();
	struct message_row m = hand_message();
	struct delivery_row d = hand_delivery("a@example.com");

	m.key = "k1";
	m.digest = "aa";
	expect_int(hand_put_row(h, &m, &d), 1);
	for (int i = 0; i < 3; i++) {
		struct batch *b = batch_new();

		m.digest = i == 1 ? "bb" : "aa";
		m.uid = i == 2 ? 1001 : 1000;
		batch_put_message(b, &m, &d, 1, 0);
		struct batch_result result = hand_commit(h, b);

		expect_int(result.status, i == 0   ? BATCH_KEY_SAME
					  : i == 1 ? BATCH_KEY_OTHER
						   : BATCH_DONE);
		expect_int(result.message, i == 2 ? 2 : 1);
	}
	expect_int(hand_number(h, "SELECT count(*) FROM deliveries"), 2);
	hand_free(h);
}

static struct batch_result put_dedup(struct hand *h, uint32_t uid, int64_t since_ms)
{
	struct message_row m = hand_message();
	struct delivery_row d = hand_delivery("a@example.com");
	struct batch *b = batch_new();

	m.dedup = "disk full";
	m.uid = uid;
	batch_put_message(b, &m, &d, 1, since_ms);
	return hand_commit(h, b);
}

TEST(the_same_alarm_is_counted_while_it_is_open_or_recent)
{
	struct hand *h = hand_new();
	struct delivery_change sent = hand_change(1, 1, STATE_SENDING, STATE_SENT, 1);

	expect_int(put_dedup(h, 1000, HAND_NOW + 1).status, BATCH_DONE);
	/* open, however old */
	expect_int(put_dedup(h, 1000, HAND_NOW + 1).status, BATCH_REPEATED);
	expect_int(put_dedup(h, 1000, HAND_NOW + 1).message, 1);
	expect_int(put_dedup(h, 1001, HAND_NOW + 1).status, BATCH_DONE);
	hand_claim(h, "#mail", 1, 1, HAND_NOW);
	expect_int(hand_move(h, &sent), BATCH_DONE);
	/* finished, but recent */
	expect_int(put_dedup(h, 1000, HAND_NOW).status, BATCH_REPEATED);
	expect_int(hand_number(h, "SELECT repeats FROM messages WHERE id = 1"), 3);
	/* finished and old */
	expect_int(put_dedup(h, 1000, HAND_NOW + 1).status, BATCH_DONE);
	hand_free(h);
}

TEST(a_change_that_does_not_find_what_it_expects_misses)
{
	struct hand *h = hand_new();

	hand_put(h, "a@example.com");
	hand_claim(h, "#mail", 1, 1, HAND_NOW);
	struct delivery_change c = hand_change(1, 1, STATE_SENDING, STATE_SENT, 2);

	expect_int(hand_move(h, &c), BATCH_MISSED);
	c = hand_change(1, 1, STATE_QUEUED, STATE_CANCELED, 1);
	expect_int(hand_move(h, &c), BATCH_MISSED);
	c = hand_change(2, 1, STATE_SENDING, STATE_SENT, 1);
	expect_int(hand_move(h, &c), BATCH_MISSED);
	c = hand_change(1, 1, STATE_SENDING, STATE_CANCELED, 1);
	expect_int(hand_move(h, &c), BATCH_MISSED);
	c = hand_change(1, 1, STATE_SENDING, STATE_SENT, 1);
	expect_int(hand_move(h, &c), BATCH_DONE);
	expect_int(hand_move(h, &c), BATCH_MISSED);
	expect_int(hand_number(h, "SELECT count(*) FROM events"), 3);
	hand_free(h);
}

static struct batch *batch_of(const struct delivery_change *a, const struct delivery_change *b)
{
	struct batch *batch = batch_new();

	batch_change(batch, a);
	if (b)
		batch_change(batch, b);
	return batch;
}

struct answers {
	enum batch_status status[3];
	int n;
};

static void note_answer(void *ctx, const struct batch_result *result)
{
	struct answers *a = ctx;

	a->status[a->n++] = result->status;
}

TEST(a_batch_happens_all_or_none_and_its_neighbours_do_not_mind)
{
	struct hand *h = hand_new();
	struct delivery_change first, second, third, wrong;

	hand_put(h, "a@example.com b@example.com c@example.com");
	hand_claim(h, "#mail", 1, 3, HAND_NOW);
	first = hand_change(1, 1, STATE_SENDING, STATE_SENT, 1);
	second = hand_change(1, 2, STATE_SENDING, STATE_SENT, 1);
	third = hand_change(1, 3, STATE_SENDING, STATE_SENT, 1);
	wrong = hand_change(1, 3, STATE_SENDING, STATE_SENT, 7);
	expect_int(hand_commit(h, batch_of(&second, &wrong)).status, BATCH_MISSED);
	for (int round = 0; round < 2; round++) {
		struct answers a = {.n = 0};

		store_commit(h->store, batch_of(&first, NULL), note_answer, &a);
		store_commit(h->store, batch_of(&second, &wrong), note_answer, &a);
		store_commit(h->store, batch_of(&third, NULL), note_answer, &a);
		while (a.n < 3)
			loop_turn(h->loop, true);
		expect_int(a.status[0], round ? BATCH_MISSED : BATCH_DONE);
		expect_int(a.status[1], BATCH_MISSED);
		expect_int(a.status[2], round ? BATCH_MISSED : BATCH_DONE);
	}
	hand_show(h, 1);
	expect_text(hand_told(h), "1 m1 sent a@example.com\n"
				  "2 m1 sending b@example.com\n"
				  "3 m1 sent c@example.com\n");
	expect_int(hand_stats(h).by_state[STATE_SENT], 2);
	expect_int(hand_stats(h).by_state[STATE_SENDING], 1);
	expect_int(hand_number(h, "SELECT live FROM messages"), 1);
	hand_free(h);
}

static void put_at(struct hand *h, unsigned priority, const char *route, int64_t next_ms)
{
	struct message_row m = hand_message();
	struct delivery_row d = hand_delivery("a@x");

	m.priority = priority;
	d.route = route;
	d.next_ms = next_ms;
	hand_put_row(h, &m, &d);
}

TEST(the_most_urgent_goes_first_then_who_waits_longest_on_any_route)
{
	struct hand *h = hand_new();

	put_at(h, 2, "#mail", HAND_NOW - 10);
	put_at(h, 2, "outbox", HAND_NOW - 20);
	put_at(h, 0, "outbox", HAND_NOW);
	put_at(h, 3, "#mail", HAND_NOW - 99);
	put_at(h, 2, "#mail", HAND_NOW - 30);
	put_at(h, 1, "#sms", HAND_NOW - 99);
	put_at(h, 2, "outbox", HAND_NOW + 500);
	put_at(h, 0, "#mail", HAND_NOW + 900);
	hand_claim(h, "#mail outbox", 4, 1, HAND_NOW);
	expect_text(hand_told(h), "m3 a@x(3)#1\nm5 a@x(5)#1\nm2 a@x(2)#1\nm1 a@x(1)#1\n");
	hand_claim(h, "#mail outbox", 4, 1, HAND_NOW);
	expect_text(hand_told(h), "m4 a@x(4)#1\n");
	expect_int(h->next_ms, HAND_NOW + 500);
	hand_claim(h, "#mail outbox", 4, 1, h->next_ms);
	expect_text(hand_told(h), "m7 a@x(7)#1\n");
	expect_int(h->next_ms, HAND_NOW + 900);
	/* who claims nothing merely asks */
	hand_claim(h, "#mail outbox", 0, 1, HAND_NOW + 1000);
	expect_text(hand_told(h), "");
	expect_int(h->next_ms, HAND_NOW + 900);
	hand_free(h);
}

TEST(a_message_is_claimed_whole_up_to_so_many_recipients_and_only_on_its_route)
{
	struct hand *h = hand_new();
	struct message_row m = hand_message();
	struct batch *b = batch_new();
	struct delivery_row rows[5];

	for (int i = 0; i < 5; i++)
		rows[i] =
			hand_delivery((const char *[]){"a@x", "b@x", "+15550100", "d@x", "e@x"}[i]);
	rows[2].route = "#sms";
	rows[4].next_ms += HAND_HOUR;
	batch_put_message(b, &m, rows, 5, 0);
	expect_int(hand_commit(h, b).first_delivery, 1);
	hand_put(h, "f@x");
	hand_claim(h, "#mail", 1, 2, HAND_NOW);
	expect_text(hand_told(h), "m1 a@x(1)#1 b@x(2)#1\n");
	hand_claim(h, "#mail", 5, 2, HAND_NOW);
	expect_text(hand_told(h), "m1 d@x(4)#1\nm2 f@x(6)#1\n");
	hand_claim(h, "#sms", 5, 2, HAND_NOW);
	expect_text(hand_told(h), "m1 +15550100(3)#1\n");
	hand_free(h);
}

TEST(a_claim_ends_though_the_tables_contradict_each_other)
{
	struct hand *h = hand_new();

	hand_put(h, "a@x");
	hand_sql(h, "UPDATE messages SET deliveries = 0");
	hand_claim(h, "#mail", 5, 5, HAND_NOW);
	expect_text(hand_told(h), "");
	hand_sql(h, "DELETE FROM messages");
	hand_claim(h, "#mail", 5, 5, HAND_NOW);
	expect_int(h->why.kind, FAILURE_SETUP);
	expect_contains(h->why.text, "damaged");
	hand_free(h);
}

TEST(an_attempt_that_did_not_count_is_taken_back)
{
	struct hand *h = hand_new();
	struct delivery_change c;

	hand_put(h, "a@x");
	hand_claim(h, "#mail", 1, 1, HAND_NOW);
	c = hand_change(1, 1, STATE_SENDING, STATE_QUEUED, 1);
	c.code = 451;
	c.text = "later";
	expect_int(hand_move(h, &c), BATCH_DONE);
	hand_claim(h, "#mail", 1, 1, HAND_NOW);
	expect_text(hand_told(h), "");
	expect_int(h->next_ms, c.next_ms);
	hand_claim(h, "#mail", 1, 1, c.next_ms);
	expect_text(hand_told(h), "m1 a@x(1)#2\n");
	hand_show(h, 1);
	expect_text(hand_told(h), "1 m1 sending a@x 451  later\n");
	c = hand_change(1, 1, STATE_SENDING, STATE_QUEUED, 2);
	c.new_attempt = 1;
	c.next_ms = HAND_NOW;
	expect_int(hand_move(h, &c), BATCH_DONE);
	hand_claim(h, "#mail", 1, 1, HAND_NOW);
	expect_text(hand_told(h), "m1 a@x(1)#2\n");
	hand_free(h);
}

TEST(what_is_too_late_expires_when_it_would_be_claimed)
{
	struct hand *h = hand_new();
	struct message_row m = hand_message();
	struct delivery_row d = hand_delivery("old@x");

	d.expires_ms = HAND_NOW + 10;
	hand_put_row(h, &m, &d);
	hand_put(h, "a@x");
	d.recipient = "ever@x";
	d.expires_ms = 0;
	hand_put_row(h, &m, &d);
	hand_claim(h, "#mail", 2, 5, HAND_NOW + 10);
	expect_text(hand_told(h), "m2 a@x(2)#1\nm3 ever@x(3)#1\n");
	expect_text(hand_events(h), "1:queued->expired #0 old@x\n"
				    "2:queued->sending #1 a@x\n"
				    "3:queued->sending #1 ever@x\n");
	expect_int(hand_number(h, "SELECT live FROM messages WHERE id = 1"), 0);
	hand_free(h);
}

TEST(content_in_chunks_comes_back_and_goes_with_drop_body)
{
	struct hand *h = hand_new();
	struct message_row m = hand_message();
	struct delivery_row d = hand_delivery("a@x");
	int64_t body = store_new_body(h->store);
	struct batch *b = batch_new();

	expect_int(store_new_body(h->store), body + 1);
	batch_put_chunk(b, body, 0, "first", 5);
	batch_put_chunk(b, body + 1, 0, "other", 5);
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	b = batch_new();
	m.content = NULL;
	m.content_size = 11;
	m.body = body;
	batch_put_chunk(b, body, 1, "second", 6);
	batch_put_message(b, &m, &d, 1, 0);
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	expect_true(hand_chunk(h, body, 1));
	expect_text(hand_told(h), "second");
	expect_false(hand_chunk(h, body, 2));
	b = batch_new();
	batch_drop_body(b, body + 1);
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	expect_false(hand_chunk(h, body + 1, 0));
	expect_true(hand_chunk(h, body, 0));
	hand_free(h);
}

static void never(void *ctx, const void *bytes, size_t len, const struct failure *why)
{
	*(bool *)ctx = true;
}

TEST(a_canceled_read_is_silent)
{
	struct hand *h = hand_new();
	bool heard = false;

	chunk_read_cancel(store_read_chunk(h->store, 1, 0, never, &heard));
	chunk_read_cancel(NULL);
	expect_false(hand_chunk(h, 1, 0));
	expect_false(heard);
	hand_free(h);
}

RUN_TESTS()
