/* The command line and its proof: where they are found, where not, and that the proof
 * stands in nothing that is shown. */
#include "alloc.h"
#include "expect.h"
#include "message/parse.h"
#include "rules/match.h"

static struct command_line in_mail(const char *subject, const char *text)
{
	struct parsed mail = {.subject = (char *)(uintptr_t)subject,
			      .text = (char *)(uintptr_t)text,
			      .text_len = text ? strlen(text) : 0};
	struct incoming in = {.mail = &mail};
	struct command_line c;

	command_line_find(&in, &c);
	return c;
}

static struct command_line in_text(const char *body)
{
	struct incoming in = {.is_text = true, .body = body};
	struct command_line c;

	command_line_find(&in, &c);
	return c;
}

static void found(struct command_line c, const char *text, const char *proof)
{
	expect_text(c.text, text);
	expect_text(c.proof, proof);
	command_line_clear(&c);
	expect_null(c.proof);
}

TEST(a_mails_command_is_its_subject_or_its_first_line)
{
	found(in_mail(" status ", "x"), "status", NULL);
	found(in_mail("Re: status", ""), "Re: status", NULL);
	found(in_mail("", "\n  status now \r\nmore"), "status now", NULL);
	found(in_mail(NULL, "key: 123456\nstatus\n"), "status", "123456");
	found(in_mail(NULL, "> status\n"), "", NULL);
	found(in_mail(NULL, NULL), "", NULL);
	found(in_mail("a\r\n b\x01 \t c\xff", ""), "a b? c?", NULL);
	found(in_mail("a\xc2\x90\xc2\xa0"
		      "b",
		      ""),
	      "a??\xc2\xa0"
	      "b",
	      NULL);
	found(in_mail("d\xc3\xbc\xc3\xbc", ""), "d\xc3\xbc\xc3\xbc", NULL);
}

TEST(a_mails_proof_is_its_one_unquoted_key_line)
{
	found(in_mail("s", "hello\r\nKEY:  open sesame \r\n"), "s", "open sesame");
	found(in_mail("s", "key: 1\n> key: 2\n >key: 3\n"), "s", "1");
	found(in_mail("s", "> key: 2\n"), "s", NULL);
	found(in_mail("s", "my key: 2\nkey 3\n"), "s", NULL);
	found(in_mail("s", "key:\n"), "s", NULL);
	/* an answer to our question that quotes it without a mark */
	found(in_mail("s",
		      "No!\n-- Original --\nA command came under your name:\n\n  x\n\nkey: 1\n"),
	      "s", NULL);
	found(in_mail("s", "key: 1\n\nA command came under your name:\n\n  x\n\nkey: 1\n"), "s",
	      "1");
	/* as programs leave them that write html, or mark their UTF-8 */
	found(in_mail("s", "\xef\xbb\xbfkey:\xc2\xa0open sesame\xc2\xa0\n"), "s", "open sesame");
	found(in_mail("\xc2\xa0", "\xef\xbb\xbfstatus\xe2\x80\x8b\nkey: 1"), "status", "1");
	struct command_line c = in_mail("s", "key: 1\nkey: 1\n");
	expect_true(c.ambiguous);
	found(c, "s", NULL);
}

TEST(a_text_messages_proof_is_its_last_word)
{
	found(in_text("status #123456"), "status", "123456");
	found(in_text(" status\n#123456 \n"), "status", "123456");
	found(in_text("#123456"), "", "123456");
	found(in_text("status #123456 now"), "status #123456 now", NULL);
	found(in_text("status#123456"), "status#123456", NULL);
	found(in_text("status #"), "status #", NULL);
	found(in_text("key: 1\nx"), "key: 1 x", NULL);
	found(in_text(""), "", NULL);
}

static char *redacted(const char *proof, const char *text)
{
	struct command_line c = {.proof = (char *)(uintptr_t)proof};
	static char copy[300];

	snprintf(copy, sizeof(copy), "%s", text);
	command_line_redact(&c, copy);
	return copy;
}

TEST(the_proof_is_taken_out_wherever_it_stands)
{
	expect_text(redacted("sesame", "key: sesame\nopen sesame, sesame!"),
		    "key: ***\nopen ***, ***!");
	expect_text(redacted("sesame", "> > key: sesame\n> x"), "> > key: ***\n> x");
	expect_text(redacted("sesame", "a ses=\r\name b"), "a *** b");
	expect_text(redacted("sesame", "> a ses\n> ame b"), "> a *** b");
	expect_text(redacted("open sesame", "key: open\n> sesame b"), "key: *** b");
	expect_text(redacted("sesame", "ses ame sesam"), "ses ame sesam");
	expect_text(redacted("12", "a12b"), "a**b");
	expect_text(redacted("***", "*****"), "*****");
	expect_text(redacted(NULL, "x\nkey: one\nkey: two"), "x\nkey: ***\nkey: ***");
	expect_text(redacted(NULL, "key:\nkey: "), "key:\nkey: ");
	expect_text(redacted(NULL, "\xc2\xa0> key: one\n\xef\xbb\xbfkey: two\nx"),
		    "\xc2\xa0> key: ***\n\xef\xbb\xbfkey: ***\nx");
	expect_text(redacted("s", ""), "");
}

TEST(a_line_of_a_megabyte_is_a_line)
{
	size_t len = 1 << 20;
	char *text = xmalloc(len + 1);

	memset(text, '\xff', len);
	text[len] = '\0';
	struct command_line c = in_mail(NULL, text);
	expect_int(strlen(c.text), len);
	command_line_clear(&c);
	memcpy(text, "key: ", 5);
	found(in_mail("s", text), "s", NULL); /* too long to be a proof */
	memset(text, '>', len);
	c = (struct command_line){.proof = (char *)(uintptr_t) "sesame"};
	command_line_redact(&c, text);
	expect_int(strlen(text), len);
	free(text);
}

RUN_TESTS()
