/* How messages come in: small, large, twice, half, and who hears of it. */
#include "queue/store_run.h"
#include "queue_rig.h"

#include <openssl/evp.h>

#include "alloc.h"
#include "auto.h"
#include "clock.h"
#include "failure.h"
#include "queue/store_read.h"
#include "tests/unit/expect.h"

#define LARGE (5 * 1024 * 1024 + 12345)

TEST(the_same_key_is_the_same_message_unless_its_content_is_another)
{
	struct rig *r = rig_new();
	struct rig_put put = {.to = {"ana@example.com"}, .key = "k1"};
	struct intake_result first = rig_put(r, &put), again = rig_put(r, &put);

	expect_int(first.status, INTAKE_TAKEN);
	expect_int(again.status, INTAKE_KEY_SAME);
	expect_int(again.message, first.message);
	put.text = "something else";
	expect_int(rig_put(r, &put).status, INTAKE_KEY_OTHER);
	expect_int(rig_count(r, STATE_QUEUED), 1);
	rig_free(r);
}

TEST(what_repeats_is_counted_not_sent)
{
	struct rig *r = rig_new();
	struct rig_put put = {.to = {"ana@example.com"}, .dedup = "disk full"};
	struct intake_result first = rig_put(r, &put), again = rig_put(r, &put);

	expect_int(again.status, INTAKE_REPEATED);
	expect_int(again.message, first.message);
	rig_configure(r, rig_one);
	rig_settle(r);
	expect_int(rig_logged(r, "mail"), 1);
	rig_free(r);
}

/* ---- large content ---- */

struct feed {
	struct rig *r;
	struct intake *in;
	bool ready, done;
	unsigned waits;
	struct intake_result result;
};

static void ready(void *ctx)
{
	struct feed *feed = ctx;

	expect_true(!feed->ready);
	feed->ready = true;
}

static void taken(void *ctx, const struct intake_result *result)
{
	struct feed *feed = ctx;

	expect_true(!feed->done);
	feed->done = true;
	feed->result = *result;
}

/* One letter, in lines, that differs everywhere. */
static char *make_text(size_t len)
{
	char *text = xmalloc(len + 1);
	uint32_t x = 1;

	for (size_t i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		text[i] = i % 70 == 69 ? '\n' : (char)('a' + (x >> 24) % 26);
	}
	text[len] = '\0';
	return text;
}

static void feed_text(struct feed *feed, const char *text, size_t len, size_t piece)
{
	for (size_t at = 0; at < len; at += piece) {
		size_t n = len - at < piece ? len - at : piece;

		feed->ready = false;
		if (intake_write(feed->in, text + at, n, ready, feed))
			continue;
		feed->waits++;
		while (!feed->ready)
			loop_turn(feed->r->loop, true);
	}
}

static void finish(struct feed *feed, size_t len)
{
	struct rig_put put = {.to = {"ana@example.com"}};
	struct delivery_row deliveries[8];
	struct message_row message;
	size_t n;

	rig_rows(&put, len, &message, deliveries, &n);
	intake_finish(feed->in, &message, deliveries, n, 0, taken, feed);
	rig_rows_clear(&message);
	while (!feed->done)
		loop_turn(feed->r->loop, true);
}

struct gather {
	struct buf bytes;
	bool came, end;
};

static void chunk(void *ctx, const void *bytes, size_t len, const struct failure *why)
{
	struct gather *gather = ctx;

	expect_null(why);
	gather->came = true;
	gather->end = !bytes;
	if (bytes)
		buf_add(&gather->bytes, bytes, len);
}

static void expect_stored(struct rig *r, int64_t body, const char *text, size_t len)
{
	struct gather gather = {.end = false};

	buf_init(&gather.bytes, 2 * LARGE);
	for (unsigned i = 0; !gather.end; i++) {
		gather.came = false;
		store_read_chunk(r->store, body, i, chunk, &gather);
		while (!gather.came)
			loop_turn(r->loop, true);
	}
	expect_int(gather.bytes.len, len);
	expect_true(memcmp(buf_bytes(&gather.bytes), text, len) == 0);
	buf_clear(&gather.bytes);
}

TEST(large_content_goes_ahead_in_chunks_and_arrives_byte_for_byte)
{
	struct rig *r = rig_new();
	struct feed feed = {.r = r, .in = intake_new(r->queue)};
	AUTO(free) char *text = make_text(LARGE);

	feed_text(&feed, text, LARGE, 100000);
	expect_true(feed.waits > 0);
	finish(&feed, LARGE);
	expect_int(feed.result.status, INTAKE_TAKEN);
	expect_stored(r, 1, text, LARGE);
	rig_configure(r, rig_one);
	rig_until_sent(r, feed.result.message);
	AUTO(free) char *line = rig_log_text(r, "mail", 0);
	const char *size = strstr(line, "\"size\":");

	expect_some(size);
	expect_true(atol(size + 7) > LARGE);
	rig_free(r);
}

TEST(content_of_any_size_is_whole)
{
	static const size_t sizes[] = {
		0, 1, STORE_INLINE_BYTES, STORE_INLINE_BYTES + 1, 65535, 65536, 65537, 131072};
	struct rig *r = rig_new();
	unsigned sent = 0;

	rig_configure(r, rig_one);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct feed feed = {.r = r, .in = intake_new(r->queue)};
		AUTO(free) char *text = make_text(sizes[i]);

		feed_text(&feed, text, sizes[i], 7001);
		finish(&feed, sizes[i]);
		expect_int(feed.result.status, INTAKE_TAKEN);
		rig_expect(r, feed.result.message, 0, "sent", 1);
		sent++;
	}
	expect_int(rig_logged(r, "mail"), sent);
	rig_free(r);
}

static void expect_no_chunks(struct rig *r, int64_t body)
{
	struct gather gather = {.end = false};

	buf_init(&gather.bytes, LARGE);
	store_read_chunk(r->store, body, 0, chunk, &gather);
	while (!gather.came)
		loop_turn(r->loop, true);
	expect_true(gather.end);
	buf_clear(&gather.bytes);
}

TEST(what_is_canceled_leaves_nothing_behind)
{
	struct rig *r = rig_new();
	AUTO(free) char *text = make_text(LARGE);
	struct feed feed = {.r = r, .in = intake_new(r->queue)};

	intake_cancel(feed.in);
	feed.in = intake_new(r->queue);
	intake_write(feed.in, "x", 1, ready, &feed);
	intake_cancel(feed.in);
	feed.in = intake_new(r->queue);
	intake_write(feed.in, text, LARGE, ready, &feed);
	intake_cancel(feed.in); /* while chunks are under way */
	rig_settle(r);
	expect_true(!feed.ready);
	expect_no_chunks(r, 1);
	feed.in = intake_new(r->queue);
	feed_text(&feed, text, LARGE, LARGE);
	intake_cancel(feed.in);
	rig_settle(r);
	expect_no_chunks(r, 2);
	rig_free(r);
}

TEST(a_repeated_key_drops_the_content_that_came_again)
{
	struct rig *r = rig_new();
	AUTO(free) char *text = make_text(200000);

	for (int i = 0; i < 2; i++) {
		struct feed feed = {.r = r, .in = intake_new(r->queue)};
		struct rig_put put = {.to = {"ana@example.com"}, .key = "once"};
		struct delivery_row deliveries[8];
		struct message_row message;
		size_t n;

		feed_text(&feed, text, 200000, 200000);
		rig_rows(&put, 200000, &message, deliveries, &n);
		intake_finish(feed.in, &message, deliveries, n, 0, taken, &feed);
		rig_rows_clear(&message);
		while (!feed.done)
			loop_turn(r->loop, true);
		expect_int(feed.result.status, i ? INTAKE_KEY_SAME : INTAKE_TAKEN);
	}
	rig_settle(r);
	expect_stored(r, 1, text, 200000);
	expect_no_chunks(r, 2);
	rig_free(r);
}

TEST(a_queue_that_goes_forgets_intakes_under_way)
{
	struct rig *r = rig_new();
	AUTO(free) char *text = make_text(LARGE);
	struct feed open = {.r = r, .in = intake_new(r->queue)};
	struct feed closing = {.r = r, .in = intake_new(r->queue)};
	struct rig_put put = {.to = {"ana@example.com"}};
	struct delivery_row deliveries[8];
	struct message_row message;
	size_t n;

	intake_write(open.in, text, LARGE, ready, &open);
	intake_write(closing.in, text, LARGE, ready, &closing);
	rig_rows(&put, LARGE, &message, deliveries, &n);
	intake_finish(closing.in, &message, deliveries, n, 0, taken, &closing);
	rig_rows_clear(&message);
	rig_reopen(r);
	rig_settle(r);
	expect_true(!open.ready && !closing.done);
	expect_int(rig_count(r, STATE_QUEUED), 0);
	expect_no_chunks(r, 1);
	expect_no_chunks(r, 2);
	rig_free(r);
}

/* ---- what joins it ---- */

static struct batch *joining(const char *proof)
{
	struct batch *b = batch_new();

	batch_use_proof(b, "ana", "totp", proof, INT64_MAX);
	batch_dispose(b, "box", "1:7", 2, NULL);
	return b;
}

static void count_disposals(void *ctx, const struct desk_result *result)
{
	*(int *)ctx = (int)result->ndisposals;
}

static void expect_disposals(struct rig *r, int n)
{
	int there = -1;

	store_desk(r->store, count_disposals, &there);
	while (there < 0)
		loop_turn(r->loop, true);
	expect_int(there, n);
}

TEST(what_joins_a_message_happens_with_it_or_not_at_all)
{
	static const size_t sizes[] = {5, LARGE};
	struct rig *r = rig_new();
	AUTO(free) char *text = make_text(LARGE);

	for (size_t i = 0; i < 4; i++) {
		struct feed feed = {.r = r, .in = intake_new(r->queue)};
		size_t len = sizes[i % 2];

		feed_text(&feed, text, len, len);
		intake_joins(feed.in, joining(i < 2 ? (i ? "b" : "a") : "a"));
		finish(&feed, len);
		expect_int(feed.result.status, i < 2 ? INTAKE_TAKEN : INTAKE_MISSED);
		rig_settle(r);
		expect_disposals(r, i ? 2 : 1);
		expect_int(rig_count(r, STATE_QUEUED), i ? 2 : 1);
	}
	expect_stored(r, 1, text, LARGE);
	expect_no_chunks(r, 2);
	rig_free(r);
}

TEST(what_joins_a_message_that_is_canceled_is_dropped)
{
	struct rig *r = rig_new();
	struct intake *in = intake_new(r->queue);

	intake_joins(in, joining("a"));
	intake_cancel(in);
	rig_settle(r);
	expect_disposals(r, 0);
	rig_free(r);
}

/* ---- watchers ---- */

struct ear {
	struct watcher *watcher, *other;
	unsigned heard;
};

static void hear_once(void *ctx, const struct event_row *event)
{
	struct ear *ear = ctx;

	ear->heard++;
	watcher_free(ear->watcher);
	watcher_free(ear->other);
}

static void hear_all(void *ctx, const struct event_row *event)
{
	((struct ear *)ctx)->heard++;
}

TEST(watchers_may_leave_and_send_others_away_while_they_hear)
{
	struct rig *r = rig_new();
	struct ear stays = {0}, goes = {0}, sent_away = {0};

	stays.watcher = queue_watch(r->queue, hear_all, &stays);
	sent_away.watcher = queue_watch(r->queue, hear_all, &sent_away);
	goes.watcher = queue_watch(r->queue, hear_once, &goes);
	goes.other = sent_away.watcher;
	rig_configure(r, rig_one);
	rig_put_to(r, "ana@example.com");
	rig_settle(r);
	expect_int(stays.heard, 3);
	expect_int(goes.heard, 1);
	expect_int(sent_away.heard, 0);
	watcher_free(stays.watcher);
	watcher_free(NULL);
	rig_free(r);
}

static void hear_ids(void *ctx, const struct event_row *event)
{
	int64_t *last = ctx;

	expect_true(event->id > *last);
	*last = event->id;
}

TEST(events_have_the_ids_they_have_on_disk)
{
	struct rig *r = rig_new();
	int64_t last = 0;
	struct watcher *w = queue_watch(r->queue, hear_ids, &last);

	rig_configure(r, rig_one);
	rig_put_to(r, "ana@example.com");
	rig_settle(r);
	expect_true(last > 0);
	watcher_free(w);
	rig_free(r);
}

RUN_TESTS()
