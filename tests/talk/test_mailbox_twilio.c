/* Texts as a mailbox, before a scripted API: what is asked, in which order texts are handed
 * over, what came with them, and what must not stop it. */
#include "mailbox/twilio_mailbox.h"

#include "alloc.h"
#include "auto.h"
#include "base/loop.h"
#include "buf.h"
#include "config/mailbox_config.h"
#include "tests/unit/expect.h"
#include "failure.h"
#include "mailbox/mailbox.h"
#include "secret.h"
#include "talk.h"

#define ACCOUNT "AC0123456789abcdef0123456789abcdef"
#define SM(n) "SM0000000000000000000000000000000" n
#define ME(n) "ME0000000000000000000000000000000" n
#define LIST "/2010-04-01/Accounts/" ACCOUNT "/Messages.json"
/* clang-format off */
#define TEXT(n, second, more)                                                                      \
	"{\"sid\":\"" SM(n) "\",\"status\":\"received\",\"direction\":\"inbound\","                \
	"\"from\":\"+15559998888\",\"to\":\"+15017122661\",\"body\":\"t" n "\","                   \
	"\"date_created\":\"Fri, 15 Jan 2027 08:00:" second " +0000\"" more "}"
#define HEAR(path) "C: GET " path " HTTP/1.1\nC: ...\nC: \n"
#define SAY(status)                                                                                \
	"S: HTTP/1.1 " status "\nS: Date: Fri, 15 Jan 2027 08:30:00 GMT\nS: Connection: close\nS: \n"
#define PAGE(rows, next) SAY("200 OK") "S= {\"messages\":[" rows "],\"next_page_uri\":" next "}\n"
/* clang-format on */
#define NEXT "CLOSE\nACCEPT\n"
#define ASK(day) LIST "?To=%2B15017122661&DateSent%3E=" day "&PageSize=1000"
#define TODAY HEAR(ASK("2027-01-15"))
#define CURSOR "1 1800000000000" /* Fri, 15 Jan 2027 08:00:00 */

struct stage {
	struct loop *loop;
	struct talk *server;
	struct mailbox *box;
	struct twilio_config twilio;
	struct mailbox_config config;
	char *numbers[2], api[40];
	struct buf story; /* "mail SID BODY|" "cursor 1|" "down|" */
	bool close_in_mail, done;
};

static void hear_mail(void *ctx, const struct mail *mail)
{
	struct stage *s = ctx;

	expect_true(mail->text && !mail->stale && mail->received_ms > 0);
	buf_printf(&s->story, "mail %s %s%s", mail->ref, mail->text->body, mail->cut ? " cut" : "");
	for (size_t i = 0; i < mail->text->nattachments; i++)
		buf_printf(&s->story, " %s=%s", mail->text->attachments[i].name,
			   mail->text->attachments[i].bytes);
	buf_add_text(&s->story, "|");
	if (!s->close_in_mail)
		return;
	mailbox_twilio.close(s->box);
	s->box = NULL;
}

static void hear_cursor(void *ctx, const char *cursor)
{
	struct stage *s = ctx;

	buf_printf(&s->story, "cursor %s|", cursor);
}

static void hear_state(void *ctx, enum mailbox_state state, const struct failure *why)
{
	struct stage *s = ctx;

	expect_true((state == MAILBOX_DOWN) == (why != NULL));
	if (why)
		buf_printf(&s->story, "down: %s|", why->text);
	else if (state == MAILBOX_POLLING)
		buf_add_text(&s->story, "up|");
}

static const struct mailbox_events events = {hear_mail, hear_cursor, hear_state};

static struct stage *stage_new(const char *script, const char *cursor)
{
	struct stage *s = xcalloc(1, sizeof(*s));
	static char number[] = "+15017122661", account[] = ACCOUNT, name[] = "sms",
		    type[] = "twilio";
	struct mailbox_env env = {.events = &events, .events_ctx = s};
	struct failure f;

	s->loop = env.loop = loop_new();
	s->server = talk_new(s->loop, script);
	buf_init(&s->story, 1024 * 1024);
	snprintf(s->api, sizeof(s->api), "http://127.0.0.1:%u", talk_port(s->server));
	s->numbers[0] = number;
	s->twilio = (struct twilio_config){
		.account_sid = account,
		.auth_token = {.kind = SECRET_INLINE, .value = secret_new("token", 5)},
		.api = s->api,
		.numbers = s->numbers,
		.timeout_ms = 10000,
		.poll_ms = 1,
		.max_media_bytes = 100};
	s->config = (struct mailbox_config){.name = name, .type = type, .twilio = &s->twilio};
	expect_ok(mailbox_twilio.open(&env, &s->config, cursor, &s->box, &f), &f);
	return s;
}

static void stage_free(struct stage *s)
{
	talk_finished(s->server);
	if (s->box)
		mailbox_twilio.close(s->box);
	secret_free(s->twilio.auth_token.value);
	loop_free(s->loop);
	buf_clear(&s->story);
	free(s);
}

/* Until so much was told; then that is all that was. */
static void until(struct stage *s, const char *story)
{
	while (s->story.len < strlen(story) && !talk_problem(s->server))
		loop_turn(s->loop, true);
	if (talk_problem(s->server))
		expect_stop(__FILE__, __LINE__, "%s", talk_problem(s->server));
	expect_text(buf_bytes(&s->story), story);
	buf_drain(&s->story, s->story.len);
}

/* clang-format off */
static const char first_script[] =
	HEAR(LIST "?To=%2B15017122661&PageSize=1")
	PAGE(TEXT("1", "00", ""), "null")
	NEXT TODAY;
static const char pages_script[] =
	TODAY
	PAGE(TEXT("3", "30", "") "," TEXT("1", "10", ""), "\"/next?Page=1\"")
	NEXT HEAR("/next?Page=1")
	PAGE(TEXT("3", "30", "") "," TEXT("2", "20", "")
	     ",{\"sid\":\"" SM("4") "\",\"direction\":\"outbound-api\"}"
	     ",{\"sid\":\"" SM("5") "\",\"direction\":\"inbound\",\"to\":\"+15017122661\","
	     "\"status\":\"receiving\"}", "null") "CLOSE\n";
#define MESSAGE "/2010-04-01/Accounts/" ACCOUNT "/Messages/" SM("1")
#define MEDIUM(n) "{\"sid\":\"" ME(n) "\",\"content_type\":\"image/png\"}"
#define MANY "0123456789012345678901234567890123456789012345678901234567890123456789"
static const char media_script[] =
	TODAY
	PAGE(TEXT("1", "10", ",\"num_media\":\"3\""), "null")
	NEXT HEAR(MESSAGE "/Media.json")
	SAY("200 OK") "S= {\"media_list\":[" MEDIUM("1") "," MEDIUM("2") "," MEDIUM("3") "]}\n"
	NEXT HEAR(MESSAGE "/Media/" ME("1"))
	"S: HTTP/1.1 307 Elsewhere\nS: Location: /stored?a=b\nS: Connection: close\nS: \n"
	NEXT "C: GET /stored?a=b HTTP/1.1\nC: Host: *\nC: User-Agent: nuncio\nC: Accept: *\nC: \n"
	SAY("200 OK") "S= picture\n"
	NEXT HEAR(MESSAGE "/Media/" ME("2"))
	SAY("200 OK") "S= " MANY MANY "\n"
	NEXT HEAR(MESSAGE "/Media/" ME("3"))
	SAY("404 Gone") "S= {}\nCLOSE\n";
static const char odd_script[] =
	TODAY
	SAY("200 OK") "S= <html>\n"
	NEXT TODAY
	SAY("503 Busy") "S= {\"code\":20503,\"message\":\"later\"}\n"
	NEXT TODAY
	PAGE(TEXT("1", "10", ""), "null") "CLOSE\n";
static const char one_script[] = TODAY PAGE(TEXT("1", "10", ""), "null") "CLOSE\n";
static const char deeds_script[] =
	TODAY
	PAGE("", "null")
	NEXT HEAR(MESSAGE ".json")
	SAY("200 OK") "S= " TEXT("1", "10", "") "\n"
	NEXT "C: DELETE " MESSAGE ".json HTTP/1.1\nC: ...\nC: \n"
	SAY("204 Gone")
	NEXT HEAR(MESSAGE ".json")
	SAY("404 None") "S= {}\nCLOSE\n";
/* clang-format on */

TEST(the_first_answer_says_what_time_it_is)
{
	struct stage *s = stage_new(first_script, NULL);

	until(s, "up|cursor 1 1800001800000|");
	stage_free(s);
}

TEST(pages_are_put_in_order_and_what_is_not_for_us_is_passed_over)
{
	struct stage *s = stage_new(pages_script, CURSOR);

	until(s, "up|mail " SM("1") " t1|");
	mailbox_twilio.next(s->box);
	until(s, "mail " SM("2") " t2|");
	mailbox_twilio.next(s->box);
	until(s, "mail " SM("3") " t3|");
	stage_free(s);
}

TEST(media_come_from_elsewhere_and_no_more_than_there_is_room_for)
{
	struct stage *s = stage_new(media_script, CURSOR);

	until(s, "up|mail " SM("1") " t1 cut 1.png=picture|");
	stage_free(s);
}

TEST(an_answer_that_is_none_is_asked_for_again)
{
	struct stage *s = stage_new(odd_script, CURSOR);

	until(s, "down: an answer that is no JSON object|");
	loop_turn_clock(s->loop, 5000);
	until(s, "down: later (Twilio 20503)|");
	loop_turn_clock(s->loop, 5000);
	until(s, "up|mail " SM("1") " t1|");
	stage_free(s);
}

TEST(closed_while_it_hands_over_it_does_nothing_more)
{
	struct stage *s = stage_new(one_script, CURSOR);

	s->close_in_mail = true;
	until(s, "up|mail " SM("1") " t1|");
	stage_free(s);
}

/* ---- what it is told to do ---- */

static void deed_done(void *ctx, const struct failure *why)
{
	struct stage *s = ctx;

	buf_printf(&s->story, "done %s|", why ? why->text : "well");
	s->done = true;
}

static void shown(void *ctx, const struct mail *mail, const struct failure *why)
{
	struct stage *s = ctx;

	buf_printf(&s->story, "shown %s|", mail ? mail->text->body : why ? why->text : "gone");
}

TEST(a_text_is_deleted_shown_and_gone)
{
	struct stage *s = stage_new(deeds_script, CURSOR);

	s->twilio.poll_ms = 3600 * 1000;
	until(s, "up|");
	mailbox_twilio.fetch(s->box, SM("1"), shown, s);
	until(s, "shown t1|");
	mailbox_twilio.deed(s->box, MAIL_DELETE, SM("1"), NULL, deed_done, s);
	until(s, "done well|");
	mailbox_twilio.fetch(s->box, SM("1"), shown, s);
	until(s, "shown gone|");
	mailbox_twilio.deed(s->box, MAIL_FLAG, SM("1"), "seen", deed_done, s);
	mailbox_twilio.deed(s->box, MAIL_DELETE, "../x", NULL, deed_done, s);
	while (!strstr(buf_bytes(&s->story), "no text's sid"))
		loop_turn(s->loop, true);
	expect_contains(buf_bytes(&s->story), "done well|");
	stage_free(s);
}

RUN_TESTS()
