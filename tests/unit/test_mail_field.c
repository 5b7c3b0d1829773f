/* Where a field of a header ends, whatever its lines end with, and what it is not. */
#include "mail_field.h"

#include <string.h>

#include "expect.h"

static void expect_field(const char *text, size_t name_len, const char *value, size_t len)
{
	struct mail_field field;

	expect_true(mail_field_read(text, strlen(text), &field));
	expect_int(field.name_len, name_len);
	expect_bytes(field.value, field.value_len, value, strlen(value));
	expect_int(field.len, len);
}

TEST(a_field_ends_where_its_last_line_does)
{
	expect_field("A: b\nC: d\n", 1, " b", 5);
	expect_field("A: b\r\nC: d\r\n", 1, " b", 6);
	expect_field("A: b\rC: d\r", 1, " b", 5);
	expect_field("A:b", 1, "b", 3);
	expect_field("A:\n", 1, "", 3);
	expect_field("A \t: b\n\n", 1, " b", 7);
}

TEST(a_line_that_begins_with_a_blank_goes_on)
{
	expect_field("To: a,\n b,\n\tc\nX: y\n", 2, " a,\n b,\n\tc", 14);
	expect_field("To: a,\r\n b\r\n\r\n", 2, " a,\r\n b", 12);
	expect_field("To: a,\r b\r\r", 2, " a,\r b", 10);
	expect_field("To:\n \n\n", 2, "\n ", 6);
}

TEST(what_is_no_field_is_not_read)
{
	static const char *const lines[] = {
		"",  "\n",    "no colon\n", " A: b\n",  "A b: c\n",
		":", ": b\n", "A",          "A\n: b\n", "\xc3\xa9: b\n"};
	struct mail_field field;

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		expect_false(mail_field_read(lines[i], strlen(lines[i]), &field));
}

TEST(names_are_the_same_in_either_case)
{
	struct mail_field field;

	expect_true(mail_field_read("sUbJect: x", 10, &field));
	expect_true(mail_field_is(&field, "Subject"));
	expect_false(mail_field_is(&field, "Subj"));
	expect_false(mail_field_is(&field, "Subject2"));
}

TEST(a_line_of_a_mailbox_is_no_field)
{
	expect_int(mail_field_mbox_line_len("From a Thu\nA: b\n", 16), 11);
	expect_int(mail_field_mbox_line_len("From a Thu\r\n", 12), 12);
	expect_int(mail_field_mbox_line_len("From  ", 6), 6);
	expect_int(mail_field_mbox_line_len("From : a@x\n", 11), 0);
	expect_int(mail_field_mbox_line_len("From: a@x\n", 10), 0);
	expect_int(mail_field_mbox_line_len("From", 4), 0);
}

RUN_TESTS()
