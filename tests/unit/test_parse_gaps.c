/* What GMime alone reads wrongly, or can't bear. */
#include "message/parse.h"

#include "alloc.h"
#include "buf.h"
#include "expect.h"
#include "message/attachment.h"

static struct parsed *read(const char *mail)
{
	return parse_mail(mail, strlen(mail));
}

TEST(groups_in_groups_are_not_gone_into)
{
	enum { GROUPS = 100000 };
	struct buf mail;

	buf_init(&mail, 1 << 20);
	buf_add_text(&mail, "From: ana@example.com\nTo: ");
	for (int i = 0; i < GROUPS; i++)
		buf_add_text(&mail, "a:");
	buf_add_text(&mail, "\n\nhi\n");
	AUTO(parsed_free) struct parsed *p = read(buf_bytes(&mail));

	expect_int(p->from.n, 1);
	expect_int(p->to.n, 0);
	expect_text(p->text, "hi\n");
	buf_clear(&mail);
}

TEST(members_of_groups_stand_in_their_place)
{
	AUTO(parsed_free)
	struct parsed *p =
		read("To: x@example.com, All: y@example.com, z@example.com;, v@example.com\n\n");

	expect_int(p->to.n, 4);
	expect_text(p->to.at[2].address, "z@example.com");
	expect_text(p->to.at[3].address, "v@example.com");
}

static const struct {
	const char *subject, *want;
} subjects[] = {
	/* a character begins in one word and ends in the next */
	{"=?utf-8?b?0L8=?= =?utf-8?b?0YA=?=", "пр"},
	{"=?utf-8?b?0L/R?=\n =?utf-8?b?gNC4?=", "при"},
	{"=?utf-8?q?=D0?= =?UTF-8?q?=BF?=", "п"},
	{"=?utf-8?q?=D0?= =?utf-8?b?vw==?=", "п"},
	{"=?utf-8?q?a_b?= =?utf-8?b?Yw==?= d  =?utf-8?q?e?=", "a bc d  e"},
	{"=?iso-8859-1?q?=E9?= =?koi8-r?q?=D0?=", "éп"},
	{"=?utf-8*fr?q?=C3=A9?=", "é"},
	{"x=?utf-8?q?y?=z", "xyz"},
	{"=?utf-8?q?with blanks?=", "with blanks"},
	{"=?utf-8?q?\?= =?utf-8?b?\?=.", "."},
	/* neither UTF-8 nor any charset that is known */
	{"=?utf-8?q?=E9?=", "é"},
	{"=?no-such?q?=E9?=", "é"},
	/* none */
	{"=?utf-8?q?open", "=?utf-8?q?open"},
	{"=?utf-8?x?y?=", "=?utf-8?x?y?="},
	{"=?\?q?y?=", "=?\?q?y?="},
	{"=?", "=?"},
	/* control characters do not come out of words */
	{"=?utf-8?q?a=0D=0AX:=00b?=", "a X: b"},
};

TEST(encoded_words)
{
	for (size_t i = 0; i < sizeof(subjects) / sizeof(*subjects); i++) {
		AUTO(free) char *mail = xprintf("Subject: %s\n\n", subjects[i].subject);
		AUTO(parsed_free) struct parsed *p = read(mail);

		expect_text(p->subject, subjects[i].want);
	}
}

/* Cut between characters, before the ending. */
TEST(long_names_that_are_alike_stay_names)
{
	struct buf mail;

	buf_init(&mail, 1 << 20);
	buf_add_text(&mail, "Content-Type: multipart/mixed; boundary=b\n\n");
	for (int part = 0; part < 3; part++) {
		buf_add_text(&mail, "--b\nContent-Disposition: attachment; filename=\"x");
		for (int i = 0; i < 100; i++)
			buf_add_text(&mail, "日");
		buf_add_text(&mail, ".tar.gz\"\n\nhi\n");
	}
	buf_add_text(&mail, "--b--\n");
	AUTO(parsed_free) struct parsed *p = read(buf_bytes(&mail));

	expect_int(p->nparts, 3);
	for (size_t i = 0; i < p->nparts; i++) {
		const char *name = p->parts[i].safe_name;

		expect_true(attachment_name_is_valid(name));
		expect_text(name + strlen(name) - 3, ".gz");
		for (size_t other = 0; other < i; other++)
			expect_true(strcmp(name, p->parts[other].safe_name) != 0);
	}
	buf_clear(&mail);
}

TEST(a_line_that_is_no_field_between_fields_is_passed_over)
{
	AUTO(parsed_free)
	struct parsed *p = read("From: ana@example.com\nquite Delivered-To: x\n"
				" and more\nSubject: hello\n\ntext\n");
	AUTO(parsed_free) struct parsed *body = read("Subject: hello\nDear Bo,\nsee: this\n");
	AUTO(parsed_free)
	struct parsed *marked = read("\xEF\xBB\xBF"
				     "From: ana@example.com\nSubject: hello\n\ntext\n");

	expect_text(p->subject, "hello");
	expect_text(p->text, "text\n");
	expect_int(p->nfields, 2);
	expect_int(p->flaws & FLAW_HEADER, FLAW_HEADER);
	expect_text(body->text, "Dear Bo,\nsee: this\n");
	expect_text(marked->subject, "hello");
	expect_int(marked->from.n, 0); /* others see none */
	expect_int(marked->flaws & FLAW_HEADER, FLAW_HEADER);
}

TEST(a_forgotten_semicolon)
{
	AUTO(parsed_free)
	struct parsed *p = read("Content-Type: multipart/mixed\n boundary=\"b\"\n\n"
				"--b\nContent-Type: image/png name=x.png\n\nhi\n--b--\n");

	expect_int(p->nparts, 1);
	expect_text(p->parts[0].type, "image/png");
	expect_text(p->parts[0].filename, "x.png");
}

TEST(a_zone_of_three_digits)
{
	static const char *const dates[] = {"Mon, 21 Aug 95 13:30:57 -600",
					    "Mon, 21 Aug 95 13:30:57 -0600",
					    "21 Aug 1995 13:30:57 -600 (x-600)"};

	for (size_t i = 0; i < sizeof(dates) / sizeof(*dates); i++) {
		AUTO(free) char *mail = xprintf("Date: %s\n\n", dates[i]);
		AUTO(parsed_free) struct parsed *p = read(mail);

		expect_true(p->has_date);
		expect_int(p->date_ms, 809033457000);
	}
}

RUN_TESTS()
