/* Texts to a scripted API: what is said for one, and what becomes of it when the answer is
 * late, broken, of another kind, or never comes. One of which nobody knows is never sent
 * again from here, and none is taken for sent that is not. */
#include "transport/twilio.h"

#include "alloc.h"
#include "auto.h"
#include "base/loop.h"
#include "tests/unit/expect.h"
#include "twilio_stage.h"

#define QUEUED TEXT("1", "queued", "")

static void stage_open(struct twilio_stage *s, const char *script)
{
	twilio_stage_init(s, loop_new(), script, NULL);
}

static void stage_close(struct twilio_stage *s)
{
	struct loop *loop = s->loop;

	twilio_stage_clear(s);
	loop_free(loop);
}

/* The next text is settled so, and nothing was said besides. */
static void expect_send(struct twilio_stage *s, enum outcome_kind kind, bool down, const char *how)
{
	const struct outcome *o = twilio_stage_send(s, "hello");
	const char *problem = s->server ? talk_problem(s->server) : NULL;

	if (o->kind != kind || *host_was_down(s->host) != down || problem)
		expect_stop(__FILE__, __LINE__, "%s\nbecame %d, %s, down: %d, %s", how, o->kind,
			    o->text, *host_was_down(s->host), problem ? problem : "");
}

/* clang-format off */
static const char two_script[] =
	"C: POST " LIST " HTTP/1.1\n"
	"C: Host: *\n"
	"C: Authorization: Basic QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjp0b2tlbg==\n"
	"C: User-Agent: nuncio\n"
	"C: Accept: *\n"
	"C: Content-Type: application/x-www-form-urlencoded\n"
	"C: Content-Length: *\n"
	"C: \n" FORM("&Body=h%C3%A9%20%26%20%2B")
	SAY("201 Created") "S= " QUEUED "\n"
	NEXT HEAR_POST FORM("&Body=two")
	SAY("201 Created") "S= " TEXT("2", "accepted", "") "\nCLOSE\n";
static const char picture_script[] =
	HEAR_POST FORM("&Body=See&MediaUrl=https%3A%2F%2Fa.example%2F1%3Fb%3Dc")
	SAY("201 Created") "S= " QUEUED "\n"
	NEXT HEAR_POST FORM("&MediaUrl=https%3A%2F%2Fa.example%2F2")
	SAY("201 Created") "S= " TEXT("2", "queued", "") "\nCLOSE\n";
/* clang-format on */

TEST(a_text_is_one_request_on_a_connection_of_its_own)
{
	struct twilio_stage s;

	stage_open(&s, two_script);
	const struct outcome *o = twilio_stage_send(&s, "h\u00e9 & +");

	expect_int(o->kind, OUTCOME_ACCEPTED);
	expect_text(o->remote_id, SM("1"));
	expect_text(o->text, "queued");
	o = twilio_stage_send(&s, "two");
	expect_text(o->remote_id, SM("2"));
	expect_int(host_downs(s.host), 0);
	talk_finished(TAKE(s.server));
	stage_close(&s);
}

TEST(a_picture_is_named_in_it)
{
	struct twilio_stage s;
	const struct host_mail see = {.to = {ME},
				      .text = "See",
				      .media = "https://a.example/1?b=c"},
			       alone = {.to = {ME}, .media = "https://a.example/2"};

	stage_open(&s, picture_script);
	host_add(s.host, &see);
	host_add(s.host, &alone);
	host_wake(s.host);
	talk_until(s.loop, host_all_finished(s.host));
	expect_text(host_outcome(s.host, 0, 0)->remote_id, SM("1"));
	expect_text(host_outcome(s.host, 1, 0)->remote_id, SM("2"));
	talk_finished(TAKE(s.server));
	stage_close(&s);
}

/* ---- the answer, cut ---- */

/* How long it is, it says itself: a cut shows. */
static char *whole_answer(void)
{
	return xprintf("HTTP/1.1 201 Created\r\nDate: Fri, 15 Jan 2027 08:00:00 GMT\r\n"
		       "Content-Length: %zu\r\nContent-Type: application/json\r\n\r\n%s",
		       strlen(QUEUED), QUEUED);
}

static void cut_at_every_byte(const char *end)
{
	AUTO(free) char *answer = whole_answer();

	for (size_t len = 0; len < strlen(answer); len++) {
		AUTO(free) char *script = twilio_stage_cut(HEAR_POST, answer, len, end);
		AUTO(free) char *how = xprintf("%s after %zu bytes", end, len);
		struct twilio_stage s;

		stage_open(&s, script);
		const struct outcome *o = twilio_stage_send(&s, "hello");

		if (o->kind != OUTCOME_UNCERTAIN || talk_problem(s.server))
			expect_stop(__FILE__, __LINE__, "%s: outcome %d, %s", how, o->kind,
				    o->text);
		stage_close(&s);
	}
}

TEST(cut_anywhere_an_answer_leaves_it_open)
{
	cut_at_every_byte("CLOSE");
}

TEST(reset_anywhere_it_does_too)
{
	cut_at_every_byte("RESET");
}

TEST(whole_it_counts)
{
	AUTO(free) char *answer = whole_answer();
	AUTO(free) char *script = twilio_stage_cut(HEAR_POST, answer, strlen(answer), "CLOSE");
	struct twilio_stage s;

	stage_open(&s, script);
	expect_send(&s, OUTCOME_ACCEPTED, false, "a whole answer");
	stage_close(&s);
}

/* ---- nobody there, and nobody left ---- */

TEST(without_anybody_there_no_text_is_touched)
{
	struct twilio_stage s;

	stage_open(&s, "C: x\n");
	talk_free(TAKE(s.server));
	expect_send(&s, OUTCOME_UNTOUCHED, true, "nobody");
	expect_int(host_why(s.host)->kind, FAILURE_LATER);
	stage_close(&s);
}

/* The request may have been written, or not: both are said as they are. */
TEST(of_one_who_hangs_up_at_once_nothing_is_believed)
{
	static const char *const ends[] = {"RESET\n", "CLOSE\n", "DROP\n"};

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		struct twilio_stage s;

		stage_open(&s, ends[i]);
		const struct outcome *o = twilio_stage_send(&s, "hello");

		expect_true(o->kind == OUTCOME_UNTOUCHED || o->kind == OUTCOME_UNCERTAIN);
		expect_int(host_why(s.host)->kind, FAILURE_LATER);
		stage_close(&s);
	}
}

TEST(gone_after_the_request_it_may_have_it)
{
	static const char *const ends[] = {"RESET", "CLOSE", "DROP"};

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		AUTO(free) char *script = twilio_stage_cut(HEAR_POST, "", 0, ends[i]);
		struct twilio_stage s;

		stage_open(&s, script);
		expect_send(&s, OUTCOME_UNCERTAIN, true, ends[i]);
		expect_int(host_why(s.host)->kind, FAILURE_LATER);
		stage_close(&s);
	}
}

TEST(an_answer_that_never_comes_leaves_it_open)
{
	struct twilio_stage s;

	stage_open(&s, HEAR_POST);
	s.config.twilio.timeout_ms = 100;
	expect_send(&s, OUTCOME_UNCERTAIN, true, "silence");
	expect_contains(host_why(s.host)->text, "timed out");
	stage_close(&s);
}

TEST(an_answer_may_take_its_time)
{
	struct twilio_stage s;

	twilio_stage_init(&s, loop_new(), HEAR_POST SAY("201 Created") "S= " QUEUED "\nCLOSE\n",
			  &(struct talk_options){.drip = true});
	expect_send(&s, OUTCOME_ACCEPTED, false, "byte by byte");
	stage_close(&s);
}

/* ---- TLS ---- */

static void tls_open(struct twilio_stage *s, const char *script, const struct talk_options *options)
{
	twilio_stage_init(s, loop_new(), script, options);
	snprintf(s->api, sizeof(s->api), "https://127.0.0.1:%u", talk_port(s->server));
	s->config.twilio.ca_file = (char *)(uintptr_t)talk_ca_file();
}

TEST(without_a_certificate_that_can_be_trusted_nothing_is_said)
{
	for (enum talk_certificate c = TALK_EXPIRED; c <= TALK_SELF_SIGNED; c++) {
		const struct talk_options options = {.tls_at_once = true, .certificate = c};
		AUTO(free) char *how = xprintf("certificate %d", (int)c);
		struct twilio_stage s;

		tls_open(&s, "C: nothing\n", &options);
		const struct outcome *o = twilio_stage_send(&s, "hello");

		if (o->kind != OUTCOME_UNTOUCHED || host_why(s.host)->kind != FAILURE_SETUP)
			expect_stop(__FILE__, __LINE__, "%s: %d, %s", how, o->kind, o->text);
		stage_close(&s);
	}
}

TEST(to_one_who_speaks_no_tls_neither)
{
	struct twilio_stage s;

	tls_open(&s, SAY("201 Created") "S= " QUEUED "\n", NULL);
	expect_send(&s, OUTCOME_UNTOUCHED, true, "no TLS");
	stage_close(&s);
}

TEST(with_tls_that_is_good_it_goes)
{
	struct twilio_stage s;

	tls_open(&s, HEAR_POST FORM("&Body=hello") SAY("201 Created") "S= " QUEUED "\nCLOSE\n",
		 &(struct talk_options){.tls_at_once = true});
	expect_send(&s, OUTCOME_ACCEPTED, false, "TLS");
	stage_close(&s);
}

/* ---- answers that are none ---- */

static void expect_of_answer(const char *say, enum outcome_kind kind, bool down)
{
	AUTO(free)
	char *script = xprintf("%s%s\n" NEXT "C: nobody comes back\n", HEAR_POST, say);
	struct twilio_stage s;

	stage_open(&s, script);
	expect_send(&s, kind, down, say);
	stage_close(&s);
}

/* It was taken, and nobody can tell under which name. */
TEST(garbage_for_an_answer_leaves_it_open)
{
	static const char *const bodies[] = {"",
					     "null",
					     "[]",
					     "{}",
					     "\"text\"",
					     "<html>gateway</html>",
					     "{\"sid\":7}",
					     "{\"sid\":\"SM12\"}",
					     "{\"sid\":\"" SM("1"),
					     "\xff\xfe{}",
					     "{\"sid\":null,\"sid\":null}",
					     "{\"sid\":\"ME00000000000000000000000000000001\"}",
					     QUEUED "}"};
	AUTO(free) char *deep = xcalloc(1, 200001);

	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		AUTO(free) char *say = xprintf("%sS= %s", SAY("201 Created"), bodies[i]);

		expect_of_answer(say, OUTCOME_UNCERTAIN, false);
	}
	memset(deep, '[', 200000);
	AUTO(free) char *say = xprintf("%sS= %s", SAY("200 OK"), deep);

	expect_of_answer(say, OUTCOME_UNCERTAIN, false);
}

TEST(errors_are_taken_by_their_status_where_they_say_nothing)
{
	static const struct {
		const char *status;
		enum outcome_kind kind;
		bool down;
	} rows[] = {
		{"400 Bad", OUTCOME_REFUSED, false},
		{"404 Not Found", OUTCOME_REFUSED, false},
		{"401 Unauthorized", OUTCOME_UNTOUCHED, true},
		{"403 Forbidden", OUTCOME_UNTOUCHED, true},
		{"500 Broken", OUTCOME_UNCERTAIN, true},
		{"503 Busy", OUTCOME_UNCERTAIN, true},
		{"504 Late", OUTCOME_UNCERTAIN, true},
	};
	static const char *const bodies[] = {"<html>", "", "{\"code\":\"x\"}", "[20429]"};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (size_t k = 0; k < sizeof(bodies) / sizeof(*bodies); k++) {
			AUTO(free)
			char *say = xprintf("S: HTTP/1.1 %s\nS: Connection: close\nS: \nS= %s",
					    rows[i].status, bodies[k]);

			expect_of_answer(say, rows[i].kind, rows[i].down);
		}
}

/* What it is counts, not what it is called. */
TEST(the_type_of_an_answer_makes_no_difference)
{
	static const char *const types[] = {"text/html", "text/xml", "application/octet-stream",
					    "multipart/mixed; boundary=x", ";;;"};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		AUTO(free)
		char *head = xprintf("S: HTTP/1.1 201 Created\nS: Connection: close\n"
				     "S: Content-Type: %s\nS: \nS= ",
				     types[i]);
		AUTO(free) char *good = xprintf("%s%s", head, QUEUED);
		AUTO(free) char *bad = xprintf("%s<html>", head);

		expect_of_answer(good, OUTCOME_ACCEPTED, false);
		expect_of_answer(bad, OUTCOME_UNCERTAIN, false);
	}
}

TEST(a_redirect_is_not_followed_and_is_no_answer)
{
	static const char *const statuses[] = {"300 Many",  "301 Moved",     "302 Found",
					       "303 Other", "307 Temporary", "308 Permanent"};

	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		AUTO(free)
		char *say = xprintf("S: HTTP/1.1 %s\nS: Connection: close\nS: Location: " LIST
				    "\nS: \nS= " QUEUED,
				    statuses[i]);

		expect_of_answer(say, OUTCOME_UNCERTAIN, true);
	}
}

static void expect_too_large(const char *say)
{
	AUTO(free) char *script = xprintf("%s%s\n", HEAR_POST, say);
	struct twilio_stage s;

	stage_open(&s, script);
	const struct outcome *o = twilio_stage_send(&s, "hello");

	expect_int(o->kind, OUTCOME_UNCERTAIN);
	expect_contains(o->text, "too large");
	stage_close(&s);
}

/* Of what is too large no more is read than there is room for, announced or not. */
TEST(a_hundred_megabytes_are_no_answer)
{
	size_t size = 32 << 20;
	AUTO(free) char *much = xcalloc(1, size + 1);

	memset(much, ' ', size);
	AUTO(free) char *endless = xprintf("%sS= %s", SAY("201 Created"), much);
	AUTO(free)
	char *announced = xprintf("S: HTTP/1.1 201 Created\nS: Content-Length: 104857600\n"
				  "S: Connection: close\nS: \nS= " QUEUED "%s",
				  much);

	expect_too_large(endless);
	expect_too_large(announced);
}

/* ---- one too many ---- */

/* More: a line of the header. In so long it is said again, and not much sooner. */
static void expect_again(const char *more, int64_t wait_ms)
{
	AUTO(free)
	char *script = xprintf("%sS: HTTP/1.1 429 Busy\n%sS: Connection: close\nS: \n"
			       "S= {\"code\":20429,\"message\":\"slower\"}\n" NEXT "%s%s\nCLOSE\n",
			       HEAR_POST, more, HEAR_POST, SAY("201 Created") "S= " QUEUED);
	int64_t turned_ms = 0;
	struct twilio_stage s;

	stage_open(&s, script);
	host_add(s.host, &(struct host_mail){.to = {ME}, .text = "hello"});
	host_wake(s.host);
	for (; !host_outcome(s.host, 0, 0); turned_ms += wait_ms / 100) {
		loop_turn_clock(s.loop, wait_ms / 100);
		for (int i = 0; i < 20; i++)
			loop_turn(s.loop, false);
	}
	expect_text(host_outcome(s.host, 0, 0)->remote_id, SM("1"));
	expect_int(host_downs(s.host), 0);
	expect_true(turned_ms >= wait_ms / 2);
	stage_close(&s);
}

TEST(turned_away_unread_the_same_is_said_again)
{
	expect_again("S: Retry-After: 600\n", 600000);
	expect_again("S: Retry-After: Fri, 15 Jan 2100 08:00:00 GMT\n", 600000);
}

RUN_TESTS()
