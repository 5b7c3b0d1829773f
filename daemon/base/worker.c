/* base/worker.c - decides which thread takes a job and how results reach the
 * loop: by an eventfd, the one thing a thread and the loop share besides the
 * lists under the lock. */
#include "base/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "base/loop.h"
#include "base/room.h"

#define STACK_BYTES (256 * 1024)
#define NAME_SIZE 16

struct job_list {
	struct job *first, **tail; /* by .next */
};

struct worker {
	struct loop *loop;
	char name[NAME_SIZE];
	unsigned max;
	worker_group_fn *group;
	void *ctx;
	struct watch watch;
	size_t waiting;     /* the loop's own count */
	pthread_t *threads; /* owned, of max */
	int64_t gather_us;  /* the group's thread's own */

	/* what follows is under the lock */
	pthread_mutex_t lock;
	pthread_cond_t work, finished;
	struct job_list todo, over;
	size_t queued; /* jobs in todo */
	size_t enough; /* of a group: so many are waited for, where waiting is asked for */
	unsigned started, idle, running;
	bool ending, abandoned;
	int wake_fd; /* an eventfd; -1 once the loop is gone */
};

static void list_init(struct job_list *list)
{
	list->first = NULL;
	list->tail = &list->first;
}

/* jobs is one or several by .next. */
static void list_add(struct job_list *list, struct job *jobs)
{
	*list->tail = jobs;
	while (*list->tail)
		list->tail = &(*list->tail)->next;
}

static struct job *list_take_all(struct job_list *list)
{
	struct job *first = list->first;

	list_init(list);
	return first;
}

static struct job *list_take_one(struct job_list *list)
{
	struct job *job = list->first;

	list->first = job->next;
	if (!list->first)
		list->tail = &list->first;
	job->next = NULL;
	return job;
}

/* Nobody has a use for it any more: neither the loop nor a thread. */
static void destroy(struct worker *w)
{
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->work);
	pthread_cond_destroy(&w->finished);
	free(w->threads);
	free(w);
}

static struct job *next_jobs(struct worker *w)
{
	if (w->group) {
		w->queued = 0;
		return list_take_all(&w->todo);
	}
	w->queued--;
	return list_take_one(&w->todo);
}

static size_t count(const struct job *jobs)
{
	size_t n = 0;

	for (; jobs; jobs = jobs->next)
		n++;
	return n;
}

/* With the lock held. */
static void gather(struct worker *w)
{
	struct timespec until;
	int error = 0;

	if (!w->gather_us)
		return;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += w->gather_us % 1000000 * 1000;
	until.tv_sec += w->gather_us / 1000000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (w->queued < w->enough && !w->ending && !w->abandoned && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&w->work, &w->lock, &until);
	w->enough = 0;
}

/* With the lock held; without it while the jobs run. */
static void work_on(struct worker *w, struct job *jobs)
{
	static const uint64_t one = 1;

	pthread_mutex_unlock(&w->lock);
	if (w->group)
		w->group(w->ctx, jobs);
	else
		jobs->run(jobs);
	pthread_mutex_lock(&w->lock);
	if (w->abandoned)
		return;
	bool told = w->over.first;

	w->enough = w->gather_us ? w->queued + count(jobs) : 0;
	list_add(&w->over, jobs);
	if (!told && write(w->wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		loop_cannot("cannot wake the loop");
	pthread_cond_signal(&w->finished);
}

static void *thread_main(void *ctx)
{
	struct worker *w = ctx;
	bool last;

	pthread_setname_np(pthread_self(), w->name);
	pthread_mutex_lock(&w->lock);
	while (!w->abandoned) {
		if (w->todo.first) {
			gather(w);
			if (!w->abandoned)
				work_on(w, next_jobs(w));
		} else if (w->ending) {
			break;
		} else {
			w->idle++;
			pthread_cond_wait(&w->work, &w->lock);
			w->idle--;
		}
	}
	last = --w->running == 0 && w->abandoned;
	pthread_mutex_unlock(&w->lock);
	if (last)
		destroy(w);
	return NULL;
}

/* With the lock held. */
static void thread_start(struct worker *w)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int error;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&w->threads[w->started], &attributes, thread_main, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (!error) {
		w->started++;
		w->running++;
	} else if (w->started == 0) {
		errno = error;
		loop_cannot("no thread");
	}
}

static void deliver(struct worker *w)
{
	struct job *jobs;

	pthread_mutex_lock(&w->lock);
	jobs = list_take_all(&w->over);
	pthread_mutex_unlock(&w->lock);
	while (jobs) {
		struct job *job = jobs;

		jobs = job->next;
		w->waiting--;
		job->done(job);
	}
}

static void results_ready(void *ctx, unsigned ready)
{
	struct worker *w = ctx;
	uint64_t count;

	if (read(w->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		loop_cannot("cannot hear the threads");
	deliver(w);
}

/* One that waits by the clock nobody sets. */
static void cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attributes);
	pthread_condattr_destroy(&attributes);
}

struct worker *worker_new(struct loop *loop, const char *name, unsigned max, worker_group_fn *group,
			  void *ctx)
{
	struct worker *w = xcalloc(1, sizeof(*w));

	w->loop = loop;
	w->max = group ? 1 : max;
	w->group = group;
	w->ctx = ctx;
	snprintf(w->name, sizeof(w->name), "%s", name);
	w->threads = xcalloc(w->max, sizeof(*w->threads));
	pthread_mutex_init(&w->lock, NULL);
	cond_init(&w->work);
	pthread_cond_init(&w->finished, NULL);
	list_init(&w->todo);
	list_init(&w->over);
	w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->wake_fd < 0)
		loop_cannot("no eventfd");
	watch_init(&w->watch, loop, w->wake_fd, results_ready, w);
	watch_want(&w->watch, WATCH_READ);
	return w;
}

void worker_gather(struct worker *w, int64_t most_us)
{
	w->gather_us = most_us;
}

void worker_do(struct worker *w, struct job *job)
{
	bool wake = true;

	job->next = NULL;
	w->waiting++;
	pthread_mutex_lock(&w->lock);
	list_add(&w->todo, job);
	w->queued++;
	/* idle ones that were signalled count as idle until they wake */
	if (w->queued > w->idle && w->started < w->max) {
		thread_start(w);
		wake = false;
	} else if (w->queued > 1 && w->queued < w->enough) {
		wake = false; /* the first of a group has woken it, it waits for the others */
	}
	pthread_mutex_unlock(&w->lock);
	/* After the lock is free: who wakes would only wait for it. */
	if (wake)
		pthread_cond_signal(&w->work);
}

size_t worker_waiting(const struct worker *w)
{
	return w->waiting;
}

static void forget_loop(struct worker *w)
{
	watch_clear(&w->watch);
	close(w->wake_fd);
	w->wake_fd = -1;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	while (w->waiting > 0) {
		pthread_mutex_lock(&w->lock);
		while (!w->over.first)
			pthread_cond_wait(&w->finished, &w->lock);
		pthread_mutex_unlock(&w->lock);
		deliver(w);
	}
	pthread_mutex_lock(&w->lock);
	w->ending = true;
	pthread_cond_broadcast(&w->work);
	pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->started; i++)
		pthread_join(w->threads[i], NULL);
	forget_loop(w);
	destroy(w);
}

struct job *worker_abandon(struct worker *w)
{
	struct job *jobs;
	bool last;

	if (!w)
		return NULL;
	pthread_mutex_lock(&w->lock);
	w->abandoned = true;
	forget_loop(w);
	for (unsigned i = 0; i < w->started; i++)
		pthread_detach(w->threads[i]);
	pthread_cond_broadcast(&w->work);
	list_add(&w->over, list_take_all(&w->todo));
	jobs = list_take_all(&w->over);
	last = w->running == 0;
	pthread_mutex_unlock(&w->lock);
	if (last)
		destroy(w);
	return jobs;
}
