/* tests/unit/test_smtp_wire.c - replies in every split, what EHLO offers, commands
 * that can't be smuggled into, dots; and what replies mean. */
#include "expect.h"

#include "failure.h"
#include "transport/smtp_outcome.h"
#include "transport/smtp_wire.h"

static struct smtp_reply reply;
static struct smtp_parser parser;
static struct failure why;

/* Feeds all of it, taking the first reply; returns what came of it. */
static enum smtp_parsed read_reply(const char *bytes, size_t len, size_t *ret_used)
{
	smtp_parser_clear(&parser);
	smtp_parser_init(&parser);
	return smtp_parser_feed(&parser, bytes, len, ret_used, &reply, &why);
}

static void expect_reply(const char *bytes, int code, const char *enhanced, const char *text)
{
	size_t used;

	expect_int(read_reply(bytes, strlen(bytes), &used), SMTP_PARSED_REPLY);
	expect_int(used, strlen(bytes));
	expect_int(reply.code, code);
	expect_text(reply.enhanced, enhanced);
	expect_text(reply.text, text);
	expect_int(reply.text_len, strlen(text));
}

static void expect_bad(const char *bytes, const char *part)
{
	size_t used;

	expect_int(read_reply(bytes, strlen(bytes), &used), SMTP_PARSED_BAD);
	expect_int(why.kind, FAILURE_LATER);
	expect_contains(why.text, part);
}

TEST(one_line)
{
	expect_reply("250 OK\r\n", 250, "", "OK");
	expect_reply("250 2.1.5 fine\r\n", 250, "2.1.5", "fine");
	expect_reply("250\r\n", 250, "", "");
	expect_reply("250 \r\n", 250, "", "");
	expect_reply("250 2.0.0\r\n", 250, "2.0.0", "");
	expect_reply("354 go on\n", 354, "", "go on");
	expect_reply("550  5.1.1 two blanks\r\n", 550, "", " 5.1.1 two blanks");
}

TEST(an_enhanced_code_is_of_the_replys_class)
{
	expect_reply("550 2.1.1 no\r\n", 550, "", "2.1.1 no");
	expect_reply("550 5.1.1no\r\n", 550, "", "5.1.1no");
	expect_reply("550 5.1234.1 no\r\n", 550, "", "5.1234.1 no");
	expect_reply("550 5.123.456 no\r\n", 550, "5.123.456", "no");
	expect_reply("550 5..1 no\r\n", 550, "", "5..1 no");
	expect_reply("550 5.1.\r\n", 550, "", "5.1.");
	expect_reply("550 5.1\r\n", 550, "", "5.1");
	expect_reply("354 3.0.0 go\r\n", 354, "", "3.0.0 go");
}

TEST(several_lines)
{
	expect_reply("550-5.1.1 The account\r\n550-5.1.1 does not\r\n550 5.1.1 exist\r\n", 550,
		     "5.1.1", "The account\ndoes not\nexist");
	expect_reply("250-mail\r\n250-SIZE 10\r\n250 HELP\r\n", 250, "", "mail\nSIZE 10\nHELP");
}

TEST(every_split_reads_the_same)
{
	static const char all[] = "250-2.1.0 one\r\n250 2.1.0 two\r\n354 go\r\n452 4.5.3 many\r\n";
	static const int codes[] = {250, 354, 452};
	size_t len = strlen(all);

	for (size_t first = 0; first <= len; first++)
		for (size_t second = first; second <= len; second++) {
			const size_t ends[] = {first, second, len};
			size_t at = 0, got = 0, used;

			smtp_parser_clear(&parser);
			smtp_parser_init(&parser);
			for (size_t part = 0; part < 3; part++)
				while (at < ends[part]) {
					enum smtp_parsed parsed =
						smtp_parser_feed(&parser, all + at, ends[part] - at,
								 &used, &reply, &why);

					expect_true(parsed != SMTP_PARSED_BAD && used > 0);
					at += used;
					if (parsed == SMTP_PARSED_REPLY)
						expect_int(reply.code, codes[got++]);
				}
			expect_int(got, 3);
			expect_text(reply.enhanced, "4.5.3");
			expect_text(reply.text, "many");
		}
}

TEST(what_follows_a_reply_is_left)
{
	size_t used;

	expect_int(read_reply("220 go\r\n250 smuggled\r\n", 22, &used), SMTP_PARSED_REPLY);
	expect_int(reply.code, 220);
	expect_int(used, 8);
}

TEST(garbage_is_refused)
{
	expect_bad("HTTP/1.1 400 Bad Request\r\n", "not SMTP: 'HTTP/1.1 400 Bad Request'");
	expect_bad("\r\n", "not SMTP");
	expect_bad("25\r\n", "not SMTP");
	expect_bad("250_OK\r\n", "not SMTP");
	expect_bad("2500 OK\r\n", "not SMTP");
	expect_bad("150 OK\r\n", "not SMTP");
	expect_bad("650 OK\r\n", "not SMTP");
	expect_bad("25\xc3 OK\r\n", "not SMTP");
	expect_bad("250-one\r\n550 two\r\n", "changed the code");
	expect_bad("250-one\r\n\r\n", "not SMTP");
}

TEST(text_of_any_bytes_is_shown_safely)
{
	static const char bytes[] = "550 5.7.1 a\0b\x1b[31m\xff\tc\r\n";
	char line[64];
	size_t used;

	expect_int(read_reply(bytes, sizeof(bytes) - 1, &used), SMTP_PARSED_REPLY);
	expect_int(reply.text_len, 11);
	expect_text(smtp_reply_line(line, sizeof(line), &reply), "550 5.7.1 a?b?[31m??c");
}

TEST(ceilings)
{
	char *line = malloc(SMTP_LINE_MAX + 16);
	size_t used;

	memset(line, 'x', SMTP_LINE_MAX + 16);
	memcpy(line, "250 ", 4);
	memcpy(line + SMTP_LINE_MAX, "\r\n", 2);
	expect_int(read_reply(line, SMTP_LINE_MAX + 2, &used), SMTP_PARSED_REPLY);
	expect_int(reply.text_len, SMTP_LINE_MAX - 4);
	memset(line, 'x', SMTP_LINE_MAX + 16);
	expect_int(read_reply(line, SMTP_LINE_MAX + 2, &used), SMTP_PARSED_BAD);
	expect_contains(why.text, "too long");
	free(line);

	smtp_parser_clear(&parser);
	smtp_parser_init(&parser);
	for (int i = 0; i < SMTP_LINES_MAX; i++)
		expect_int(smtp_parser_feed(&parser, "250-x\r\n", 7, &used, &reply, &why),
			   SMTP_PARSED_MORE);
	expect_int(smtp_parser_feed(&parser, "250 x\r\n", 7, &used, &reply, &why), SMTP_PARSED_BAD);
	expect_contains(why.text, "too many lines");
}

static struct smtp_caps caps_of(const char *bytes)
{
	struct smtp_caps caps;
	size_t used;

	expect_int(read_reply(bytes, strlen(bytes), &used), SMTP_PARSED_REPLY);
	smtp_caps_parse(&reply, &caps);
	return caps;
}

TEST(what_a_server_offers)
{
	struct smtp_caps caps =
		caps_of("250-mail greets you\r\n250-PIPELINING\r\n250-size 35882577\r\n"
			"250-8BITMIME\r\n250-AUTH LOGIN PLAIN\r\n250-AUTH=XOAUTH2\r\n"
			"250-STARTTLS\r\n250 SMTPUTF8\r\n");

	expect_true(caps.pipelining && caps.size && caps.eight_bit && caps.starttls &&
		    caps.smtputf8);
	expect_int(caps.size_max, 35882577);
	expect_text(caps.auth, "LOGIN PLAIN XOAUTH2");
}

TEST(what_it_does_not_offer)
{
	struct smtp_caps caps = caps_of("250-PIPELINING\r\n250-STARTTLSX\r\n250-SIZE\r\n"
					"250 X-PIPELINING SMTPUTF8\r\n");

	expect_false(caps.pipelining || caps.starttls || caps.smtputf8);
	expect_true(caps.size);
	expect_int(caps.size_max, 0);
	expect_int(caps_of("250-a\r\n250 SIZE 99999999999999999999\r\n").size_max, 0);
	expect_text(caps_of("250-a\r\n250 AUTH\r\n").auth, "");
	expect_false(caps_of("250 only a name\r\n").size);
}

TEST(commands)
{
	const struct smtp_mail_line plain = {.sender = ""};
	const struct smtp_mail_line full = {"a@example.com", 12345, true, true};
	struct buf out;

	buf_init(&out, 4096);
	expect_int(smtp_add_hello(&out, "EHLO", "[127.0.0.1]"), 0);
	expect_int(smtp_add_mail(&out, &plain), 0);
	expect_int(smtp_add_mail(&out, &full), 0);
	expect_int(smtp_add_rcpt(&out, "\"odd one\"@example.com"), 0);
	expect_int(smtp_add_auth(&out, "PLAIN", "AGEAYg=="), 0);
	expect_int(smtp_add_auth(&out, "LOGIN", NULL), 0);
	expect_int(smtp_add_auth(&out, "X", ""), 0);
	expect_int(smtp_add_response(&out, ""), 0);
	expect_text(buf_bytes(&out),
		    "EHLO [127.0.0.1]\r\nMAIL FROM:<>\r\n"
		    "MAIL FROM:<a@example.com> SIZE=12345 BODY=8BITMIME SMTPUTF8\r\n"
		    "RCPT TO:<\"odd one\"@example.com>\r\nAUTH PLAIN AGEAYg==\r\n"
		    "AUTH LOGIN\r\nAUTH X =\r\n\r\n");
	buf_clear(&out);
}

TEST(nothing_is_smuggled_into_a_command)
{
	static const char *const bad[] = {"a@b\r\nRSET", "a@b\n", "a@b\r", "a\x01@b", "a\x7f@b"};
	char longer[700];
	struct buf out;

	buf_init(&out, 4096);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const struct smtp_mail_line mail = {.sender = bad[i]};

		expect_int(smtp_add_rcpt(&out, bad[i]), -1);
		expect_int(smtp_add_mail(&out, &mail), -1);
		expect_int(smtp_add_hello(&out, "EHLO", bad[i]), -1);
		expect_int(smtp_add_auth(&out, "PLAIN", bad[i]), -1);
		expect_int(smtp_add_response(&out, bad[i]), -1);
	}
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	expect_int(smtp_add_rcpt(&out, longer), -1);
	expect_int(smtp_add_auth(&out, "PLAIN", longer), -1);
	expect_int(smtp_add_response(&out, longer), 0);
	buf_drain(&out, out.len);
	out.max = 8;
	expect_int(smtp_add_rcpt(&out, "a@example.com"), -1);
	expect_int(out.len, 0);
	buf_clear(&out);
}

TEST(the_machines_name)
{
	char name[256];

	expect_text(smtp_hello_name(name, sizeof(name), "box.example.com"), "box.example.com");
	expect_text(smtp_hello_name(name, sizeof(name), "box"), "[127.0.0.1]");
	expect_text(smtp_hello_name(name, sizeof(name), ""), "[127.0.0.1]");
	expect_text(smtp_hello_name(name, sizeof(name), "box."), "[127.0.0.1]");
	expect_text(smtp_hello_name(name, sizeof(name), "my box.lan"), "[127.0.0.1]");
}

/* The same bytes in pieces of every length. */
static void expect_dots(const char *given, const char *want)
{
	size_t len = strlen(given);

	for (size_t piece = 1; piece <= len + 1; piece++) {
		struct smtp_dots dots = {0};
		struct buf out;

		buf_init(&out, 4096);
		for (size_t at = 0; at < len; at += piece)
			expect_int(smtp_dots_add(&dots, &out, given + at,
						 len - at < piece ? len - at : piece),
				   0);
		expect_int(smtp_dots_end(&dots, &out), 0);
		expect_text(buf_bytes(&out), want);
		buf_clear(&out);
	}
}

TEST(dots)
{
	expect_dots("", ".\r\n");
	expect_dots(".", "..\r\n.\r\n");
	expect_dots("a.b\r\n", "a.b\r\n.\r\n");
	expect_dots("a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n");
	expect_dots(".a\r\n..b\r\n...\r\n", "..a\r\n...b\r\n....\r\n.\r\n");
	expect_dots("no end", "no end\r\n.\r\n");
	expect_dots("half an end\r", "half an end\r\n.\r\n");
	expect_dots("\r\n.x.y.\r\n", "\r\n..x.y.\r\n.\r\n");
}

TEST(dots_keep_to_the_ceiling)
{
	struct smtp_dots dots = {0};
	struct buf out;

	buf_init(&out, 4);
	expect_int(smtp_dots_add(&dots, &out, "\r\n.\r\n", 5), -1);
	buf_clear(&out);
}

static enum smtp_verdict judge(enum smtp_moment at, const char *line)
{
	size_t used;

	expect_int(read_reply(line, strlen(line), &used), SMTP_PARSED_REPLY);
	return smtp_judge(at, &reply);
}

TEST(what_is_the_recipients_and_what_the_servers)
{
	static const struct {
		enum smtp_moment at;
		const char *line;
		enum smtp_verdict verdict;
	} cases[] = {
		{SMTP_AT_GREETING, "220 hello\n", SMTP_YES},
		{SMTP_AT_GREETING, "554 no service\n", SMTP_DOWN_LATER},
		{SMTP_AT_GREETING, "250 hello\n", SMTP_NONSENSE},
		{SMTP_AT_HELLO, "502 what?\n", SMTP_NO},
		{SMTP_AT_HELLO, "450 later\n", SMTP_DOWN_LATER},
		{SMTP_AT_STARTTLS, "454 4.7.0 TLS not available\n", SMTP_DOWN_LATER},
		{SMTP_AT_STARTTLS, "502 no\n", SMTP_DOWN_SETUP},
		{SMTP_AT_AUTH, "235 in\n", SMTP_YES},
		{SMTP_AT_AUTH, "250 in\n", SMTP_NONSENSE},
		{SMTP_AT_AUTH, "334 go\n", SMTP_GO_ON},
		{SMTP_AT_AUTH, "535 5.7.8 wrong\n", SMTP_DOWN_REFUSED},
		{SMTP_AT_AUTH, "534 5.7.9 app password\n", SMTP_DOWN_REFUSED},
		{SMTP_AT_AUTH, "530 5.7.0 STARTTLS first\n", SMTP_DOWN_REFUSED},
		{SMTP_AT_AUTH, "538 encrypt\n", SMTP_DOWN_REFUSED},
		{SMTP_AT_AUTH, "454 4.7.0 too many logins\n", SMTP_DOWN_LATER},
		{SMTP_AT_MAIL, "250 2.1.0 ok\n", SMTP_YES},
		{SMTP_AT_MAIL, "530 5.7.0 login first\n", SMTP_DOWN_REFUSED},
		{SMTP_AT_MAIL, "553 5.1.8 bad sender\n", SMTP_NO},
		{SMTP_AT_MAIL, "552 5.3.4 too big\n", SMTP_NO},
		{SMTP_AT_MAIL, "451 4.3.0 later\n", SMTP_NOT_NOW},
		{SMTP_AT_MAIL, "421 4.7.0 rate\n", SMTP_DOWN_LATER},
		{SMTP_AT_MAIL, "354 go\n", SMTP_NONSENSE},
		{SMTP_AT_RCPT, "251 will forward\n", SMTP_YES},
		{SMTP_AT_RCPT, "550 5.1.1 nobody\n", SMTP_NO},
		{SMTP_AT_RCPT, "550 nobody\n", SMTP_NO},
		{SMTP_AT_RCPT, "450 4.2.0 greylisted\n", SMTP_NOT_NOW},
		{SMTP_AT_RCPT, "452 4.2.2 full\n", SMTP_NOT_NOW},
		{SMTP_AT_RCPT, "452 4.5.3 many\n", SMTP_TOO_MANY},
		{SMTP_AT_RCPT, "452 many\n", SMTP_TOO_MANY},
		{SMTP_AT_RCPT, "552 many\n", SMTP_TOO_MANY},
		{SMTP_AT_RCPT, "552 5.2.2 full\n", SMTP_NO},
		{SMTP_AT_RCPT, "421 4.3.2 shutdown\n", SMTP_DOWN_LATER},
		{SMTP_AT_DATA, "354 go\n", SMTP_GO_ON},
		{SMTP_AT_DATA, "250 go\n", SMTP_NONSENSE},
		{SMTP_AT_DATA, "554 5.5.1 no valid recipients\n", SMTP_NO},
		{SMTP_AT_DOT, "250 2.0.0 queued\n", SMTP_YES},
		{SMTP_AT_DOT, "550 5.4.5 daily limit\n", SMTP_DOWN_LATER},
		{SMTP_AT_DOT, "550 5.7.1 spam\n", SMTP_NO},
		{SMTP_AT_DOT, "451 later\n", SMTP_NOT_NOW},
		{SMTP_AT_DOT, "354 go\n", SMTP_NONSENSE},
		{SMTP_AT_RSET, "250 ok\n", SMTP_YES},
		{SMTP_AT_RSET, "500 what?\n", SMTP_NONSENSE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		enum smtp_verdict got = judge(cases[i].at, cases[i].line);

		if (got != cases[i].verdict)
			expect_stop(__FILE__, __LINE__, "%s: got %d, want %d", cases[i].line,
				    (int)got, (int)cases[i].verdict);
	}
}

TEST(an_outcome_keeps_what_was_said)
{
	struct outcome o;

	judge(SMTP_AT_RCPT, "550-5.1.1 no\r\n550 5.1.1 such\tuser\r\n");
	smtp_outcome_of(&o, OUTCOME_REFUSED, &reply);
	expect_int(o.kind, OUTCOME_REFUSED);
	expect_int(o.code, 550);
	expect_text(o.enhanced, "5.1.1");
	expect_text(o.text, "no such?user");
	smtp_outcome_own(&o, OUTCOME_LATER, 0, "", "%s\n", "ours");
	expect_text(o.text, "ours?");
	expect_int(o.code, 0);
	smtp_parser_clear(&parser);
}

RUN_TESTS()
