/* Threads beside the loop: order, groups, how many, and how they end. */
#include "base/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/loop.h"
#include "buf.h"
#include "expect.h"

struct deed {
	struct job job;
	int number;
	pthread_t thread;
	bool ran, signals_blocked;
	char name[16];
	struct buf *story; /* the test's */
	pthread_barrier_t *together;
	struct worker *then_worker;
	struct deed *then;
};

static void deed_run(struct job *job)
{
	struct deed *d = (struct deed *)job;
	sigset_t blocked;

	d->ran = true;
	d->thread = pthread_self();
	pthread_getname_np(d->thread, d->name, sizeof(d->name));
	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	d->signals_blocked = sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGHUP);
	if (d->together)
		pthread_barrier_wait(d->together);
}

static void deed_done(struct job *job)
{
	struct deed *d = (struct deed *)job;

	expect_true(d->ran);
	buf_printf(d->story, "%d ", d->number);
	if (d->then)
		worker_do(d->then_worker, &d->then->job);
}

static struct deed deed_make(int number, struct buf *story)
{
	return (struct deed){
		.job = {.run = deed_run, .done = deed_done}, .number = number, .story = story};
}

static void turn_until_idle(struct loop *loop, struct worker *w)
{
	while (worker_waiting(w))
		loop_turn(loop, true);
}

TEST(one_thread_does_jobs_in_order_away_from_the_loop_with_signals_blocked)
{
	AUTO(loop_free) struct loop *loop = loop_new();
	struct worker *w = worker_new(loop, "test-worker", 1, NULL, NULL);
	struct deed deeds[20];
	struct buf story;

	buf_init(&story, 1000);
	for (int i = 0; i < 20; i++) {
		deeds[i] = deed_make(i, &story);
		worker_do(w, &deeds[i].job);
	}
	expect_int(story.len, 0);
	expect_int(worker_waiting(w), 20);
	turn_until_idle(loop, w);
	expect_text(buf_bytes(&story), "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 ");
	expect_true(!pthread_equal(deeds[0].thread, pthread_self()));
	expect_true(pthread_equal(deeds[0].thread, deeds[19].thread));
	expect_true(deeds[7].signals_blocked);
	expect_text(deeds[7].name, "test-worker");
	worker_free(w);
	buf_clear(&story);
}

TEST(jobs_that_wait_for_each_other_get_a_thread_each)
{
	AUTO(loop_free) struct loop *loop = loop_new();
	struct worker *w = worker_new(loop, "test", 3, NULL, NULL);
	pthread_barrier_t together;
	struct deed deeds[3];
	struct buf story;

	buf_init(&story, 1000);
	pthread_barrier_init(&together, NULL, 3);
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 3; i++) {
			deeds[i] = deed_make(i, &story);
			deeds[i].together = &together;
			worker_do(w, &deeds[i].job);
		}
		turn_until_idle(loop, w);
	}
	expect_int(story.len, 20 * 6);
	worker_free(w);
	pthread_barrier_destroy(&together);
	buf_clear(&story);
}

struct gate {
	struct worker *worker;
	pthread_barrier_t entered, leave;
	int groups;
	int sizes[8];
	bool closed;
};

static void group_run(void *ctx, struct job *jobs)
{
	struct gate *gate = ctx;
	int size = 0;

	for (struct job *job = jobs; job; job = job->next) {
		((struct deed *)job)->ran = true;
		size++;
	}
	gate->sizes[gate->groups++] = size;
	if (gate->groups == 1) {
		pthread_barrier_wait(&gate->entered);
		pthread_barrier_wait(&gate->leave);
	}
}

TEST(a_group_is_all_that_waits_at_that_moment)
{
	AUTO(loop_free) struct loop *loop = loop_new();
	struct gate gate = {.groups = 0};
	struct worker *w = worker_new(loop, "group", 1, group_run, &gate);
	struct deed deeds[6];
	struct buf story;

	buf_init(&story, 1000);
	pthread_barrier_init(&gate.entered, NULL, 2);
	pthread_barrier_init(&gate.leave, NULL, 2);
	deeds[0] = deed_make(0, &story);
	worker_do(w, &deeds[0].job);
	pthread_barrier_wait(&gate.entered);
	for (int i = 1; i < 6; i++) {
		deeds[i] = deed_make(i, &story);
		worker_do(w, &deeds[i].job);
	}
	pthread_barrier_wait(&gate.leave);
	turn_until_idle(loop, w);
	expect_text(buf_bytes(&story), "0 1 2 3 4 5 ");
	expect_int(gate.groups, 2);
	expect_int(gate.sizes[0], 1);
	expect_int(gate.sizes[1], 5);
	worker_free(w);
	pthread_barrier_destroy(&gate.entered);
	pthread_barrier_destroy(&gate.leave);
	buf_clear(&story);
}

static void gathering_run(void *ctx, struct job *jobs)
{
	struct gate *gate = ctx;

	group_run(gate, jobs);
	worker_gather(gate->worker, 60 * 1000 * 1000);
}

TEST(a_group_waits_for_those_who_were_answered)
{
	AUTO(loop_free) struct loop *loop = loop_new();
	struct gate gate = {.groups = 0};
	struct worker *w = gate.worker = worker_new(loop, "group", 1, gathering_run, &gate);
	struct deed deeds[3];
	struct buf story;

	buf_init(&story, 1000);
	pthread_barrier_init(&gate.entered, NULL, 2);
	pthread_barrier_init(&gate.leave, NULL, 2);
	for (int i = 0; i < 3; i++)
		deeds[i] = deed_make(i, &story);
	deeds[0].then_worker = w;
	deeds[0].then = &deeds[2];
	worker_do(w, &deeds[0].job);
	pthread_barrier_wait(&gate.entered);
	worker_do(w, &deeds[1].job);
	pthread_barrier_wait(&gate.leave);
	turn_until_idle(loop, w);
	expect_text(buf_bytes(&story), "0 1 2 ");
	expect_int(gate.groups, 2);
	expect_int(gate.sizes[1], 2);
	worker_free(w);
	pthread_barrier_destroy(&gate.entered);
	pthread_barrier_destroy(&gate.leave);
	buf_clear(&story);
}

TEST(free_waits_for_all_jobs_even_those_given_while_it_waits)
{
	AUTO(loop_free) struct loop *loop = loop_new();
	struct worker *w = worker_new(loop, "test", 2, NULL, NULL);
	struct deed deeds[3];
	struct buf story;

	buf_init(&story, 1000);
	for (int i = 0; i < 3; i++)
		deeds[i] = deed_make(i, &story);
	deeds[0].then = &deeds[1];
	deeds[1].then = &deeds[2];
	deeds[0].then_worker = deeds[1].then_worker = w;
	worker_do(w, &deeds[0].job);
	worker_free(w);
	expect_text(buf_bytes(&story), "0 1 2 ");
	buf_clear(&story);
}

TEST(abandoning_does_not_wait_for_a_job_that_hangs_and_gives_back_the_rest)
{
	AUTO(loop_free) struct loop *loop = loop_new();
	struct worker *w = worker_new(loop, "test", 1, NULL, NULL);
	/* the thread may still be about to leave these when the test is over */
	static pthread_barrier_t together;
	static struct deed hangs, waits;
	struct buf story;

	buf_init(&story, 1000);
	pthread_barrier_init(&together, NULL, 2);
	hangs = deed_make(1, &story);
	hangs.together = &together;
	waits = deed_make(2, &story);
	worker_do(w, &hangs.job);
	worker_do(w, &waits.job);
	struct job *rest = worker_abandon(w);
	/* the thread may not yet have taken the first */
	if (rest == &hangs.job) {
		expect_true(rest->next == &waits.job);
	} else {
		expect_true(rest == &waits.job);
		pthread_barrier_wait(&together);
	}
	loop_turn(loop, false);
	expect_text(buf_bytes(&story), "");
	expect_true(!waits.ran);
	buf_clear(&story);
}

RUN_TESTS()
