/* What goes wrong around the store is said clearly, harms nothing that was
 * promised, and is over when its cause is. */
#include "queue/store.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "clock.h"
#include "expect.h"
#include "store_hand.h"

TEST(a_second_opener_is_told_who_has_it)
{
	struct hand *h = hand_new();
	struct store *second;
	struct failure f;
	char pid[24];

	snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
	expect_failure(
		store_open(h->loop,
			   &(struct store_options){.directory = h->directory, .lease_ms = 1000},
			   &second, &f),
		&f, FAILURE_SETUP);
	expect_contains(f.text, "in use by");
	expect_contains(f.text, pid);
	hand_put(h, "a@x");
	hand_free(h);
}

static void expect_no_open(struct hand *h, const char *part)
{
	struct failure f;

	expect_failure(hand_open(h, &f), &f, FAILURE_SETUP);
	expect_contains(f.text, part);
	expect_contains(f.text, h->directory);
}

TEST(a_file_in_place_of_the_directory_is_refused)
{
	struct hand *h = hand_new();
	struct failure f;
	struct store *store;

	expect_failure(
		store_open(h->loop,
			   &(struct store_options){.directory = h->database, .lease_ms = 1000},
			   &store, &f),
		&f, FAILURE_SETUP);
	expect_contains(f.text, "is not a directory");
	expect_failure(store_open(h->loop,
				  &(struct store_options){.directory = "/dev/null/state",
							  .lease_ms = 1000},
				  &store, &f),
		       &f, FAILURE_SETUP);
	expect_contains(f.text, "can't make state directory /dev/null/state");
	hand_free(h);
}

TEST(a_directory_everybody_may_write_into_is_refused)
{
	struct hand *h = hand_new();

	hand_close(h);
	expect_int(chmod(h->directory, 0777), 0);
	expect_no_open(h, "chmod o-w");
	expect_int(chmod(h->directory, 0700), 0);
	hand_free(h);
}

TEST(a_database_that_cannot_be_written_is_said_to_be)
{
	struct hand *h = hand_new();

	hand_close(h);
	unlink(h->database);
	expect_int(mkdir(h->database, 0700), 0);
	expect_no_open(h, "can't write");
	expect_int(rmdir(h->database), 0);
	hand_free(h);
}

static void scribble(struct hand *h, off_t at, const char *with, size_t len)
{
	int fd = open(h->database, O_WRONLY | O_CREAT, 0600);

	expect_true(fd >= 0);
	expect_int(pwrite(fd, with, len, at), len);
	close(fd);
}

TEST(what_is_no_database_is_not_touched)
{
	struct hand *h = hand_new();
	char text[8192];

	hand_close(h);
	memset(text, 'x', sizeof(text));
	unlink(h->database);
	scribble(h, 0, text, sizeof(text));
	expect_no_open(h, "is not a database");
	hand_free(h);
}

TEST(a_damaged_page_is_found_at_open)
{
	struct hand *h = hand_new();
	char noise[4096];

	for (int i = 0; i < 200; i++)
		hand_put(h, "a@x b@x c@x");
	hand_close(h);
	int64_t root =
		hand_number(h, "SELECT rootpage FROM sqlite_schema WHERE name = 'deliveries'");

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)(i * 7 + 3);
	scribble(h, (root - 1) * 4096, noise, sizeof(noise));
	expect_no_open(h, "is damaged");
	hand_free(h);
}

TEST(a_newer_schema_is_left_to_the_newer_nuncio)
{
	struct hand *h = hand_new();

	hand_close(h);
	hand_sql(h, "PRAGMA user_version = 99");
	expect_no_open(h, "newer nuncio (schema 99");
	hand_free(h);
}

TEST(another_programs_database_is_left_alone)
{
	struct hand *h = hand_new();

	hand_close(h);
	unlink(h->database);
	hand_sql(h, "CREATE TABLE theirs (x)");
	expect_no_open(h, "another program");
	expect_int(hand_number(h, "SELECT count(*) FROM theirs"), 0);
	hand_free(h);
}

TEST(a_migration_that_was_interrupted_goes_on)
{
	struct hand *h = hand_new();

	hand_close(h);
	unlink(h->database);
	/* made and not yet filled, as after a crash right at the start */
	scribble(h, 0, "", 0);
	struct failure f;

	expect_ok(hand_open(h, &f), &f);
	expect_int(hand_put(h, "a@x"), 1);
	hand_free(h);
}

static struct batch *batch_large(int64_t body)
{
	static char bytes[STORE_CHUNK_BYTES];
	struct batch *b = batch_new();

	for (unsigned i = 0; i < 40; i++)
		batch_put_chunk(b, body, i, bytes, sizeof(bytes));
	return b;
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	expect_int(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

struct outcome {
	int answered;
	enum batch_status status[3];
	struct failure why[3];
};

static void note_outcome(void *ctx, const struct batch_result *result)
{
	struct outcome *o = ctx;

	o->status[o->answered] = result->status;
	if (result->why)
		o->why[o->answered] = *result->why;
	o->answered++;
}

static void put_later(struct hand *h, const char *recipient, struct outcome *o)
{
	struct message_row m = hand_message();
	struct delivery_row d = hand_delivery(recipient);
	struct batch *b = batch_new();

	batch_put_message(b, &m, &d, 1, 0);
	store_commit(h->store, b, note_outcome, o);
}

static sqlite3 *lock_database(struct hand *h)
{
	sqlite3 *db;

	expect_int(sqlite3_open(h->database, &db), SQLITE_OK);
	expect_int(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return db;
}

static void unlock_database(sqlite3 *db)
{
	expect_int(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* The first holds the thread up, so that the others are one group: mostly. */
static struct outcome put_on_full_disk(struct hand *h)
{
	struct outcome o = {.answered = 0};
	struct batch *large = batch_large(store_new_body(h->store));
	sqlite3 *other = lock_database(h);

	limit_files(256 * 1024);
	put_later(h, "first@x", &o);
	loop_turn(h->loop, false);
	put_later(h, "small@x", &o);
	store_commit(h->store, large, note_outcome, &o);
	unlock_database(other);
	while (o.answered < 3)
		loop_turn(h->loop, true);
	limit_files(RLIM_INFINITY);
	return o;
}

TEST(a_full_disk_fails_the_whole_group_and_harms_nothing)
{
	struct hand *h = hand_new();
	struct outcome o = {.answered = 0};
	uint64_t kept = 1;
	bool together = false;

	signal(SIGXFSZ, SIG_IGN);
	hand_put(h, "a@x");
	for (int i = 0; i < 50 && !together; i++) {
		o = put_on_full_disk(h);
		together = o.status[1] == BATCH_FAILED;
		kept += (o.status[0] == BATCH_DONE) + (o.status[1] == BATCH_DONE);
		expect_int(o.status[2], BATCH_FAILED);
		expect_int(o.why[2].kind, FAILURE_LATER);
		expect_contains(o.why[2].text, "the disk is full");
	}
	expect_true(together);
	expect_contains(o.why[1].text, "the disk is full");
	expect_int(hand_stats(h).by_state[STATE_QUEUED], kept);
	hand_put(h, "d@x");
	expect_int(hand_commit(h, batch_large(store_new_body(h->store))).status, BATCH_DONE);
	hand_reopen(h);
	expect_int(hand_stats(h).by_state[STATE_QUEUED], kept + 1);
	hand_free(h);
}

TEST(a_lock_of_another_process_fails_writes_soon_and_passes)
{
	struct hand *h = hand_new();
	struct outcome o = {.answered = 0};
	int64_t start_ms = clock_mono_ms();

	hand_put(h, "a@x");
	sqlite3 *other = lock_database(h);

	put_later(h, "b@x", &o);
	put_later(h, "b@x", &o);
	/* who reads is not held up */
	hand_list(h, &hand_all, 0, 10);
	expect_text(hand_told(h), "1 m1 queued a@x\n");
	expect_int(o.answered, 0);
	while (o.answered < 2)
		loop_turn(h->loop, true);
	expect_true(clock_mono_ms() - start_ms < 10000);
	expect_int(o.status[0], BATCH_FAILED);
	expect_int(o.status[1], BATCH_FAILED);
	expect_int(o.why[1].kind, FAILURE_LATER);
	expect_contains(o.why[1].text, "locked by another process");
	hand_claim(h, "#mail", 1, 1, HAND_NOW);
	expect_int(h->why.kind, FAILURE_LATER);
	unlock_database(other);
	hand_put(h, "c@x");
	expect_int(hand_stats(h).by_state[STATE_QUEUED], 2);
	hand_free(h);
}

TEST(a_failed_read_says_why)
{
	struct hand *h = hand_new();

	hand_sql(h, "DROP TABLE chunks");
	expect_false(hand_chunk(h, 1, 0));
	expect_int(h->why.kind, FAILURE_LATER);
	expect_contains(h->why.text, "no such table");
	hand_free(h);
}

RUN_TESTS()
