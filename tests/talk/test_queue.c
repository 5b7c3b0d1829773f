/* What the queue does with one transport: sending, retry, giving up, deeds,
 * priorities, rate. */
#include "queue_rig.h"

#include "auto.h"
#include "clock.h"
#include "tests/unit/expect.h"

TEST(a_message_is_sent_and_every_step_is_heard)
{
	struct rig *r = rig_new();

	rig_configure(r, rig_one);
	int64_t id = rig_put_to(r, "ana@example.com");

	rig_expect(r, id, 0, "sent", 1);
	expect_text(buf_bytes(&r->story), "0:>queued 1:queued>sending 1:sending>sent ");
	AUTO(free) char *line = rig_log_text(r, "mail", 0);

	expect_contains(line, "\"sender\":\"box@example.com\"");
	expect_contains(line, "\"to\":\"ana@example.com\"");
	expect_contains(line, "\"attempt\":1,\"code\":250");
	expect_int(rig_status(r, "mail").sent, 1);
	rig_free(r);
}

TEST(a_message_put_before_there_is_a_transport_waits_for_it)
{
	struct rig *r = rig_new();
	int64_t id = rig_put_to(r, "ana@example.com");

	rig_expect(r, id, 0, "queued", 0);
	rig_configure(r, rig_one);
	rig_expect(r, id, 0, "sent", 1);
	rig_free(r);
}

TEST(recipients_of_one_message_go_together_and_fare_each_for_itself)
{
	struct rig *r = rig_new();

	rig_answers(r, "mail",
		    "# who is who\n"
		    "gone@* 550 5.1.1 no such user\n"
		    "busy@* 450 4.2.0 try later\n");
	rig_configure(r, rig_one);
	struct intake_result put =
		rig_put(r, &(struct rig_put){.to = {"ana@a.test", "gone@a.test", "busy@a.test"}});

	rig_expect(r, put.message, 0, "sent", 1);
	rig_expect(r, put.message, 1, "failed", 1);
	rig_expect(r, put.message, 2, "queued", 1);
	expect_int(rig_logged(r, "mail"), 1);
	struct transport_status status = rig_status(r, "mail");

	expect_int(status.sent, 1);
	expect_int(status.refused, 1);
	expect_int(status.later, 1);
	rig_free(r);
}

TEST(what_is_refused_for_now_is_tried_again_after_waits_that_double)
{
	struct rig *r = rig_new();
	struct delivery_row row;

	rig_answers(r, "mail", "* 451 4.7.1 greylisted\n");
	rig_configure(r, rig_one);
	int64_t id = rig_put_to(r, "ana@example.com");
	int64_t wait_ms = 60000;

	for (unsigned attempt = 1; attempt <= 4; attempt++) {
		rig_expect(r, id, 0, "queued", attempt);
		rig_delivery(r, id, 0, &row);
		int64_t in_ms = row.next_ms - clock_wall_ms();

		expect_true(in_ms > wait_ms * 7 / 10 && in_ms <= wait_ms * 12 / 10);
		if (attempt == 4)
			rig_answers(r, "mail", "");
		rig_turn_clock(r, in_ms - 1500);
		rig_expect(r, id, 0, "queued", attempt);
		rig_turn_clock(r, 2000);
		wait_ms *= 2;
	}
	rig_expect(r, id, 0, "sent", 5);
	rig_free(r);
}

TEST(a_retry_beyond_its_life_expires)
{
	struct rig *r = rig_new();
	struct rig_put put = {.to = {"ana@example.com"}, .expires_in_ms = 90 * 1000};

	rig_answers(r, "mail", "* 451 later\n");
	rig_configure(r, rig_one);
	int64_t id = rig_put(r, &put).message;

	rig_expect(r, id, 0, "queued", 1);
	rig_turn_clock(r, 75 * 1000);
	rig_expect(r, id, 0, "expired", 2);
	rig_free(r);
}

TEST(what_waits_for_nobody_expires_too)
{
	struct rig *r = rig_new();
	struct rig_put put = {
		.to = {"ana@example.com"}, .route = "elsewhere", .expires_in_ms = 90 * 1000};

	rig_configure(r, rig_one);
	int64_t id = rig_put(r, &put).message;

	rig_turn_clock(r, 200 * 1000);
	rig_expect(r, id, 0, "expired", 0);
	rig_free(r);
}

TEST(a_message_for_later_waits_for_its_time)
{
	struct rig *r = rig_new();
	struct rig_put put = {.to = {"ana@example.com"}, .in_ms = 3 * 3600 * 1000};

	rig_configure(r, rig_one);
	int64_t id = rig_put(r, &put).message;

	rig_expect(r, id, 0, "queued", 0);
	rig_turn_clock(r, 3 * 3600 * 1000 - 5000);
	rig_expect(r, id, 0, "queued", 0);
	rig_turn_clock(r, 6000);
	rig_expect(r, id, 0, "sent", 1);
	rig_free(r);
}

TEST(the_urgent_goes_first)
{
	struct rig *r = rig_new();

	rig_put(r, &(struct rig_put){.to = {"low@x.test"}, .priority = 3});
	rig_put(r, &(struct rig_put){.to = {"normal@x.test"}, .priority = 2});
	rig_put(r, &(struct rig_put){.to = {"urgent@x.test"}, .priority = 0});
	rig_configure(r, rig_one);
	rig_settle(r);
	AUTO(free) char *first = rig_log_text(r, "mail", 0);
	AUTO(free) char *last = rig_log_text(r, "mail", 2);

	expect_contains(first, "urgent@x.test");
	expect_contains(last, "low@x.test");
	rig_free(r);
}

TEST(a_rate_is_kept_by_deliveries)
{
	struct rig *r = rig_new();

	for (int i = 0; i < 10; i++)
		rig_put(r, &(struct rig_put){.to = {"ana@x.test", "bo@x.test"}});
	rig_configure(
		r, "{ name = \"mail\"; type = \"fake\"; log = \"@/mail.log\"; rate = \"4/m\"; }");
	rig_settle(r);
	unsigned at_once = rig_count(r, STATE_SENT);

	/* whole messages are claimed: the last may overdraw, and that is waited for */
	expect_true(at_once >= 4 && at_once <= 8);
	for (int i = 0; i < 6; i++)
		rig_turn_clock(r, 10 * 1000);
	unsigned after = rig_count(r, STATE_SENT);

	expect_true(after <= 8 && after >= 6);
	for (int i = 0; i < 40; i++)
		rig_turn_clock(r, 10 * 1000);
	expect_int(rig_count(r, STATE_SENT), 20);
	rig_free(r);
}

TEST(deeds_hold_release_retry_and_cancel)
{
	struct rig *r = rig_new();

	rig_answers(r, "mail", "gone@* 550 no\n");
	rig_configure(r, rig_one);
	int64_t held =
		rig_put(r, &(struct rig_put){.to = {"ana@x.test"}, .state = STATE_HELD}).message;
	int64_t later =
		rig_put(r, &(struct rig_put){.to = {"bo@x.test"}, .in_ms = 3600000}).message;
	int64_t gone = rig_put_to(r, "gone@x.test");

	rig_expect(r, held, 0, "held", 0);
	rig_expect(r, gone, 0, "failed", 1);
	expect_int(rig_operate(r, DEED_RELEASE, held), 1);
	rig_expect(r, held, 0, "sent", 1);
	expect_int(rig_operate(r, DEED_CANCEL, later), 1);
	rig_expect(r, later, 0, "canceled", 0);
	expect_int(rig_operate(r, DEED_CANCEL, held), 0);
	rig_answers(r, "mail", "");
	expect_int(rig_operate(r, DEED_RETRY, gone), 1);
	rig_expect(r, gone, 0, "sent", 2);
	rig_free(r);
}

TEST(texts_have_their_own_route)
{
	struct rig *r = rig_new();

	rig_configure(r, rig_one);
	int64_t id = rig_put(r, &(struct rig_put){.to = {"+15559998888"}, .route = "#sms"}).message;

	rig_expect(r, id, 0, "sent", 1);
	expect_true(queue_carries(r->queue, 2));
	rig_free(r);
}

TEST(a_thousand_messages_all_go)
{
	struct rig *r = rig_new();

	for (int i = 0; i < 1000; i++)
		rig_put_to(r, "ana@example.com");
	rig_configure(r, rig_one);
	rig_settle(r);
	expect_int(rig_count(r, STATE_SENT), 1000);
	expect_int(rig_logged(r, "mail"), 1000);
	rig_free(r);
}

RUN_TESTS()
