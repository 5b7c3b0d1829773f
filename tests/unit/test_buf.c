/* Growing bytes: the ceiling holds, the rest stays in order, a NUL follows. */
#include "buf.h"

#include "alloc.h"
#include "auto.h"
#include "expect.h"

TEST(an_empty_buf_has_an_empty_text)
{
	struct buf b;

	buf_init(&b, 10);
	expect_text(buf_bytes(&b), "");
	expect_int(b.len, 0);
	expect_null(b.data);
	buf_clear(&b);
}

TEST(bytes_come_out_in_order)
{
	struct buf b;

	buf_init(&b, 100);
	expect_int(buf_add(&b, "ab\0c", 4), 0);
	expect_int(buf_add_text(&b, "de"), 0);
	expect_int(buf_printf(&b, "%d-%s", 42, "x"), 0);
	expect_bytes(buf_bytes(&b), b.len + 1, "ab\0cde42-x", 11);
	buf_drain(&b, 5);
	expect_text(buf_bytes(&b), "e42-x");
	buf_clear(&b);
	expect_text(buf_bytes(&b), "");
	expect_int(b.max, 100);
}

TEST(the_ceiling_counts_unread_bytes_only)
{
	struct buf b;

	buf_init(&b, 4);
	expect_int(buf_add(&b, "abcd", 4), 0);
	expect_int(buf_add(&b, "e", 1), -1);
	expect_int(buf_printf(&b, "%d", 5), -1);
	expect_int(buf_add_text(&b, ""), 0);
	expect_null(buf_room(&b, 1));
	expect_null(buf_room(&b, (size_t)-1));
	expect_text(buf_bytes(&b), "abcd");
	buf_drain(&b, 3);
	expect_int(buf_printf(&b, "%s", "efg"), 0);
	expect_text(buf_bytes(&b), "defg");
	buf_clear(&b);
}

TEST(a_ceiling_of_nothing_holds_nothing)
{
	struct buf b;

	buf_init(&b, 0);
	expect_int(buf_add(&b, "a", 1), -1);
	expect_int(buf_add(&b, "", 0), 0);
	expect_text(buf_bytes(&b), "");
	buf_clear(&b);
}

TEST(room_is_filled_by_the_caller)
{
	struct buf b;

	buf_init(&b, 1000);
	buf_add_text(&b, "x");
	char *room = buf_room(&b, 500);

	memset(room, 'y', 500);
	buf_wrote(&b, 3);
	expect_text(buf_bytes(&b), "xyyy");
	buf_clear(&b);
}

TEST(taken_bytes_belong_to_the_taker)
{
	struct buf b;
	size_t len;

	buf_init(&b, 100);
	buf_add_text(&b, "hello world");
	buf_drain(&b, 6);
	AUTO(free) char *bytes = buf_take(&b, &len);

	expect_bytes(bytes, len + 1, "world", 6);
	expect_int(b.len, 0);
	expect_int(buf_add_text(&b, "again"), 0);
	expect_text(buf_bytes(&b), "again");
	buf_clear(&b);
	AUTO(free) char *nothing = buf_take(&b, NULL);

	expect_text(nothing, "");
}

/* What a stream does for hours: memory must follow the unread bytes, not the sum. */
TEST(a_long_stream_stays_small_and_in_order)
{
	struct buf b;
	unsigned written = 0, taken = 0;

	buf_init(&b, 3000);
	for (unsigned turn = 0; turn < 20000; turn++) {
		unsigned add = turn * 7 % 97, drain = turn * 13 % 101;

		for (unsigned i = 0; i < add; i++) {
			char c = (char)(written & 0x7f);

			written += buf_add(&b, &c, 1) == 0;
		}
		drain = drain > b.len ? (unsigned)b.len : drain;
		for (unsigned i = 0; i < drain; i++)
			expect_int(buf_bytes(&b)[i], (taken + i) & 0x7f);
		taken += drain;
		buf_drain(&b, drain);
		expect_int(buf_bytes(&b)[b.len], 0);
		expect_true(b.allocated <= 4 * 3000);
	}
	expect_int(written - taken, b.len);
	buf_clear(&b);
}

RUN_TESTS()
