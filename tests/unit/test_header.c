/* Header fields: what is written for whatever comes in. */
#include "message/header.h"

#include <time.h>

#include "address.h"
#include "alloc.h"
#include "auto.h"
#include "buf.h"
#include "expect.h"

static struct buf out;

static const char *text_field(const char *value)
{
	buf_clear(&out);
	buf_init(&out, HEADER_BUF_MAX);
	header_add_text(&out, "Subject", value);
	return buf_bytes(&out);
}

static const char *attachment_fields(const char *type, const char *name)
{
	buf_clear(&out);
	buf_init(&out, HEADER_BUF_MAX);
	header_add_attachment(&out, type, "base64", name);
	return buf_bytes(&out);
}

static const char *address_field(const char *name, const char *spec)
{
	struct address a = {0};

	buf_clear(&out);
	buf_init(&out, HEADER_BUF_MAX);
	expect_int(address_parse(spec, strlen(spec), &a, NULL), 0);
	free(a.name);
	a.name = name ? xstrdup(name) : NULL;
	header_add_addresses(&out, "To", &a, 1);
	address_clear(&a);
	return buf_bytes(&out);
}

/* Every line has its CRLF, is short and in ASCII; there is one field. */
static void expect_sound(const char *field)
{
	const char *line = field;

	while (*line) {
		size_t len = strcspn(line, "\r\n");

		expect_true(len > 0 && len <= 998);
		expect_true(line[len] == '\r' && line[len + 1] == '\n');
		for (size_t i = 0; i < len; i++)
			expect_true(line[i] >= ' ' && line[i] <= '~');
		line += len + 2;
		expect_true(!*line || *line == ' ');
	}
}

TEST(plain_text_stays_and_is_folded_at_its_spaces)
{
	expect_text(text_field("Backup finished"), "Subject: Backup finished\r\n");
	const char *folded = text_field("one two three four five six seven eight nine ten eleven "
					"twelve thirteen fourteen fifteen");

	expect_text(folded, "Subject: one two three four five six seven eight nine ten eleven "
			    "twelve\r\n thirteen fourteen fifteen\r\n");
}

TEST(what_is_not_plain_goes_into_encoded_words)
{
	expect_text(text_field("\xc3\x9cnic\xc3\xb6"
			       "de"),
		    "Subject: =?UTF-8?B?w5xuaWPDtmRl?=\r\n");
	expect_text(text_field("a  b"), "Subject: =?UTF-8?B?YSAgYg==?=\r\n");
	expect_text(text_field(" a"), "Subject: =?UTF-8?B?IGE=?=\r\n");
	expect_text(text_field("=?utf-8?q?x?="), "Subject: =?UTF-8?B?PT91dGYtOD9xP3g/PQ==?=\r\n");
}

TEST(an_empty_text_is_an_empty_field)
{
	expect_text(text_field(""), "Subject:\r\n");
}

TEST(no_line_end_of_a_text_reaches_the_wire_nor_its_reader)
{
	expect_text(text_field("hi\r\nBcc: evil@example.com"),
		    "Subject: =?UTF-8?B?aGkgIEJjYzogZXZpbEBleGFtcGxlLmNvbQ==?=\r\n");
	expect_text(text_field("a\nb"), "Subject: a b\r\n");
	expect_sound(text_field("\r\n\r\n.\r\nQUIT\r\n"));
	expect_sound(text_field("\xff\xfe\r\n\x80"));
}

TEST(long_words_and_long_texts_keep_lines_short)
{
	char text[2001];

	memset(text, 'x', 2000);
	text[2000] = '\0';
	expect_sound(text_field(text));
	memset(text, ' ', 2000);
	expect_sound(text_field(text));
	for (size_t i = 0; i < 2000; i += 2)
		memcpy(text + i, "\xd0\xb6", 2);
	expect_sound(text_field(text));
	memset(text, 0x80, 2000);
	expect_sound(text_field(text));
	buf_clear(&out);
}

TEST(a_display_name_is_bare_quoted_or_encoded)
{
	expect_text(address_field(NULL, "a@example.com"), "To: a@example.com\r\n");
	expect_text(address_field("Ana Maria", "a@example.com"),
		    "To: Ana Maria <a@example.com>\r\n");
	expect_text(address_field("J. \"Bo\" Doe", "a@example.com"),
		    "To: \"J. \\\"Bo\\\" Doe\" <a@example.com>\r\n");
	expect_text(address_field("\xc3\x84", "a@example.com"),
		    "To: =?UTF-8?B?w4Q=?= <a@example.com>\r\n");
	expect_sound(address_field("x\r\nBcc: y@example.com\r\n\r\n", "a@example.com"));
	expect_sound(address_field("a,b@c <x@y>;", "a@example.com"));
	buf_clear(&out);
}

TEST(domains_are_a_labels_unless_the_local_part_is_not_ascii)
{
	expect_text(address_field(NULL, "a@b\xc3\xbc"
					"cher.example"),
		    "To: a@xn--bcher-kva.example\r\n");
	expect_text(address_field(NULL, "\xc3\xa4@b\xc3\xbc"
					"cher.example"),
		    "To: \xc3\xa4@b\xc3\xbc"
		    "cher.example\r\n");
	buf_clear(&out);
}

TEST(many_addresses_are_folded_between_them)
{
	struct address list[40] = {0};

	buf_init(&out, HEADER_BUF_MAX);
	for (size_t i = 0; i < 40; i++)
		expect_int(address_parse("some.body@example.com", 21, &list[i], NULL), 0);
	header_add_addresses(&out, "Cc", list, 40);
	expect_sound(buf_bytes(&out));
	expect_contains(buf_bytes(&out), "some.body@example.com,\r\n some.body@example.com,");
	for (size_t i = 0; i < 40; i++)
		address_clear(&list[i]);
	buf_clear(&out);
}

TEST(names_of_attachments_are_quoted_or_in_sections)
{
	expect_contains(attachment_fields("text/plain", "a b.txt"),
			";\r\n filename=\"a b.txt\"\r\n");
	expect_contains(attachment_fields("text/plain", "a\"b.txt"),
			"filename*=UTF-8''a%22b.txt\r\n");
	expect_contains(attachment_fields("text/plain", "\xd0\xb6.txt"),
			"filename*=UTF-8''%D0%B6.txt\r\n");
	const char *longer = attachment_fields(
		"text/plain",
		"\xd0\xb6\xd0\xb6\xd0\xb6\xd0\xb6\xd0\xb6\xd0\xb6\xd0\xb6\xd0\xb6\xd0\xb6\xd0\xb6");

	expect_contains(longer, ";\r\n filename*0*=UTF-8''%D0%B6%D0%B6%D0%B6%D0%B6%D0%B6%D0%B6"
				"%D0%B6%D0%B6%D0%B6;\r\n filename*1*=%D0%B6\r\n");
	expect_sound(longer + strlen("Content-Type: text/plain\r\nContent-Transfer-Encoding: "
				     "base64\r\n"));
	buf_clear(&out);
}

TEST(hostile_names_and_types_stay_in_their_fields)
{
	const char *fields = attachment_fields("text/plain\r\nX: y", "a\r\nX-Evil: 1\r\n\r\nbody");

	expect_null(strstr(fields, "\r\nX"));
	expect_null(strstr(fields, "\r\n\r\n"));
	expect_null(strstr(attachment_fields("a/b", "x\"; evil=\"y"), "evil=\""));
	buf_clear(&out);
}

TEST(a_date_has_the_numeric_offset_of_the_zone)
{
	buf_init(&out, HEADER_BUF_MAX);
	setenv("TZ", "XYZ-5:30", 1);
	tzset();
	header_add_date(&out, "Date", 1795379400000);
	expect_text(buf_bytes(&out), "Date: Mon, 23 Nov 2026 02:00:00 +0530\r\n");
	buf_clear(&out);
	setenv("TZ", "XYZ3", 1);
	tzset();
	header_add_date(&out, "Date", 1795379400000);
	expect_text(buf_bytes(&out), "Date: Sun, 22 Nov 2026 17:30:00 -0300\r\n");
	buf_clear(&out);
	header_add_date(&out, "Date", INT64_MAX);
	expect_sound(buf_bytes(&out));
	buf_clear(&out);
}

RUN_TESTS()
