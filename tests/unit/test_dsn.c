/* Notices to senders: what they say, whatever they are about. Whether programs read them
 * is asked of Python's email package in the system ring. */
#include "message/dsn.h"

#include <stdlib.h>

#include "address.h"
#include "buf.h"
#include "expect.h"

static struct buf out;

static const char *compose(struct dsn *d, struct dsn_recipient *r, const char *original)
{
	static struct address from = {.name = (char *)"Mail delivery",
				      .mailbox = (char *)"box@example.com",
				      .ascii = (char *)"box@example.com"};

	buf_clear(&out);
	buf_init(&out, 1 << 20);
	d->from = &from;
	d->to = "me@example.com";
	d->reporter = "box.example.com";
	d->message_id = "1@example.com";
	d->boundary = "=_b";
	d->marker = "m.1";
	d->recipients = r;
	d->n = r ? 1 : 0;
	d->original = original;
	d->original_len = strlen(original);
	dsn_compose(d, &out);
	return buf_bytes(&out);
}

TEST(a_failure)
{
	struct dsn_recipient r = {.address = "no@example.org",
				  .code = 550,
				  .enhanced = "5.1.1",
				  .text = "no such user",
				  .at_ms = 1000};
	struct dsn d = {.subject = "Hello", .envid = "E1"};
	const char *text = compose(&d, &r, "Subject: Hello\r\nX: y\r\n\r\nbody\r\n");

	expect_contains(text, "\r\nAuto-Submitted: auto-replied\r\n");
	expect_contains(text, "\r\nX-Nuncio-Id: m.1\r\n");
	expect_contains(text, "Your mail \"Hello\" of\r\n");
	expect_contains(text, "  no@example.org\r\n    550 5.1.1 no such user\r\n");
	expect_contains(
		text,
		"\r\n\r\nOriginal-Envelope-Id: E1\r\nReporting-MTA: dns; box.example.com\r\n");
	expect_contains(text,
			"\r\n\r\nFinal-Recipient: rfc822; no@example.org\r\n"
			"Action: failed\r\nStatus: 5.1.1\r\n"
			"Diagnostic-Code: smtp; 550 5.1.1 no such user\r\nLast-Attempt-Date: ");
	expect_contains(text, "text/rfc822-headers\r\nContent-Description: the mail\r\n\r\n"
			      "Subject: Hello\r\nX: y\r\n\r\n--=_b--\r\n");
	expect_null(strstr(text, "body"));
}

TEST(the_whole_mail)
{
	struct dsn_recipient r = {.address = "no@example.org", .code = 550, .text = "no"};
	struct dsn d = {.whole = true};

	expect_contains(compose(&d, &r, "X: \xc3\xb6\r\n\r\nbody\r\n"),
			"message/rfc822\r\nContent-Description: the mail\r\n"
			"Content-Transfer-Encoding: 8bit\r\n\r\nX: \xc3\xb6\r\n\r\nbody\r\n");
}

TEST(delay_and_expiry)
{
	struct dsn_recipient r = {
		.address = "a@example.org", .code = 451, .enhanced = "4.7.1", .text = "x"};
	struct dsn late = {.delay = true, .until_ms = 86400000}, gone = {.n = 0};

	expect_contains(compose(&late, &r, ""), "Action: delayed\r\nStatus: 4.7.1\r\n");
	expect_contains(buf_bytes(&out), "Will-Retry-Until: Fri, 2 Jan 1970");
	expect_contains(buf_bytes(&out), "Subject: Mail is delayed\r\n");
	r.expired = true;
	expect_contains(compose(&gone, &r, ""), "Action: failed\r\nStatus: 4.4.7\r\n");
	expect_contains(buf_bytes(&out), "tried for too long");
}

TEST(codes_that_are_none)
{
	static const char *const wrong[] = {"",     "4.1.1",   "5",     "5.1",
					    "5.1.", "5.1.1.1", "5.a.1", "5.1.1234"};
	struct dsn d = {.n = 0};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct dsn_recipient r = {.address = "a@b", .enhanced = wrong[i], .text = ""};

		expect_contains(compose(&d, &r, ""), "\r\nStatus: 5.0.0\r\n");
	}
}

TEST(what_others_wrote_adds_no_line)
{
	struct dsn_recipient r = {.address = "gr\xc3\xb6\xc3\x9f"
					     "e\\\r\n@example.org",
				  .text = "a\r\nAction: delivered\r\n--=_b",
				  .code = 550};
	struct dsn d = {.subject = "a\r\n--=_b--\r\n", .envid = "x\r\nY: z"};
	const char *text = compose(&d, &r, "");

	expect_null(strstr(text, "\nAction: delivered"));
	expect_null(strstr(text, "\nY: z"));
	expect_contains(
		text,
		"Final-Recipient: utf-8; gr\\x{F6}\\x{DF}e\\x{5C}\\x{D}\\x{A}@example.org\r\n");
	expect_contains(text, "Your mail \"a?\?--=_b--?\?\" of");
}

TEST(a_header_that_is_cut_off_comes_back_as_far_as_it_is_whole)
{
	struct dsn_recipient r = {.address = "a@b", .text = ""};
	struct dsn d = {.n = 0};

	expect_contains(compose(&d, &r, "A: b\r\nC: half"), "\r\n\r\nA: b\r\n\r\n--=_b--");
	expect_contains(compose(&d, &r, "half"), "\r\n\r\n\r\n--=_b--");
}

RUN_TESTS()
