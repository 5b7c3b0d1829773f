/* bench_store.c - how fast the store accepts, claims and settles, in a directory
 * that is given: each producer puts a message of 300 bytes, waits for its answer,
 * and puts the next. Prints rates. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "base/loop.h"
#include "failure.h"
#include "queue/store.h"
#include "queue/store_read.h"
#include "queue/store_work.h"

#define NOW INT64_C(1800000000000)
#define CLAIM_MESSAGES 100

struct bench {
	struct loop *loop;
	struct store *store;
	long left, under_way, done;
	struct claimed_message **claimed; /* owned, of nclaimed */
	size_t nclaimed;
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void put(struct bench *b);

static void was_put(void *ctx, const struct batch_result *result)
{
	struct bench *b = ctx;

	if (result->status != BATCH_DONE) {
		fprintf(stderr, "put: %s\n", result->why ? result->why->text : "?");
		exit(1);
	}
	b->under_way--;
	b->done++;
	put(b);
}

static void put(struct bench *b)
{
	static char content[300];
	struct message_row m = {
		.created_ms = NOW,
		.uid = 1000,
		.pid = 1,
		.sender = "box@example.com",
		.subject = "the backup is done",
		.message_id = "<0123456789abcdef@box.example.com>",
		.priority = 2,
		.spec = "{\"from\":\"box@example.com\",\"to\":[\"me@example.com\"]}",
		.content_size = sizeof(content),
		.content = content};
	struct delivery_row d = {.recipient = "me@example.com",
				 .route = "#mail",
				 .state = STATE_QUEUED,
				 .next_ms = NOW,
				 .expires_ms = NOW + 1000000};
	struct batch *batch;

	if (b->left == 0)
		return;
	b->left--;
	b->under_way++;
	memset(content, 'x', sizeof(content));
	batch = batch_new();
	batch_put_message(batch, &m, &d, 1, 0);
	store_commit(b->store, batch, was_put, b);
}

static void run_puts(struct bench *b, int producers, long n)
{
	double start = now_s();

	b->left = n;
	b->done = 0;
	for (int i = 0; i < producers; i++)
		put(b);
	while (b->under_way)
		loop_turn(b->loop, true);
	printf("accept, %3d waiting: %8.0f messages/s\n", producers, (double)n / (now_s() - start));
}

static void was_claimed(void *ctx, struct claim_result *result)
{
	struct bench *b = ctx;

	b->nclaimed = result->n;
	for (size_t i = 0; i < result->n; i++)
		b->claimed[i] = result->messages[i];
	b->under_way--;
}

static void was_settled(void *ctx, const struct batch_result *result)
{
	struct bench *b = ctx;

	if (result->status != BATCH_DONE) {
		fprintf(stderr, "settle: status %d\n", result->status);
		exit(1);
	}
	b->under_way--;
}

static void claim(struct bench *b)
{
	static const char *const routes[] = {"#mail", "mail"};

	b->under_way++;
	store_claim(b->store,
		    &(struct claim_request){.routes = routes,
					    .nroutes = 2,
					    .max_messages = CLAIM_MESSAGES,
					    .max_recipients = 100,
					    .transport = "mail",
					    .now_ms = NOW},
		    was_claimed, b);
	while (b->under_way)
		loop_turn(b->loop, true);
}

static void settle(struct bench *b)
{
	struct batch *batch = batch_new();

	for (size_t i = 0; i < b->nclaimed; i++) {
		const struct claimed_message *m = b->claimed[i];

		batch_change(batch,
			     &(struct delivery_change){.delivery = m->deliveries[0].id,
						       .message = m->id,
						       .from = STATE_SENDING,
						       .to = STATE_SENT,
						       .attempt_no = m->deliveries[0].attempt_no,
						       .new_attempt = m->deliveries[0].attempt_no,
						       .at_ms = NOW + 1,
						       .code = 250,
						       .enhanced = "2.0.0",
						       .text = "queued as 12345",
						       .transport = "mail"});
	}
	b->under_way++;
	store_commit(b->store, batch, was_settled, b);
	while (b->under_way)
		loop_turn(b->loop, true);
	for (size_t i = 0; i < b->nclaimed; i++)
		claimed_message_free(b->claimed[i]);
}

static void run_claims(struct bench *b, long n)
{
	double claiming = 0, settling = 0;
	long done = 0;

	while (done < n) {
		double start = now_s();

		claim(b);
		claiming += now_s() - start;
		if (!b->nclaimed)
			break;
		start = now_s();
		settle(b);
		settling += now_s() - start;
		done += (long)b->nclaimed;
	}
	printf("claim  %d at a time: %7.0f messages/s\n", CLAIM_MESSAGES, (double)done / claiming);
	printf("settle %d at a time: %7.0f messages/s\n", CLAIM_MESSAGES, (double)done / settling);
}

static void was_counted(void *ctx, const struct stats_result *result)
{
	struct bench *b = ctx;

	printf("  %llu queued, %llu sent, %.1f MB\n",
	       (unsigned long long)result->by_state[STATE_QUEUED],
	       (unsigned long long)result->by_state[STATE_SENT],
	       (double)result->database_bytes / 1e6);
	b->under_way--;
}

static void run_stats(struct bench *b)
{
	double start = now_s();

	b->under_way++;
	store_stats(b->store, was_counted, b);
	while (b->under_way)
		loop_turn(b->loop, true);
	printf("stats: %.2f ms\n", (now_s() - start) * 1e3);
}

static void reopen(struct bench *b, const char *directory)
{
	struct failure f;
	double start = now_s();

	store_close(b->store);
	double closed = now_s();

	if (store_open(b->loop, &(struct store_options){.directory = directory, .lease_ms = 60000},
		       &b->store, &f) < 0) {
		fprintf(stderr, "%s\n", f.text);
		exit(1);
	}
	printf("close: %.0f ms, open: %.0f ms\n", (closed - start) * 1e3, (now_s() - closed) * 1e3);
}

int main(int argc, char **argv)
{
	long n = argc > 2 ? atol(argv[2]) : 20000;
	struct bench b = {.loop = loop_new()};

	if (argc < 2) {
		fprintf(stderr, "usage: bench_store DIRECTORY [MESSAGES]\n");
		return 64;
	}
	b.claimed = xcalloc(CLAIM_MESSAGES, sizeof(struct claimed_message *));
	reopen(&b, argv[1]);
	run_puts(&b, 1, n / 4);
	run_puts(&b, 10, n);
	run_puts(&b, 50, n);
	run_stats(&b);
	run_claims(&b, n);
	run_stats(&b);
	reopen(&b, argv[1]);
	store_close(b.store);
	free(b.claimed);
	loop_free(b.loop);
	return 0;
}
