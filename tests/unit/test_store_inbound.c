/* Texts that came in are known; numbers that want no texts, in whichever order it is heard. */
#include "queue/store_inbound.h"

#include <string.h>

#include "expect.h"
#include "queue/store_run.h"
#include "store_hand.h"

#define DAY (24 * HAND_HOUR)

struct heard {
	bool answered, known;
	char text[600];
};

static void hear_known(void *ctx, bool known, const struct failure *why)
{
	struct heard *heard = ctx;

	expect_true(!why);
	heard->known = known;
	heard->answered = true;
}

static bool knows(struct hand *h, const char *origin, const char *ref)
{
	struct heard heard = {0};

	store_knows_text(h->store, origin, ref, hear_known, &heard);
	while (!heard.answered)
		loop_turn(h->loop, true);
	return heard.known;
}

static void hear_suppressed(void *ctx, const struct suppressed_result *result)
{
	struct heard *heard = ctx;
	size_t len = 0;

	expect_true(!result->why && result->done);
	for (size_t i = 0; i < result->n; i++)
		len += (size_t)snprintf(heard->text + len, sizeof(heard->text) - len, "%s %d %s|",
					result->rows[i].number,
					(int)(result->rows[i].since_ms - HAND_NOW),
					result->rows[i].why);
	heard->answered = true;
}

static void expect_suppressed(struct hand *h, int64_t in_ms, const char *want)
{
	struct heard heard = {0};

	store_suppressed(h->store, "", HAND_NOW + in_ms, hear_suppressed, &heard);
	while (!heard.answered)
		loop_turn(h->loop, true);
	expect_text(heard.text, want);
}

static enum batch_status took(struct hand *h, const char *ref)
{
	struct batch *b = batch_new();

	batch_cursor(b, "sms", ref);
	batch_took_text(b, "sms", ref, HAND_NOW);
	return hand_commit(h, b).status;
}

TEST(a_text_is_taken_once)
{
	struct hand *h = hand_new();

	expect_false(knows(h, "sms", "SM1"));
	expect_int(took(h, "SM1"), BATCH_DONE);
	expect_int(took(h, "SM2"), BATCH_DONE);
	/* and nothing else of that batch happens */
	expect_int(took(h, "SM1"), BATCH_MISSED);
	expect_int(hand_number(h, "SELECT count(*) FROM cursors WHERE cursor = 'SM2'"), 1);
	expect_true(knows(h, "sms", "SM1"));
	expect_false(knows(h, "other", "SM1"));
	hand_close(h);
	hand_reopen(h);
	expect_true(knows(h, "sms", "SM2"));
	hand_free(h);
}

static void say(struct hand *h, bool stop, int64_t at_ms)
{
	struct batch *b = batch_new();

	if (stop)
		batch_stop_texts(b, "+15551234567", HAND_NOW + at_ms, "STOP");
	else
		batch_start_texts(b, "+15551234567", HAND_NOW + at_ms);
	expect_int(hand_commit(h, b).status, BATCH_DONE);
}

TEST(what_was_said_last_holds)
{
	struct hand *h = hand_new();

	say(h, true, 1000);
	expect_suppressed(h, 0, "+15551234567 1000 STOP|");
	expect_suppressed(h, 90 * DAY, "+15551234567 1000 STOP|");
	say(h, false, 3000);
	expect_suppressed(h, 0, "");
	say(h, true, 2000); /* heard late */
	expect_suppressed(h, 0, "");
	say(h, true, 5000);
	say(h, false, 4000); /* late as well */
	expect_suppressed(h, 0, "+15551234567 5000 STOP|");
	hand_free(h);
}

TEST(of_two_in_one_second_the_later_one_holds)
{
	struct hand *h = hand_new();

	say(h, true, 1000);
	say(h, false, 1000);
	expect_suppressed(h, 0, "");
	say(h, true, 1000);
	expect_suppressed(h, 0, "+15551234567 1001 STOP|");
	say(h, false, 1000);
	expect_suppressed(h, 0, "");
	hand_free(h);
}

TEST(what_a_provider_said_counts_for_a_day)
{
	struct hand *h = hand_new();

	hand_sql(h, "INSERT INTO suppressed (recipient, since_ms, why)"
		    " VALUES ('+15551234567', 1800000000000, 'unsubscribed')");
	expect_suppressed(h, DAY - 1, "+15551234567 0 unsubscribed|");
	expect_suppressed(h, DAY, "");
	hand_free(h);
}

RUN_TESTS()
