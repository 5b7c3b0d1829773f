/* common/clock.c - the system's clocks and how far tests have turned them. */
#include "clock.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic int64_t turned_ms, wall_turned_ms, slept_ms;

static int64_t read_ms(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + atomic_load(&turned_ms);
}

int64_t clock_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME) + atomic_load(&wall_turned_ms) + atomic_load(&slept_ms);
}

int64_t clock_mono_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

int64_t clock_boot_ms(void)
{
	return read_ms(CLOCK_BOOTTIME) + atomic_load(&slept_ms);
}

int64_t clock_ahead_ms(void)
{
	return clock_wall_ms() - clock_boot_ms();
}

void clock_turn(int64_t ms)
{
	atomic_fetch_add(&turned_ms, ms);
}

void clock_turn_wall(int64_t ms)
{
	atomic_fetch_add(&wall_turned_ms, ms);
}

void clock_turn_suspend(int64_t ms)
{
	atomic_fetch_add(&slept_ms, ms);
}
