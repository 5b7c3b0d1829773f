/* What the queue does when somebody sets the wall clock, forward or back, and when
 * the machine has slept: nothing is lost, nothing expires by it, nothing waits for
 * a time that will not come. */
#include "queue_rig.h"

#include "clock.h"
#include "failure.h"
#include "tests/unit/expect.h"

#define MINUTE (60 * 1000LL)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* The wall clock is set; the queue looks about once a minute, if nothing happens. */
static void set_clock(struct rig *r, int64_t ms)
{
	clock_turn_wall(ms);
	rig_turn_clock(r, MINUTE + 1000);
}

TEST(a_year_forward_expires_and_forgets_nothing)
{
	struct rig *r = rig_new();

	rig_configure(r, rig_one);
	int64_t done = rig_put_to(r, "done@example.com");
	rig_expect(r, done, 0, "sent", 1);
	rig_answers(r, "mail", "down 421 away\n");
	rig_turn_clock(r, 10 * 1000);
	for (int i = 0; i < 50; i++)
		rig_put(r, &(struct rig_put){.to = {"ana@example.com"}, .expires_in_ms = HOUR});
	set_clock(r, 365 * DAY);
	expect_int(rig_count(r, STATE_QUEUED), 50);
	expect_int(rig_count(r, STATE_SENT), 1);
	rig_answers(r, "mail", "");
	rig_turn_clock(r, 15 * MINUTE);
	expect_int(rig_count(r, STATE_SENT), 51);
	clock_turn_wall(-365 * DAY);
	rig_free(r);
}

/* The wall clock is set the moment something is claimed. */
static void set_when_claimed(void *ctx, const struct event_row *e)
{
	int64_t *ms = ctx;

	if (e->to == STATE_SENDING)
		clock_turn_wall(*ms);
	if (e->to == STATE_SENDING)
		*ms = 0;
}

TEST(what_is_claimed_when_the_clock_is_set_lives_on)
{
	struct rig *r = rig_new();
	int64_t ms = 30 * DAY;
	struct watcher *w = queue_watch(r->queue, set_when_claimed, &ms);

	rig_answers(r, "mail", "* 451 later\n");
	int64_t first = rig_put_to(r, "ana@example.com"), second = rig_put_to(r, "ana@b.example");
	rig_configure(r, rig_one);
	rig_settle(r);
	expect_int(ms, 0);
	rig_expect(r, first, 0, "queued", 1);
	rig_expect(r, second, 0, "queued", 1);
	rig_answers(r, "mail", "");
	rig_turn_clock(r, 15 * MINUTE);
	rig_expect(r, first, 0, "sent", 2);
	rig_expect(r, second, 0, "sent", 2);
	watcher_free(w);
	clock_turn_wall(-30 * DAY);
	rig_free(r);
}

TEST(what_is_given_back_when_the_clock_was_set_lives_on)
{
	struct rig *r = rig_new();
	int64_t ms = 30 * DAY;
	struct watcher *w = queue_watch(r->queue, set_when_claimed, &ms);

	rig_configure(r, rig_one);
	rig_expect(r, rig_put_to(r, "up@example.com"), 0, "sent", 1);
	rig_answers(r, "mail", "down 421 away\n");
	clock_turn_wall(-30 * DAY);
	ms = 30 * DAY;
	int64_t id = rig_put_to(r, "ana@example.com");
	rig_settle(r);
	expect_int(ms, 0);
	rig_expect(r, id, 0, "queued", 0);
	rig_answers(r, "mail", "");
	rig_turn_clock(r, 15 * MINUTE);
	rig_expect(r, id, 0, "sent", 1);
	watcher_free(w);
	rig_free(r);
}

TEST(a_life_goes_on_as_long_as_it_would_have)
{
	struct rig *r = rig_new();

	rig_answers(r, "mail", "down 421 away\n");
	rig_configure(r, rig_one);
	int64_t id = rig_put(r, &(struct rig_put){.to = {"a@b.example"}, .expires_in_ms = 2 * HOUR})
			     .message;
	set_clock(r, 365 * DAY);
	rig_turn_clock(r, 110 * MINUTE);
	rig_expect(r, id, 0, "queued", 0);
	rig_turn_clock(r, 15 * MINUTE);
	rig_expect(r, id, 0, "expired", 0);
	clock_turn_wall(-365 * DAY);
	rig_free(r);
}

TEST(a_day_back_does_not_make_a_retry_wait_for_a_day)
{
	struct rig *r = rig_new();

	rig_answers(r, "mail", "* 451 later\n");
	rig_configure(r, rig_one);
	int64_t id = rig_put_to(r, "ana@example.com");
	rig_expect(r, id, 0, "queued", 1);
	set_clock(r, -DAY);
	rig_expect(r, id, 0, "queued", 2);
	int64_t fresh = rig_put_to(r, "bo@example.com");
	rig_expect(r, fresh, 0, "queued", 1);
	rig_answers(r, "mail", "");
	rig_turn_clock(r, 5 * MINUTE);
	rig_expect(r, id, 0, "sent", 3);
	rig_expect(r, fresh, 0, "sent", 2);
	clock_turn_wall(DAY);
	rig_free(r);
}

TEST(set_back_between_two_starts_a_retry_does_not_wait_for_what_was_ahead)
{
	struct rig *r = rig_new();

	clock_turn_wall(30 * DAY);
	rig_answers(r, "mail", "* 451 later\n");
	rig_configure(r, rig_one);
	int64_t id = rig_put_to(r, "ana@example.com");
	rig_expect(r, id, 0, "queued", 1);
	clock_turn_wall(-30 * DAY);
	rig_reopen(r);
	rig_configure(r, rig_one);
	rig_expect(r, id, 0, "queued", 2);
	rig_reopen(r);
	rig_configure(r, rig_one);
	rig_expect(r, id, 0, "queued", 2);
	rig_answers(r, "mail", "");
	rig_turn_clock(r, 3 * DAY);
	rig_expect(r, id, 0, "sent", 3);
	rig_free(r);
}

TEST(set_forward_and_back_again_what_was_not_tried_waits_for_no_date)
{
	struct rig *r = rig_new();

	int64_t id = rig_put_to(r, "ana@example.com");
	set_clock(r, 5 * DAY);
	rig_barrier(r);
	set_clock(r, -5 * DAY);
	rig_configure(r, rig_one);
	rig_expect(r, id, 0, "sent", 1);
	rig_free(r);
}

TEST(what_has_a_date_goes_by_the_date)
{
	struct rig *r = rig_new();

	rig_configure(r, rig_one);
	int64_t id = rig_put(r, &(struct rig_put){.to = {"a@b.example"},
						  .in_ms = 2 * HOUR,
						  .expires_in_ms = 3 * HOUR})
			     .message;
	set_clock(r, -DAY);
	rig_turn_clock(r, 3 * HOUR);
	rig_expect(r, id, 0, "queued", 0);
	set_clock(r, DAY + 100 * DAY);
	rig_expect(r, id, 0, "sent", 1);
	clock_turn_wall(-100 * DAY);
	rig_free(r);
}

TEST(steps_of_a_second_are_none)
{
	struct rig *r = rig_new();

	rig_answers(r, "mail", "* 451 later\n");
	rig_configure(r, rig_one);
	int64_t id = rig_put_to(r, "ana@example.com");
	rig_expect(r, id, 0, "queued", 1);
	clock_turn_wall(-1000);
	rig_turn_clock(r, 10 * 1000);
	rig_expect(r, id, 0, "queued", 1);
	clock_turn_wall(1000);
	rig_free(r);
}

RUN_TESTS()
