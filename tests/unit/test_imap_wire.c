/* tests/unit/test_imap_wire.c - what a server may say, whole and byte by byte. */
#include "mailbox/imap_wire.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "failure.h"
#include "tests/unit/expect.h"

struct reader {
	struct imap_parser parser;
	struct imap_reply reply;
	struct failure f;
	char *bytes; /* owned: a copy in memory of its own */
	size_t len, at;
};

static void reader_begin(struct reader *r, const char *bytes)
{
	memset(r, 0, sizeof(*r));
	imap_parser_init(&r->parser);
	imap_parser_allow(&r->parser, 100);
	r->len = strlen(bytes);
	r->bytes = xmemdup(bytes, r->len);
}

static void reader_end(struct reader *r)
{
	imap_parser_clear(&r->parser);
	free(r->bytes);
}

/* The next response, at most piece bytes at a time. */
static enum imap_parsed next(struct reader *r, size_t piece)
{
	enum imap_parsed parsed = IMAP_PARSED_MORE;

	while (parsed == IMAP_PARSED_MORE && r->at < r->len) {
		size_t left = r->len - r->at, used = 0;

		parsed = imap_parser_feed(&r->parser, r->bytes + r->at, left < piece ? left : piece,
					  &used, &r->reply, &r->f);
		r->at += used;
	}
	return parsed;
}

static void read_one(struct reader *r, const char *bytes)
{
	reader_begin(r, bytes);
	expect_int(next(r, 1), IMAP_PARSED_REPLY);
	expect_int(r->at, r->len);
	reader_end(r);
	reader_begin(r, bytes);
	expect_int(next(r, SIZE_MAX), IMAP_PARSED_REPLY);
	expect_int(r->at, r->len);
}

static void expect_bad(const char *bytes)
{
	for (size_t piece = 1; piece < 100; piece += 98) {
		struct reader r;

		reader_begin(&r, bytes);
		while (next(&r, piece) == IMAP_PARSED_REPLY)
			;
		expect_int(r.f.kind, FAILURE_LATER);
		reader_end(&r);
	}
}

TEST(statuses)
{
	struct reader r;

	read_one(&r, "a7 OK [READ-ONLY] done\r\n");
	expect_int(r.reply.kind, IMAP_TAGGED);
	expect_int(r.reply.status, IMAP_OK);
	expect_text(r.reply.tag, "a7");
	expect_text(r.reply.code, "READ-ONLY");
	expect_text(r.reply.code_text, "");
	expect_text(r.reply.text, "done");
	reader_end(&r);
	read_one(&r, "* ok [UIDVALIDITY 3857529045] UIDs valid {5}\n");
	expect_int(r.reply.kind, IMAP_STATUS);
	expect_text(r.reply.code, "UIDVALIDITY");
	expect_text(r.reply.code_text, "3857529045");
	expect_text(r.reply.text, "UIDs valid {5}");
	reader_end(&r);
	read_one(&r, "* BYE [no end\r\n");
	expect_int(r.reply.status, IMAP_BYE);
	expect_text(r.reply.code, "");
	expect_text(r.reply.text, "[no end");
	reader_end(&r);
	read_one(&r, "* OK [X \"a]b\" c] t\r\n");
	expect_text(r.reply.code_text, "\"a]b\" c");
	expect_text(r.reply.text, "t");
	reader_end(&r);
	read_one(&r, "A1 NO\r\n");
	expect_int(r.reply.status, IMAP_NO);
	expect_text(r.reply.text, "");
	reader_end(&r);
	read_one(&r, "+ idling\r\n");
	expect_int(r.reply.kind, IMAP_GO_ON);
	expect_text(r.reply.text, "idling");
	reader_end(&r);
	read_one(&r, "+\r\n");
	expect_int(r.reply.kind, IMAP_GO_ON);
	reader_end(&r);
}

TEST(numbers)
{
	struct reader r;

	read_one(&r, "* 23 EXISTS\r\n");
	expect_int(r.reply.kind, IMAP_EXISTS);
	expect_int(r.reply.number, 23);
	reader_end(&r);
	read_one(&r, "* 4294967295 EXPUNGE\r\n");
	expect_int(r.reply.kind, IMAP_EXPUNGE);
	expect_int(r.reply.number, UINT32_MAX);
	reader_end(&r);
	read_one(&r, "* 3 RECENT\r\n");
	expect_int(r.reply.kind, IMAP_OTHER);
	reader_end(&r);
	expect_bad("* 4294967296 EXISTS\r\n");
}

TEST(a_fetch_in_any_order)
{
	struct reader r;

	read_one(&r, "* 12 FETCH (FLAGS (\\Seen $x) BODY[HEADER.FIELDS (\"a]b\" TO)] {3}\r\nxyz "
		     "UID 2405 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 44827)\r\n");
	expect_int(r.reply.kind, IMAP_FETCH);
	expect_int(r.reply.number, 12);
	expect_int(r.reply.uid, 2405);
	expect_int(r.reply.size, 44827);
	expect_int(r.reply.date_s, 837596665);
	expect_true(r.reply.has_body);
	expect_bytes(buf_bytes(&r.parser.body), r.parser.body.len, "xyz", 3);
	reader_end(&r);
}

TEST(a_body_is_whatever_it_is)
{
	static const struct {
		const char *item, *body;
	} cases[] = {
		{"BODY[] {8}\r\na)\r\n* 1\n", "a)\r\n* 1\n"},
		{"BODY[]<0> {2+}\r\n\"(", "\"("},
		{"BODY[]<0> ~{1}\r\n\xff", "\xff"},
		{"BODY[] {0}\r\n", ""},
		{"BODY[HEADER] \"a\\\"b\\\\\"", "a\"b\\"},
		{"body[] \"\"", ""},
		{"BINARY[] {1}\r\nx", "x"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *bytes = xprintf("* 1 FETCH (UID 7 %s)\r\n", cases[i].item);
		struct reader r;

		read_one(&r, bytes);
		expect_true(r.reply.has_body);
		expect_int(r.reply.uid, 7);
		expect_bytes(buf_bytes(&r.parser.body), r.parser.body.len, cases[i].body,
			     strlen(cases[i].body));
		reader_end(&r);
		free(bytes);
	}
}

TEST(a_body_that_is_not_there)
{
	struct reader r;

	read_one(&r, "* 1 FETCH (BODY[] NIL UID 7)\r\n");
	expect_false(r.reply.has_body);
	expect_int(r.reply.uid, 7);
	reader_end(&r);
}

TEST(a_body_is_taken_without_a_copy)
{
	struct reader r;
	size_t len;
	char *body;

	read_one(&r, "* 1 FETCH (BODY[] {3}\r\nabc UID 7)\r\n");
	body = imap_parser_take_body(&r.parser, &len);
	expect_bytes(body, len, "abc", 3);
	expect_int(r.parser.body.len, 0);
	free(body);
	reader_end(&r);
}

TEST(values_nobody_asked_for_are_passed_over)
{
	struct reader r;

	read_one(
		&r,
		"* 1 FETCH (ENVELOPE (\"d\" {4}\r\na)\"( NIL ((\"n\" NIL \"m\" \"h\")) ()) MODSEQ (624)"
		" X-GM-LABELS (\"\\\\Inbox\" a) BODY[1] NIL UID 9)\r\n");
	expect_int(r.reply.uid, 9);
	reader_end(&r);
	read_one(&r, "* ESEARCH (TAG \"a\") UID ALL 1:3\r\n");
	expect_int(r.reply.kind, IMAP_OTHER);
	reader_end(&r);
	read_one(&r, "* ID (\"name\" {3}\r\na\r\n \"x\" NIL)\r\n");
	expect_int(r.reply.kind, IMAP_OTHER);
	reader_end(&r);
}

TEST(lists)
{
	struct reader r;

	read_one(&r, "* LIST (\\HasNoChildren \\Trash) \"/\" \"Gel&APY-scht \\\"x\\\"\"\r\n");
	expect_int(r.reply.kind, IMAP_LIST);
	expect_text(r.reply.words, "\\HasNoChildren \\Trash");
	expect_text(r.reply.name, "Gel&APY-scht \"x\"");
	reader_end(&r);
	read_one(&r, "* LIST () NIL {5}\r\na b\"c (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n");
	expect_text(r.reply.name, "a b\"c");
	reader_end(&r);
	read_one(&r, "* LIST (\\Noselect) \"\\\\\" INBOX\r\n");
	expect_text(r.reply.name, "INBOX");
	reader_end(&r);
}

TEST(searches)
{
	struct reader r;
	const char *at;
	uint32_t uid;

	read_one(&r, "* SEARCH 2 84 882 (MODSEQ 917162500)\r\n");
	at = r.reply.words;
	expect_true(imap_next_uid(&at, &uid));
	expect_int(uid, 2);
	expect_true(imap_next_uid(&at, &uid));
	expect_true(imap_next_uid(&at, &uid));
	expect_int(uid, 882);
	expect_false(imap_next_uid(&at, &uid));
	reader_end(&r);
	read_one(&r, "* SEARCH\r\n");
	at = r.reply.words;
	expect_false(imap_next_uid(&at, &uid));
	reader_end(&r);
}

static void read_long_search(const char *bytes, size_t piece, uint32_t n)
{
	uint32_t uid = 0, seen = 0;
	struct reader r;

	reader_begin(&r, bytes);
	while (next(&r, piece) == IMAP_PARSED_REPLY && r.reply.kind == IMAP_SEARCH) {
		const char *at = r.reply.words;

		while (imap_next_uid(&at, &uid))
			expect_int(uid, 4000000000u + seen++);
		expect_true(r.parser.text.len <= IMAP_TEXT_MAX);
	}
	expect_int(seen, n);
	expect_int(r.reply.kind, IMAP_TAGGED);
	reader_end(&r);
}

TEST(a_search_without_bound_comes_in_parts)
{
	struct buf all;

	buf_init(&all, SIZE_MAX);
	buf_add_text(&all, "* SEARCH");
	for (unsigned i = 0; i < 20000; i++)
		buf_printf(&all, " %u", 4000000000u + i);
	buf_add_text(&all, "\r\na OK done\r\n");
	read_long_search(buf_bytes(&all), 1, 20000);
	read_long_search(buf_bytes(&all), 4096, 20000);
	read_long_search(buf_bytes(&all), SIZE_MAX, 20000);
	buf_clear(&all);
}

TEST(one_after_the_other)
{
	struct reader r;

	reader_begin(&r, "* 1 FETCH (BODY[] {1}\r\nx)\r\n* 2 FETCH (UID 3)\r\na OK x\r\n");
	expect_int(next(&r, SIZE_MAX), IMAP_PARSED_REPLY);
	expect_true(r.reply.has_body);
	expect_int(next(&r, SIZE_MAX), IMAP_PARSED_REPLY);
	expect_false(r.reply.has_body);
	expect_int(r.parser.body.len, 0);
	expect_int(next(&r, SIZE_MAX), IMAP_PARSED_REPLY);
	expect_text(r.reply.tag, "a");
	expect_int(r.at, r.len);
	reader_end(&r);
}

TEST(what_is_refused)
{
	static const char *const cases[] = {
		"HTTP/1.1 400 Bad Request\r\n",
		"\r\n",
		"* \r\nx\r\n",
		"a BYE x\r\n",
		"a1\r\n",
		"* 1 FETCH (BODY[] {101}\r\n",
		"* 1 FETCH (BODY[] {1}\r\na BODY[1] {1}\r\nb)\r\n",
		"* 1 FETCH (UID)\r\n",
		"* 1 FETCH (UID x)\r\n",
		"* 1 FETCH (UID 1\r\n",
		"* 1 FETCH (X \"a\r\n",
		"* LIST (a\r\n",
		"* ID ({65536}\r\n",
		"* ID ({99999999999999}\r\n",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_bad(cases[i]);
}

TEST(ceilings)
{
	char *line = xcalloc(1, IMAP_TEXT_MAX + 10), deep[200] = "* 1 FETCH (X ";
	struct reader r;
	size_t used;

	memset(line, 'x', IMAP_TEXT_MAX + 5);
	memcpy(line, "* ", 2);
	expect_bad(line);
	memset(deep + strlen(deep), '(', IMAP_DEPTH_MAX + 1);
	strcat(deep, "\r\n");
	expect_bad(deep);
	reader_begin(&r, "");
	expect_int(imap_parser_feed(&r.parser, "* a\0b\r\n", 7, &used, &r.reply, &r.f),
		   IMAP_PARSED_BAD);
	reader_end(&r);
	free(line);
}

TEST(dates)
{
	int64_t s;

	expect_true(imap_date_parse(" 1-Jan-1970 01:00:01 +0100", &s));
	expect_int(s, 1);
	expect_true(imap_date_parse("31-dec-2026 23:59:59 +0000", &s));
	expect_int(s, 1798761599);
	expect_false(imap_date_parse("31-foo-2026 23:59:59 +0000", &s));
	expect_false(imap_date_parse("31-anF-2026 23:59:59 +0000", &s));
	expect_false(imap_date_parse("32-Jan-2026 23:59:59 +0000", &s));
	expect_false(imap_date_parse("1-Jan-2026", &s));
	expect_false(imap_date_parse("", &s));
}

RUN_TESTS()
