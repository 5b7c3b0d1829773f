/* Messages of the daemon's own: several, of any size, with other operations or not at all. */
#include "queue/mailing.h"

#include "alloc.h"
#include "auto.h"
#include "failure.h"
#include "queue_rig.h"
#include "tests/unit/expect.h"

#define LARGE (3 * 1024 * 1024 + 777)

struct answer {
	bool came;
	enum batch_status status;
	int64_t message;
};

static void committed(void *ctx, const struct batch_result *result)
{
	struct answer *a = ctx;

	expect_false(a->came);
	*a = (struct answer){.came = true, .status = result->status, .message = result->message};
}

static void add(struct rig *r, struct mailing *m, const char *to, size_t len)
{
	struct rig_put put = {.to = {to}};
	struct delivery_row deliveries[8];
	struct message_row message;
	char *content = xmalloc(len + 1);
	size_t n;

	for (size_t i = 0; i < len; i++)
		content[i] = i % 70 == 69 ? '\n' : (char)('a' + i / 70 % 26);
	rig_rows(&put, len, &message, deliveries, &n);
	mailing_add(m, &message, content, len, deliveries, n);
	rig_rows_clear(&message);
}

static struct answer commit(struct rig *r, struct mailing *m, struct batch *batch)
{
	struct answer a = {.came = false};

	mailing_commit(m, batch, committed, &a);
	expect_false(a.came);
	while (!a.came)
		loop_turn(r->loop, true);
	return a;
}

TEST(several_go_out_together_whatever_their_size)
{
	struct rig *r = rig_new();
	struct mailing *m = mailing_new(r->queue);

	rig_configure(r, rig_one);
	add(r, m, "ana@example.com", 10);
	add(r, m, "bo@example.com", LARGE);
	add(r, m, "cy@example.com", 0);
	struct answer a = commit(r, m, batch_new());

	expect_int(a.status, BATCH_DONE);
	expect_int(a.message, 3);
	rig_until_sent(r, 1);
	rig_until_sent(r, 2);
	rig_until_sent(r, 3);
	expect_int(rig_logged(r, "mail"), 3);
	rig_free(r);
}

TEST(none_goes_where_the_rest_of_the_batch_misses)
{
	struct rig *r = rig_new();
	struct mailing *m = mailing_new(r->queue);
	struct batch *batch = batch_new();
	struct delivery_change change = {.delivery = 99,
					 .message = 99,
					 .from = STATE_QUEUED,
					 .to = STATE_CANCELED,
					 .enhanced = "",
					 .text = "",
					 .transport = "",
					 .remote_id = ""};

	batch_change(batch, &change);
	add(r, m, "ana@example.com", 10);
	add(r, m, "bo@example.com", LARGE);
	expect_int(commit(r, m, batch).status, BATCH_MISSED);
	expect_int(rig_count(r, STATE_QUEUED), 0);
	rig_free(r);
}

TEST(without_messages_the_batch_is_all)
{
	struct rig *r = rig_new();
	struct batch *batch = batch_new();

	batch_pause(batch, "mail", "for now");
	expect_int(commit(r, mailing_new(r->queue), batch).status, BATCH_DONE);
	mailing_free(mailing_new(r->queue));
	rig_free(r);
}

RUN_TESTS()
