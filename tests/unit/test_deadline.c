/* Deadlines, tasks and watches: what a turn of the loop does, and in which order. */
#include "base/deadline.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "expect.h"

struct stage {
	struct loop *loop;
	struct buf story;
	struct task first, second, third;
	struct deadline deadline, other;
	struct watch watch;
};

static void tell(struct stage *s, const char *what)
{
	buf_printf(&s->story, "%s%s", s->story.len ? " " : "", what);
}

static void stage_init(struct stage *s)
{
	*s = (struct stage){.loop = loop_new()};
	buf_init(&s->story, 1000);
}

static void stage_clear(struct stage *s)
{
	deadline_clear(&s->deadline);
	deadline_clear(&s->other);
	loop_free(s->loop);
	buf_clear(&s->story);
}

static void passed(void *ctx)
{
	tell(ctx, "passed");
}

static void other_passed(void *ctx)
{
	tell(ctx, "other");
}

TEST(a_deadline_passes_when_its_time_has_come_and_only_once)
{
	struct stage s;

	stage_init(&s);
	deadline_init(&s.deadline, s.loop, passed, &s);
	deadline_set(&s.deadline, 300000);
	loop_turn_clock(s.loop, 299000);
	loop_turn(s.loop, false);
	expect_text(buf_bytes(&s.story), "");
	expect_true(deadline_is_set(&s.deadline));
	loop_turn_clock(s.loop, 1000);
	loop_turn(s.loop, false);
	expect_text(buf_bytes(&s.story), "passed");
	expect_true(!deadline_is_set(&s.deadline));
	loop_turn_clock(s.loop, 600000);
	loop_turn(s.loop, false);
	expect_text(buf_bytes(&s.story), "passed");
	stage_clear(&s);
}

TEST(setting_again_replaces_and_unset_takes_back)
{
	struct stage s;

	stage_init(&s);
	deadline_init(&s.deadline, s.loop, passed, &s);
	deadline_set(&s.deadline, 1000);
	deadline_set(&s.deadline, 60000);
	loop_turn_clock(s.loop, 2000);
	loop_turn(s.loop, false);
	expect_text(buf_bytes(&s.story), "");
	deadline_unset(&s.deadline);
	deadline_unset(&s.deadline);
	loop_turn_clock(s.loop, 60000);
	loop_turn(s.loop, false);
	expect_text(buf_bytes(&s.story), "");
	stage_clear(&s);
}

TEST(after_a_leap_of_the_clock_deadlines_pass_in_their_order)
{
	struct stage s;

	stage_init(&s);
	deadline_init(&s.deadline, s.loop, passed, &s);
	deadline_init(&s.other, s.loop, other_passed, &s);
	deadline_set(&s.deadline, 7300);
	deadline_set(&s.other, 5100);
	loop_turn_clock(s.loop, 100000);
	loop_turn(s.loop, false);
	expect_text(buf_bytes(&s.story), "other passed");
	stage_clear(&s);
}

TEST(a_deadline_in_no_time_passes_without_the_clock_being_turned)
{
	struct stage s;

	stage_init(&s);
	deadline_init(&s.deadline, s.loop, passed, &s);
	deadline_set(&s.deadline, 0);
	loop_turn(s.loop, true);
	expect_text(buf_bytes(&s.story), "passed");
	stage_clear(&s);
}

static void first_runs(void *ctx)
{
	struct stage *s = ctx;

	tell(s, "first");
	task_start(&s->third);
	task_start(&s->third);
	task_clear(&s->second);
}

static void second_runs(void *ctx)
{
	tell(ctx, "second");
}

static void third_runs(void *ctx)
{
	tell(ctx, "third");
}

TEST(what_a_task_starts_waits_for_the_next_turn_and_what_it_clears_does_not_run)
{
	struct stage s;

	stage_init(&s);
	task_init(&s.first, s.loop, first_runs, &s);
	task_init(&s.second, s.loop, second_runs, &s);
	task_init(&s.third, s.loop, third_runs, &s);
	task_clear(&s.first);
	task_start(&s.first);
	task_start(&s.second);
	loop_turn(s.loop, true);
	expect_text(buf_bytes(&s.story), "first");
	loop_turn(s.loop, true);
	expect_text(buf_bytes(&s.story), "first third");
	loop_turn(s.loop, false);
	expect_text(buf_bytes(&s.story), "first third");
	stage_clear(&s);
}

TEST(clearing_the_last_waiting_task_leaves_a_list_that_still_works)
{
	struct stage s;

	stage_init(&s);
	task_init(&s.second, s.loop, second_runs, &s);
	task_init(&s.third, s.loop, third_runs, &s);
	task_start(&s.second);
	task_start(&s.third);
	task_clear(&s.third);
	task_start(&s.third);
	task_clear(&s.second);
	task_clear(&s.third);
	task_start(&s.third);
	task_start(&s.second);
	loop_turn(s.loop, true);
	expect_text(buf_bytes(&s.story), "third second");
	stage_clear(&s);
}

static void ready_once(void *ctx, unsigned ready)
{
	struct stage *s = ctx;

	tell(s, ready == WATCH_READ ? "readable" : ready == WATCH_WRITE ? "writable" : "both");
	watch_clear(&s->watch);
}

TEST(a_watch_says_what_it_was_asked_for_and_can_be_cleared_in_its_own_call)
{
	struct stage s;
	int fds[2];

	stage_init(&s);
	expect_int(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	expect_int(write(fds[1], "x", 1), 1);
	watch_init(&s.watch, s.loop, fds[0], ready_once, &s);
	loop_turn(s.loop, false);
	expect_text(buf_bytes(&s.story), "");
	watch_want(&s.watch, WATCH_WRITE);
	loop_turn(s.loop, true);
	expect_text(buf_bytes(&s.story), "writable");
	watch_clear(&s.watch);
	watch_init(&s.watch, s.loop, fds[0], ready_once, &s);
	watch_want(&s.watch, WATCH_READ);
	loop_turn(s.loop, true);
	expect_text(buf_bytes(&s.story), "writable readable");
	close(fds[0]);
	close(fds[1]);
	stage_clear(&s);
}

static void ready_unread(void *ctx, unsigned ready)
{
	task_start(&((struct stage *)ctx)->first);
}

static void first_reads(void *ctx)
{
	struct stage *s = ctx;

	tell(s, "first");
	watch_clear(&s->watch);
}

TEST(a_descriptor_that_stays_ready_keeps_no_task_waiting)
{
	struct stage s;
	int fds[2];

	stage_init(&s);
	expect_int(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	expect_int(write(fds[1], "x", 1), 1);
	task_init(&s.first, s.loop, first_reads, &s);
	watch_init(&s.watch, s.loop, fds[0], ready_unread, &s);
	watch_want(&s.watch, WATCH_READ);
	loop_turn(s.loop, false);
	expect_text(buf_bytes(&s.story), "first");
	close(fds[0]);
	close(fds[1]);
	stage_clear(&s);
}

static void signal_came(void *ctx)
{
	struct stage *s = ctx;

	tell(s, "signal");
	loop_stop(s->loop);
}

TEST(a_signal_reaches_the_loop_and_stop_ends_the_run)
{
	struct stage s;

	stage_init(&s);
	loop_on_signal(s.loop, SIGUSR1, signal_came, &s);
	raise(SIGUSR1);
	loop_run(s.loop);
	raise(SIGUSR1);
	loop_run(s.loop);
	expect_text(buf_bytes(&s.story), "signal signal");
	stage_clear(&s);
}

RUN_TESTS()
