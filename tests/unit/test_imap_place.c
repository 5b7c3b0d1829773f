/* tests/unit/test_imap_place.c - how far a folder was read, over its whole life. */
#include "mailbox/imap_place.h"

#include "config/mailbox_config.h"
#include "tests/unit/expect.h"

static void expect_cursor(const struct imap_place *p, const char *want)
{
	char cursor[IMAP_CURSOR_SIZE];

	expect_text(imap_place_print(cursor, p), want);
}

TEST(the_first_time)
{
	struct imap_place p;

	imap_place_parse(&p, NULL, 0);
	expect_false(p.known);
	imap_place_select(&p, 7, 100, 5000);
	expect_true(p.moved);
	expect_cursor(&p, "7 99 5000");
	expect_int(imap_place_floor(&p), 99);
}

TEST(a_mail_is_out_and_done)
{
	struct imap_place p;

	imap_place_parse(&p, "7 99 5000", 0);
	imap_place_select(&p, 7, 103, 9000);
	expect_false(p.moved);
	imap_place_hand(&p, 101, 4000);
	expect_int(imap_place_floor(&p), 101);
	expect_cursor(&p, "7 99 5000");
	imap_place_pass(&p, 102);
	expect_int(imap_place_floor(&p), 102);
	expect_cursor(&p, "7 99 5000");
	imap_place_next(&p);
	expect_cursor(&p, "7 102 5000");
	imap_place_hand(&p, 103, 6000);
	imap_place_next(&p);
	expect_cursor(&p, "7 103 6000");
	imap_place_next(&p);
	expect_cursor(&p, "7 103 6000");
}

TEST(a_new_uidvalidity)
{
	struct imap_place p;

	imap_place_parse(&p, "7 99 5000", 0);
	imap_place_select(&p, 8, 11, 9000);
	expect_cursor(&p, "8 0 5000 10 5000");
	expect_int(imap_place_judge(&p, 3, 4999), IMAP_MAIL_OLD);
	expect_int(imap_place_judge(&p, 3, 5000), IMAP_MAIL_STALE);
	expect_int(imap_place_judge(&p, 3, 0), IMAP_MAIL_STALE);
	expect_int(imap_place_judge(&p, 3, 5001), IMAP_MAIL_NEW);
	expect_int(imap_place_judge(&p, 11, 1), IMAP_MAIL_NEW);
	imap_place_hand(&p, 4, 6000);
	imap_place_next(&p);
	expect_cursor(&p, "8 4 6000 10 5000");
	imap_place_parse(&p, "8 4 6000 10 5000", 0); /* started anew in the middle of it */
	expect_int(imap_place_judge(&p, 5, 5500), IMAP_MAIL_NEW);
	expect_int(imap_place_judge(&p, 5, 4000), IMAP_MAIL_OLD);
	imap_place_select(&p, 9, 21, 9000);
	expect_cursor(&p, "9 0 6000 20 5000");
	imap_place_pass(&p, 20);
	expect_cursor(&p, "9 20 6000");
}

TEST(it_changes_while_a_mail_is_out)
{
	struct imap_place p;

	imap_place_parse(&p, "7 99 5000", 0);
	imap_place_hand(&p, 100, 6000);
	imap_place_select(&p, 8, 11, 9000);
	expect_int(imap_place_floor(&p), 0);
	expect_int(imap_place_judge(&p, 5, 6000), IMAP_MAIL_STALE);
	imap_place_next(&p);
	expect_cursor(&p, "8 0 6000 10 6000");
}

TEST(uids_begin_anew)
{
	struct imap_place p;

	imap_place_parse(&p, "7 99 5000", 0);
	imap_place_select(&p, 7, 0, 9000);
	imap_place_select(&p, 7, 100, 9000);
	expect_cursor(&p, "7 99 5000");
	imap_place_hand(&p, 100, 6000);
	imap_place_select(&p, 7, 100, 9000);
	expect_true(p.moved);
	expect_int(imap_place_floor(&p), 0);
	expect_int(imap_place_judge(&p, 5, 6000), IMAP_MAIL_STALE);
	expect_int(imap_place_judge(&p, 5, 5999), IMAP_MAIL_OLD);
	imap_place_next(&p);
	expect_cursor(&p, "7 0 6000 99 6000");
}

static uint64_t home(const char *host, uint16_t port, const char *user, const char *folder)
{
	return imap_home(&(struct imap_config){.host = (char *)host,
					       .port = port,
					       .user = (char *)user,
					       .folder = (char *)folder});
}

TEST(a_home_is_server_user_and_folder)
{
	uint64_t one = home("mail.example", 993, "me", "INBOX");

	expect_true(one == home("Mail.Example", 993, "me", "INBOX"));
	expect_true(one != home("mail2.example", 993, "me", "INBOX"));
	expect_true(one != home("mail.example", 994, "me", "INBOX"));
	expect_true(one != home("mail.example", 993, "meI", "NBOX"));
	expect_true(one != home("mail.example", 993, "me", "Commands"));
}

TEST(a_cursor_of_another_home_is_never_seen)
{
	struct imap_place p;

	imap_place_parse(&p, "7 99 5000 @ab12", 0xab12);
	expect_true(p.known && !p.moved);
	expect_cursor(&p, "7 99 5000 @ab12");
	imap_place_parse(&p, "7 4 6000 10 5000 @ab12", 0xab12);
	expect_cursor(&p, "7 4 6000 10 5000 @ab12");
	imap_place_parse(&p, "7 99 5000 @ab13", 0xab12);
	expect_false(p.known);
	imap_place_select(&p, 7, 50, 9000);
	expect_cursor(&p, "7 49 9000 @ab12");
	/* one of an old version has none, and is soon written anew */
	imap_place_parse(&p, "7 99 5000", 0xab12);
	expect_true(p.known && p.moved);
	expect_cursor(&p, "7 99 5000 @ab12");
}

TEST(the_longest_cursor_has_room)
{
	static const char longest[] = "4294967295 4294967294 -9223372036854775808 4294967295 "
				      "-9223372036854775808 @ffffffffffffffff";
	struct imap_place p;

	imap_place_parse(&p, longest, UINT64_MAX);
	expect_cursor(&p, longest);
}

TEST(nonsense_is_never_seen)
{
	static const char *const cursors[] = {"", "x", "1", "1 2", "1 2 3 4", "maildir"};
	struct imap_place p;

	for (size_t i = 0; i < sizeof(cursors) / sizeof(*cursors); i++) {
		imap_place_parse(&p, cursors[i], 0);
		expect_false(p.known);
	}
}

RUN_TESTS()
