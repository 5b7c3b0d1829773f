/* What users handed in within an hour: counted, refused, freed minute by minute. */
#include "server/usage.h"

#include "expect.h"
#include "server/rights.h"

#define MINUTE 60000LL
#define HOUR (60 * MINUTE)
#define NOON (1000 * HOUR)

static const struct allowance three = {.messages = 3, .bytes = 1000};

static int take_at(struct usage *u, uid_t uid, uint64_t bytes, int64_t at_ms,
		   struct usage_excess *ret)
{
	return usage_take(u, uid, bytes, &three, at_ms, ret);
}

TEST(an_hours_share_is_used_up_and_comes_back_as_it_went)
{
	AUTO(usage_free) struct usage *u = usage_new();
	struct usage_excess e;

	expect_int(take_at(u, 7, 10, NOON, &e), 0);
	expect_int(take_at(u, 7, 10, NOON + 20 * MINUTE, &e), 0);
	expect_int(take_at(u, 7, 10, NOON + 21 * MINUTE, &e), 0);
	expect_int(take_at(u, 7, 10, NOON + 30 * MINUTE, &e), -1);
	expect_text(e.field, "messages");
	expect_int(e.limit, 3);
	expect_int(e.wait_ms, 30 * MINUTE);
	expect_int(take_at(u, 8, 10, NOON + 30 * MINUTE, &e), 0);
	expect_int(take_at(u, 7, 10, NOON + 60 * MINUTE - 1, &e), -1);
	expect_int(e.wait_ms, 1);
	expect_int(take_at(u, 7, 10, NOON + 60 * MINUTE, &e), 0);
	expect_int(take_at(u, 7, 10, NOON + 60 * MINUTE, &e), -1);
	expect_int(e.wait_ms, 20 * MINUTE);
}

TEST(bytes_are_counted_and_what_never_fits_is_said_to)
{
	AUTO(usage_free) struct usage *u = usage_new();
	struct usage_excess e;

	expect_int(take_at(u, 7, 600, NOON, &e), 0);
	expect_int(take_at(u, 7, 401, NOON + MINUTE, &e), -1);
	expect_text(e.field, "bytes");
	expect_int(e.wait_ms, 59 * MINUTE);
	expect_int(take_at(u, 7, 1001, NOON, &e), -1);
	expect_int(e.wait_ms, -1);
	expect_int(take_at(u, 7, 400, NOON + MINUTE, &e), 0);
	expect_int(usage_of(u, 7, NOON + MINUTE).bytes, 1000);
	expect_int(usage_of(u, 7, NOON + MINUTE).messages, 2);
	expect_int(usage_of(u, 7, NOON + HOUR).messages, 1);
	expect_int(usage_of(u, 7, NOON + 3 * HOUR).messages, 0);
}

TEST(what_was_not_taken_in_the_end_is_given_back)
{
	AUTO(usage_free) struct usage *u = usage_new();
	struct usage_excess e;

	for (int i = 0; i < 10; i++) {
		expect_int(take_at(u, 7, 900, NOON, &e), 0);
		usage_give_back(u, 7, 900, NOON, NOON + 10 * MINUTE);
	}
	expect_int(usage_of(u, 7, NOON).messages, 0);
	usage_give_back(u, 7, 900, NOON, NOON + 2 * HOUR);
	usage_give_back(u, 9, 900, NOON, NOON);
	expect_int(usage_of(u, 7, NOON + 2 * HOUR).bytes, 0);
}

TEST(what_an_earlier_life_took_counts_even_from_before_the_machine_started)
{
	AUTO(usage_free) struct usage *u = usage_new();
	struct usage_excess e;

	usage_note(u, 7, 10, 5 * MINUTE - 59 * MINUTE, 5 * MINUTE);
	usage_note(u, 7, 10, 5 * MINUTE - 30 * MINUTE, 5 * MINUTE);
	usage_note(u, 7, 10, 5 * MINUTE, 5 * MINUTE);
	usage_note(u, 7, 10, 5 * MINUTE - 61 * MINUTE, 5 * MINUTE);
	expect_int(usage_of(u, 7, 5 * MINUTE).messages, 3);
	expect_int(take_at(u, 7, 10, 5 * MINUTE, &e), -1);
	expect_int(e.wait_ms, MINUTE);
	expect_int(take_at(u, 7, 10, 6 * MINUTE, &e), 0);
}

static void count(void *ctx, const struct usage_sum *sum)
{
	(*(unsigned *)ctx)++;
}

TEST(who_was_quiet_longest_is_forgotten_when_there_are_too_many)
{
	AUTO(usage_free) struct usage *u = usage_new();
	struct usage_excess e;
	unsigned n = 0;

	expect_int(take_at(u, 1, 1, NOON, &e), 0);
	for (uid_t uid = 2; uid < 3000; uid++)
		expect_int(take_at(u, uid, 1, NOON + MINUTE, &e), 0);
	expect_int(usage_of(u, 1, NOON + MINUTE).messages, 0);
	expect_int(usage_of(u, 2999, NOON + MINUTE).messages, 1);
	usage_each(u, NOON + MINUTE, count, &n);
	expect_int(n, 1024);
}

RUN_TESTS()
