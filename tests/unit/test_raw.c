/* Raw mail as it is taken: what stays, goes, comes, and is refused. */
#include "message/raw.h"

#include "alloc.h"
#include "buf.h"
#include "expect.h"
#include "failure.h"
#include "message/letter.h"
#include "message/outgoing.h"

struct taken {
	struct letter *letter;
	struct buf stored;
	struct failure f;
	int result;
};

static void take_begin(struct taken *t)
{
	*t = (struct taken){.letter = letter_new()};
	setenv("TZ", "UTC", 1);
	address_parse("Box <box@example.com>", 21, &t->letter->from, NULL);
	t->letter->message_id = xstrdup("ours@example.com");
	t->letter->marker = xstrdup("cafe");
	t->letter->date_ms = 1795379400000;
	buf_init(&t->stored, 1 << 24);
}

static void take_end(struct taken *t)
{
	letter_free(t->letter);
	buf_clear(&t->stored);
}

/* In two pieces. */
static void take_split(struct taken *t, const char *bytes, size_t len, size_t first)
{
	take_begin(t);
	AUTO(raw_free) struct raw *raw = raw_new(t->letter);

	t->result = raw_feed(raw, bytes, first, &t->stored, &t->f);
	if (t->result == 0)
		t->result = raw_feed(raw, bytes + first, len - first, &t->stored, &t->f);
	if (t->result == 0)
		t->result = raw_end(raw, &t->stored, &t->f);
}

static void take(struct taken *t, const char *message)
{
	take_split(t, message, strlen(message), 0);
}

/* As it goes out by a way that carries so much; the content comes in two pieces. */
static const char *sent(const struct taken *t, enum outgoing_carries carries)
{
	static struct buf out;
	AUTO(outgoing_free) struct outgoing *o = outgoing_new(t->letter, carries);
	enum outgoing_step step = OUTGOING_MORE;
	size_t half = t->stored.len / 2;
	struct failure f = {0};

	buf_clear(&out);
	buf_init(&out, 1 << 20);
	outgoing_feed(o, buf_bytes(&t->stored), half);
	while (step == OUTGOING_MORE)
		step = outgoing_step(o, &out, &f);
	expect_int(step, OUTGOING_NEED);
	outgoing_feed(o, buf_bytes(&t->stored) + half, t->stored.len - half);
	for (step = OUTGOING_MORE; step == OUTGOING_MORE;)
		step = outgoing_step(o, &out, &f);
	expect_int(step, OUTGOING_END);
	expect_true(carries != OUTGOING_EIGHT_BIT || out.len <= outgoing_size(o));
	return buf_bytes(&out);
}

#define OURS "Message-ID: <ours@example.com>\r\nX-Nuncio-Id: cafe\r\n"
#define DATE "Date: Sun, 22 Nov 2026 20:30:00 +0000\r\n"
#define HEAD "Date: x\nFrom: a@b.example\nMessage-ID: <1@b.example>\n"
#define HEAD_STORED "Date: x\r\nFrom: a@b.example\r\nMessage-ID: <1@b.example>\r\n"
#define MARK "X-Nuncio-Id: cafe\r\n"

static void expect_stored(const char *message, const char *want)
{
	struct taken t;

	take(&t, message);
	expect_ok(t.result, &t.f);
	expect_text(buf_bytes(&t.stored), want);
	expect_int(t.letter->raw_size, t.stored.len);
	take_end(&t);
}

static void expect_refused(const char *message, size_t len, const char *why)
{
	struct taken t;

	take_split(&t, message, len, 0);
	expect_failure(t.result, &t.f, FAILURE_REFUSED);
	expect_contains(t.f.text, why);
	take_end(&t);
}

TEST(what_is_missing_is_added)
{
	expect_stored("Subject: x\n\nbody\n",
		      "Subject: x\r\n" DATE "From: Box <box@example.com>\r\n" OURS "\r\nbody\r\n");
	expect_stored("\nbody\n", DATE "From: Box <box@example.com>\r\n" OURS "\r\nbody\r\n");
	expect_stored("", DATE "From: Box <box@example.com>\r\n" OURS "\r\n");
}

TEST(fields_stay_as_they_are_folded_or_not)
{
	expect_stored(HEAD "Subject :  a\n\tb  \n  c\nX-Odd:\n\n.\n",
		      HEAD_STORED "Subject :  a\r\n\tb  \r\n  c\r\nX-Odd:\r\n" MARK "\r\n.\r\n");
}

TEST(bcc_never_goes_out_however_it_is_written)
{
	expect_stored(
		HEAD "Bcc: x@y.example,\n z@y.example\nBCC : w@y.example\nresent-bcc: v@y.example\n"
		     "To: t@y.example\n\n",
		HEAD_STORED "To: t@y.example\r\n" MARK "\r\n");
}

TEST(a_marker_that_came_with_it_and_an_mbox_line_go)
{
	expect_stored("From root Thu Jan  1 00:00:00 1970\n" HEAD "x-nuncio-id: forged\n\n",
		      HEAD_STORED MARK "\r\n");
	expect_refused("From root Thu Jan  1 00:00:00 1970\n folded: x\n\n", 45, "not a line of");
	expect_stored("From : a@b.example\nDate: x\nMessage-ID: <1@b.example>\n\n",
		      "From : a@b.example\r\nDate: x\r\nMessage-ID: <1@b.example>\r\n" MARK "\r\n");
}

TEST(all_line_ends_become_crlf)
{
	expect_stored(HEAD "\r\n\ra\rb\nc\r\nd", HEAD_STORED MARK "\r\n\r\na\r\nb\r\nc\r\nd\r\n");
	expect_stored(
		"Date: x\rFrom: a@b.example\rMessage-ID: <1@b.example>\rBcc: x@y.example\r\rbody",
		HEAD_STORED MARK "\r\nbody\r\n");
}

TEST(a_message_may_end_in_its_header)
{
	expect_stored(HEAD "Subject: x", HEAD_STORED "Subject: x\r\n" MARK "\r\n");
}

TEST(the_letter_learns_what_lists_show)
{
	struct taken t;

	take(&t,
	     "From: =?utf-8?q?=C3=84nne?= <a@b.example>\nSubject: =?utf-8?b?w5xuaQ==?=\n here\n"
	     "To: \"X, Y\" <x@y.example>, team: p@q.example, r@q.example;\nCc: nobody, c@d.example\n"
	     "Message-ID:\n <mine@b.example>\n\n");
	expect_ok(t.result, &t.f);
	expect_text(t.letter->from.ascii, "a@b.example");
	expect_text(t.letter->from.name, "\xc3\x84nne");
	expect_text(t.letter->subject, "\xc3\x9cni here");
	expect_int(t.letter->nto, 3);
	expect_text(t.letter->to[0].name, "X, Y");
	expect_text(t.letter->to[2].ascii, "r@q.example");
	expect_int(t.letter->ncc, 1);
	expect_text(t.letter->message_id, "mine@b.example");
	expect_contains(buf_bytes(&t.stored), "Cc: nobody, c@d.example\r\n");
	expect_null(strstr(buf_bytes(&t.stored), "ours@"));
	take_end(&t);
}

TEST(a_from_without_a_domain_is_a_missing_one)
{
	expect_stored("From: root (Cron Daemon)\nDate: x\nMessage-ID: <1@b.example>\n\n",
		      "Date: x\r\nMessage-ID: <1@b.example>\r\nFrom: Box <box@example.com>\r\n" MARK
		      "\r\n");
}

static void expect_claims(const char *message, const char *want)
{
	struct taken t;
	char got[300] = "";
	size_t n;

	take_begin(&t);
	AUTO(raw_free) struct raw *raw = raw_new(t.letter);
	expect_ok(raw_feed(raw, message, strlen(message), &t.stored, &t.f), &t.f);
	expect_ok(raw_end(raw, &t.stored, &t.f), &t.f);
	const struct address *claims = raw_claims(raw, &n);
	for (size_t i = 0; i < n; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s ", claims[i].ascii);
	expect_text(got, want);
	take_end(&t);
}

TEST(everyone_who_is_said_to_have_sent_it_is_told)
{
	expect_claims(HEAD "\nx\n", "");
	expect_claims(HEAD "sender: Ana <ana@b.example>\nResent-Sender : x@b.example\n"
			   "RESENT-FROM: cy@b.example,\n \"a@b\" (c@d) <di@b.example>\n\nx\n",
		      "ana@b.example x@b.example cy@b.example di@b.example ");
}

TEST(a_sender_that_cannot_be_read_goes_out)
{
	expect_stored(HEAD "Sender: root\nResent-From: a@b.example <c@d.example>\n"
			   "Resent-Sender: x@@y\n\nx\n",
		      HEAD_STORED MARK "\r\nx\r\n");
}

TEST(a_from_that_could_be_read_in_two_ways_is_written_anew)
{
	expect_stored(
		"Date: x\nMessage-ID: <1@b.example>\nFrom: me@b.example <you@b.example>\n\nx\n",
		"Date: x\r\nMessage-ID: <1@b.example>\r\n"
		"From: \"me@b.example\" <you@b.example>\r\n" MARK "\r\nx\r\n");
	expect_stored(
		"Date: x\nMessage-ID: <1@b.example>\nFrom: \"me@b\" <you@b.example> (c@d)\n\nx\n",
		"Date: x\r\nMessage-ID: <1@b.example>\r\n"
		"From: \"me@b\" <you@b.example> (c@d)\r\n" MARK "\r\nx\r\n");
}

TEST(a_message_id_that_is_none_is_replaced)
{
	expect_stored("Date: x\nFrom: a@b.example\nMessage-ID: oh no\n\n",
		      "Date: x\r\nFrom: a@b.example\r\n" OURS "\r\n");
	expect_stored(
		"Date: x\nFrom: a@b.example\nMessage-ID: <1@b.example>\nMessage-ID: <2@b.example>\n\n",
		HEAD_STORED MARK "\r\n");
}

/* Of any field that holds addresses: GMime would call itself for each. */
TEST(groups_in_groups_are_not_gone_into)
{
	static const char *const names[] = {"From", "To", "Sender", "Resent-From"};
	enum { GROUPS = 100000 };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct taken t;
		struct buf mail;

		buf_init(&mail, 1 << 20);
		buf_printf(&mail, "%s: a@b.example ", names[i]);
		for (int n = 0; n < GROUPS; n++)
			buf_add_text(&mail, "a:");
		buf_add_text(&mail, "\n\nhi\n");
		take(&t, buf_bytes(&mail));
		if (t.result < 0)
			expect_int(t.f.kind, FAILURE_REFUSED);
		take_end(&t);
		buf_clear(&mail);
	}
}

TEST(what_is_no_header_is_refused)
{
	expect_refused("hello\n\nbody\n", 13, "'hello' is not a line of a mail header");
	expect_refused(" x: y\n\n", 7, "not a line");
	expect_refused("a b: y\n\n", 8, "not a line");
	expect_refused(": y\n\n", 5, "not a line");
	expect_refused("\xc3\xa9: y\n\n", 7, "not a line");
	expect_refused("Subject: x\0y\n\n", 14, "NUL");
	expect_refused("From: a@b.example\nFrom: a@b.example\n\n", 37, "two From");
	expect_refused("From: a@b.example, c@d.example\n\n", 32, "one address");
	expect_refused("From: x: a@b.example;\n\n", 23, "group");
	expect_refused("From: <@>\n\n", 11, "From");
}

TEST(a_header_has_a_ceiling_and_a_body_none)
{
	static char message[RAW_HEADER_MAX + 100];

	memset(message, 'x', sizeof(message));
	memcpy(message, "Subject: ", 9);
	expect_refused(message, sizeof(message), "larger than 256 KiB");
	memcpy(message, "Subject: x\n\n", 12);
	struct taken t;

	take_split(&t, message, sizeof(message), 100);
	expect_ok(t.result, &t.f);
	expect_true(t.letter->raw_long_lines);
	take_end(&t);
}

TEST(nothing_is_stored_before_the_header_is_whole)
{
	struct taken t;

	take_begin(&t);
	AUTO(raw_free) struct raw *raw = raw_new(t.letter);

	expect_ok(raw_feed(raw, "Subject: x\r\n", 12, &t.stored, &t.f), &t.f);
	expect_int(t.stored.len, 0);
	expect_ok(raw_feed(raw, "\r", 1, &t.stored, &t.f), &t.f);
	expect_true(t.stored.len > 0);
	take_end(&t);
}

TEST(the_body_is_looked_at)
{
	struct taken t;
	char line[1100] = HEAD "\n";
	size_t start = strlen(line);

	take(&t, HEAD "\nplain\n");
	expect_true(!t.letter->raw_eight_bit && !t.letter->raw_long_lines);
	take_end(&t);
	take(&t, HEAD "\n\xc3\xa9\n");
	expect_true(t.letter->raw_eight_bit && !t.letter->raw_long_lines);
	take_end(&t);
	memset(line + start, 'x', 998);
	take_split(&t, line, start + 998, start + 500);
	expect_true(!t.letter->raw_long_lines);
	take_end(&t);
	memset(line + start, 'x', 999);
	take_split(&t, line, start + 999, start + 500);
	expect_true(t.letter->raw_long_lines);
	take_end(&t);
	take_split(&t, HEAD "\na\0b\n", strlen(HEAD) + 5, 3);
	expect_true(t.letter->raw_long_lines);
	take_end(&t);
}

/* GMime's encoder does not end where a parameter's name is about as long as its lines. */
TEST(parameters_with_endless_names_go)
{
	for (size_t len = 55; len < 90; len++) {
		AUTO(free) char *name = xcalloc(1, len + 1);
		AUTO(free) char *value = xcalloc(1, 201);
		struct taken t;

		memset(name, 'n', len);
		memset(value, 0xe9, 200);
		AUTO(free)
		char *mail = xprintf("From: a@b.example\nTo: x@y.example\nMIME-Version: 1.0\n"
				     "Content-Type: multipart/mixed; boundary=s; %s=\"%s\"\n\n--s\n"
				     "Content-Type: text/plain; %s=\"%s\"\n"
				     "Content-Disposition: inline; %s=\"%s\"\n\n\xe9\n--s--\n",
				     name, value, name, value, name, value);
		take(&t, mail);
		expect_ok(t.result, &t.f);
		expect_text(sent(&t, OUTGOING_ANY_OCTETS), buf_bytes(&t.stored));
		const char *mended = sent(&t, OUTGOING_SEVEN_BIT);

		for (const char *c = mended; *c; c++)
			expect_true(!(*c & 0x80));
		expect_contains(mended, "boundary=s");
		expect_contains(mended, "text/plain");
		expect_contains(mended, "\r\nContent-Disposition: inline");
		expect_true(!strstr(mended, name) == (len > 60));
		take_end(&t);
	}
}

TEST(text_of_eight_bits_in_a_header_is_encoded_where_it_must_be)
{
	struct taken t;

	take(&t, "From: \xc3\x84nne <a@b.example>\nTo: \xe4 <x@y.example>\nSubject: \xc3\x9cni\n"
		 "Content-Type: application/pdf; name=\"\xc3\xa9.pdf\"\n\nb\xc3\xb6"
		 "dy\n");
	expect_ok(t.result, &t.f);
	expect_true(t.letter->raw_header_odd && !t.letter->raw_header_eight_bit);
	expect_text(t.letter->subject, "\xc3\x9cni");
	expect_text(t.letter->from.name, "\xc3\x84nne");
	expect_text(t.letter->to[0].name, "\xc3\xa4");
	expect_text(sent(&t, OUTGOING_ANY_OCTETS), buf_bytes(&t.stored));
	expect_contains(buf_bytes(&t.stored),
			"\r\nTo: \xe4 <x@y.example>\r\nSubject: \xc3\x9cni\r\n");
	const char *mended = sent(&t, OUTGOING_EIGHT_BIT);
	const char *body = strstr(mended, "\r\n\r\n");

	for (const char *c = mended; c < body; c++)
		expect_true(!(*c & 0x80));
	expect_text(body, "\r\n\r\nb\xc3\xb6"
			  "dy\r\n");
	expect_contains(mended, "\r\nSubject: =?UTF-8?B?w5xuaQ==?=\r\n");
	expect_contains(mended, "name*=");
	for (const char *c = sent(&t, OUTGOING_SEVEN_BIT); *c; c++)
		expect_true(!(*c & 0x80));
	expect_contains(sent(&t, OUTGOING_SEVEN_BIT), "Subject: =?UTF-8?B?w5xuaQ==?=\r\n");
	take_end(&t);
}

TEST(an_address_with_a_local_part_not_ascii_needs_smtputf8)
{
	struct taken t;

	take(&t, HEAD "To: \xc3\xa4@b.example\n\n");
	expect_ok(t.result, &t.f);
	expect_true(t.letter->raw_header_eight_bit);
	expect_contains(buf_bytes(&t.stored), "\xc3\xa4@b.example");
	take_end(&t);
}

TEST(long_lines_of_a_header_are_folded_where_they_must_be)
{
	char message[9000] = HEAD "X-Long: ";
	struct taken t;

	for (size_t i = 0; i < 300; i++)
		strcat(message, "0123456789 ");
	strcat(message, "\nX-Longer: ");
	memset(message + strlen(message), 'x', 3000);
	strcat(message, "\n\n");
	take(&t, message);
	expect_ok(t.result, &t.f);
	expect_text(sent(&t, OUTGOING_ANY_OCTETS), buf_bytes(&t.stored));
	expect_null(strstr(buf_bytes(&t.stored), "0123456789\r\n"));
	const char *line = sent(&t, OUTGOING_SEVEN_BIT);

	while (*line) {
		size_t len = strcspn(line, "\r");

		expect_true(len <= 998);
		line += len + 2;
	}
	expect_contains(sent(&t, OUTGOING_EIGHT_BIT), "0123456789\r\n 0123456789");
	take_end(&t);
}

TEST(however_it_is_cut_the_same_is_stored)
{
	static const char *const messages[] = {
		"Subject: x\r\n\r\nbody\r\n.\r\n",
		"Subject: x\n y\n\nbody\n\nmore",
		"From x\rSubject: \xc3\xa9\r\r\n\n\r\r\nbody\r",
		"Bcc: a@b.example\r\n c@d.example\r\nTo: a\n\n\xff\n",
	};
	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
		size_t len = strlen(messages[i]);
		struct taken whole, split;

		take(&whole, messages[i]);
		expect_ok(whole.result, &whole.f);
		for (size_t at = 0; at <= len; at++) {
			take_split(&split, messages[i], len, at);
			expect_ok(split.result, &split.f);
			expect_text(buf_bytes(&split.stored), buf_bytes(&whole.stored));
			expect_int(split.letter->raw_size, whole.letter->raw_size);
			take_end(&split);
		}
		take_end(&whole);
	}
}

RUN_TESTS()
