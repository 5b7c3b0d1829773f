/* common/clock.h - the one clock everybody asks. Tests turn it. */
#ifndef NUNCIO_COMMON_CLOCK_H
#define NUNCIO_COMMON_CLOCK_H
#include <stdint.h>

int64_t clock_wall_ms(void); /* since 1970 UTC, CLOCK_REALTIME */
int64_t clock_mono_ms(void); /* never goes back, CLOCK_MONOTONIC */
int64_t clock_boot_ms(void); /* neither, and goes on while the machine sleeps, CLOCK_BOOTTIME */
/* What a wall time has on the same moment of clock_boot_ms(): another only when somebody
 * sets the wall clock. */
int64_t clock_ahead_ms(void);
/* Tests: all clocks stand ms further from now on. Deadlines only notice
 * through loop_turn_clock() (base/loop.h), which calls this. */
void clock_turn(int64_t ms);
void clock_turn_wall(int64_t ms);    /* tests: somebody set the wall clock by ms */
void clock_turn_suspend(int64_t ms); /* tests: the machine slept for ms */
#endif
