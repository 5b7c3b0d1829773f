/* tests/talk/test_imap_login.c - the way in: greetings, STARTTLS and what a man in the
 * middle may try, every mechanism, wrong passwords. */
#include <string.h>

#include "base/loop.h"
#include "imap_stage.h"
#include "secret.h"
#include "tests/unit/expect.h"

#define OFFERED(caps)                                                                              \
	"S: * OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hello\r\n" SECURED(caps)
#define SECURED(caps)                                                                              \
	"C: A1 STARTTLS\r\nS: A1 OK go\r\nSTARTTLS\r\n"                                            \
	"C: A2 CAPABILITY\r\nS: * CAPABILITY IMAP4rev1 " caps "\r\nS: A2 OK done\r\n"
#define INSIDE "S: A3 OK [CAPABILITY IMAP4rev1 IDLE] in\r\n" IMAP_SELECTED(4, 0, 7, 6)

static void expect_in(const char *script, const struct talk_options *options, enum tls_mode tls)
{
	struct imap_stage s;

	stage_begin(&s, script, options);
	stage_login(&s, tls);
	stage_open(&s, "7 5 100");
	stage_until(&s, "watching\n");
	stage_end(&s);
}

static void expect_down(struct imap_stage *s, const char *part)
{
	stage_open(s, "7 5 100");
	stage_until(s, "down, ");
	expect_contains(buf_bytes(&s->said), part);
	if (strstr(buf_bytes(&s->said), "s3cret"))
		expect_stop(__FILE__, __LINE__, "the password is told");
	stage_end(s);
}

static void expect_script_down(const char *script, enum tls_mode tls, const char *part)
{
	struct imap_stage s;

	stage_begin(&s, script, NULL);
	stage_login(&s, tls);
	expect_down(&s, part);
}

TEST(starttls_and_plain)
{
	expect_in(
		OFFERED("SASL-IR AUTH=PLAIN") "C: A3 AUTHENTICATE PLAIN AGJveABzM2NyZXQ=\r\n" INSIDE,
		NULL, TLS_STARTTLS);
}

TEST(without_sasl_ir)
{
	expect_in(
		OFFERED("AUTH=PLAIN") "C: A3 AUTHENTICATE PLAIN\r\nS: +\r\nC: AGJveABzM2NyZXQ=\r\n" INSIDE,
		NULL, TLS_STARTTLS);
}

TEST(tls_at_once_every_byte_alone_and_login)
{
	const struct talk_options options = {.tls_at_once = true, .drip = true};

	expect_in(
		"S: * OK hello\r\nC: A1 CAPABILITY\r\nS: * CAPABILITY IMAP4rev1 ID ENABLE UTF8=ACCEPT\r\n"
		"S: A1 OK done\r\nC: A2 LOGIN \"box\" \"s3cret\"\r\nS: A2 OK in\r\n"
		"C: A3 CAPABILITY\r\nS: * CAPABILITY IMAP4rev1 IDLE ID ENABLE UTF8=ACCEPT\r\nS: A3 OK x\r\n"
		"C: A4 ID (\"name\" \"nuncio\")\r\nS: * ID NIL\r\nS: A4 OK x\r\n"
		"C: A5 ENABLE UTF8=ACCEPT\r\nS: * ENABLED UTF8=ACCEPT\r\nS: A5 OK x\r\n" IMAP_SELECTED(
			6, 0, 7, 6),
		&options, TLS_IMPLICIT);
}

TEST(a_password_that_quotes_do_not_hold)
{
	struct imap_stage s;

	stage_begin(&s,
		    OFFERED("") "C: A3 LOGIN \"box\" {5}\r\nS: + go\r\nC: p\xc3\xa4ss\r\n" INSIDE,
		    NULL);
	stage_login(&s, TLS_STARTTLS);
	secret_free(s.config.imap.password.value);
	s.config.imap.password.value = secret_new("p\xc3\xa4ss", 5);
	stage_open(&s, "7 5 100");
	stage_until(&s, "watching\n");
	stage_end(&s);
}

TEST(a_token)
{
	struct imap_stage s;

	stage_begin(
		&s,
		OFFERED("SASL-IR AUTH=XOAUTH2") "C: A3 AUTHENTICATE XOAUTH2 dXNlcj1ib3gBYXV0aD1CZWFyZXIgczNjcmV0AQE=\r\n"
						"S: + eyJzdGF0dXMiOiI0MDEifQ==\r\nC: \r\nS: A3 NO [AUTHENTICATIONFAILED] no\r\nGONE\r\n",
		NULL);
	stage_login(&s, TLS_STARTTLS);
	s.config.imap.token.kind = SECRET_INLINE;
	s.config.imap.token.value = secret_new("s3cret", 6);
	expect_down(
		&s,
		"refused: login refused, saying {\"status\":\"401\"}: [AUTHENTICATIONFAILED] no");
}

TEST(a_wrong_password)
{
	struct imap_stage s;
	char hint[] = "use an app password";

	stage_begin(&s, OFFERED("") "C: A3 LOGIN \"box\" \"s3cret\"\r\nS: A3 NO wrong\r\nGONE\r\n",
		    NULL);
	stage_login(&s, TLS_STARTTLS);
	s.config.imap.hint = hint;
	expect_down(&s, "down, refused: login refused (use an app password): wrong");
}

TEST(what_keeps_us_out)
{
	static const struct {
		const char *script, *part;
	} cases[] = {
		{"S: * BYE busy\r\nGONE\r\n", "later: the server turns us away: busy"},
		{"S: HTTP/1.1 400 Bad\r\nGONE\r\n", "later: not IMAP: 'HTTP/1.1"},
		{"CLOSE\r\n", "later: the server closed the connection (at: greeting)"},
		{"S: * OK [CAPABILITY IMAP4rev1] hello\r\nGONE\r\n",
		 "setup: the server offers no STARTTLS"},
		{"S: * PREAUTH hello\r\nGONE\r\n", "setup: the server logs us in without STARTTLS"},
		{"S: * OK [CAPABILITY STARTTLS] x\r\nC: A1 STARTTLS\r\nS: A1 BAD what\r\nGONE\r\n",
		 "setup: STARTTLS: what"},
		{"S: * OK [CAPABILITY STARTTLS] x\r\nC: A1 STARTTLS\r\nS: A1 OK go\r\nS: * CAPABILITY "
		 "AUTH=PLAIN\r\nGONE\r\n",
		 "setup: localhost sent plain text where TLS begins"},
		{OFFERED("LOGINDISABLED AUTH=FOO") "GONE\r\n", "setup: login: no way to log in"},
		{OFFERED("") "C: A3 LOGIN *\r\nS: A3 NO [UNAVAILABLE] later\r\nGONE\r\n",
		 "later: login refused: [UNAVAILABLE] later"},
		{OFFERED("") "C: A3 LOGIN *\r\nS: * BYE shutdown\r\nGONE\r\n",
		 "later: the server said goodbye: shutdown"},
		{OFFERED("") "C: A3 LOGIN *\r\nS: A9 OK x\r\nGONE\r\n",
		 "later: the server answers what was not asked: A9"},
		{OFFERED("") "C: A3 LOGIN *\r\nS: + what\r\nGONE\r\n", "makes no sense"},
		{OFFERED("") "C: A3 LOGIN *\r\nS: A3 OK [CAPABILITY x] in\r\nC: A4 SELECT *\r\n"
			     "S: A4 NO none such\r\nGONE\r\n",
		 "setup: INBOX: none such"},
		{OFFERED("") "C: A3 LOGIN *\r\nS: A3 OK [CAPABILITY x] in\r\nC: A4 SELECT *\r\n"
			     "S: A4 OK hm\r\nGONE\r\n",
		 "setup: INBOX has no UIDVALIDITY"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_script_down(cases[i].script, TLS_STARTTLS, cases[i].part);
}

TEST(a_certificate_that_is_none)
{
	const struct talk_options options = {.certificate = TALK_EXPIRED};
	struct imap_stage s;

	stage_begin(&s, "S: * OK [CAPABILITY STARTTLS] x\r\nC: A1 STARTTLS\r\nS: A1 OK go\r\n",
		    &options);
	stage_login(&s, TLS_STARTTLS);
	stage_open(&s, NULL);
	talk_run(s.talk);
	talk_free(s.talk);
	s.talk = talk_new(s.loop, "");
	stage_end(&s);
	stage_begin(&s, "STARTTLS\r\n", &options);
	stage_login(&s, TLS_IMPLICIT);
	stage_open(&s, NULL);
	stage_until(&s, "down, setup: ");
	expect_contains(buf_bytes(&s.said), "expired");
	talk_free(s.talk);
	s.talk = talk_new(s.loop, "");
	stage_end(&s);
}

TEST(no_password_without_tls)
{
	struct imap_stage s;

	stage_begin(&s, "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] x\r\nGONE\r\n", NULL);
	stage_login(&s, TLS_NONE);
	expect_down(&s, "setup: login: no login without TLS");
}

TEST(a_secret_that_is_not_there)
{
	struct imap_stage s;
	char name[] = "/nonexistent/password";

	stage_begin(&s, OFFERED("") "GONE\r\n", NULL);
	stage_login(&s, TLS_STARTTLS);
	s.config.imap.password.kind = SECRET_FILE;
	s.config.imap.password.name = name;
	expect_down(&s, "setup: login: ");
}

RUN_TESTS()
