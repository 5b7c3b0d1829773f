/* Rates of the last minute and hour, over gaps and turns of the rings. */
#include "queue/tempo.h"

#include "expect.h"

#define SECOND 1000LL
#define MINUTE 60000LL
#define HOUR 3600000LL

TEST(nothing_is_zero)
{
	struct tempo t = {0};

	expect_int(tempo_minute(&t, 5), 0);
	expect_int(tempo_hour(&t, 100 * HOUR), 0);
}

TEST(what_is_older_counts_no_more)
{
	struct tempo t = {0};
	int64_t at = 1000 * HOUR;

	for (int i = 0; i < 7; i++)
		tempo_add(&t, at);
	expect_int(tempo_minute(&t, at), 7);
	expect_int(tempo_minute(&t, at + 59 * SECOND), 7);
	expect_int(tempo_minute(&t, at + 60 * SECOND), 0);
	expect_int(tempo_hour(&t, at + 59 * MINUTE), 7);
	expect_int(tempo_hour(&t, at + 60 * MINUTE), 0);
}

TEST(a_steady_pace_is_seen_as_it_is)
{
	struct tempo t = {0};
	int64_t at = 42;

	for (int i = 0; i < 3 * 3600; i++, at += SECOND)
		tempo_add(&t, at);
	at -= SECOND;
	expect_int(tempo_minute(&t, at), 60);
	expect_int(tempo_hour(&t, at), 3600);
	expect_int(tempo_minute(&t, at + 30 * SECOND), 30);
}

TEST(a_long_gap_empties_the_rings)
{
	struct tempo t = {0};

	tempo_add(&t, HOUR);
	tempo_add(&t, HOUR + 90 * SECOND);
	expect_int(tempo_minute(&t, HOUR + 90 * SECOND), 1);
	expect_int(tempo_hour(&t, HOUR + 90 * SECOND), 2);
	tempo_add(&t, 50 * HOUR);
	expect_int(tempo_minute(&t, 50 * HOUR), 1);
	expect_int(tempo_hour(&t, 50 * HOUR), 1);
}

RUN_TESTS()
