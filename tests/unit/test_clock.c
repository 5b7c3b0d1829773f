/* The clock: in milliseconds, and turned by tests. */
#include "clock.h"

#include <time.h>

#include "expect.h"

TEST(wall_time_is_the_systems)
{
	int64_t before_s = time(NULL), now_s = clock_wall_ms() / 1000;

	expect_true(now_s >= before_s && now_s <= before_s + 60);
}

TEST(mono_does_not_go_back)
{
	int64_t last = clock_mono_ms();

	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_mono_ms();

		expect_true(now >= last);
		last = now;
	}
}

TEST(both_clocks_turn)
{
	int64_t wall = clock_wall_ms(), mono = clock_mono_ms();

	clock_turn(3600000);
	expect_true(clock_wall_ms() - wall >= 3600000 && clock_wall_ms() - wall < 3660000);
	expect_true(clock_mono_ms() - mono >= 3600000 && clock_mono_ms() - mono < 3660000);
	clock_turn(-3600000);
	expect_true(clock_wall_ms() - wall < 60000);
}

TEST(the_wall_clock_is_set_and_the_others_go_on)
{
	int64_t wall = clock_wall_ms(), mono = clock_mono_ms(), boot = clock_boot_ms();

	clock_turn_wall(-3600000);
	expect_true(clock_wall_ms() - wall < -3500000);
	expect_true(clock_mono_ms() - mono < 60000 && clock_boot_ms() - boot < 60000);
	clock_turn_wall(3600000);
}

TEST(mono_stands_still_while_the_machine_sleeps)
{
	int64_t wall = clock_wall_ms(), mono = clock_mono_ms(), boot = clock_boot_ms();

	clock_turn_suspend(3600000);
	expect_true(clock_mono_ms() - mono < 60000);
	expect_true(clock_wall_ms() - wall >= 3600000 && clock_boot_ms() - boot >= 3600000);
	clock_turn_suspend(-3600000);
}

RUN_TESTS()
