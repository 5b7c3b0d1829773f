/* queue/jump.c - decides what a jump of the wall clock means for rows: what waits for
 * its next attempt is due now, what has a date of its own keeps it, and all live as
 * long as they would have. Sleep is no jump: CLOCK_BOOTTIME goes on with the wall. */
#include "queue/jump.h"

#include <stdio.h>

#include <sqlite3.h>

#include "clock.h"
#include "duration.h"
#include "log.h"
#include "queue/writer.h"

/* Less than this, together, is drift and leap seconds. */
#define JUMP_MS 5000
#define CLOCK "clock" /* in the table `meta` */
#define NOTE_EVERY_MS (60 * 60 * 1000LL)

int64_t jump_since_ms(int64_t ahead_ms)
{
	int64_t ms = clock_ahead_ms() - ahead_ms;

	return ms > -JUMP_MS && ms < JUMP_MS ? 0 : ms;
}

int64_t jump_ahead_ms(const struct writer *w)
{
	return atomic_load(&w->wall_ahead_ms) + w->jumped_ms;
}

/* All that the rows know of time moves by ms. */
static int shift(struct writer *w, int64_t ms)
{
	int64_t now_ms = clock_wall_ms();

	if (sql_run(w->sql, SQL_JUMP_LIVING, "ii", now_ms, ms) < 0 ||
	    sql_run(w->sql, SQL_JUMP_DATED, "i", now_ms) < 0)
		return -1;
	for (enum statement s = SQL_JUMP_FINISHED; s <= SQL_JUMP_TEXTS; s++)
		if (sql_run(w->sql, s, "i", ms) < 0)
			return -1;
	return 0;
}

static void tell(int64_t ms)
{
	char by[32];

	log_warn(NULL, "the clock was set %s by %s: what waits is tried again now",
		 ms > 0 ? "forward" : "back", duration_print(by, sizeof(by), ms > 0 ? ms : -ms));
}

int jump_note(struct writer *w)
{
	int64_t now_ms = clock_boot_ms() + jump_ahead_ms(w);
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)now_ms);
	if (sql_run(w->sql, SQL_PUT_META, "tt", CLOCK, text) < 0)
		return -1;
	w->noted_ms = now_ms;
	return 0;
}

int jump_note_at_times(struct writer *w)
{
	int64_t age_ms = clock_boot_ms() + jump_ahead_ms(w) - w->noted_ms;

	if (!w->jumped_ms && age_ms > -NOTE_EVERY_MS && age_ms < NOTE_EVERY_MS)
		return 0;
	return jump_note(w);
}

int jump_begin(struct writer *w)
{
	struct sqlite3_stmt *row = sql_ask(w->sql, SQL_META, "t", CLOCK);
	int got = row ? sql_next(w->sql, row) : -1;
	int64_t ms;

	atomic_store(&w->wall_ahead_ms, clock_ahead_ms());
	if (got <= 0)
		return got;
	w->noted_ms = sqlite3_column_int64(row, 0);
	sql_done(row);
	ms = clock_wall_ms() - w->noted_ms;
	if (ms > -JUMP_MS)
		return 0;
	tell(ms);
	return shift(w, ms) < 0 ? -1 : jump_note(w);
}

int jump_follow(struct writer *w)
{
	int64_t ms = jump_since_ms(atomic_load(&w->wall_ahead_ms));

	w->jumped_ms = 0;
	if (!ms)
		return 0;
	if (shift(w, ms) < 0)
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
	w->noted_ms = 0;
}

void jump_followed(struct writer *w)
{
	int64_t ms = w->jumped_ms;

	if (!ms)
		return;
	atomic_fetch_add(&w->wall_ahead_ms, ms);
	atomic_fetch_add(&w->jumps, 1);
	w->jumped_ms = 0;
	tell(ms);
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
