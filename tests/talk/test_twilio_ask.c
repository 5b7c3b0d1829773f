/* What became of texts, asked of a scripted API: by lists of several pages, one by one, and
 * whether one is there at all. However an answer is broken, nothing is made of it; above all no
 * text is said to be absent, for then it would be sent again. */
#include "alloc.h"
#include "auto.h"
#include "base/loop.h"
#include "buf.h"
#include "clock.h"
#include "message/letter.h"
#include "tests/unit/expect.h"
#include "twilio_stage.h"

#define SINCE_MS INT64_C(1800000000000) /* Fri, 15 Jan 2027 08:00:00 */
#define MADE(second) ",\"date_created\":\"Fri, 15 Jan 2027 08:00:" second " +0000\""
#define EVERYONE LIST "?From=%2B15017122661&PageSize=1000"
#define MINE LIST "?To=%2B15559998888&PageSize=1000"

struct stage {
	struct twilio_stage twilio;
	struct letter *letter;
	struct inquiry inquiries[4];
	size_t n;
	struct buf story; /* "delivered SM1|" */
	unsigned reports;
	bool done;
};

static const char *const findings[] = {[FINDING_NOTHING] = "nothing",
				       [FINDING_PENDING] = "pending",
				       [FINDING_SENT] = "sent",
				       [FINDING_DELIVERED] = "delivered",
				       [FINDING_UNDELIVERED] = "undelivered",
				       [FINDING_FAILED] = "failed",
				       [FINDING_EXPIRED] = "expired",
				       [FINDING_CANCELED] = "canceled",
				       [FINDING_SUPPRESSED] = "suppressed",
				       [FINDING_ABSENT] = "absent"};

static void reported(void *ctx, const struct report *reports, size_t n, const struct failure *why)
{
	struct stage *s = ctx;

	s->reports++;
	s->done = true;
	if (why)
		buf_printf(&s->story, "%s", why->text);
	for (size_t i = 0; !why && i < n; i++)
		buf_printf(&s->story, "%s%s%s|", findings[reports[i].finding],
			   reports[i].remote_id[0] ? " " : "",
			   reports[i].remote_id + (reports[i].remote_id[0] ? 33 : 0));
}

static void stage_open(struct stage *s, const char *script)
{
	*s = (struct stage){.letter = letter_new()};
	buf_init(&s->story, 4096);
	s->letter->has_text = true;
	s->letter->text_size = 5;
	twilio_stage_init(&s->twilio, loop_new(), script, NULL);
	clock_turn_wall(SINCE_MS - clock_wall_ms());
}

static void stage_close(struct stage *s)
{
	struct loop *loop = s->twilio.loop;

	twilio_stage_clear(&s->twilio);
	loop_free(loop);
	letter_free(s->letter);
	buf_clear(&s->story);
	clock_turn_wall(SINCE_MS - clock_wall_ms());
}

/* One with a sid, or, "": one whose answer was lost. */
static void add(struct stage *s, const char *sid)
{
	static const char *const owned[] = {NULL};

	s->inquiries[s->n++] = (struct inquiry){.delivery = (int64_t)s->n + 1,
						.remote_id = sid,
						.recipient = ME,
						.letter = s->letter,
						.content = "hello",
						.content_len = 5,
						.since_boot_ms = SINCE_MS - clock_ahead_ms(),
						.owned = owned};
}

/* All is asked; exactly one report comes. */
static const char *ask(struct stage *s)
{
	struct transport *t = host_transport(s->twilio.host);

	transport_kind_find("twilio")->ask(t, s->inquiries, s->n, reported, s);
	expect_false(s->done);
	talk_until(s->twilio.loop, &s->done);
	for (int i = 0; i < 20; i++)
		loop_turn(s->twilio.loop, false);
	expect_int(s->reports, 1);
	return buf_bytes(&s->story);
}

static void expect_finished(struct stage *s)
{
	talk_finished(s->twilio.server);
	s->twilio.server = NULL;
	stage_close(s);
}

/* clang-format off */
#define HEAD "S: HTTP/1.1 200 OK\nS: Date: Fri, 15 Jan 2027 08:00:00 GMT\nS: Connection: close\nS: \nS= "
static const char pages_script[] =
	HEAR_GET(EVERYONE)
	HEAD PAGE(TEXT("9", "sent", MADE("50")) "," TEXT("1", "delivered", MADE("40")), "\"/next?Page=1\"") "\n"
	NEXT HEAR_GET("/next?Page=1")
	HEAD PAGE(TEXT("2", "queued", MADE("30")) "," TEXT("1", "sent", MADE("40")), "\"/next?Page=2\"") "\n"
	NEXT HEAR_GET("/next?Page=2")
	HEAD PAGE(TEXT("8", "sent", MADE("20")), "null") "\n"
	NEXT HEAR_GET(ONE("3"))
	"S: HTTP/1.1 404 Not Found\nS: Connection: close\nS: \n"
	"S= {\"code\":20404,\"message\":\"not found\",\"status\":404}\nCLOSE\n";
static const char elsewhere_script[] =
	HEAR_GET(EVERYONE)
	HEAD PAGE(TEXT("1", "sent", MADE("40")), "\"http://127.0.0.1:1/next\"") "\n"
	NEXT HEAR_GET(ONE("2"))
	HEAD TEXT("2", "sent", "") "\nCLOSE\n";
static const char lost_script[] =
	HEAR_GET(MINE)
	HEAD PAGE(TEXT("5", "sent", MADE("50")) "," TEXT("4", "sent", MADE("40")), "\"/next?Page=1\"") "\n"
	NEXT HEAR_GET("/next?Page=1")
	HEAD PAGE(TEXT("3", "sent", MADE("30")) "," TEXT("2", "received", MADE("20")), "null") "\nCLOSE\n";
/* clang-format on */

TEST(a_list_is_read_page_by_page_and_what_is_not_in_it_asked_for_alone)
{
	struct stage s;

	stage_open(&s, pages_script);
	add(&s, SM("1"));
	add(&s, SM("2"));
	add(&s, SM("3"));
	/* the first that is said of one counts: pages may overlap */
	expect_text(ask(&s), "delivered 1|pending 2|nothing|");
	expect_finished(&s);
}

TEST(a_next_page_elsewhere_is_none)
{
	struct stage s;

	stage_open(&s, elsewhere_script);
	add(&s, SM("1"));
	add(&s, SM("2"));
	expect_text(ask(&s), "sent 1|sent 2|");
	expect_finished(&s);
}

TEST(one_that_was_lost_is_the_oldest_of_a_page_that_fits)
{
	static const char *const owned[] = {SM("3"), NULL};
	struct stage s;

	stage_open(&s, lost_script);
	add(&s, "");
	s.inquiries[0].owned = owned;
	expect_text(ask(&s), "sent 4|");
	stage_close(&s);
}

TEST(absent_is_what_no_page_has)
{
	static const char *const owned[] = {SM("2"), SM("3"), SM("4"), SM("5"), NULL};
	struct stage s;

	stage_open(&s, lost_script);
	add(&s, "");
	s.inquiries[0].owned = owned;
	expect_text(ask(&s), "absent|");
	expect_finished(&s);
}

/* ---- broken answers ---- */

#define ANSWER "HTTP/1.1 200 OK\r\nDate: Fri, 15 Jan 2027 08:00:00 GMT\r\nConnection: close\r\n\r\n"

/* Even where its length is not announced, so that a cut could pass for the end. */
static void cut_list(const char *answer, const char *hear, const char *sid)
{
	for (size_t len = 0; len < strlen(answer); len++) {
		AUTO(free) char *script = twilio_stage_cut(hear, answer, len, "CLOSE");
		struct stage s;

		stage_open(&s, script);
		add(&s, sid);
		const char *story = ask(&s);

		if (strchr(story, '|') || talk_problem(s.twilio.server))
			expect_stop(__FILE__, __LINE__, "after %zu bytes: %s", len, story);
		stage_close(&s);
	}
}

TEST(cut_anywhere_a_list_denies_nothing)
{
	cut_list(ANSWER PAGE("", "null"), HEAR_GET(MINE), "");
	cut_list(ANSWER PAGE(TEXT("9", "sent", MADE("00")), "null"), HEAR_GET(MINE), "");
}

TEST(cut_anywhere_an_answer_about_one_says_nothing)
{
	cut_list(ANSWER TEXT("1", "delivered", ""), HEAR_GET(ONE("1")), SM("1"));
}

TEST(what_is_no_list_denies_nothing)
{
	static const char *const says[] = {
		"S: HTTP/1.1 200 OK\nS: Connection: close\nS: \nS= <html>",
		"S: HTTP/1.1 200 OK\nS: Connection: close\nS: \nS= {}",
		"S: HTTP/1.1 200 OK\nS: Connection: close\nS: \nS= {\"messages\":null}",
		"S: HTTP/1.1 200 OK\nS: Connection: close\nS: \nS= {\"messages\":[{}]}",
		"S: HTTP/1.1 204 None\nS: Connection: close\nS: ",
		"S: HTTP/1.1 302 Found\nS: Connection: close\nS: Location: /x\nS: \nS= {\"messages\":[]}",
		"S: HTTP/1.1 401 No\nS: Connection: close\nS: \nS= {\"messages\":[]}",
		"S: HTTP/1.1 404 None\nS: Connection: close\nS: \nS= {\"messages\":[]}",
		"S: HTTP/1.1 429 Busy\nS: Connection: close\nS: \nS= {}",
		"S: HTTP/1.1 503 Busy\nS: Connection: close\nS: \nS= {\"messages\":[]}",
	};

	for (size_t i = 0; i < sizeof(says) / sizeof(*says); i++) {
		AUTO(free)
		char *script =
			xprintf("%s%s\n" NEXT "C: nobody comes back\n", HEAR_GET(MINE), says[i]);
		struct stage s;

		stage_open(&s, script);
		add(&s, "");
		const char *story = ask(&s);

		if (strchr(story, '|') || talk_problem(s.twilio.server))
			expect_stop(__FILE__, __LINE__, "%s: %s", says[i], story);
		stage_close(&s);
	}
}

TEST(a_list_without_end_denies_nothing)
{
	size_t size = 32 << 20;
	AUTO(free) char *much = xcalloc(1, size + 1);

	memset(much, ' ', size);
	AUTO(free) char *script = xprintf("%s%s%s\n", HEAR_GET(MINE), HEAD, much);
	struct stage s;

	stage_open(&s, script);
	add(&s, "");
	expect_contains(ask(&s), "too large");
	stage_close(&s);
}

TEST(pages_without_end_deny_nothing)
{
	struct buf script;
	struct stage s;

	buf_init(&script, 1024 * 1024);
	buf_add_text(&script, HEAR_GET(MINE));
	for (int i = 0; i < 100; i++)
		buf_add_text(&script, HEAD PAGE(TEXT("9", "sent", MADE("59")),
						"\"/next\"") "\n" NEXT HEAR_GET("/next"));
	stage_open(&s, buf_bytes(&script));
	add(&s, "");
	s.inquiries[0].content = "other";
	expect_text(ask(&s), "too many pages of messages");
	stage_close(&s);
	buf_clear(&script);
}

TEST(one_who_is_gone_denies_nothing)
{
	struct stage s;

	stage_open(&s, "C: x\n");
	talk_free(TAKE(s.twilio.server));
	add(&s, "");
	expect_null(strchr(ask(&s), '|'));
	stage_close(&s);
}

RUN_TESTS()
