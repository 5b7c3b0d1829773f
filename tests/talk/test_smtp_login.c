/* tests/talk/test_smtp_login.c - the way in: greetings, EHLO and HELO, STARTTLS and
 * what a man in the middle may try, every mechanism, wrong passwords. */
#include "alloc.h"
#include "base/loop.h"
#include "secret.h"
#include "smtp_stage.h"
#include "tests/unit/expect.h"

#define STARTTLS_OFFERED SMTP_HELLO "S: 250-PIPELINING\r\nS: 250 STARTTLS\r\n"
#define SECURED(mechanisms)                                                                        \
	STARTTLS_OFFERED "C: STARTTLS\r\nS: 220 go\r\nSTARTTLS\r\n"                                \
			 "C: EHLO test.example.com\r\nS: 250-mail.example.com\r\n"                 \
			 "S: 250-PIPELINING\r\nS: 250 AUTH " mechanisms "\r\n"
#define ONE_MAIL SMTP_ENVELOPE("ana@example.net") SMTP_TAKEN SMTP_CONTENT "S: 250 done\r\n"

static void expect_sent(const char *script, const struct talk_options *options, enum tls_mode tls,
			const char *mechanism)
{
	char *allowed[] = {(char *)(uintptr_t)mechanism, NULL};
	struct smtp_stage s;

	stage_begin(&s, script, options);
	stage_login(&s, tls);
	s.config.smtp.auth = mechanism ? allowed : NULL;
	host_add_simple(s.host, "ana@example.net");
	stage_run(&s);
	expect_int(host_outcome(s.host, 0, 0)->kind, OUTCOME_SENT);
	stage_end(&s);
}

static void expect_down(struct smtp_stage *s, enum failure_kind kind, const char *part)
{
	host_add_simple(s->host, "ana@example.net");
	stage_run_down(s);
	expect_int(host_why(s->host)->kind, kind);
	expect_contains(host_why(s->host)->text, part);
	if (strstr(host_why(s->host)->text, "s3cret"))
		expect_stop(__FILE__, __LINE__, "the password is told");
	expect_int(host_downs(s->host), 1);
	expect_null(host_outcome(s->host, 0, 0)); /* it was never even taken */
	stage_end(s);
}

TEST(starttls_and_plain)
{
	expect_sent(
		SECURED("PLAIN LOGIN") "C: AUTH PLAIN AGJveABzM2NyZXQ=\r\nS: 235 in\r\n" ONE_MAIL,
		NULL, TLS_STARTTLS, NULL);
}

TEST(tls_at_once_and_login)
{
	const struct talk_options options = {.tls_at_once = true};

	expect_sent(SMTP_HELLO "S: 250-PIPELINING\r\nS: 250 AUTH LOGIN\r\n"
			       "C: AUTH LOGIN\r\nS: 334 VXNlcm5hbWU6\r\nC: Ym94\r\n"
			       "S: 334 UGFzc3dvcmQ6\r\nC: czNjcmV0\r\nS: 235 in\r\n" ONE_MAIL,
		    &options, TLS_IMPLICIT, "LOGIN");
}

TEST(every_byte_alone_is_understood)
{
	const struct talk_options options = {.drip = true};

	expect_sent(
		SECURED("PLAIN") "C: AUTH PLAIN AGJveABzM2NyZXQ=\r\nS: 235-a\r\nS: 235 b\r\n" ONE_MAIL,
		&options, TLS_STARTTLS, NULL);
}

TEST(scram_begins_and_a_bad_server_is_found_out)
{
	struct smtp_stage s;

	stage_begin(&s,
		    SECURED("SCRAM-SHA-256 PLAIN") "C: AUTH SCRAM-SHA-256 *\r\n"
						   "S: 334 cj1ub3RvdXJzLHM9YWJjZCxpPTQwOTY=\r\n"
						   "GONE\r\n",
		    NULL);
	stage_login(&s, TLS_STARTTLS);
	expect_down(&s, FAILURE_SETUP, "login: ");
}

TEST(a_wrong_password)
{
	struct smtp_stage s;
	char hint[] = "use an app password";

	stage_begin(&s,
		    SECURED("PLAIN") "C: AUTH PLAIN AGJveABzM2NyZXQ=\r\n"
				     "S: 535-5.7.8 bad\r\nS: 535 5.7.8 credentials\r\nGONE\r\n",
		    NULL);
	stage_login(&s, TLS_STARTTLS);
	s.config.smtp.hint = hint;
	expect_down(&s, FAILURE_REFUSED,
		    "login refused: 535 5.7.8 bad credentials (use an app password)");
}

TEST(too_many_logins_are_for_later)
{
	struct smtp_stage s;

	stage_begin(&s,
		    SECURED("PLAIN") "C: AUTH PLAIN *\r\nS: 454 4.7.0 Too many logins\r\nGONE\r\n",
		    NULL);
	stage_login(&s, TLS_STARTTLS);
	expect_down(&s, FAILURE_LATER, "454 4.7.0 Too many logins");
}

TEST(xoauth2_error_is_answered_with_an_empty_line)
{
	struct smtp_stage s;

	stage_begin(&s,
		    SECURED("XOAUTH2") "C: AUTH XOAUTH2 "
				       "dXNlcj1ib3gBYXV0aD1CZWFyZXIgeWEyOQEB\r\n"
				       "S: 334 eyJzdGF0dXMiOiI0MDEifQ==\r\nC: \r\n"
				       "S: 535 5.7.8 not accepted\r\nGONE\r\n",
		    NULL);
	stage_login(&s, TLS_STARTTLS);
	s.config.smtp.token.kind = SECRET_INLINE;
	s.config.smtp.token.value = secret_new("ya29", 4);
	expect_down(&s, FAILURE_REFUSED, "login refused: 535 5.7.8 not accepted");
}

static void use_token(struct smtp_stage *s)
{
	stage_login(s, TLS_STARTTLS);
	s->config.smtp.token.kind = SECRET_INLINE;
	s->config.smtp.token.value = secret_new("ya29", 4);
}

TEST(oauthbearer_lets_in_and_its_error_is_answered_with_a_control_a)
{
	struct smtp_stage s;

	stage_begin(&s,
		    SECURED("PLAIN OAUTHBEARER") "C: AUTH OAUTHBEARER *\r\nS: 235 in\r\n" ONE_MAIL,
		    NULL);
	use_token(&s);
	host_add_simple(s.host, "ana@example.net");
	stage_run(&s);
	expect_int(host_outcome(s.host, 0, 0)->kind, OUTCOME_SENT);
	stage_end(&s);

	stage_begin(&s,
		    SECURED("OAUTHBEARER") "C: AUTH OAUTHBEARER *\r\n"
					   "S: 334 eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=\r\n"
					   "C: AQ==\r\nS: 535 5.7.8 not accepted\r\nGONE\r\n",
		    NULL);
	use_token(&s);
	expect_down(&s, FAILURE_REFUSED, "invalid_token");
}

/* RFC 4954 4: AUTH with its response stays below 512 octets. */
TEST(a_long_token_waits_for_the_challenge)
{
	char token[700];
	struct smtp_stage s;

	memset(token, 'x', sizeof(token));
	stage_begin(
		&s,
		SECURED("XOAUTH2") "C: AUTH XOAUTH2\r\nS: 334 \r\nC: *\r\nS: 235 in\r\n" ONE_MAIL,
		NULL);
	stage_login(&s, TLS_STARTTLS);
	s.config.smtp.token.kind = SECRET_INLINE;
	s.config.smtp.token.value = secret_new(token, sizeof(token));
	host_add_simple(s.host, "ana@example.net");
	stage_run(&s);
	expect_int(host_outcome(s.host, 0, 0)->kind, OUTCOME_SENT);
	stage_end(&s);
}

TEST(no_mechanism_of_ours)
{
	struct smtp_stage s;

	stage_begin(&s, SECURED("CRAM-MD5 NTLM") "GONE\r\n", NULL);
	stage_login(&s, TLS_STARTTLS);
	expect_down(&s, FAILURE_SETUP, "CRAM-MD5 NTLM");
}

TEST(the_password_never_goes_in_the_clear)
{
	struct smtp_stage s;

	stage_begin(&s, SMTP_HELLO "S: 250-PIPELINING\r\nS: 250 AUTH PLAIN LOGIN\r\nGONE\r\n",
		    NULL);
	stage_login(&s, TLS_NONE);
	expect_down(&s, FAILURE_SETUP, "login: ");
}

TEST(no_starttls_offered)
{
	struct smtp_stage s;

	stage_begin(&s, SMTP_HELLO "S: 250-PIPELINING\r\nS: 250 AUTH PLAIN LOGIN\r\nGONE\r\n",
		    NULL);
	stage_login(&s, TLS_STARTTLS);
	expect_down(&s, FAILURE_SETUP, "no STARTTLS");
}

TEST(what_is_injected_behind_starttls_ends_it)
{
	struct smtp_stage s;

	stage_begin(&s,
		    STARTTLS_OFFERED "C: STARTTLS\r\nS: 220 go\r\nS: 250-mail\r\nS: 250 AUTH PLAIN"
				     "\r\nGONE\r\n",
		    NULL);
	stage_login(&s, TLS_STARTTLS);
	expect_down(&s, FAILURE_SETUP, "");
}

TEST(what_was_offered_in_the_clear_is_forgotten)
{
	struct smtp_stage s;

	stage_begin(&s,
		    SMTP_HELLO "S: 250-STARTTLS\r\nS: 250 AUTH PLAIN\r\n"
			       "C: STARTTLS\r\nS: 220 go\r\nSTARTTLS\r\n"
			       "C: EHLO test.example.com\r\nS: 250 mail.example.com\r\nGONE\r\n",
		    NULL);
	stage_login(&s, TLS_STARTTLS);
	expect_down(&s, FAILURE_SETUP, "login: ");
}

TEST(starttls_refused)
{
	struct smtp_stage s;

	stage_begin(&s, STARTTLS_OFFERED "C: STARTTLS\r\nS: 454 4.7.0 no TLS now\r\nGONE\r\n",
		    NULL);
	stage_login(&s, TLS_STARTTLS);
	expect_down(&s, FAILURE_LATER, "STARTTLS: 454 4.7.0 no TLS now");
}

TEST(a_certificate_that_is_not_good)
{
	const enum talk_certificate bad[] = {TALK_EXPIRED, TALK_OTHER_HOST, TALK_OTHER_CA,
					     TALK_SELF_SIGNED};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const struct talk_options options = {.certificate = bad[i]};
		struct smtp_stage s;

		stage_begin(&s, STARTTLS_OFFERED "C: STARTTLS\r\nS: 220 go\r\nSTARTTLS\r\nGONE\r\n",
			    &options);
		stage_login(&s, TLS_STARTTLS);
		host_add_simple(s.host, "ana@example.net");
		stage_run_down(&s);
		expect_int(host_why(s.host)->kind, FAILURE_SETUP);
		expect_contains(host_why(s.host)->text, "certificate");
		expect_null(host_outcome(s.host, 0, 0));
		host_free(s.host);
		s.host = NULL;
		talk_free(s.talk);
		s.talk = NULL;
		stage_end(&s);
	}
}

TEST(ehlo_is_not_known)
{
	struct smtp_stage s;

	stage_begin(&s,
		    "S: 220 old\r\nC: EHLO test.example.com\r\nS: 502 what?\r\n"
		    "C: HELO test.example.com\r\nS: 250 old\r\n"
		    "C: MAIL FROM:<box@example.com>\r\nS: 250 Ok\r\n"
		    "C: RCPT TO:<ana@example.net>\r\nS: 250 Ok\r\n"
		    "C: DATA\r\nS: 354 go on\r\n" SMTP_CONTENT "S: 250 done\r\n",
		    NULL);
	host_add_simple(s.host, "ana@example.net");
	stage_run(&s);
	expect_int(host_outcome(s.host, 0, 0)->kind, OUTCOME_SENT);
	stage_end(&s);
}

TEST(helo_is_never_for_a_login)
{
	struct smtp_stage s;

	stage_begin(&s, "S: 220 old\r\nC: EHLO test.example.com\r\nS: 502 what?\r\nGONE\r\n", NULL);
	stage_login(&s, TLS_STARTTLS);
	expect_down(&s, FAILURE_SETUP, "EHLO: 502 what?");
}

TEST(greetings_that_are_none)
{
	static const struct {
		const char *script, *part;
	} cases[] = {
		{"S: 554 5.3.2 no service\r\nGONE\r\n", "554 5.3.2 no service"},
		{"S: 421 4.3.2 too busy\r\nCLOSE\r\n", "421 4.3.2 too busy"},
		{"S: HTTP/1.1 400 Bad Request\r\nGONE\r\n", "not SMTP: 'HTTP/1.1 400"},
		{"S: 250 hello\r\nGONE\r\n", "unexpected answer to the connection: 250 hello"},
		{"CLOSE\r\n", "closed"},
		{"S= 220 half\r\nCLOSE\r\n", "closed"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct smtp_stage s;

		stage_begin(&s, cases[i].script, NULL);
		expect_down(&s, FAILURE_LATER, cases[i].part);
	}
}

TEST(a_secret_that_is_not_there)
{
	struct smtp_stage s;
	char name[] = "/nonexistent/password";

	stage_begin(&s, SECURED("PLAIN") "GONE\r\n", NULL);
	stage_login(&s, TLS_STARTTLS);
	s.config.smtp.password.kind = SECRET_FILE;
	s.config.smtp.password.name = name;
	expect_down(&s, FAILURE_SETUP, "/nonexistent/password");
}

RUN_TESTS()
