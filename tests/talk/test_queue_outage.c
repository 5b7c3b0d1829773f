/* What the queue does when a transport, or the disk, does not: circuits, failover,
 * pauses, reloads, probes, draining, outcomes that can't be written. */
#include "queue_rig.h"

#include <sqlite3.h>

#include "alloc.h"
#include "auto.h"
#include "clock.h"
#include "failure.h"
#include "tests/unit/expect.h"

static const char two[] =
	"{ name = \"mail\"; type = \"fake\"; answers = \"@/mail\"; log = \"@/mail.log\";"
	"  failover = [\"spare\"]; },"
	"{ name = \"spare\"; type = \"fake\"; log = \"@/spare.log\"; }";

static size_t count_in(const char *text, const char *part)
{
	size_t n = 0;

	while ((text = strstr(text, part))) {
		n++;
		text++;
	}
	return n;
}

TEST(an_outage_touches_no_row_and_costs_one_try_at_a_time)
{
	struct rig *r = rig_new();

	rig_answers(r, "mail", "down 421 shutting down\n");
	for (int i = 0; i < 1000; i++)
		rig_put_to(r, "ana@example.com");
	rig_configure(r, rig_one);
	rig_settle(r);
	struct transport_status status = rig_status(r, "mail");

	expect_text(status.state, "down");
	expect_contains(status.reason, "421 shutting down");
	expect_int(status.failures, 1);
	expect_true(status.next_try_ms > clock_wall_ms());
	for (int i = 0; i < 24 * 60; i++)
		loop_turn_clock(r->loop, 60 * 1000), rig_barrier(r);
	rig_settle(r);
	status = rig_status(r, "mail");
	/* 5 s doubling to 10 min: 7 in the first ten minutes, then about 6 to 7 an hour */
	expect_true(status.failures > 120 && status.failures < 200);
	expect_int(rig_count(r, STATE_QUEUED), 1000);
	expect_int(count_in(buf_bytes(&r->story), "sending"), 0);
	expect_int(r->circuits, 1);

	rig_answers(r, "mail", "");
	rig_turn_clock(r, 13 * 60 * 1000);
	expect_int(rig_count(r, STATE_SENT), 1000);
	expect_int(r->circuits, 2);
	expect_int(rig_status(r, "mail").failures, 0);
	rig_free(r);
}

TEST(a_refused_login_rests_longer)
{
	struct rig *r = rig_new();

	rig_answers(r, "mail", "login 535 5.7.8 wrong password\n");
	rig_put_to(r, "ana@example.com");
	rig_configure(r, rig_one);
	rig_settle(r);
	struct transport_status status = rig_status(r, "mail");
	int64_t in_ms = status.next_try_ms - clock_wall_ms();

	expect_contains(status.reason, "login refused");
	expect_true(in_ms > 40 * 1000 && in_ms <= 72 * 1000);
	expect_int(rig_count(r, STATE_QUEUED), 1);
	rig_free(r);
}

TEST(failover_takes_over_and_gives_back)
{
	struct rig *r = rig_new();

	rig_answers(r, "mail", "down no route to host\n");
	rig_configure(r, two);
	int64_t first = rig_put_to(r, "ana@example.com");
	int64_t named = rig_put(r, &(struct rig_put){.to = {"bo@x.test"}, .route = "mail"}).message;

	rig_expect(r, first, 0, "sent", 1);
	rig_expect(r, named, 0, "sent", 1);
	expect_int(rig_logged(r, "spare"), 2);
	rig_answers(r, "mail", "");
	rig_turn_clock(r, 10 * 1000);
	expect_text(rig_status(r, "mail").state, "up");
	int64_t second = rig_put_to(r, "ana@example.com");

	rig_expect(r, second, 0, "sent", 1);
	expect_int(rig_logged(r, "mail"), 1);
	expect_int(rig_logged(r, "spare"), 2);
	rig_free(r);
}

TEST(a_refused_recipient_is_no_reason_for_failover)
{
	struct rig *r = rig_new();

	rig_answers(r, "mail", "* 550 never\n");
	rig_configure(r, two);
	int64_t id = rig_put_to(r, "ana@example.com");

	rig_expect(r, id, 0, "failed", 1);
	expect_int(rig_logged(r, "spare"), 0);
	rig_free(r);
}

static void operated(void *ctx, const struct operate_result *result)
{
	expect_null(result->why);
	*(bool *)ctx = true;
}

static void pause_now(struct rig *r, const char *name, const char *reason)
{
	bool done = false;
	struct failure f;

	if (reason)
		expect_ok(queue_pause(r->queue, name, reason, operated, &done, &f), &f);
	else
		expect_ok(queue_resume(r->queue, name, operated, &done, &f), &f);
	while (!done)
		loop_turn(r->loop, true);
}

TEST(a_pause_holds_over_a_restart_until_resumed)
{
	struct rig *r = rig_new();

	rig_configure(r, rig_one);
	pause_now(r, "mail", "moving house");
	int64_t id = rig_put_to(r, "ana@example.com");

	rig_expect(r, id, 0, "queued", 0);
	rig_reopen(r);
	rig_configure(r, rig_one);
	rig_turn_clock(r, 3600 * 1000);
	rig_expect(r, id, 0, "queued", 0);
	expect_text(rig_status(r, "mail").state, "paused");
	expect_text(rig_status(r, "mail").reason, "moving house");
	pause_now(r, "mail", NULL);
	rig_expect(r, id, 0, "sent", 1);
	rig_free(r);
}

TEST(a_paused_transport_leaves_its_mail_to_the_spare)
{
	struct rig *r = rig_new();
	struct failure f;

	rig_configure(r, two);
	pause_now(r, "mail", "testing");
	int64_t id = rig_put_to(r, "ana@example.com");

	rig_expect(r, id, 0, "sent", 1);
	expect_int(rig_logged(r, "spare"), 1);
	expect_failure(queue_pause(r->queue, "nobody", "x", operated, NULL, &f), &f,
		       FAILURE_REFUSED);
	rig_free(r);
}

TEST(a_reload_keeps_what_did_not_change_and_replaces_what_did)
{
	struct rig *r = rig_new();

	rig_answers(r, "mail", "down out of order\n");
	rig_configure(r, rig_one);
	int64_t id = rig_put_to(r, "ana@example.com");

	rig_settle(r);
	rig_turn_clock(r, 7000);
	expect_int(rig_status(r, "mail").failures, 2);
	rig_configure(r, rig_one);
	expect_int(rig_status(r, "mail").failures, 2);
	rig_configure(r, "{ name = \"mail\"; type = \"fake\"; log = \"@/mail.log\"; }");
	rig_expect(r, id, 0, "sent", 1);
	rig_free(r);
}

TEST(what_no_transport_serves_waits_until_one_does)
{
	struct rig *r = rig_new();

	rig_configure(r, rig_one);
	int64_t id = rig_put(r, &(struct rig_put){.to = {"ana@x.test"}, .route = "spare"}).message;

	rig_expect(r, id, 0, "queued", 0);
	rig_configure(r, two);
	rig_expect(r, id, 0, "sent", 1);
	rig_configure(r, rig_one);
	id = rig_put(r, &(struct rig_put){.to = {"ana@x.test"}, .route = "spare"}).message;
	rig_expect(r, id, 0, "queued", 0);
	rig_free(r);
}

struct probed {
	bool came;
	enum failure_kind kind;
};

static void probed(void *ctx, const struct failure *why)
{
	struct probed *p = ctx;

	p->came = true;
	p->kind = why ? why->kind : FAILURE_NONE;
}

static enum failure_kind probe(struct rig *r, const char *name)
{
	struct probed p = {.came = false};
	struct failure f;

	expect_ok(queue_probe(r->queue, name, probed, &p, &f), &f);
	expect_true(!p.came);
	while (!p.came)
		loop_turn(r->loop, true);
	return p.kind;
}

TEST(a_probe_says_what_is_and_closes_the_circuit)
{
	struct rig *r = rig_new();
	struct failure f;

	rig_configure(r, rig_one);
	expect_int(probe(r, "mail"), FAILURE_NONE);
	rig_answers(r, "mail", "login 535 no\n");
	expect_int(probe(r, "mail"), FAILURE_REFUSED);
	expect_text(rig_status(r, "mail").state, "down");
	rig_answers(r, "mail", "");
	int64_t id = rig_put_to(r, "ana@example.com");

	rig_expect(r, id, 0, "queued", 0);
	expect_int(probe(r, "mail"), FAILURE_NONE);
	rig_expect(r, id, 0, "sent", 1);
	expect_failure(queue_probe(r->queue, "nobody", probed, NULL, &f), &f, FAILURE_REFUSED);
	rig_free(r);
}

static void drained(void *ctx)
{
	*(bool *)ctx = true;
}

TEST(draining_ends_when_all_in_flight_is_settled)
{
	struct rig *r = rig_new();
	bool done = false;

	rig_configure(r, rig_one);
	for (int i = 0; i < 100; i++)
		rig_put_to(r, "ana@example.com");
	queue_drain(r->queue, 60 * 1000, drained, &done);
	while (!done)
		loop_turn(r->loop, true);
	rig_settle(r);
	expect_int(rig_count(r, STATE_SENDING), 0);
	expect_int(rig_count(r, STATE_SENT) + rig_count(r, STATE_QUEUED), 100);
	expect_int(rig_logged(r, "mail"), rig_count(r, STATE_SENT));
	rig_free(r);
}

TEST(a_queue_that_goes_in_the_middle_of_its_work_sends_the_rest_later)
{
	struct rig *r = rig_new();

	rig_configure(r, rig_one);
	for (int i = 0; i < 50; i++)
		rig_put_to(r, "ana@example.com");
	loop_turn(r->loop, false);
	rig_reopen(r);
	rig_configure(r, rig_one);
	rig_settle(r);
	expect_int(rig_count(r, STATE_SENT), 50);
	rig_free(r);
}

/* ---- the disk ---- */

static struct sqlite3 *open_beside(struct rig *r)
{
	AUTO(free) char *path = xprintf("%s/queue.db", r->dir);
	struct sqlite3 *db;

	expect_int(sqlite3_open(path, &db), SQLITE_OK);
	return db;
}

static void run_beside(struct sqlite3 *db, const char *sql)
{
	expect_int(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* From now on one delivery can be sent, and no second: 5 is STATE_SENT. */
static void spoil_sent(struct rig *r, struct sqlite3 *db)
{
	rig_expect(r, rig_put_to(r, "first@example.com"), 0, "sent", 1);
	run_beside(db, "CREATE UNIQUE INDEX one_sent ON deliveries (state) WHERE state = 5");
}

TEST(outcomes_that_cannot_be_written_are_kept_and_nothing_more_is_sent)
{
	struct rig *r = rig_new();
	struct sqlite3 *db = open_beside(r);

	rig_configure(r, rig_one);
	spoil_sent(r, db);
	int64_t second = rig_put_to(r, "ana@example.com");

	rig_expect(r, second, 0, "sending", 1);
	int64_t third = rig_put_to(r, "bo@example.com");

	rig_turn_clock(r, 30 * 1000);
	rig_expect(r, third, 0, "queued", 0);
	expect_int(rig_logged(r, "mail"), 2);
	run_beside(db, "DROP INDEX one_sent");
	rig_turn_clock(r, 61 * 1000);
	rig_expect(r, second, 0, "sent", 1);
	rig_expect(r, third, 0, "sent", 1);
	expect_int(rig_logged(r, "mail"), 3);
	sqlite3_close(db);
	rig_free(r);
}

static int64_t first_column(struct sqlite3 *db, const char *sql)
{
	struct sqlite3_stmt *row;

	expect_int(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
	expect_int(sqlite3_step(row), SQLITE_ROW);
	int64_t value = sqlite3_column_int64(row, 0);

	sqlite3_finalize(row);
	return value;
}

TEST(long_work_keeps_its_lease)
{
	struct rig *r = rig_new();
	struct sqlite3 *db = open_beside(r);

	rig_configure(r, rig_one);
	spoil_sent(r, db);
	int64_t id = rig_put_to(r, "ana@example.com");

	rig_expect(r, id, 0, "sending", 1);
	for (int i = 0; i < 500; i++) {
		loop_turn_clock(r->loop, 7 * 1000);
		rig_barrier(r);
	}
	rig_expect(r, id, 0, "sending", 1);
	int64_t until_ms = first_column(db, "SELECT lease_until FROM deliveries WHERE state = 3");
	expect_true(until_ms > clock_wall_ms() + 60 * 1000);
	run_beside(db, "DROP INDEX one_sent");
	rig_turn_clock(r, 61 * 1000);
	rig_expect(r, id, 0, "sent", 1);
	expect_int(rig_logged(r, "mail"), 2);
	sqlite3_close(db);
	rig_free(r);
}

/* Takes a claim away as soon as it is heard of. */
static void meddle(void *ctx, const struct event_row *event)
{
	if (event->to == STATE_SENDING && strcmp(event->recipient, "bo@x.test") == 0)
		run_beside(ctx, "UPDATE deliveries SET attempt_no = 77"
				" WHERE recipient = 'bo@x.test'");
}

TEST(one_delivery_changed_by_another_spoils_no_other_outcome)
{
	struct rig *r = rig_new();
	struct sqlite3 *db = open_beside(r);
	struct watcher *watcher = queue_watch(r->queue, meddle, db);

	rig_configure(r, rig_one);
	struct intake_result put =
		rig_put(r, &(struct rig_put){.to = {"ana@x.test", "bo@x.test", "cy@x.test",
						    "di@x.test", "ed@x.test"}});

	rig_expect(r, put.message, 0, "sent", 1);
	rig_expect(r, put.message, 1, "sending", 77);
	for (size_t i = 2; i < 5; i++)
		rig_expect(r, put.message, i, "sent", 1);
	watcher_free(watcher);
	sqlite3_close(db);
	rig_free(r);
}

RUN_TESTS()
