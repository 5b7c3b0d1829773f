/* Which texts of a list are new: repeated, shifted, out of order, late, too many. */
#include "mailbox/text_window.h"

#include <stdlib.h>

#include "alloc.h"
#include "expect.h"

#define T0 1800000000000LL
#define HOUR 3600000LL

static void list(struct text_window *w, unsigned number, int64_t created_ms)
{
	struct twilio_message m = {.created_ms = created_ms,
				   .from = xstrdup("+15559998888"),
				   .to = xstrdup("+15017122661"),
				   .body = xstrdup("hi")};

	snprintf(m.sid, sizeof(m.sid), "SM%032u", number);
	text_window_add(w, &m);
	twilio_message_clear(&m);
}

/* The number of the next one, or 0: none waits. */
static unsigned take(struct text_window *w)
{
	const struct twilio_message *first = text_window_first(w);
	unsigned number = first ? (unsigned)strtoul(first->sid + 2, NULL, 10) : 0;

	if (first)
		text_window_take(w);
	return number;
}

static void round_at(struct text_window *w, int64_t now_ms)
{
	text_window_begin(w, now_ms);
}

TEST(the_first_round_begins_with_now)
{
	struct text_window w;
	char cursor[TEXT_CURSOR_SIZE];

	text_window_init(&w, NULL);
	round_at(&w, T0);
	list(&w, 1, T0 - 1000);
	list(&w, 2, T0);
	text_window_end(&w);
	expect_int(take(&w), 2);
	expect_int(take(&w), 0);
	expect_text(text_window_print(&w, cursor), "1 1800000000000");
	text_window_clear(&w);
}

TEST(what_is_listed_twice_is_there_once_and_the_oldest_comes_first)
{
	struct text_window w;

	text_window_init(&w, "1 1800000000000");
	round_at(&w, T0 + HOUR);
	list(&w, 3, T0 + 3000);
	list(&w, 1, T0 + 1000);
	list(&w, 3, T0 + 3000);
	list(&w, 2, T0 + 2000);
	list(&w, 5, T0 + 2000);
	list(&w, 2, T0 + 2000);
	text_window_end(&w);
	expect_int(take(&w), 1);
	expect_int(take(&w), 2);
	/* while some wait the list is asked for again */
	round_at(&w, T0 + HOUR + 1);
	list(&w, 1, T0 + 1000);
	list(&w, 5, T0 + 2000);
	list(&w, 4, T0 + 1500);
	text_window_end(&w);
	expect_int(take(&w), 4);
	expect_int(take(&w), 5);
	expect_int(take(&w), 3);
	expect_int(take(&w), 0);
	text_window_clear(&w);
}

TEST(what_is_listed_late_is_found_for_a_day)
{
	struct text_window w;

	text_window_init(&w, "1 1800000000000");
	for (int64_t hours = 1; hours <= 23; hours++) {
		round_at(&w, T0 + hours * HOUR);
		text_window_end(&w);
	}
	round_at(&w, T0 + 24 * HOUR);
	list(&w, 1, T0 + 1);
	text_window_end(&w);
	expect_int(take(&w), 1);
	round_at(&w, T0 + 25 * HOUR);
	list(&w, 1, T0 + 1); /* known no more, and below the floor */
	text_window_end(&w);
	round_at(&w, T0 + 25 * HOUR);
	list(&w, 1, T0 + 1);
	text_window_end(&w);
	expect_int(take(&w), 0);
	expect_int(w.nknown, 0);
	text_window_clear(&w);
}

TEST(the_floor_stays_below_what_waits)
{
	struct text_window w;

	text_window_init(&w, "1 1800000000000");
	round_at(&w, T0 + 100 * HOUR);
	list(&w, 1, T0 + 1 * HOUR);
	list(&w, 2, T0 + 2 * HOUR);
	text_window_end(&w);
	expect_int(w.floor_ms, T0 + 1 * HOUR);
	expect_int(take(&w), 1);
	expect_int(w.floor_ms, T0 + 2 * HOUR);
	expect_int(take(&w), 2);
	expect_int(w.floor_ms, T0 + 76 * HOUR);
	text_window_clear(&w);
}

TEST(more_than_there_is_room_for_is_found_by_the_next_round)
{
	struct text_window w;
	unsigned n = TEXT_WINDOW_WAITING_MAX + 500, next = 1;

	text_window_init(&w, "1 1800000000000");
	for (unsigned rounds = 0; rounds < 2; rounds++) {
		round_at(&w, T0 + 1000 * HOUR / 2);
		for (unsigned i = n; i >= 1; i--) /* the newest first */
			list(&w, i, T0 + (int64_t)i * 1000);
		text_window_end(&w);
		expect_int(text_window_left_some(&w), rounds == 0);
		for (unsigned got; (got = take(&w)) != 0;)
			expect_int(got, next++);
	}
	expect_int(next, n + 1);
	text_window_clear(&w);
}

TEST(a_cursor_that_is_none_begins_anew_and_an_old_one_is_cut)
{
	static const char *const bad[] = {"", "2 5", "1 x", "1 -5", NULL};
	struct text_window w;

	for (const char *const *c = bad; *c; c++) {
		text_window_init(&w, *c);
		expect_int(w.floor_ms, 0);
	}
	text_window_init(&w, "1 1800000000000");
	round_at(&w, T0 + 60 * 24 * HOUR);
	expect_int(w.floor_ms, T0 + 29 * 24 * HOUR);
	text_window_clear(&w);
}

RUN_TESTS()
