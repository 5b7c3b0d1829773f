/* Whom the queue tells of outages, when, by what, and how often; and that a machine
 * which slept tries at once what was down. */
#include "queue_rig.h"

#include "clock.h"
#include "failure.h"
#include "tests/unit/expect.h"

#define MINUTE (60 * 1000LL)
#define HOUR (60 * MINUTE)

static const char two[] =
	"{ name = \"mail\"; type = \"fake\"; answers = \"@/mail\"; log = \"@/mail.log\"; },"
	"{ name = \"spare\"; type = \"fake\"; answers = \"@/spare\"; log = \"@/spare.log\"; }";
static const char covered[] =
	"{ name = \"mail\"; type = \"fake\"; answers = \"@/mail\"; log = \"@/mail.log\"; failover = [\"spare\"]; },"
	"{ name = \"spare\"; type = \"fake\"; answers = \"@/spare\"; log = \"@/spare.log\"; }";
static const char me[] = "contacts = ( { name = \"me\"; mail = [\"me@example.org\"]; },\n"
			 " { name = \"all\"; members = [\"me\"]; } ); operator = [\"all\"];";

static struct rig *begin(const char *transports, const char *settings)
{
	struct rig *r = rig_new();

	r->settings = settings;
	rig_answers(r, "spare", "");
	rig_answers(r, "mail", "login 535 5.7.8 wrong password\n");
	rig_configure(r, transports);
	return r;
}

static void pass(struct rig *r, int64_t ms)
{
	for (; ms > 0; ms -= MINUTE)
		loop_turn_clock(r->loop, MINUTE), rig_barrier(r);
	rig_settle(r);
}

struct subjects {
	char text[2000];
	bool done;
};

static void read_subjects(void *ctx, const struct list_result *result)
{
	struct subjects *s = ctx;

	expect_null(result->why);
	for (size_t i = 0; i < result->n; i++) {
		const struct message_row *m = result->rows[i].message;
		const struct delivery_row *d = result->rows[i].delivery;
		const char *colon = m->subject ? strchr(m->subject, ':') : NULL;

		if (*m->sender)
			continue;
		snprintf(s->text + strlen(s->text), sizeof(s->text) - strlen(s->text),
			 "%s by %s%s, %s\n", d->recipient, d->route, colon ? colon : "?",
			 state_name(d->state));
	}
	s->done = true;
}

/* "me@example.org by spare: mail is down, sent\n" */
static void expect_told(struct rig *r, const char *want)
{
	struct filter all = {.uid = -1};
	struct subjects s = {.text = ""};

	store_list(r->store, &all, 0, 100, read_subjects, &s);
	while (!s.done)
		loop_turn(r->loop, true);
	expect_text(s.text, want);
}

TEST(a_wrong_password_for_a_day_is_told_once_and_its_end_once)
{
	struct rig *r = begin(two, me);

	rig_put_to(r, "ana@example.com");
	rig_settle(r);
	pass(r, 58 * MINUTE);
	expect_told(r, "");
	pass(r, 5 * MINUTE);
	expect_told(r, "me@example.org by spare: mail is down, sent\n");
	pass(r, 23 * HOUR);
	expect_told(r, "me@example.org by spare: mail is down, sent\n");
	/* 60 s doubling to 1 h: six in the first hour, then one an hour */
	unsigned tries = rig_status(r, "mail").failures;

	expect_true(tries >= 22 && tries <= 40);
	expect_int(rig_count(r, STATE_QUEUED), 1);
	rig_answers(r, "mail", "");
	pass(r, 75 * MINUTE);
	expect_int(rig_count(r, STATE_QUEUED), 0);
	expect_told(r, "me@example.org by spare: mail is down, sent\n"
		       "me@example.org by mail: mail works again, sent\n");
	rig_free(r);
}

TEST(a_short_outage_is_not_told)
{
	struct rig *r = begin(two, me);

	rig_answers(r, "mail", "down 421 away\n");
	rig_put_to(r, "ana@example.com");
	pass(r, 40 * MINUTE);
	rig_answers(r, "mail", "");
	pass(r, 3 * HOUR);
	expect_int(rig_count(r, STATE_SENT), 1);
	expect_told(r, "");
	rig_free(r);
}

TEST(a_failover_that_works_hides_no_outage)
{
	struct rig *r = begin(covered, me);

	rig_put_to(r, "ana@example.com");
	rig_settle(r);
	expect_int(rig_count(r, STATE_SENT), 1);
	pass(r, 2 * HOUR);
	expect_told(r, "me@example.org by spare: mail is down, sent\n");
	rig_free(r);
}

TEST(nobody_is_told_where_nothing_else_could_carry_it_or_it_is_off)
{
	struct rig *r = begin(rig_one, me);

	rig_put_to(r, "ana@example.com");
	pass(r, 3 * HOUR);
	expect_told(r, "");
	rig_free(r);

	r = begin("{ name = \"mail\"; type = \"fake\"; answers = \"@/mail\"; max_down = \"0\"; },"
		  "{ name = \"spare\"; type = \"fake\"; }",
		  me);
	rig_put_to(r, "ana@example.com");
	pass(r, 3 * HOUR);
	expect_told(r, "");
	rig_free(r);
}

TEST(when_all_are_down_the_first_that_works_tells)
{
	struct rig *r = begin(two, me);

	rig_answers(r, "spare", "down 421 away\n");
	rig_put_to(r, "ana@example.com");
	rig_put(r, &(struct rig_put){.to = {"bo@x.test"}, .route = "spare"});
	pass(r, 3 * HOUR);
	expect_told(r, "");
	rig_answers(r, "spare", "");
	pass(r, 15 * MINUTE);
	expect_told(r, "me@example.org by spare: mail is down, sent\n");
	rig_free(r);
}

TEST(a_notice_that_fails_leads_to_no_other)
{
	struct rig *r = begin(two, me);

	rig_answers(r, "spare", "* 550 never\n");
	rig_put_to(r, "ana@example.com");
	pass(r, 5 * HOUR);
	expect_told(r, "me@example.org by spare: mail is down, failed\n");
	rig_free(r);
}

TEST(a_reload_that_mends_it_ends_the_outage)
{
	struct rig *r = begin(two, me);

	rig_put_to(r, "ana@example.com");
	pass(r, 2 * HOUR);
	rig_answers(r, "mail", "");
	rig_configure(
		r,
		"{ name = \"mail\"; type = \"fake\"; answers = \"@/mail\"; concurrency = 2; },"
		"{ name = \"spare\"; type = \"fake\"; answers = \"@/spare\"; log = \"@/spare.log\"; }");
	rig_settle(r);
	pass(r, 2 * MINUTE);
	expect_told(r, "me@example.org by spare: mail is down, sent\n"
		       "me@example.org by mail: mail works again, sent\n");
	rig_free(r);
}

TEST(a_machine_that_wakes_tries_at_once_what_was_down)
{
	struct rig *r = begin(rig_one, NULL);

	rig_put_to(r, "ana@example.com");
	pass(r, 10 * HOUR);
	unsigned tries = rig_status(r, "mail").failures;

	expect_true(rig_status(r, "mail").next_try_ms - clock_wall_ms() > 2 * MINUTE ||
		    rig_status(r, "mail").failures > 10);
	rig_answers(r, "mail", "");
	clock_turn_suspend(8 * HOUR);
	rig_turn_clock(r, 31 * 1000);
	expect_int(rig_count(r, STATE_SENT), 1);
	expect_true(tries > 10);
	clock_turn_suspend(-8 * HOUR);
	rig_free(r);
}

RUN_TESTS()
