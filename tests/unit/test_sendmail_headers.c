/* The header of a mail as programs write it, whom it names, and where the mail ends. */
#include "client/sendmail_headers.h"

#include "alloc.h"
#include "auto.h"
#include "buf.h"
#include "client/address_list.h"
#include "client/sendmail_input.h"
#include "expect.h"
#include "failure.h"

static char *joined(const struct address_list *l)
{
	char *all = xstrdup("");

	for (size_t i = 0; i < l->n; i++) {
		char *more = xprintf("%s%s%s", all, i ? "|" : "", l->list[i]);

		free(all);
		all = more;
	}
	return all;
}

static void expect_addresses(const char *text, const char *want)
{
	struct address_list l = {0};
	struct failure f;

	expect_ok(address_list_add(&l, text, strlen(text), &f), &f);
	AUTO(free) char *got = joined(&l);
	expect_text(got, want);
	address_list_clear(&l);
}

TEST(addresses_in_all_their_forms)
{
	expect_addresses("", "");
	expect_addresses(" ,, ; ,\r\n ", "");
	expect_addresses("a@example.org", "a@example.org");
	expect_addresses("root", "root");
	expect_addresses("a@x.org,b@x.org, c@x.org", "a@x.org|b@x.org|c@x.org");
	expect_addresses("a@x.org, A <a@x.org>", "a@x.org");
	expect_addresses("Bob Smith <b@x.org>, \"Smith, Bob\" <c@x.org>", "b@x.org|c@x.org");
	expect_addresses("<ops@x.org>,<two@x.org>", "ops@x.org|two@x.org");
	expect_addresses("a@x.org (Ana, of Ops (2nd), \\) ), (x) b@x.org", "a@x.org|b@x.org");
	expect_addresses("a (b) @ (c) x . org", "a@x.org");
	expect_addresses("Ops: a@x.org, B <b@x.org>;, c@x.org", "a@x.org|b@x.org|c@x.org");
	expect_addresses("undisclosed-recipients:;", "");
	expect_addresses("=?UTF-8?Q?M=C3=BCller=2C_A?= <a@x.org>", "a@x.org");
	expect_addresses("=?UTF-8?Q?M=C3=BCller,_A?= <a@x.org>, b@x.org", "a@x.org|b@x.org");
	expect_addresses("=?not one, b@x.org", "=?not one|b@x.org");
	expect_addresses("M\xfcller <a@x.org>", "a@x.org");
	expect_addresses("größe@x.org", "größe@x.org");
	expect_addresses("\"john, smith\"@x.org", "\"john, smith\"@x.org");
	expect_addresses("Name <\"a>b\"@x.org>", "\"a>b\"@x.org");
	expect_addresses("a@[192.0.2.1], <b@[IPv6:2001:db8::1]>",
			 "a@[192.0.2.1]|b@[IPv6:2001:db8::1]");
	expect_addresses("<@relay.org,@two.org:a@x.org>", "a@x.org");
	expect_addresses("A\r\n\t<a@x.org>,\r\n B\r\n <b@x.org>", "a@x.org|b@x.org");
	expect_addresses("a@x.org; b@x.org", "a@x.org|b@x.org");
	expect_addresses("<a@x.org> <b@x.org>", "a@x.org|b@x.org");
	expect_addresses("<a@x.org> Ana", "a@x.org");
	expect_addresses("<a@x.org> b@x.org", "a@x.org|b@x.org");
	expect_addresses("+15551234567", "+15551234567");
}

TEST(what_makes_no_sense_is_left_to_be_refused)
{
	expect_addresses("a@x.org b@x.org", "a@x.org b@x.org");
	expect_addresses("Bob Smith", "Bob Smith");
	expect_addresses("Bob <>", "<>");
	expect_addresses("<a@x.org", "a@x.org");
	expect_addresses("\"unended <a@x.org>", "\"unended <a@x.org>");
	expect_addresses("(unended a@x.org", "");
	expect_addresses("a@x.org>", "a@x.org>");
	expect_addresses(")a@x.org", ")a@x.org");
	expect_addresses("/var/mail/x", "/var/mail/x");
	expect_addresses("|program", "|program");
}

TEST(addresses_have_ceilings)
{
	struct address_list l = {0};
	struct failure f = {0};
	struct buf text;

	buf_init(&text, 1 << 20);
	for (int i = 0; i < ADDRESS_MAX + 1; i++)
		buf_add_text(&text, "a");
	expect_failure(address_list_add(&l, buf_bytes(&text), text.len, &f), &f, FAILURE_REFUSED);
	/* a name may be as long as it likes */
	buf_add_text(&text, " <a@x.org>");
	expect_ok(address_list_add(&l, buf_bytes(&text), text.len, &f), &f);
	expect_int(l.n, 1);
	buf_clear(&text);
	for (int i = 0; i < ADDRESS_LIST_MAX - 1; i++)
		buf_printf(&text, "a%d@x.org,", i);
	expect_ok(address_list_add(&l, buf_bytes(&text), text.len, &f), &f);
	expect_int(l.n, ADDRESS_LIST_MAX);
	expect_failure(address_list_add(&l, "b@x.org", 7, &f), &f, FAILURE_REFUSED);
	address_list_clear(&l);
	buf_clear(&text);
}

static struct sendmail_headers headers(const char *mail)
{
	struct sendmail_headers h;
	struct failure f;

	expect_ok(sendmail_headers_read(mail, strlen(mail), false, &h, &f), &f);
	return h;
}

/* The mail as it goes out. */
static void expect_out(const char *mail, const char *from, const char *name, const char *want)
{
	struct sendmail_headers h = headers(mail);
	struct buf out;

	buf_init(&out, 1 << 20);
	expect_int(sendmail_headers_write(&h, from, name, &out), 0);
	buf_add_text(&out, mail + h.body);
	expect_text(buf_bytes(&out), want);
	buf_clear(&out);
}

TEST(the_header_ends_where_it_ends)
{
	expect_out("A: b\n\nbody\n", NULL, NULL, "A: b\n\nbody\n");
	expect_out("A: b\r\nB: c\r\n\r\nbody", NULL, NULL, "A: b\r\nB: c\r\n\nbody");
	expect_out("A: b\r\rbody", NULL, NULL, "A: b\r\r\nbody");
	expect_out("A: b\n c: d\n\te\n\n\nbody", NULL, NULL, "A: b\n c: d\n\te\n\n\nbody");
	expect_out("A : b\nbody: is not\n", NULL, NULL, "A : b\nbody: is not\n\n");
	expect_out("Subject: almost\nThis is no header line.\nbody\n", NULL, NULL,
		   "Subject: almost\n\nThis is no header line.\nbody\n");
	expect_out("just text\n", NULL, NULL, "\njust text\n");
	expect_out(" indented\nA: b\n", NULL, NULL, "\n indented\nA: b\n");
	expect_out("", NULL, NULL, "\n");
	expect_out("\n", NULL, NULL, "\n");
	expect_out("A: b", NULL, NULL, "A: b\n\n");
	expect_out("A: b\n", NULL, NULL, "A: b\n\n");
	expect_out("From alice Sun Nov 22 08:00:00 2026\nA: b\n\nFrom here\n", NULL, NULL,
		   "A: b\n\nFrom here\n");
	expect_out("From alice", NULL, NULL, "\n");
	expect_out("From : a@x.org\n\n", "b@x.org", NULL, "From : a@x.org\n\n");
}

TEST(from_is_made_where_it_is_missing)
{
	expect_out("A: b\n\n", "r@x.org", NULL, "From: <r@x.org>\nA: b\n\n");
	expect_out("A: b\n\n", "root", "Cron Daemon", "From: \"Cron Daemon\" <root>\nA: b\n\n");
	expect_out("\n", "r@x.org", "a \"b\" \\c\nTo: x@x.org",
		   "From: \"a \\\"b\\\" \\\\c?To: x@x.org\" <r@x.org>\n\n");
	expect_out("fRom: a@x.org\n\n", "r@x.org", "Name", "fRom: a@x.org\n\n");
	expect_out("Resent-From: a@x.org\n\n", "r@x.org", NULL,
		   "From: <r@x.org>\nResent-From: a@x.org\n\n");
}

TEST(nul_bytes_leave_the_header_only)
{
	static const char mail[] = "A: b\0c\n\nbo\0dy";
	struct sendmail_headers h;
	struct failure f;
	struct buf out;

	buf_init(&out, 1000);
	expect_ok(sendmail_headers_read(mail, sizeof(mail) - 1, false, &h, &f), &f);
	expect_int(sendmail_headers_write(&h, NULL, NULL, &out), 0);
	expect_text(buf_bytes(&out), "A: bc\n\n");
	expect_int(h.body, 8);
	buf_clear(&out);
}

TEST(a_header_has_a_ceiling)
{
	struct sendmail_headers h;
	struct failure f = {0};
	static const char mail[] = "A: b\nB: c\n\nx\n";

	expect_ok(sendmail_headers_read(mail, strlen(mail), false, &h, &f), &f);
	expect_failure(sendmail_headers_read(mail, strlen(mail), true, &h, &f), &f,
		       FAILURE_REFUSED);
}

static void expect_to(const char *mail, const char *want)
{
	struct sendmail_headers h = headers(mail);
	struct address_list l = {0};
	struct failure f;

	expect_ok(sendmail_headers_recipients(&h, &l, &f), &f);
	AUTO(free) char *got = joined(&l);
	expect_text(got, want);
	address_list_clear(&l);
}

TEST(recipients_of_the_header)
{
	expect_to("Subject: x\n\nTo: not@x.org\n", "");
	expect_to("To: a@x.org,\n \"B, b\" <b@x.org>\nCC: c@x.org\nbcc:\n d@x.org\n\n",
		  "a@x.org|b@x.org|c@x.org|d@x.org");
	expect_to("To: a@x.org\nTo: b@x.org\nTop: c@x.org\nReply-To: d@x.org\n\n",
		  "a@x.org|b@x.org");
	expect_to("To: a@x.org\r\nCc: b@x.org\r\n\r\n", "a@x.org|b@x.org");
	expect_to("To: a@x.org\nno header\nCc: b@x.org\n", "a@x.org");
}

TEST(recipients_of_a_resent_mail)
{
	expect_to("To: a@x.org\nResent-To: b@x.org\nResent-Cc: c@x.org\nResent-Bcc: d@x.org\n\n",
		  "b@x.org|c@x.org|d@x.org");
	expect_to("Resent-From: b@x.org\nResent-To: c@x.org\nReceived: by x\n"
		  "Resent-From: a@x.org\nResent-To: b@x.org\nTo: a@x.org\n\n",
		  "c@x.org");
	expect_to("Resent-From: b@x.org\nResent-To: c@x.org\nResent-To: d@x.org\n"
		  "Resent-From: a@x.org\nResent-To: b@x.org\nTo: a@x.org\n\n",
		  "c@x.org|d@x.org");
	expect_to("Received: by y\nReceived: by x\nResent-To: c@x.org\nTo: a@x.org\n\n", "c@x.org");
	expect_to("Resent-From: b@x.org\nTo: a@x.org\n\n", "a@x.org");
	expect_to("Resent-To: undisclosed:;\nTo: a@x.org\n\n", "");
}

/* In pieces of every size the same must come out. */
static void expect_until_dot(bool dots_stay, const char *mail, const char *want, bool ended)
{
	size_t len = strlen(mail);

	for (size_t piece = 1; piece <= len + 1; piece++) {
		struct dot_filter d = {.dots_stay = dots_stay};
		struct buf out;

		buf_init(&out, 1000);
		for (size_t at = 0; at < len; at += piece)
			expect_int(dot_filter_add(&d, mail + at,
						  len - at < piece ? len - at : piece, &out),
				   0);
		expect_text(buf_bytes(&out), want);
		expect_int(d.ended, ended);
		buf_clear(&out);
	}
}

TEST(a_lone_dot_ends_a_mail)
{
	expect_until_dot(false, "a\n.\nb\n", "a\n", true);
	expect_until_dot(false, "a\r\n.\r\nb\r\n", "a\r\n", true);
	expect_until_dot(false, ".\n", "", true);
	expect_until_dot(true, "a\n.\nb\n", "a\n.\nb\n", false);
	expect_until_dot(false, "a\n..\n. \n.a\na.\n\n", "a\n..\n. \n.a\na.\n\n", false);
	expect_until_dot(false, "a\n.\rb\n.\r\r\nc", "a\n.\rb\n.\r\r\nc", false);
	/* at the end of the file it needs no line end */
	expect_until_dot(false, "a\n.", "a\n", false);
}

TEST(a_mail_has_a_ceiling)
{
	struct dot_filter d = {0};
	struct buf out;

	buf_init(&out, 4);
	expect_int(dot_filter_add(&d, "abcde", 5, &out), -1);
	buf_clear(&out);
}

RUN_TESTS()
