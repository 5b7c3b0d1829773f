/* Letters: their specs, what is refused, names, types and identifiers. */
#include "message/letter.h"

#include "alloc.h"
#include "expect.h"
#include "failure.h"
#include "media.h"

static struct letter *read_spec(const char *spec, struct failure *f)
{
	struct letter *l = NULL;

	return letter_from_spec(spec, strlen(spec), &l, f) == 0 ? l : NULL;
}

static struct letter *full_letter(void)
{
	struct letter *l = letter_new();

	address_parse("Box <box@example.com>", 21, &l->from, NULL);
	l->to = xcalloc(2, sizeof(*l->to));
	l->nto = 2;
	address_parse("a@example.com", 13, &l->to[0], NULL);
	address_parse("b@b\xc3\xbc"
		      "cher.example",
		      17, &l->to[1], NULL);
	l->subject = xstrdup("\xc3\x9c \"quoted\" \\ \t");
	l->has_text = l->has_html = true;
	l->text_size = 5;
	l->attachments = xcalloc(1, sizeof(*l->attachments));
	l->nattachments = 1;
	l->attachments[0] = (struct attachment){xstrdup("x.png"), xstrdup("image/png"), 77, true};
	l->message_id = xstrdup("1@example.com");
	l->boundary = xstrdup("=_abc");
	l->marker = xstrdup("m");
	l->date_ms = 1234567890123;
	l->in_reply_to = xstrdup("0@example.com");
	l->references = xstrdup("<00@example.com> <0@example.com>");
	l->replied = true;
	media_add(&l->media, "https://example.com/a.png");
	media_add(&l->media, "https://example.com/b.png");
	return l;
}

TEST(a_spec_is_one_line_and_read_back_to_the_same_letter)
{
	AUTO(letter_free) struct letter *l = full_letter();
	AUTO(free) char *spec = letter_to_spec(l);
	struct failure f = {0};
	AUTO(letter_free) struct letter *again = read_spec(spec, &f);

	expect_null(strchr(spec, '\n'));
	expect_some(again);
	AUTO(free) char *spec_again = letter_to_spec(again);

	expect_text(spec_again, spec);
	expect_text(again->to[1].ascii, "b@xn--bcher-kva.example");
	expect_text(again->from.name, "Box");
	expect_int(again->attachments[0].size, 77);
	expect_true(again->attachments[0].is_mail);
	expect_true(again->has_html && again->html_size == 0);
	expect_text(again->references, "<00@example.com> <0@example.com>");
	expect_true(again->replied);
	expect_int(media_count(again->media), 2);
	expect_text(again->media[1], "https://example.com/b.png");
	expect_int(letter_content_size(again), 82);
}

TEST(a_raw_letter_keeps_what_was_seen)
{
	AUTO(letter_free) struct letter *l = full_letter();

	l->kind = LETTER_RAW;
	l->raw_size = 1000;
	l->raw_eight_bit = true;
	AUTO(free) char *spec = letter_to_spec(l);
	AUTO(letter_free) struct letter *again = read_spec(spec, NULL);

	expect_int(again->kind, LETTER_RAW);
	expect_int(letter_content_size(again), 1000);
	expect_true(again->raw_eight_bit && !again->raw_long_lines && !again->raw_header_eight_bit);
}

TEST(damaged_specs_are_refused)
{
	static const char *const specs[] = {
		"",
		"{",
		"[]",
		"null",
		"{}",
		"{\"from\":{}}",
		"{\"from\":{\"mailbox\":\"a\\r\\nb\"}}",
		"{\"from\":{\"mailbox\":\"a@b\"},\"subject\":\"x\\ny\"}",
		"{\"from\":{\"mailbox\":\"a@b\"},\"subject\":7}",
		"{\"from\":{\"mailbox\":\"a@b\"},\"subject\":\"x\\u0000y\"}",
		"{\"from\":{\"mailbox\":\"a@b\"},\"text\":-1}",
		"{\"from\":{\"mailbox\":\"a@b\"},\"text\":\"1\"}",
		"{\"from\":{\"mailbox\":\"a@b\"},\"to\":7}",
		"{\"from\":{\"mailbox\":\"a@b\"},\"to\":[7]}",
		"{\"from\":{\"mailbox\":\"a@b\"},\"boundary\":\"a b\"}",
		"{\"from\":{\"mailbox\":\"a@b\"},\"boundary\":\"a\\\"b\"}",
		"{\"from\":{\"mailbox\":\"a@b\"},\"message_id\":\"a>b\"}",
		"{\"from\":{\"mailbox\":\"a@b\"},\"attachments\":[{}]}",
		"{\"from\":{\"mailbox\":\"a@b\"},\"attachments\":[{\"size\":1,\"type\":\"a;b\"}]}",
	};
	for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
		struct failure f = {0};

		expect_null(read_spec(specs[i], &f));
		expect_int(f.kind, FAILURE_REFUSED);
	}
}

static void expect_checked(struct letter *l, const char *want_field)
{
	struct failure f = {0};
	const char *field = "?";
	int result = letter_check(l, &field, &f);

	expect_int(result, want_field ? -1 : 0);
	expect_text(field, want_field);
	letter_free(l);
}

static struct letter *with_subject(const char *subject)
{
	struct letter *l = full_letter();

	free(l->subject);
	l->subject = xstrdup(subject);
	return l;
}

static struct letter *with_attachment(const char *name, const char *type)
{
	struct letter *l = full_letter();

	free(l->attachments[0].name);
	free(l->attachments[0].type);
	l->attachments[0].name = name ? xstrdup(name) : NULL;
	l->attachments[0].type = type ? xstrdup(type) : NULL;
	return l;
}

TEST(subjects_are_one_line_of_utf8)
{
	char longest[2002];

	memset(longest, 'x', 2001);
	longest[2001] = '\0';
	expect_checked(with_subject(longest), "subject");
	longest[2000] = '\0';
	expect_checked(with_subject(longest), NULL);
	expect_checked(with_subject(""), NULL);
	expect_checked(with_subject("disk\t90 %"), NULL);
	expect_checked(with_subject("a\r\nBcc: b"), "subject");
	expect_checked(with_subject("a\nb"), "subject");
	expect_checked(with_subject("a\xff"), "subject");
	expect_checked(with_subject("a\x7f"), "subject");
}

TEST(attachments_have_base_names_and_types)
{
	expect_checked(with_attachment("a.txt", "text/plain"), NULL);
	expect_checked(with_attachment(NULL, NULL), NULL);
	expect_checked(with_attachment("", NULL), "attachments");
	expect_checked(with_attachment("a/b", NULL), "attachments");
	expect_checked(with_attachment(".bashrc", NULL), "attachments");
	expect_checked(with_attachment("a\nb", NULL), "attachments");
	expect_checked(with_attachment("a", "text"), "attachments");
	expect_checked(with_attachment("a", "text/"), "attachments");
	expect_checked(with_attachment("a", "text/plain; x=y"), "attachments");
	expect_checked(with_attachment("a", "text/plain\r\nX: y"), "attachments");
}

static void expect_name(const char *given, const char *want)
{
	AUTO(free) char *name = attachment_name(given);

	expect_text(name, want);
}

TEST(a_given_path_becomes_a_base_name)
{
	expect_name("report.pdf", "report.pdf");
	expect_name("/var/log/syslog", "syslog");
	expect_name("..\\..\\x.exe", "x.exe");
	expect_name("dir/", "dir");
	expect_name("../..", "attachment");
	expect_name("", "attachment");
	expect_name("...", "attachment");
	expect_name(".profile", "profile");
	expect_name("a\r\nb", "a??b");
	expect_name("\xd0\xb6.txt", "\xd0\xb6.txt");
	expect_name("a\xff.txt", "a?.txt");
}

TEST(a_long_name_keeps_its_ending)
{
	char given[700] = "";

	for (size_t i = 0; i < 300; i++)
		strcat(given, "\xd0\xb6");
	strcat(given, ".tar");
	AUTO(free) char *name = attachment_name(given);

	expect_true(strlen(name) <= 255 && strlen(name) > 250);
	expect_text(name + strlen(name) - 6, "\xd0\xb6.tar");
	struct failure f = {0};
	const char *field;
	AUTO(letter_free) struct letter *l = with_attachment(name, NULL);

	expect_ok(letter_check(l, &field, &f), &f);
}

TEST(types_come_from_endings)
{
	expect_text(attachment_type("a.PDF"), "application/pdf");
	expect_text(attachment_type("a.tar.gz"), "application/gzip");
	expect_text(attachment_type("README"), "application/octet-stream");
	expect_text(attachment_type("a."), "application/octet-stream");
	expect_text(attachment_type("mail.eml"), "application/octet-stream");
}

TEST(identifiers_are_new_each_time)
{
	struct address from = {.ascii = (char *)"box@example.com"};
	AUTO(free) char *a = letter_make_message_id(&from, 1795379400000);
	AUTO(free) char *b = letter_make_message_id(&from, 1795379400000);

	expect_int(strncmp(a, "20261122T203000.", 16), 0);
	expect_text(strchr(a, '@'), "@example.com");
	expect_true(strcmp(a, b) != 0);
	AUTO(free) char *one = letter_make_boundary();
	AUTO(free) char *two = letter_make_boundary();

	expect_int(strncmp(one, "=_", 2), 0);
	expect_true(strcmp(one, two) != 0 && strlen(one) <= 60);
}

RUN_TESTS()
