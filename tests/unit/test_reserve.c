/* What new messages may take of a disk, and the file that others can't take. */
#include "queue/reserve.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "expect.h"

#define MIB (1 << 20)

struct house {
	char directory[40], database[60], log[60], file[60];
	struct reserve reserve;
};

static void house_init(struct house *h)
{
	snprintf(h->directory, sizeof(h->directory), "/tmp/nuncio-XXXXXX");
	expect_some(mkdtemp(h->directory));
	snprintf(h->database, sizeof(h->database), "%s/queue.db", h->directory);
	snprintf(h->log, sizeof(h->log), "%s/queue.db-wal", h->directory);
	snprintf(h->file, sizeof(h->file), "%s/reserve", h->directory);
	reserve_init(&h->reserve, h->directory, h->database);
}

static void house_clear(struct house *h)
{
	reserve_clear(&h->reserve);
	unlink(h->database);
	unlink(h->log);
	unlink(h->file);
	expect_int(rmdir(h->directory), 0);
}

static void make(const char *path, int64_t bytes)
{
	FILE *file = fopen(path, "w");

	expect_some(file);
	expect_int(ftruncate(fileno(file), bytes), 0);
	fclose(file);
}

static int64_t room(struct house *h, int64_t waiting, int64_t database, int64_t unused,
		    int64_t log_used)
{
	struct reserve_use use = {waiting, database, unused, log_used};

	return reserve_room(&h->reserve, &use);
}

/* Others write to the disk beside us: what is near enough. */
static void expect_about(int64_t got, int64_t want)
{
	expect_true(llabs(got - want) < 64 * MIB);
}

TEST(the_file_is_made_given_up_and_made_again_a_while_later)
{
	struct house h;
	struct stat st;

	house_init(&h);
	expect_false(reserve_release(&h.reserve));
	clock_turn(20 * 1000);
	reserve_keep(&h.reserve, 0);
	expect_int(stat(h.file, &st), 0);
	expect_int(st.st_size, h.reserve.log_bytes);
	expect_true(st.st_blocks * 512 >= st.st_size);
	expect_int(st.st_mode & 0777, 0600);
	expect_true(reserve_release(&h.reserve));
	expect_true(stat(h.file, &st) < 0);
	reserve_keep(&h.reserve, 0);
	expect_true(stat(h.file, &st) < 0);
	clock_turn(20 * 1000);
	reserve_keep(&h.reserve, 0);
	expect_int(stat(h.file, &st), 0);
	house_clear(&h);
}

TEST(a_file_of_before_is_known)
{
	struct house h;

	house_init(&h);
	make(h.file, h.reserve.log_bytes);
	reserve_clear(&h.reserve);
	reserve_init(&h.reserve, h.directory, h.database);
	expect_true(reserve_release(&h.reserve));
	house_clear(&h);
}

TEST(what_waits_and_what_must_still_grow_leaves_less_room)
{
	struct house h;

	house_init(&h);
	make(h.database, 0);
	make(h.log, h.reserve.log_bytes);
	int64_t all = room(&h, 0, 0, 0, 0);

	expect_about(all - room(&h, 1000 * 1000, 0, 0, 0), 384LL * 1000 * 1000);
	expect_about(all - room(&h, 0, 1024LL * MIB, 0, 0), 1024LL * MIB);
	make(h.database, 1024LL * MIB);
	expect_about(room(&h, 0, 1024LL * MIB, 0, 0), all);
	/* free pages serve those who wait */
	expect_about(room(&h, 1000 * 1000, 1024LL * MIB, 384LL * 1000 * 1000, 0), all);
	house_clear(&h);
}

TEST(no_more_is_taken_at_once_than_the_log_can_hold)
{
	struct house h;

	house_init(&h);
	make(h.log, 1024LL * MIB);
	int64_t all = room(&h, 0, 0, 1 << 30, 1024LL * MIB);

	expect_about(room(&h, 0, 0, 1 << 30, 0) - all, 1024LL * MIB);
	expect_about(room(&h, 0, 0, 1LL << 40, 0) - all, 1024LL * MIB);
	house_clear(&h);
}

TEST(the_least_is_not_more_than_the_room_there_is)
{
	struct house h;

	house_init(&h);
	make(h.log, h.reserve.log_bytes);
	expect_true(reserve_room_least(&h.reserve, 1000, 4 * MIB) < room(&h, 1000, 0, 0, 4 * MIB));
	house_clear(&h);
}

RUN_TESTS()
