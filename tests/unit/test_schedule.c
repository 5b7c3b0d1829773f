/* When next: growth, ceilings, jitter, and the bucket of a rate. */
#include "queue/schedule.h"

#include "expect.h"

#define EVEN (UINT32_MAX / 2)

static void expect_about(int64_t got, int64_t want)
{
	expect_true(got >= want - 1 && got <= want + 1);
}

TEST(retries_double_from_the_first_wait_to_the_longest)
{
	expect_about(schedule_retry_ms(1, 60000, 3600000, EVEN), 60000);
	expect_about(schedule_retry_ms(2, 60000, 3600000, EVEN), 120000);
	expect_about(schedule_retry_ms(6, 60000, 3600000, EVEN), 1920000);
	expect_about(schedule_retry_ms(7, 60000, 3600000, EVEN), 3600000);
	expect_about(schedule_retry_ms(4000000000u, 60000, 3600000, EVEN), 3600000);
	expect_about(schedule_retry_ms(0, 60000, 3600000, EVEN), 60000);
	expect_about(schedule_retry_ms(9, 3600000, 60000, EVEN), 60000);
}

TEST(the_dice_move_a_wait_by_a_fifth)
{
	expect_about(schedule_retry_ms(1, 10000, 60000, 0), 8000);
	expect_about(schedule_retry_ms(1, 10000, 60000, UINT32_MAX), 12000);
	expect_about(schedule_circuit_ms(1, false, 0), 4000);
	expect_about(schedule_circuit_ms(1, false, UINT32_MAX), 6000);
}

TEST(nothing_overflows_at_the_largest_waits)
{
	int64_t century_ms = (int64_t)100 * 366 * 86400 * 1000;

	expect_true(schedule_retry_ms(UINT32_MAX, century_ms, century_ms, UINT32_MAX) > century_ms);
	expect_int(schedule_retry_ms(10, 0, 60000, EVEN), 0);
}

TEST(a_transport_rests_from_seconds_to_minutes_and_setup_faults_longer)
{
	expect_about(schedule_circuit_ms(1, false, EVEN), 5000);
	expect_about(schedule_circuit_ms(2, false, EVEN), 10000);
	expect_about(schedule_circuit_ms(7, false, EVEN), 320000);
	expect_about(schedule_circuit_ms(8, false, EVEN), 600000);
	expect_about(schedule_circuit_ms(UINT32_MAX, false, EVEN), 600000);
	expect_about(schedule_circuit_ms(1, true, EVEN), 60000);
	expect_about(schedule_circuit_ms(50, true, EVEN), 3600000);
}

TEST(no_rate_is_no_limit)
{
	struct bucket b = {0};
	struct rate none = {0};
	int64_t wait_ms = -1;

	expect_int(bucket_take(&b, &none, 1000, 5, &wait_ms), 1000);
	expect_int(wait_ms, 0);
}

TEST(a_bucket_starts_full_and_refills_evenly)
{
	struct rate rate = {.count = 30, .per_ms = 60000};
	struct bucket b = {0};
	int64_t wait_ms;

	expect_int(bucket_take(&b, &rate, 20, 1000, &wait_ms), 20);
	expect_int(wait_ms, 0);
	expect_int(bucket_take(&b, &rate, 20, 1000, &wait_ms), 10);
	expect_about(wait_ms, 2000);
	expect_int(bucket_take(&b, &rate, 1, 2999, &wait_ms), 0);
	expect_true(wait_ms >= 1 && wait_ms <= 3);
	expect_int(bucket_take(&b, &rate, 5, 3001, &wait_ms), 1);
	expect_int(bucket_take(&b, &rate, 50, 3001 + 60000, &wait_ms), 30);
}

TEST(a_wait_that_is_kept_brings_one)
{
	struct rate rate = {.count = 7, .per_ms = 86400000};
	struct bucket b = {0};
	int64_t now_ms = 1, wait_ms;
	unsigned taken = bucket_take(&b, &rate, 100, now_ms, &wait_ms);

	expect_int(taken, 7);
	for (int i = 0; i < 70; i++) {
		now_ms += wait_ms;
		expect_int(bucket_take(&b, &rate, 100, now_ms, &wait_ms), 1);
	}
	expect_true(now_ms > (int64_t)10 * 86400000 - 1000 &&
		    now_ms < (int64_t)10 * 86400000 + 1000);
}

TEST(an_overdrawn_bucket_waits_longer_and_a_clock_gone_back_gives_nothing)
{
	struct rate rate = {.count = 10, .per_ms = 10000};
	struct bucket b = {.tokens = -5, .at_ms = 1000};
	int64_t wait_ms;

	expect_int(bucket_take(&b, &rate, 3, 1000, &wait_ms), 0);
	expect_about(wait_ms, 6000);
	expect_int(bucket_take(&b, &rate, 3, 500, &wait_ms), 0);
	expect_int(bucket_take(&b, &rate, 3, 500 + 7000, &wait_ms), 2);
}

/* The moments at which a text is asked for, in seconds since its attempt began. */
static int moments(bool uncertain, int64_t *ret, int max)
{
	int64_t age_ms = 0, wait_ms;
	int n = 0;

	while (n < max && (wait_ms = schedule_ask_ms(uncertain, age_ms)) > 0) {
		age_ms += wait_ms;
		ret[n++] = age_ms / 1000;
	}
	return n;
}

TEST(a_text_is_asked_for_often_at_first_and_for_a_day)
{
	static const int64_t first[] = {5, 20, 50, 110, 410, 410 + 3600};
	int64_t at[64];
	int n = moments(false, at, 64);

	for (int i = 0; i < 6; i++)
		expect_int(at[i], first[i]);
	expect_int(n, 5 + 24);
	expect_true(at[n - 1] >= 24 * 3600 && at[n - 1] < 25 * 3600);
	expect_int(schedule_ask_ms(false, 21000), 29000);
}

TEST(an_uncertain_text_is_looked_for_until_it_is_settled)
{
	static const int64_t all[] = {5, 30, 120, 600, 1200, 1800};
	int64_t at[6];

	expect_int(moments(true, at, 6), 6);
	for (int i = 0; i < 6; i++)
		expect_int(at[i], all[i]);
	expect_false(schedule_is_lost(599999));
	expect_true(schedule_is_lost(600000));
}

RUN_TESTS()
