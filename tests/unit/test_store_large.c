/* A store large enough that it is open before it was looked over, and that notes what
 * it counted. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "expect.h"
#include "store_hand.h"

#define CHUNKS 560 /* more than 32 MiB of them */
#define NOTED "SELECT count(*) FROM meta WHERE name = 'counters'"

static void put_large(struct hand *h)
{
	static char bytes[STORE_CHUNK_BYTES];
	struct message_row m = hand_message();
	struct delivery_row d = hand_delivery("large@x");

	m.body = store_new_body(h->store);
	m.content = NULL;
	m.content_size = (uint64_t)CHUNKS * sizeof(bytes);
	for (unsigned i = 0; i < CHUNKS; i += 16) {
		struct batch *b = batch_new();

		for (unsigned n = i; n < i + 16; n++)
			batch_put_chunk(b, m.body, n, bytes, sizeof(bytes));
		expect_int(hand_commit(h, b).status, BATCH_DONE);
	}
	hand_put_row(h, &m, &d);
}

static void expect_counts(struct hand *h, uint64_t queued, uint64_t held, uint64_t canceled)
{
	struct stats_result stats = hand_stats(h);

	expect_int(stats.by_state[STATE_QUEUED], queued);
	expect_int(stats.by_state[STATE_HELD], held);
	expect_int(stats.by_state[STATE_CANCELED], canceled);
	expect_int(stats.nroutes, 1);
	expect_text(stats.routes[0].route, "#mail");
	expect_int(stats.routes[0].waiting, queued);
	expect_int(stats.routes[0].oldest_ms, HAND_NOW);
}

TEST(what_was_counted_is_noted_at_the_end_and_used_once)
{
	struct hand *h = hand_new();

	put_large(h);
	hand_put(h, "a@x b@x c@x");
	hand_do(h, DEED_HOLD, &(struct filter){.uid = -1, .delivery = 2}, 0);
	hand_do(h, DEED_CANCEL, &(struct filter){.uid = -1, .delivery = 3}, 0);
	expect_counts(h, 2, 1, 1);
	expect_int(hand_number(h, NOTED), 0);
	hand_close(h);
	expect_int(hand_number(h, NOTED), 1);
	hand_sql(h, "UPDATE meta SET value = replace(value, '#mail\t1\t0\t1\t2\t',"
		    " '#mail\t1\t0\t1\t7\t') WHERE name = 'counters'");
	hand_reopen(h);
	expect_int(hand_number(h, NOTED), 0);
	/* it was believed */
	expect_counts(h, 7, 1, 1);
	hand_free(h);
}

TEST(a_note_that_says_nothing_is_not_believed)
{
	struct hand *h = hand_new();

	put_large(h);
	hand_close(h);
	hand_sql(h, "UPDATE meta SET value = 'x' WHERE name = 'counters'");
	hand_reopen(h);
	expect_counts(h, 1, 0, 0);
	expect_int(hand_number(h, NOTED), 0);
	hand_free(h);
}

TEST(who_did_not_end_well_counts_again)
{
	struct hand *h = hand_new();
	struct failure f;

	put_large(h);
	hand_close(h);
	pid_t child = fork();

	if (child == 0)
		_exit(hand_open(h, &f) < 0);
	int status;

	expect_int(waitpid(child, &status, 0), child);
	expect_int(status, 0);
	expect_int(hand_number(h, NOTED), 0);
	hand_reopen(h);
	expect_counts(h, 1, 0, 0);
	hand_free(h);
}

static void overwrite(struct hand *h, long offset)
{
	static const char rubbish[4096] = {1, 2, 3};
	FILE *file = fopen(h->database, "r+");

	expect_some(file);
	expect_int(fseek(file, offset, SEEK_SET), 0);
	expect_int(fwrite(rubbish, 1, sizeof(rubbish), file), sizeof(rubbish));
	fclose(file);
}

TEST(damage_is_found_while_it_is_open_and_then_nothing_is_written)
{
	struct hand *h = hand_new();
	struct failure f;

	for (int i = 0; i < 50; i++)
		hand_put(h, "a@x b@x c@x d@x e@x");
	put_large(h);
	long page =
		(long)hand_number(h, "SELECT rootpage FROM sqlite_schema WHERE name = 'events'");

	hand_close(h);
	overwrite(h, (page - 1) * 4096);
	expect_ok(hand_open(h, &f), &f);
	struct batch *b;

	do {
		b = batch_new();
		batch_pause(b, "mail", "why");
	} while (hand_commit(h, b).status == BATCH_DONE);
	expect_int(h->why.kind, FAILURE_SETUP);
	expect_contains(h->why.text, "is damaged (");
	expect_contains(h->why.text, "put back a copy");
	hand_close(h);
	/* which is found at the next opening */
	expect_failure(hand_open(h, &f), &f, FAILURE_SETUP);
	expect_contains(f.text, "is damaged");
	hand_free(h);
}

RUN_TESTS()
