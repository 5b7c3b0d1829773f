/* Messages as they go out. What a reader makes of them is in system/test_mime.py. */
#include "message/outgoing.h"

#include "alloc.h"
#include "buf.h"
#include "expect.h"
#include "failure.h"
#include "media.h"
#include "message/letter.h"

static struct failure why;

static struct letter *letter(void)
{
	struct letter *l = letter_new();

	setenv("TZ", "UTC", 1);
	address_parse("Box <box@example.com>", 21, &l->from, NULL);
	l->message_id = xstrdup("1@example.com");
	l->boundary = xstrdup("=_b");
	l->marker = xstrdup("cafe");
	l->date_ms = 1795379400000;
	return l;
}

static void add_to(struct letter *l, const char *address)
{
	l->to = xrealloc(l->to, (l->nto + 1) * sizeof(*l->to));
	expect_ok(address_parse(address, strlen(address), &l->to[l->nto++], &why), &why);
}

static void add_attachment(struct letter *l, const char *name, const char *type, uint64_t size)
{
	l->attachments = xrealloc(l->attachments, (l->nattachments + 1) * sizeof(*l->attachments));
	l->attachments[l->nattachments++] = (struct attachment){
		.name = name ? xstrdup(name) : NULL,
		.type = type ? xstrdup(type) : NULL,
		.size = size,
	};
}

/* The whole, content fed in pieces of piece octets. */
static enum outgoing_step run(struct letter *l, bool eight_bit_ok, const char *content, size_t len,
			      size_t piece, struct buf *out)
{
	AUTO(outgoing_free)
	struct outgoing *o =
		outgoing_new(l, eight_bit_ok ? OUTGOING_EIGHT_BIT : OUTGOING_SEVEN_BIT);
	enum outgoing_step step;

	buf_init(out, 1 << 26);
	for (;;) {
		size_t before = out->len;

		step = outgoing_step(o, out, &why);
		expect_true(out->len - before <= 80000);
		if (step == OUTGOING_END || step == OUTGOING_BAD)
			return step;
		if (step != OUTGOING_NEED)
			continue;
		size_t n = piece < len ? piece : len;

		if (!n)
			return step;
		outgoing_feed(o, content, n);
		content += n;
		len -= n;
	}
}

static void expect_message(struct letter *l, const char *content, const char *want)
{
	struct buf out;

	expect_int(run(l, false, content, strlen(content), 3, &out), OUTGOING_END);
	expect_text(buf_bytes(&out), want);
	buf_clear(&out);
	letter_free(l);
}

#define HEAD "Date: Sun, 22 Nov 2026 20:30:00 +0000\r\nFrom: Box <box@example.com>\r\n"
#define TAIL                                                                                       \
	"Message-ID: <1@example.com>\r\nX-Nuncio-Id: cafe\r\nAuto-Submitted: auto-generated\r\n"   \
	"MIME-Version: 1.0\r\n"
#define PLAIN "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"

TEST(a_small_text_is_a_small_mail)
{
	struct letter *l = letter();

	add_to(l, "me@example.com");
	l->subject = xstrdup("Hi");
	l->has_text = true;
	l->text_size = 6;
	expect_message(l, "One\nTw",
		       HEAD "To: me@example.com\r\nSubject: Hi\r\n" TAIL PLAIN "One\r\nTw\r\n");
}

TEST(urls_of_media_are_the_last_lines_of_a_text)
{
	struct letter *l = letter();

	media_add(&l->media, "https://a/1?b=c");
	media_add(&l->media, "https://a/2");
	l->has_text = true;
	l->text_size = 3;
	expect_message(l, "See",
		       HEAD "To: undisclosed-recipients:;\r\n" TAIL PLAIN
			    "See\r\nhttps://a/1?b=c\r\nhttps://a/2\r\n");
	l = letter();
	media_add(&l->media, "https://a/1");
	expect_message(l, "", HEAD "To: undisclosed-recipients:;\r\n" TAIL PLAIN "https://a/1\r\n");
}

TEST(html_has_urls_of_media_behind_it)
{
	struct letter *l = letter();

	media_add(&l->media, "https://a/1");
	l->has_html = true;
	l->html_size = 9;
	expect_message(l, "<p>Hi</p>",
		       HEAD "To: undisclosed-recipients:;\r\n" TAIL
			    "Content-Type: multipart/mixed; boundary=\"=_b.1\"\r\n"
			    "\r\n--=_b.1\r\n"
			    "Content-Type: multipart/alternative; boundary=\"=_b.2\"\r\n"
			    "\r\n--=_b.2\r\n" PLAIN "Hi\r\n"
			    "\r\n--=_b.2\r\n"
			    "Content-Type: text/html; charset=utf-8\r\n"
			    "Content-Transfer-Encoding: 7bit\r\n\r\n<p>Hi</p>"
			    "\r\n--=_b.2--\r\n"
			    "\r\n--=_b.1\r\n" PLAIN "https://a/1\r\n"
			    "\r\n--=_b.1--\r\n");
}

/* A line of more than 998 octets may not stand as it is, nor change what comes before it. */
TEST(a_long_url_is_encoded)
{
	struct letter *l = letter();
	char url[1500];
	struct buf out;

	memset(url, 'a', sizeof(url));
	memcpy(url, "https://a/", 10);
	url[sizeof(url) - 1] = '\0';
	media_add(&l->media, url);
	l->has_text = true;
	l->text_size = 3;
	expect_int(run(l, false, "See", 3, 3, &out), OUTGOING_END);
	expect_contains(buf_bytes(&out), "Content-Transfer-Encoding: quoted-printable");
	expect_contains(buf_bytes(&out), "See\r\nhttps://a/aaaa");
	for (const char *line = buf_bytes(&out); line; line = strstr(line, "\r\n")) {
		line += line[0] == '\r' ? 2 : 0;
		expect_true(strcspn(line, "\r") <= 998);
	}
	buf_clear(&out);
	letter_free(l);
}

TEST(with_only_bcc_nobody_is_named)
{
	expect_message(letter(), "", HEAD "To: undisclosed-recipients:;\r\n" TAIL PLAIN);
}

TEST(html_comes_with_its_text_and_files_behind_them)
{
	struct letter *l = letter();

	add_to(l, "me@example.com");
	l->has_html = true;
	l->html_size = 9;
	add_attachment(l, "a.bin", NULL, 3);
	add_attachment(l, "b.eml", "message/rfc822", 0);
	expect_message(
		l, "<p>Hi</p>\x01\x02\x03",
		HEAD
		"To: me@example.com\r\n" TAIL
		"Content-Type: multipart/mixed; boundary=\"=_b.1\"\r\n\r\n--=_b.1\r\n"
		"Content-Type: multipart/alternative; boundary=\"=_b.2\"\r\n\r\n--=_b.2\r\n" PLAIN
		"Hi\r\n\r\n--=_b.2\r\nContent-Type: text/html; charset=utf-8\r\n"
		"Content-Transfer-Encoding: 7bit\r\n\r\n<p>Hi</p>\r\n--=_b.2--\r\n\r\n--=_b.1\r\n"
		"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
		"Content-Disposition: attachment;\r\n filename=\"a.bin\"\r\n\r\nAQID\r\n\r\n"
		"--=_b.1\r\nContent-Type: application/octet-stream\r\n"
		"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment;\r\n"
		" filename=\"b.eml\"\r\n\r\n\r\n--=_b.1--\r\n");
}

TEST(a_mail_that_can_stand_in_another_goes_as_it_is)
{
	struct letter *l = letter();

	add_to(l, "me@example.com");
	l->has_text = true;
	l->text_size = 2;
	add_attachment(l, "b.eml", NULL, 18);
	l->attachments[0].is_mail = true;
	expect_message(l,
		       "Hi"
		       "Subject: x\n\n--=_b.",
		       HEAD "To: me@example.com\r\n" TAIL
			    "Content-Type: multipart/mixed; boundary=\"=_b.1\"\r\n\r\n"
			    "--=_b.1\r\n" PLAIN "Hi\r\n--=_b.1\r\n"
			    "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n"
			    "Content-Disposition: attachment;\r\n filename=\"b.eml\"\r\n\r\n"
			    "Subject: x\r\n\r\n--=_b.\r\n--=_b.1--\r\n");
}

TEST(which_mail_can_stand_in_another)
{
	static const char fit[] = "A: b\r\n\r\nx", lines[] = "A: b\n\nx\n",
			  mixed[] = "A: b\r\n\nx\n", eight[] = "A: b\r\n\r\n\xe9",
			  bare[] = "A: b\r\n\r\nx\ry", nul[] = "A: b\r\n\r\n\0";
	char *longer = xmalloc(999);

	memset(longer, 'x', 999);
	expect_true(attachment_is_mail(fit, sizeof(fit) - 1));
	expect_true(attachment_is_mail(lines, sizeof(lines) - 1));
	expect_true(attachment_is_mail(longer, 998));
	expect_false(attachment_is_mail(longer, 999));
	expect_false(attachment_is_mail(mixed, sizeof(mixed) - 1));
	expect_false(attachment_is_mail(eight, sizeof(eight) - 1));
	expect_false(attachment_is_mail(bare, sizeof(bare) - 1));
	expect_false(attachment_is_mail(nul, sizeof(nul)));
	free(longer);
}

TEST(the_encoding_of_a_text_is_chosen_by_it)
{
	static const struct {
		const char *text, *encoding;
	} cases[] = {
		{"plain", "7bit"},
		{"caf\xc3\xa9 and much more of it", "quoted-printable"},
		{"\xd0\xb6\xd0\xb6\xd0\xb6\xd0\xb6", "base64"},
		{"bare\rreturn in a text", "quoted-printable"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		AUTO(letter_free) struct letter *l = letter();
		struct buf out;

		l->has_text = true;
		l->text_size = strlen(cases[i].text);
		expect_int(run(l, true, cases[i].text, l->text_size, 100, &out), OUTGOING_END);
		expect_contains(buf_bytes(&out), cases[i].encoding);
		buf_clear(&out);
	}
}

TEST(lines_of_998_octets_stay_and_longer_ones_are_encoded)
{
	char text[1000];

	memset(text, 'x', sizeof(text));
	for (size_t len = 998; len <= 999; len++) {
		AUTO(letter_free) struct letter *l = letter();
		struct buf out;

		l->has_text = true;
		l->text_size = len;
		expect_int(run(l, true, text, len, 100, &out), OUTGOING_END);
		expect_contains(buf_bytes(&out), len == 998 ? "7bit" : "quoted-printable");
		buf_clear(&out);
	}
}

TEST(pieces_of_any_size_make_the_same_mail)
{
	enum { TEXT = 300000, HTML = 70000, FILE_SIZE = 200000 };
	char *content = xmalloc(TEXT + HTML + FILE_SIZE);
	static const size_t pieces[] = {999983, 65536, 4096, 1021};
	struct buf first, out;

	for (size_t i = 0; i < TEXT + HTML + FILE_SIZE; i++)
		content[i] = i % 61 ? (char)('a' + i % 7) : i % 2 ? '\n' : '\xe9';
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		AUTO(letter_free) struct letter *l = letter();

		l->has_text = l->has_html = true;
		l->text_size = TEXT;
		l->html_size = HTML;
		add_attachment(l, "x", NULL, FILE_SIZE);
		expect_int(run(l, true, content, TEXT + HTML + FILE_SIZE, pieces[i], &out),
			   OUTGOING_END);
		if (i) {
			expect_true(out.len == first.len &&
				    !memcmp(buf_bytes(&out), buf_bytes(&first), out.len));
			buf_clear(&out);
		} else {
			first = out;
		}
	}
	buf_clear(&first);
	free(content);
}

TEST(the_size_told_beforehand_is_close)
{
	AUTO(letter_free) struct letter *l = letter();
	char *content = xcalloc(1, 500000);
	struct buf out;

	l->has_text = true;
	l->text_size = 20;
	add_attachment(l, "x", NULL, 400000);
	memset(content, 'x', 20);
	expect_int(run(l, true, content, 400020, 65536, &out), OUTGOING_END);
	AUTO(outgoing_free) struct outgoing *o = outgoing_new(l, OUTGOING_EIGHT_BIT);

	expect_true(outgoing_size(o) >= out.len && outgoing_size(o) < out.len + 200);
	expect_true(outgoing_size_least(o) <= out.len && outgoing_size_least(o) > out.len - 200);
	expect_true(!outgoing_is_eight_bit(o) && !outgoing_needs_smtputf8(o));
	buf_clear(&out);
	free(content);
}

TEST(content_that_contradicts_the_spec_is_told)
{
	AUTO(letter_free) struct letter *l = letter();
	struct buf out;

	l->has_text = true;
	l->text_size = 5;
	expect_int(run(l, true, "1234", 4, 4, &out), OUTGOING_NEED);
	buf_clear(&out);
	AUTO(outgoing_free) struct outgoing *o = outgoing_new(l, OUTGOING_EIGHT_BIT);

	buf_init(&out, 100000);
	outgoing_feed(o, "123456", 6);
	expect_int(outgoing_step(o, &out, &why), OUTGOING_BAD);
	expect_int(why.kind, FAILURE_REFUSED);
	buf_clear(&out);
}

TEST(an_output_without_room_is_told)
{
	AUTO(letter_free) struct letter *l = letter();
	AUTO(outgoing_free) struct outgoing *o = outgoing_new(l, OUTGOING_EIGHT_BIT);
	struct buf out;

	buf_init(&out, 10);
	expect_int(outgoing_step(o, &out, &why), OUTGOING_BAD);
	expect_int(why.kind, FAILURE_LATER);
	buf_clear(&out);
}

TEST(hostile_letters_add_no_field)
{
	AUTO(letter_free) struct letter *l = letter();
	struct buf out;

	l->subject = xstrdup("x\r\nEvil: 1\r\n\r\nbody");
	free(l->message_id);
	l->message_id = xstrdup("x>\r\nEvil: 2");
	free(l->marker);
	l->marker = xstrdup("x\nEvil: 3");
	free(l->from.name);
	l->from.name = xstrdup("x\r\nEvil: 4");
	free(l->from.ascii);
	l->from.ascii = xstrdup("x@y\r\nEvil: 5");
	add_attachment(l, "x\r\nEvil: 6", "a/b\r\nEvil: 7", 0);
	expect_int(run(l, true, "", 0, 1, &out), OUTGOING_END);
	expect_null(strstr(buf_bytes(&out), "\nEvil"));
	for (const char *c = buf_bytes(&out); *c; c++)
		expect_true(*c != '\n' || c[-1] == '\r');
	buf_clear(&out);
}

TEST(a_local_part_not_ascii_asks_for_smtputf8)
{
	AUTO(letter_free) struct letter *l = letter();
	struct buf out;

	add_to(l, "\xc3\xa4@example.com");
	AUTO(outgoing_free) struct outgoing *o = outgoing_new(l, OUTGOING_EIGHT_BIT);

	expect_true(outgoing_needs_smtputf8(o) && outgoing_is_eight_bit(o));
	expect_int(run(l, true, "", 0, 1, &out), OUTGOING_END);
	expect_contains(buf_bytes(&out), "To: \xc3\xa4@example.com\r\n");
	buf_clear(&out);
}

static struct letter *raw_letter(const char *message, bool eight_bit, bool long_lines)
{
	struct letter *l = letter();

	l->kind = LETTER_RAW;
	l->raw_size = strlen(message);
	l->raw_eight_bit = eight_bit;
	l->raw_long_lines = long_lines;
	return l;
}

TEST(raw_mail_passes_as_it_is_when_it_may)
{
	static const char message[] = "Subject: x\r\n\r\ncaf\xc3\xa9\r\n";
	AUTO(letter_free) struct letter *l = raw_letter(message, true, false);
	AUTO(outgoing_free) struct outgoing *o = outgoing_new(l, OUTGOING_EIGHT_BIT);
	struct buf out;

	expect_true(outgoing_is_eight_bit(o));
	expect_int(outgoing_size(o), strlen(message));
	expect_int(run(l, true, message, strlen(message), 5, &out), OUTGOING_END);
	expect_text(buf_bytes(&out), message);
	buf_clear(&out);
}

TEST(raw_mail_of_eight_bits_is_encoded_for_who_takes_seven)
{
	static const char message[] = "Subject:  x\r\n\r\ncaf\xc3\xa9 = a place for coffee\r\n";
	AUTO(letter_free) struct letter *l = raw_letter(message, true, false);
	AUTO(outgoing_free) struct outgoing *o = outgoing_new(l, OUTGOING_SEVEN_BIT);
	struct buf out;

	expect_true(!outgoing_is_eight_bit(o));
	expect_int(run(l, false, message, strlen(message), 5, &out), OUTGOING_END);
	expect_contains(buf_bytes(&out), "Subject:  x\r\n");
	expect_contains(buf_bytes(&out), "MIME-Version: 1.0\r\n");
	expect_contains(buf_bytes(&out), "charset=utf-8");
	expect_contains(buf_bytes(&out), "\r\n\r\ncaf=C3=A9 =3D a place for coffee\r\n");
	buf_clear(&out);
}

TEST(raw_mail_with_long_lines_is_encoded_for_all)
{
	char message[3000] = "Subject: x\r\n\r\n";
	size_t start = strlen(message);

	memset(message + start, 'x', 2000);
	strcpy(message + start + 2000, "\r\n");
	AUTO(letter_free) struct letter *l = raw_letter(message, false, true);
	struct buf out;

	expect_int(run(l, true, message, strlen(message), 500, &out), OUTGOING_END);
	for (const char *line = buf_bytes(&out); *line; line = strchr(line, '\n') + 1)
		expect_true(strcspn(line, "\r") <= 998);
	buf_clear(&out);
}

RUN_TESTS()
