/* tests/unit/test_imap_say.c - strings, names of folders and sets, as they are said. */
#include "mailbox/imap_say.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/expect.h"

static void expect_said(enum imap_literals literals, const char *bytes, const char *want,
			size_t stops)
{
	struct imap_command c;

	imap_command_init(&c);
	expect_int(imap_add_string(&c, literals, bytes, strlen(bytes)), 0);
	expect_text(buf_bytes(&c.bytes), want);
	expect_int(c.nstops, stops);
	imap_command_wipe(&c);
	expect_int(c.bytes.len, 0);
}

TEST(strings)
{
	expect_said(IMAP_LITERALS_WAIT, "b\"o\\b pa{ss", "\"b\\\"o\\\\b pa{ss\"", 0);
	expect_said(IMAP_LITERALS_WAIT, "", "\"\"", 0);
	expect_said(IMAP_LITERALS_WAIT, "p\xc3\xa4ss", "{5}\r\np\xc3\xa4ss", 1);
	expect_said(IMAP_LITERALS_PLUS, "p\xc3\xa4ss", "{5+}\r\np\xc3\xa4ss", 0);
	expect_said(IMAP_LITERALS_MINUS, "a\r\nb", "{4+}\r\na\r\nb", 0);
}

TEST(a_long_literal_waits_where_it_must)
{
	char bytes[5000];
	struct imap_command c;

	memset(bytes, 'x', sizeof(bytes));
	imap_command_init(&c);
	expect_int(imap_add_string(&c, IMAP_LITERALS_MINUS, bytes, 4097), 0);
	expect_int(c.nstops, 1);
	expect_int(c.stops[0], strlen("{4097}\r\n"));
	expect_int(imap_add_string(&c, IMAP_LITERALS_MINUS, bytes, 4096), 0);
	expect_int(c.nstops, 1);
	expect_int(imap_add_string(&c, IMAP_LITERALS_WAIT, "a\0b", 3), -1);
	imap_command_wipe(&c);
}

static const struct {
	const char *name, *wire;
} folders[] = {
	{"INBOX", "INBOX"},
	{"a&b", "a&-b"},
	{"Gel\xc3\xb6scht", "Gel&APY-scht"},
	{"~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
	 "~peter/mail/&U,BTFw-/&ZeVnLIqe-"},
	{"\xf0\x9f\x93\xa7", "&2D3c5w-"},
	{"\xc3\xa4&", "&AOQ-&-"},
};

TEST(folders_there_and_back)
{
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		struct imap_command c;
		struct buf back;
		char quoted[100];

		imap_command_init(&c);
		buf_init(&back, 200);
		snprintf(quoted, sizeof(quoted), "\"%s\"", folders[i].wire);
		expect_int(imap_add_folder(&c, folders[i].name, false), 0);
		expect_text(buf_bytes(&c.bytes), quoted);
		expect_int(imap_folder_decode(&back, folders[i].wire), 0);
		expect_text(buf_bytes(&back), folders[i].name);
		buf_clear(&back);
		imap_command_wipe(&c);
	}
}

TEST(folders_that_are_none)
{
	static const char *const names[] = {"a\nb", "\xff", "a\tb"};
	static const char *const wires[] = {"&", "&AP", "&*-", "&2D0-", "&3ec-", "&AAA-", "\xff"};
	struct imap_command c;
	struct buf back;

	imap_command_init(&c);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		expect_int(imap_add_folder(&c, names[i], false), -1);
	expect_int(imap_add_folder(&c, "Gel\xc3\xb6scht", true), 0);
	expect_text(buf_bytes(&c.bytes), "\"Gel\xc3\xb6scht\"");
	imap_command_wipe(&c);
	for (size_t i = 0; i < sizeof(wires) / sizeof(*wires); i++) {
		buf_init(&back, 200);
		expect_int(imap_folder_decode(&back, wires[i]), -1);
		buf_clear(&back);
	}
}

TEST(sets_of_uids)
{
	static const uint32_t uids[] = {1, 2, 3, 7, 9, 10, UINT32_MAX};
	uint32_t odd[2000];
	struct imap_command c;

	imap_command_init(&c);
	expect_int(imap_add_uids(&c, uids, 7), 7);
	expect_text(buf_bytes(&c.bytes), "1:3,7,9:10,4294967295");
	imap_command_wipe(&c);
	for (uint32_t i = 0; i < 2000; i++)
		odd[i] = 1000000000 + i * 2;
	expect_true(imap_add_uids(&c, odd, 2000) < 2000);
	expect_true(c.bytes.len < 4100);
	imap_command_wipe(&c);
}

TEST(atoms)
{
	expect_true(imap_is_atom("$Forwarded"));
	expect_true(imap_is_atom("nuncio-done"));
	expect_false(imap_is_atom(""));
	expect_false(imap_is_atom("a b"));
	expect_false(imap_is_atom("\\Seen"));
	expect_false(imap_is_atom("a)"));
	expect_false(imap_is_atom("a\r\nb"));
	expect_false(imap_is_atom("\xc3\xa4"));
}

RUN_TESTS()
