/* Mail as it comes: flaws and ceilings, the time that hostile mail may cost, and which mail
 * no program may act on. What the fields say is for tests/cases/parse. */
#include "message/parse.h"

#include <time.h>

#include "alloc.h"
#include "buf.h"
#include "expect.h"

#define HEAD "From: ana@example.com\n"

static struct parsed *parse(const char *text)
{
	return parse_mail(text, strlen(text));
}

static unsigned flaws_of(const char *text)
{
	AUTO(parsed_free) struct parsed *p = parse(text);

	return p->flaws;
}

TEST(flaws)
{
	static const struct {
		const char *mail;
		unsigned flaws;
	} mails[] = {
		{HEAD "\nx", 0},
		{"From x\n" HEAD "\nx", 0},
		{"", FLAW_FROM_LIST},
		{"From: ana\n\n", FLAW_FROM_LIST},
		{"From: a@x, b@x\n\n", FLAW_FROM_LIST},
		{"From: <a@x> <b@x>\n\n", FLAW_FROM_LIST},
		{"From: \"a@x\" <b@x>\n\n", 0},
		{"From: \"a\\\" <b@x>\n\n", FLAW_FROM_LIST},
		{HEAD HEAD "\n", FLAW_TWO_FROM},
		{HEAD "Date: a\nDATE: b\n\n", FLAW_TWO_FROM},
		{HEAD "Received: a\nReceived: b\n\n", 0},
		{HEAD "no field\nSubject: x\n\n", FLAW_HEADER | FLAW_DOUBTFUL},
		{" x\n" HEAD "\n", FLAW_HEADER | FLAW_DOUBTFUL},
		{"\n" HEAD "\n", FLAW_HEADER | FLAW_DOUBTFUL},
		{HEAD "A: b\rC: d\n\n", FLAW_DOUBTFUL},
		{HEAD "A: b\r", FLAW_DOUBTFUL},
		{HEAD "A : b\n\n", FLAW_DOUBTFUL},
		{"From : eve@x\n" HEAD "\n", FLAW_TWO_FROM | FLAW_DOUBTFUL},
		{HEAD "\na\rb : c\n", 0},
		{HEAD "Content-Type: multipart/mixed; boundary=b\n\n--b\nno field\n--b--\n",
		 FLAW_HEADER},
		{HEAD "Content-Type: multipart/mixed\n\n--b\n", FLAW_MIME},
		{HEAD "Content-Transfer-Encoding: rot13\n\nx", FLAW_MIME},
		{HEAD "Content-Type: text/plain; charset=nix\n\n\xe9", FLAW_CHARSET},
	};

	for (size_t i = 0; i < sizeof(mails) / sizeof(*mails); i++) {
		if (flaws_of(mails[i].mail) != mails[i].flaws)
			expect_stop(__FILE__, __LINE__, "[%s] has flaws %u, want %u", mails[i].mail,
				    flaws_of(mails[i].mail), mails[i].flaws);
	}
}

TEST(a_nul_is_a_flaw_and_in_the_header_a_doubt)
{
	static const char head[] = "From: a@x\nSubject: a\0b\n\nx";
	static const char inside[] = "From: a@x\n\na\0b";
	AUTO(parsed_free) struct parsed *p = parse_mail(head, sizeof(head) - 1);
	AUTO(parsed_free) struct parsed *q = parse_mail(inside, sizeof(inside) - 1);

	expect_int(p->flaws, FLAW_NUL | FLAW_DOUBTFUL);
	expect_int(q->flaws, FLAW_NUL);
	expect_bytes(q->text, q->text_len, "a b", 3);
}

/* ---- ceilings ---- */

static void add_many(struct buf *b, const char *text, size_t times)
{
	for (size_t i = 0; i < times; i++)
		expect_int(buf_add_text(b, text), 0);
}

static void buf_begin(struct buf *b, const char *text)
{
	buf_init(b, (size_t)200 * 1024 * 1024);
	expect_int(buf_add_text(b, text), 0);
}

/* Takes b; what is quadratic in this would take minutes, also beside other tests. */
static struct parsed *parse_in_time(struct buf *b)
{
	struct timespec before, after;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	struct parsed *p = parse_mail(buf_bytes(b), b->len);

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	fprintf(stderr, "%zu octets: %ld ms\n", b->len,
		(after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000);
	expect_true(after.tv_sec - before.tv_sec < 30);
	return p;
}

TEST(a_thousand_levels)
{
	struct buf b;

	buf_begin(&b, HEAD);
	for (int i = 0; i < 1000; i++)
		expect_int(buf_printf(&b,
				      "Content-Type: multipart/mixed; boundary=b%d\n\n"
				      "--b%d\n",
				      i, i),
			   0);
	expect_int(buf_add_text(&b, "\nx\n"), 0);
	AUTO(parsed_free) struct parsed *p = parse_in_time(&b);
	expect_true(p->flaws & FLAW_DEEP);
	expect_int(p->nparts, 0);
	buf_clear(&b);
}

TEST(a_large_mail_in_many_levels)
{
	struct buf b;

	buf_begin(&b, HEAD);
	for (int i = 0; i < 60; i++)
		expect_int(buf_printf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n",
				      i, i),
			   0);
	add_many(&b, "\n--b\n-\n\n", 3 * 1024 * 1024);
	AUTO(parsed_free) struct parsed *p = parse_in_time(&b);
	expect_true(p->flaws & FLAW_DEEP);
	buf_clear(&b);
}

TEST(three_thousand_parts)
{
	struct buf b;

	buf_begin(&b, HEAD "Content-Type: multipart/mixed; boundary=b\n\n");
	add_many(&b, "--b\nContent-Type: image/png; name=a.png\n\nx\n", 3000);
	AUTO(parsed_free) struct parsed *p = parse_in_time(&b);
	expect_int(p->nparts, PARSE_PARTS_MAX);
	expect_true(p->flaws & FLAW_PARTS);
	expect_text(p->parts[0].safe_name, "a.png");
	expect_text(p->parts[999].safe_name, "1000-a.png");
	buf_clear(&b);
}

TEST(two_megabytes_of_header)
{
	struct buf b;

	buf_begin(&b, HEAD "Subject: x\nX: ");
	add_many(&b, "0123456789abcde\n ", 128 * 1024);
	expect_int(buf_add_text(&b, "\nTo: late@example.com\n\nx\n"), 0);
	AUTO(parsed_free) struct parsed *p = parse_in_time(&b);
	expect_true(p->flaws & FLAW_LARGE);
	expect_text(p->subject, "x");
	expect_int(p->to.n, 0);
	buf_clear(&b);
}

TEST(what_could_cost_more_than_its_length)
{
	static const char *const pieces[] = {
		"To: a@x\n",
		"To:\n",
		"Auto-Submitted: no\n",
		"Subject:\n =?utf-8?q?a?=",
		"To: (((((((((((((((((((((((((((((\n",
		"References: <<<<<<<<<<<<<<<<<<<<<<\n",
		"A:\n",
	};
	static const char *const values[][2] = {
		{"Subject: ", "=?utf-8?q?a?= "},
		{"Subject: ", "=?"},
		{"To: ", "a:"},
		{"To: ", "("},
		{"To: ", "a@x,"},
		{"To: ", "<"},
		{"References: ", "< "},
		{"Date: ", "1 "},
		{"Content-Type: a/b;", "a=b;"},
		{"Content-Type: a/b;", "a*1*=b;"},
		{"Content-Type: a/b;", ";"},
		{"Content-Disposition: a;", "filename*=''%41;"},
		{"Content-Transfer-Encoding: ", "\xe9"},
	};

	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		struct buf b;

		buf_begin(&b, HEAD);
		add_many(&b, pieces[i], 1000000 / strlen(pieces[i]));
		AUTO(parsed_free) struct parsed *p = parse_in_time(&b);
		parsed_is_automatic(p, "box");
		expect_true(p->nfields <= PARSE_FIELDS_MAX);
		buf_clear(&b);
	}
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		struct buf b;

		fprintf(stderr, "%s%s\n", values[i][0], values[i][1]);
		for (size_t size = 250000; size <= 1000000; size *= 4) {
			buf_begin(&b, HEAD);
			expect_int(buf_add_text(&b, values[i][0]), 0);
			add_many(&b, values[i][1], size / strlen(values[i][1]));
			expect_int(buf_add_text(&b, "\n\nx\n"), 0);
			parsed_free(parse_in_time(&b));
			buf_clear(&b);
		}
	}
}

TEST(more_text_than_is_kept)
{
	struct buf b;

	buf_begin(&b, HEAD "Content-Type: text/plain; charset=utf-8\n\n");
	add_many(&b, "a\xc3\xa9\n", PARSE_TEXT_MAX / 4 + 100);
	AUTO(parsed_free) struct parsed *p = parse_in_time(&b);
	expect_int(p->flaws, FLAW_LARGE);
	expect_true(p->text_len <= PARSE_TEXT_MAX && p->text_len > PARSE_TEXT_MAX - 4);
	buf_clear(&b);
}

/* ---- texts ---- */

static void reads_text(const char *rest, const char *want)
{
	AUTO(free) char *mail = xprintf(HEAD "%s", rest);
	AUTO(parsed_free) struct parsed *p = parse(mail);

	expect_text(p->text, want);
	expect_int(p->text_len, strlen(want));
}

TEST(texts_and_their_charsets)
{
	reads_text("\ncaf\xc3\xa9\r\n", "caf\xc3\xa9\n");
	reads_text("\ncaf\xe9", "caf\xc3\xa9");
	reads_text("Content-Type: text/plain; charset=koi8-r\n\n\xd0\xd2\xc9",
		   "\xd0\xbf\xd1\x80\xd0\xb8");
	reads_text("Content-Type: text/plain; charset=iso-8859-1\n\n\x80", "\xe2\x82\xac");
	reads_text("Content-Transfer-Encoding: base64\n\nc3Rh\n dHVz", "status");
	reads_text("Content-Transfer-Encoding: quoted-printable\n\na=3D=\nb=zz", "a=b=zz");
	reads_text("Content-Type: text/html\n\n<p>a &amp; b</p>", "a & b\n");
	reads_text("Content-Type: image/png\n\nx", "");
}

TEST(encoded_words_that_are_padded_before_others)
{
	AUTO(parsed_free)
	struct parsed *p =
		parse("From: =?utf-8?b?YQ==?= =?utf-8?b?Yg==?= <a@x>\n"
		      "Subject: =?utf-8?b?YQ==?=\n =?utf-8?b?Yg==?= =?utf-8?b?w6k=?= c\n\n");

	expect_text(p->subject, "ab\xc3\xa9 c");
	expect_text(p->from.at[0].name, "ab");
}

TEST(text_beside_html_and_attachments)
{
	AUTO(parsed_free)
	struct parsed *p = parse(HEAD "Content-Type: multipart/mixed; boundary=b\n\n"
				      "--b\nContent-Disposition: attachment\n\nnot this\n"
				      "--b\nContent-Type: text/html\n\n<i>h</i>\n"
				      "--b\n\nthis\n--b\n\nnor that\n--b--\n");

	expect_text(p->text, "this");
	expect_text(p->html, "<i>h</i>");
	expect_true(p->has_text && p->has_html && p->parts[0].is_attachment);
	expect_int(p->nparts, 4);
	expect_int(p->flaws, 0);
}

/* ---- programs' mail ---- */

TEST(mail_that_no_program_may_act_on)
{
	static const char *const automatic[] = {
		"Auto-Submitted: auto-replied",
		"auto-submitted: auto-generated",
		"Auto-Submitted: nonsense",
		"Auto-Submitted: no-one",
		"Auto-Submitted: no auto-replied",
		"Auto-Submitted: (no)",
		"Auto-Submitted: (no) auto-replied",
		"Auto-Submitted: (a (nested) no\\) one) auto-replied",
		"Auto-Submitted:",
		"X-Auto-Response-Suppress: All",
		"X-Loop: a@x",
		"Precedence: bulk",
		"Precedence: LIST",
		"Precedence: first\nPrecedence: junk",
		"List-Id: <a.x>",
		"Return-Path: <>",
		"Content-Type: multipart/report; boundary=b",
		"X-Failed-Recipients: a@x",
		"X-Nuncio-Id: other",
		"X-Autoreply: yes",
		"Delivered-To: autoresponder",
	};
	static const char *const not [] = {
		"Auto-Submitted: no",
		"Auto-Submitted: no (really)",
		"Auto-Submitted: NO; owner-email=\"a@x\"",
		"Auto-Submitted: (so (it) says) no(ne);x=y",
		"Auto-Submitted:\n no",
		"Precedence: first-class",
		"Return-Path: <a@x>",
		"Content-Type: multipart/mixed; boundary=b",
		"X-A: bulk",
		"Delivered-To: a@x",
	};

	for (size_t i = 0;
	     i < sizeof(automatic) / sizeof(*automatic) + sizeof(not ) / sizeof(*not ); i++) {
		size_t n = sizeof(automatic) / sizeof(*automatic);
		bool want = i < n;
		AUTO(free) char *mail = xprintf(HEAD "%s\n\nx", want ? automatic[i] : not [i - n]);
		AUTO(parsed_free) struct parsed *p = parse(mail);

		if (want != (parsed_is_automatic(p, "box") != NULL))
			expect_stop(__FILE__, __LINE__, "%s", mail);
	}
}

TEST(its_own_mail)
{
	AUTO(parsed_free) struct parsed *p = parse(HEAD "X-Nuncio-Id: box;1\n\nx");

	expect_text(parsed_is_automatic(p, "box"), "this daemon sent it itself");
	expect_text(parsed_is_automatic(p, "other"), "another nuncio sent it");
}

RUN_TESTS()
