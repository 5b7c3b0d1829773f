/* What rules stand on: runs, proofs, cursors, disposals, strikes. */
#include "queue/store_run.h"

#include <signal.h>
#include <sys/resource.h>

#include <sqlite3.h>

#include "expect.h"
#include "store_hand.h"

#define DAY (24 * HAND_HOUR)

/* An answer of any of the reads, as text. */
struct heard {
	bool answered, done;
	struct failure why;
	char text[1000];
	int64_t last;
	unsigned count;
};

static void wait_for(struct hand *h, struct heard *heard)
{
	expect_false(heard->answered);
	while (!heard->answered)
		loop_turn(h->loop, true);
}

static void hear_runs(void *ctx, const struct runs_result *result)
{
	struct heard *heard = ctx;

	for (size_t i = 0; i < result->n; i++) {
		const struct run_row *r = &result->rows[i];
		size_t len = strlen(heard->text);

		snprintf(heard->text + len, sizeof(heard->text) - len, "%d %s %s %s %d %s|",
			 (int)r->id, run_state_name(r->state), r->rule, r->plan, r->code, r->text);
	}
	heard->last = result->last;
	heard->done = result->done;
	if (result->why)
		heard->why = *result->why;
	heard->answered = true;
}

static struct heard runs(struct hand *h, const struct run_filter *filter, int64_t before,
			 size_t max)
{
	struct heard heard = {0};

	store_runs(h->store, filter, before, max, hear_runs, &heard);
	wait_for(h, &heard);
	return heard;
}

static void hear_desk(void *ctx, const struct desk_result *result)
{
	struct heard *heard = ctx;
	size_t len = 0, size = sizeof(heard->text);

	for (size_t i = 0; i < result->ncursors; i++)
		len += (size_t)snprintf(heard->text + len, size - len, "%s=%s|",
					result->cursors[i].mailbox, result->cursors[i].cursor);
	for (size_t i = 0; i < result->ndisposals; i++) {
		const struct disposal_row *d = &result->disposals[i];

		len += (size_t)snprintf(heard->text + len, size - len, "%d %s %s %u %s|",
					(int)d->id, d->mailbox, d->ref, d->deed, d->target);
	}
	if (result->why)
		heard->why = *result->why;
	heard->answered = true;
}

static struct heard desk(struct hand *h)
{
	struct heard heard = {0};

	store_desk(h->store, hear_desk, &heard);
	wait_for(h, &heard);
	return heard;
}

static void hear_strikes(void *ctx, unsigned count, const struct failure *why)
{
	struct heard *heard = ctx;

	heard->count = count;
	if (why)
		heard->why = *why;
	heard->answered = true;
}

static unsigned strikes(struct hand *h, const char *contact, const char *channel, int64_t since_ms)
{
	struct heard heard = {0};

	store_strikes(h->store, contact, channel, since_ms, hear_strikes, &heard);
	wait_for(h, &heard);
	return heard.count;
}

static struct run_row run_row(const char *token, const char *identity)
{
	return (struct run_row){.token = token,
				.rule = "restart",
				.origin = "box",
				.ref = "1:7",
				.contact = "ana",
				.identity = identity,
				.command = "restart web",
				.plan = "{}",
				.state = RUN_STARTED,
				.started_ms = HAND_NOW,
				.text = ""};
}

static int64_t put_run(struct hand *h, const struct run_row *run)
{
	struct batch *b = batch_new();

	batch_put_run(b, run);
	struct batch_result result = hand_commit(h, b);

	expect_int(result.status, BATCH_DONE);
	return result.run;
}

static enum batch_status move_run(struct hand *h, int64_t id, enum run_state from,
				  enum run_state to, int64_t at_ms)
{
	struct batch *b = batch_new();

	batch_change_run(b, &(struct run_change){.id = id,
						 .from = from,
						 .to = to,
						 .at_ms = at_ms,
						 .code = 3,
						 .text = "so it is"});
	return hand_commit(h, b).status;
}

static void add_message(struct batch *b)
{
	struct message_row m = hand_message();
	struct delivery_row d = hand_delivery("a@x");

	batch_put_message(b, &m, &d, 1, 0);
}

/* All there is of it, as one number: 0 for an empty database. */
static int64_t count_rows(struct hand *h)
{
	return hand_number(h, "SELECT (SELECT count(*) FROM messages) * 100000"
			      " + (SELECT count(*) FROM runs) * 10000"
			      " + (SELECT count(*) FROM proofs) * 1000"
			      " + (SELECT count(*) FROM cursors) * 100"
			      " + (SELECT count(*) FROM disposals) * 10"
			      " + (SELECT count(*) FROM strikes)");
}

TEST(states_have_names)
{
	enum run_state s;

	for (enum run_state i = RUN_STARTED; i <= RUN_EXPIRED; i++) {
		expect_true(run_state_find(run_state_name(i), &s));
		expect_int(s, i);
	}
	expect_false(run_state_find("unknown", &s));
	expect_false(run_state_find("", &s));
	expect_text(run_state_name((enum run_state)0), "unknown");
	expect_text(run_state_name((enum run_state)99), "unknown");
}

TEST(a_run_is_kept_and_changes_state_once)
{
	struct hand *h = hand_new();
	struct run_row row = run_row("t1", "d1");
	int64_t id = put_run(h, &row);

	expect_int(id, 1);
	hand_reopen(h);
	expect_text(runs(h, &(struct run_filter){0}, 0, 10).text, "1 started restart {} 0 |");
	expect_int(move_run(h, id, RUN_STARTED, RUN_FAILED, HAND_NOW + 1), BATCH_DONE);
	expect_int(move_run(h, id, RUN_STARTED, RUN_DONE, HAND_NOW + 2), BATCH_MISSED);
	expect_int(move_run(h, 99, RUN_STARTED, RUN_DONE, HAND_NOW + 2), BATCH_MISSED);
	expect_text(runs(h, &(struct run_filter){0}, 0, 10).text,
		    "1 failed restart {} 3 so it is|");
	expect_int(hand_number(h, "SELECT ended_ms FROM runs"), HAND_NOW + 1);
	expect_int(hand_number(h, "SELECT started_ms FROM runs"), HAND_NOW);
	hand_free(h);
}

TEST(a_confirmed_run_starts_when_it_is_confirmed)
{
	struct hand *h = hand_new();
	struct run_row row = run_row("t1", NULL);

	row.state = RUN_ASKED;
	row.started_ms = 0;
	row.expires_ms = HAND_NOW + HAND_HOUR;
	put_run(h, &row);
	expect_int(move_run(h, 1, RUN_ASKED, RUN_STARTED, HAND_NOW + 9), BATCH_DONE);
	expect_int(hand_number(h, "SELECT started_ms FROM runs"), HAND_NOW + 9);
	expect_int(hand_number(h, "SELECT ended_ms FROM runs"), 0);
	hand_free(h);
}

/* The batch fails at the n-th place, and leaves nothing: alone or beside others. */
static struct batch *batch_at(int place, bool is_run)
{
	struct batch *b = batch_new();
	struct run_row row = run_row("t2", "d1");

	for (int i = 0; i < 5; i++) {
		if (i == place && is_run)
			batch_put_run(b, &row);
		else if (i == place)
			batch_use_proof(b, "ana", "totp", "123", HAND_NOW + DAY);
		else if (i == 1)
			add_message(b);
		else if (i == 2)
			batch_cursor(b, "box", "2");
		else if (i == 3)
			batch_dispose(b, "box", "1:8", 2, NULL);
		else
			batch_strike(b, "ana", "mail", HAND_NOW);
	}
	return b;
}

struct answers {
	struct batch_result results[3];
	int n;
};

static void note_answer(void *ctx, const struct batch_result *result)
{
	struct answers *a = ctx;

	a->results[a->n++] = *result;
}

/* Between two others, so that they are one transaction, mostly. */
static struct batch_result commit_among_others(struct hand *h, struct batch *b)
{
	struct answers a = {.n = 0};

	for (int i = 0; i < 3; i++) {
		struct batch *other = batch_new();

		batch_resume(other, "none");
		store_commit(h->store, i == 1 ? b : other, note_answer, &a);
		if (i == 1)
			batch_free(other);
	}
	while (a.n < 3)
		loop_turn(h->loop, true);
	expect_int(a.results[0].status, BATCH_DONE);
	expect_int(a.results[2].status, BATCH_DONE);
	return a.results[1];
}

TEST(what_came_before_leaves_nothing_of_its_batch)
{
	struct hand *h = hand_new();
	struct run_row row = run_row("t1", "d1");
	struct batch *b = batch_new();

	batch_put_run(b, &row);
	batch_use_proof(b, "ana", "totp", "123", HAND_NOW + DAY);
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	int64_t before = count_rows(h);

	for (int i = 0; i < 20; i++) {
		bool is_run = i & 1;
		struct batch_result result =
			i < 10 ? hand_commit(h, batch_at(i / 2, is_run))
			       : commit_among_others(h, batch_at(i / 2 - 5, is_run));

		expect_int(result.status, is_run ? BATCH_RUN_SAME : BATCH_PROOF_USED);
		expect_int(result.run, is_run ? 1 : 0);
		expect_int(count_rows(h), before);
	}
	expect_int(hand_stats(h).by_state[STATE_QUEUED], 0);
	hand_free(h);
}

TEST(twice_in_one_batch_is_once_too_often)
{
	struct hand *h = hand_new();
	struct run_row row = run_row("t1", "d1"), twin = run_row("t2", "d1");
	struct batch *b = batch_new();

	batch_put_run(b, &row);
	batch_put_run(b, &twin);
	expect_int(hand_commit(h, b).status, BATCH_RUN_SAME);
	b = batch_new();
	batch_use_proof(b, "ana", "totp", "1", HAND_NOW);
	batch_use_proof(b, "ana", "totp", "1", HAND_NOW);
	expect_int(hand_commit(h, b).status, BATCH_PROOF_USED);
	expect_int(count_rows(h), 0);
	hand_free(h);
}

TEST(a_token_is_one_runs_alone)
{
	struct hand *h = hand_new();
	struct run_row row = run_row("t1", NULL);
	struct batch *b = batch_new();

	put_run(h, &row);
	add_message(b);
	batch_put_run(b, &row);
	expect_int(hand_commit(h, b).status, BATCH_MISSED);
	expect_int(count_rows(h), 10000);
	/* without an identity it may come again */
	row.token = "t2";
	expect_int(put_run(h, &row), 2);
	hand_free(h);
}

TEST(a_proof_is_of_a_contact_and_a_kind)
{
	struct hand *h = hand_new();
	struct batch *b = batch_new();

	batch_use_proof(b, "ana", "totp", "123", HAND_NOW);
	batch_use_proof(b, "bob", "totp", "123", HAND_NOW);
	batch_use_proof(b, "ana", "list", "123", HAND_NOW);
	batch_use_proof(b, "ana", "totp", "124", HAND_NOW);
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	hand_free(h);
}

TEST(pages_of_runs_go_back_in_time_and_say_what_fits)
{
	struct hand *h = hand_new();
	char token[16];

	for (int i = 1; i <= 7; i++) {
		struct run_row row = run_row(token, NULL);

		snprintf(token, sizeof(token), "t%d", i);
		row.rule = i % 2 ? "odd" : "even";
		row.contact = i < 4 ? "ana" : "bob";
		row.started_ms = HAND_NOW + i;
		row.state = i == 6 ? RUN_REFUSED : RUN_STARTED;
		put_run(h, &row);
	}
	struct heard page = runs(h, &(struct run_filter){.rule = "odd"}, 0, 2);

	expect_text(page.text, "7 started odd {} 0 |5 started odd {} 0 |");
	expect_false(page.done);
	page = runs(h, &(struct run_filter){.rule = "odd"}, page.last, 500);
	expect_text(page.text, "3 started odd {} 0 |1 started odd {} 0 |");
	expect_true(page.done);
	expect_text(
		runs(h, &(struct run_filter){.contact = "bob", .states = 1u << RUN_REFUSED}, 0, 9)
			.text,
		"6 refused even {} 0 |");
	expect_text(runs(h, &(struct run_filter){.id = 3}, 0, 9).text, "3 started odd {} 0 |");
	expect_text(runs(h, &(struct run_filter){.id = 3}, 3, 9).text, "");
	expect_text(runs(h, &(struct run_filter){.since_ms = HAND_NOW + 7}, 0, 9).text,
		    "7 started odd {} 0 |");
	expect_true(runs(h, &(struct run_filter){.id = 99}, 0, 9).done);
	hand_free(h);
}

TEST(a_start_finds_cursors_and_disposals)
{
	struct hand *h = hand_new();
	struct batch *b = batch_new();

	batch_cursor(b, "work", "a 1");
	batch_cursor(b, "box", "1");
	batch_dispose(b, "box", "1:7", 1, "Done");
	batch_dispose(b, "box", "1:8", 2, NULL);
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	b = batch_new();
	batch_cursor(b, "box", "2");
	batch_disposed(b, 1);
	batch_disposed(b, 99);
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	hand_reopen(h);
	expect_text(desk(h).text, "box=2|work=a 1|2 box 1:8 2 |");
	/* a number is never given twice */
	b = batch_new();
	batch_disposed(b, 2);
	batch_dispose(b, "box", "1:9", 0, "seen");
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	expect_text(desk(h).text, "box=2|work=a 1|3 box 1:9 0 seen|");
	hand_free(h);
}

TEST(strikes_count_by_contact_and_channel)
{
	struct hand *h = hand_new();
	struct batch *b = batch_new();

	for (int i = 0; i < 120; i++)
		batch_strike(b, "ana", "mail", HAND_NOW + i);
	batch_strike(b, "ana", "sms", HAND_NOW);
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	expect_int(strikes(h, "ana", "mail", HAND_NOW + 117), 3);
	expect_int(strikes(h, "ana", "mail", 0), 100);
	expect_int(strikes(h, "ana", "sms", 0), 1);
	expect_int(strikes(h, "bob", "sms", 0), 0);
	hand_sweep(h, HAND_NOW + DAY + 118, 0);
	expect_int(strikes(h, "ana", "mail", 0), 2);
	hand_free(h);
}

TEST(what_is_asked_expires)
{
	struct hand *h = hand_new();
	struct run_row row = run_row("t1", NULL);

	row.state = RUN_ASKED;
	row.expires_ms = HAND_NOW + 10;
	put_run(h, &row);
	row.token = "t2";
	row.expires_ms = 0;
	put_run(h, &row);
	hand_sweep(h, HAND_NOW + 9, 0);
	expect_int(hand_number(h, "SELECT count(*) FROM runs WHERE state = 6"), 2);
	hand_sweep(h, HAND_NOW + 10, 0);
	expect_int(hand_number(h, "SELECT state FROM runs WHERE id = 1"), RUN_EXPIRED);
	expect_int(hand_number(h, "SELECT state FROM runs WHERE id = 2"), RUN_ASKED);
	expect_int(move_run(h, 1, RUN_ASKED, RUN_STARTED, HAND_NOW + 11), BATCH_MISSED);
	hand_free(h);
}

TEST(what_has_an_identity_is_remembered_for_a_month_and_until_its_mail_is_dealt_with)
{
	struct hand *h = hand_new();
	struct run_row known = run_row("t1", "d1"), other = run_row("t2", NULL);
	struct run_row going = run_row("t3", "d3");
	struct batch *b = batch_new();
	int64_t month_ms = HAND_NOW + 30 * DAY;

	put_run(h, &known);
	put_run(h, &other);
	put_run(h, &going);
	move_run(h, 1, RUN_STARTED, RUN_DONE, HAND_NOW);
	move_run(h, 2, RUN_STARTED, RUN_DONE, HAND_NOW);
	batch_dispose(b, "box", "1:7", 2, NULL);
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	hand_sweep(h, month_ms, HAND_NOW);
	expect_int(hand_number(h, "SELECT count(*) FROM runs"), 3);
	hand_sweep(h, month_ms, month_ms);
	expect_text(runs(h, &(struct run_filter){0}, 0, 9).text,
		    "3 started restart {} 0 |1 done restart {} 3 so it is|");
	hand_sweep(h, month_ms + 1, month_ms);
	expect_int(hand_number(h, "SELECT count(*) FROM runs"), 2);
	b = batch_new();
	batch_disposed(b, 1);
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	hand_sweep(h, month_ms + 1, HAND_NOW);
	expect_int(hand_number(h, "SELECT count(*) FROM runs"), 2);
	hand_sweep(h, month_ms + 1, month_ms);
	expect_text(runs(h, &(struct run_filter){0}, 0, 9).text, "3 started restart {} 0 |");
	/* the number of a forgotten one is not given again, even after a start */
	move_run(h, 3, RUN_STARTED, RUN_DONE, HAND_NOW);
	hand_sweep(h, month_ms + 1, month_ms);
	hand_reopen(h);
	expect_int(put_run(h, &known), 4);
	hand_free(h);
}

TEST(used_proofs_are_forgotten_in_pieces)
{
	struct hand *h = hand_new();
	struct batch *b = batch_new();
	char value[16];

	for (int i = 0; i < 600; i++) {
		snprintf(value, sizeof(value), "%d", i);
		batch_use_proof(b, "ana", "totp", value, HAND_NOW + (i == 0));
	}
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	hand_sweep(h, HAND_NOW, 0);
	expect_int(hand_number(h, "SELECT count(*) FROM proofs"), 600);
	hand_sweep(h, HAND_NOW + 1, 0);
	expect_true(h->more);
	hand_sweep(h, HAND_NOW + 1, 0);
	expect_false(h->more);
	expect_int(hand_number(h, "SELECT count(*) FROM proofs"), 1);
	hand_free(h);
}

TEST(a_database_that_was_put_back_repeats_nothing)
{
	struct hand *h = hand_new();
	struct run_row started = run_row("t1", "d1"), asked = run_row("t2", "d2");
	struct batch *b = batch_new();

	asked.state = RUN_ASKED;
	put_run(h, &started);
	put_run(h, &asked);
	batch_cursor(b, "box", "7");
	batch_dispose(b, "box", "1:7", 2, NULL);
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	b = batch_new();
	batch_clear_desk(b, HAND_NOW + 5);
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	expect_text(desk(h).text, "");
	expect_text(runs(h, &(struct run_filter){0}, 0, 9).text,
		    "2 expired restart {} 0 |"
		    "1 interrupted restart {} 0 under way when the queue was saved|");
	hand_free(h);
}

TEST(a_database_of_version_2_gets_its_tables)
{
	struct hand *h = hand_new();
	struct run_row row = run_row("t1", "d1");

	hand_put(h, "a@x");
	hand_close(h);
	hand_sql(
		h,
		"DROP TABLE runs; DROP TABLE cursors; DROP TABLE proofs; DROP TABLE disposals;"
		" DROP TABLE strikes; DROP TABLE tracked; DROP TABLE suppressed; DROP TABLE texts;"
		" DROP TABLE lifted; DROP TABLE bundles; DROP TABLE heard; DROP INDEX deliveries_bundle;"
		" DROP INDEX deliveries_texts; DROP INDEX deliveries_standby;"
		" ALTER TABLE deliveries DROP COLUMN bundle;"
		" ALTER TABLE deliveries DROP COLUMN throttled;"
		" ALTER TABLE deliveries DROP COLUMN fallback;"
		" ALTER TABLE deliveries DROP COLUMN fallback_ms;"
		" PRAGMA user_version = 2");
	hand_reopen(h);
	expect_int(hand_number(h, "PRAGMA user_version"), 6);
	expect_int(put_run(h, &row), 1);
	expect_int(count_rows(h), 110000);
	hand_list(h, &hand_all, 0, 9);
	expect_text(hand_told(h), "1 m1 queued a@x\n");
	hand_free(h);
}

TEST(reads_that_fail_say_why)
{
	struct hand *h = hand_new();
	struct heard heard = {0};

	hand_sql(h, "ALTER TABLE runs RENAME TO a");
	expect_contains(runs(h, &(struct run_filter){0}, 0, 9).why.text, "no such table");
	hand_sql(h, "ALTER TABLE disposals RENAME TO b");
	expect_contains(desk(h).why.text, "no such table");
	hand_sql(h, "ALTER TABLE strikes RENAME TO c");
	store_strikes(h->store, "ana", "mail", 0, hear_strikes, &heard);
	wait_for(h, &heard);
	expect_contains(heard.why.text, "no such table");
	hand_free(h);
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	expect_int(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

TEST(a_full_disk_leaves_a_command_unobeyed_and_unknown)
{
	struct hand *h = hand_new();
	struct run_row row = run_row("t1", "d1");
	AUTO(free) char *plan = calloc(1, 600001);
	struct batch *b = batch_new();

	signal(SIGXFSZ, SIG_IGN);
	memset(plan, 'x', 600000);
	row.plan = plan;
	batch_use_proof(b, "ana", "totp", "1", HAND_NOW);
	batch_put_run(b, &row);
	limit_files(256 * 1024);
	struct batch_result result = hand_commit(h, b);

	limit_files(RLIM_INFINITY);
	expect_int(result.status, BATCH_FAILED);
	expect_int(h->why.kind, FAILURE_LATER);
	expect_contains(h->why.text, "the disk ");
	expect_int(count_rows(h), 0);
	b = batch_new();
	batch_use_proof(b, "ana", "totp", "1", HAND_NOW);
	batch_put_run(b, &row);
	expect_int(hand_commit(h, b).status, BATCH_DONE);
	hand_free(h);
}

RUN_TESTS()
