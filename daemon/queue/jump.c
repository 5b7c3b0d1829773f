/* queue/jump.c - decides what a jump of the wall clock means for rows: what waits for
 * its next attempt is due now, what has a date of its own keeps it, and all live as
 * long as they would have. Sleep is no jump: CLOCK_BOOTTIME goes on with the wall. */
#include "queue/jump.h"

#include "clock.h"
#include "duration.h"
#include "log.h"
#include "queue/writer.h"

/* Less than this, together, is drift and leap seconds. */
#define JUMP_MS 5000

void jump_begin(struct writer *w)
{
	atomic_store(&w->wall_ahead_ms, clock_ahead_ms());
}

int64_t jump_ahead_ms(const struct writer *w)
{
	return atomic_load(&w->wall_ahead_ms) + w->jumped_ms;
}

int jump_follow(struct writer *w)
{
	int64_t ms = clock_ahead_ms() - atomic_load(&w->wall_ahead_ms), now_ms = clock_wall_ms();

	w->jumped_ms = 0;
	if (ms > -JUMP_MS && ms < JUMP_MS)
		return 0;
	if (sql_run(w->sql, SQL_JUMP_LIVING, "ii", now_ms, ms) < 0 ||
	    sql_run(w->sql, SQL_JUMP_DATED, "i", now_ms) < 0 ||
	    sql_run(w->sql, SQL_JUMP_FINISHED, "i", ms) < 0 ||
	    sql_run(w->sql, SQL_JUMP_RUNS, "i", ms) < 0 ||
	    sql_run(w->sql, SQL_JUMP_PROOFS, "i", ms) < 0 ||
	    sql_run(w->sql, SQL_JUMP_STRIKES, "i", ms) < 0 ||
	    sql_run(w->sql, SQL_JUMP_STANDBY, "i", ms) < 0 ||
	    sql_run(w->sql, SQL_JUMP_TRACKED, "i", ms) < 0 ||
	    sql_run(w->sql, SQL_JUMP_TEXTS, "i", ms) < 0)
		return -1;
	w->jumped_ms = ms;
	atomic_fetch_add(&w->jumps, 1);
	return 0;
}

void jump_undone(struct writer *w)
{
	if (w->jumped_ms)
		atomic_fetch_add(&w->jumps, 1);
	w->jumped_ms = 0;
}

void jump_followed(struct writer *w)
{
	int64_t ms = w->jumped_ms;
	char by[32];

	if (!ms)
		return;
	atomic_fetch_add(&w->wall_ahead_ms, ms);
	jump_undone(w);
	log_warn(NULL, "the clock was set %s by %s: what waits is tried again now",
		 ms > 0 ? "forward" : "back", duration_print(by, sizeof(by), ms > 0 ? ms : -ms));
}

struct jump_look jump_look(const struct writer *w)
{
	struct jump_look look = {.jumps = atomic_load(&w->jumps)};

	look.ahead_ms = atomic_load(&w->wall_ahead_ms);
	return look;
}

bool jump_look_holds(const struct writer *w, const struct jump_look *look)
{
	return look->jumps % 2 == 0 && look->jumps == atomic_load(&w->jumps);
}
