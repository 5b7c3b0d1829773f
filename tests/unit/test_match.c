/* The conditions of `when`, over mails as they are parsed: what holds, what does not, what
 * costs too much, and what is captured. */
#include "rules/match.h"

#include "address.h"
#include "alloc.h"
#include "config/config.h"
#include "expect.h"
#include "failure.h"
#include "message/parse.h"
#include "rules/authres.h"

/* Two contacts, and a group of them. */
static struct config config;
static struct contact_config contacts[3];
static struct address mails[2];

static char *own(const char *text)
{
	return (char *)(uintptr_t)text;
}

static void contacts_begin(void)
{
	static char *members[] = {NULL, NULL, NULL};
	static const char *const texts[] = {"ana@example.com", "bo@example.org"};
	struct failure f = {0};

	if (config.ncontacts)
		return;
	for (size_t i = 0; i < 2; i++)
		expect_ok(address_parse(texts[i], strlen(texts[i]), &mails[i], &f), &f);
	contacts[0] = (struct contact_config){.name = own("ana"), .mail = &mails[0], .nmail = 1};
	contacts[1] = (struct contact_config){.name = own("bo"), .mail = &mails[1], .nmail = 1};
	contacts[1].sms = own("+15550100");
	members[0] = own("ana");
	members[1] = own("bo");
	contacts[2] = (struct contact_config){.name = own("family"), .members = members};
	config.contacts = contacts;
	config.ncontacts = 3;
}

static struct pattern *pattern(const char *text)
{
	struct pattern *p = NULL;
	struct failure f = {0};

	expect_ok(pattern_new(text, &p, &f), &f);
	return p;
}

/* A mail, judged; the captures are kept until the next one. */
static struct match last;

static enum match_verdict judge_bytes(const struct when_config *when, const char *bytes, size_t len)
{
	struct rule_config rule = {.when = *when};
	AUTO(parsed_free) struct parsed *mail = parse_mail(bytes, len);
	struct incoming in = {.mail = mail, .size = len};
	struct command_line command;

	contacts_begin();
	match_clear(&last);
	command_line_find(&in, &command);
	match_rule(&config, &rule, &in, &command, true, &last);
	command_line_clear(&command);
	pattern_free(when->subject_pattern);
	pattern_free(when->body_pattern);
	pattern_free(when->command_pattern);
	for (size_t i = 0; i < when->nheaders; i++)
		pattern_free(when->headers[i].pattern);
	enum match_verdict worst = MATCH_YES;

	for (size_t i = 0; i < last.nsteps; i++)
		worst = last.steps[i].verdict > worst ? last.steps[i].verdict : worst;
	expect_int(last.matches, worst == MATCH_YES);
	return worst;
}

static enum match_verdict judge(const struct when_config *when, const char *mail)
{
	return judge_bytes(when, mail, strlen(mail));
}

static enum match_verdict judge_from(const char *name, const char *from)
{
	AUTO(free) char *mail = xprintf("From: %s\n\nx", from);

	return judge(&(struct when_config){.from = (char *[]){own(name), NULL}}, mail);
}

TEST(from_is_a_contact_a_group_or_a_pattern)
{
	expect_int(judge_from("ana", "Ana <ana@example.com>"), MATCH_YES);
	expect_int(judge_from("ana", "ANA@EXAMPLE.com"), MATCH_YES);
	expect_int(judge_from("ana", "bo@example.org"), MATCH_NO);
	expect_int(judge_from("family", "bo@example.org"), MATCH_YES);
	expect_int(judge_from("family", "eve@example.org"), MATCH_NO);
	expect_int(judge_from("*@example.net", "eve@example.net"), MATCH_YES);
	expect_int(judge_from("*@example.net", "eve@example.net.evil.org"), MATCH_NO);
	expect_int(judge_from("*", "ana@example.com, bo@example.org"), MATCH_NO);
	expect_int(judge_from("ana", "\"ana@example.com\" <eve@example.net>"), MATCH_NO);
}

TEST(groups_that_hold_themselves_end)
{
	contacts_begin();
	char *circle[] = {own("family"), own("bo"), NULL};
	char **members = contacts[2].members;

	contacts[2].members = circle;
	expect_int(judge_from("family", "bo@example.org"), MATCH_YES);
	expect_int(judge_from("family", "eve@example.org"), MATCH_NO);
	contacts[2].members = members;
}

TEST(to_and_cc)
{
	char *to[] = {own("box@*"), NULL};
	struct when_config when = {.to = to};

	expect_int(judge(&when, "To: a@x, box@x\n\n"), MATCH_YES);
	expect_int(judge(&when, "To: a@x\nCc: us: box@x;\n\n"), MATCH_YES);
	expect_int(judge(&when, "To: a@x\nX-To: box@x\n\n"), MATCH_NO);
	expect_int(judge(&when, "\n"), MATCH_NO);
}

static enum match_verdict judge_header(const char *text, const char *mail)
{
	struct header_condition header = {.name = own("X-Word"), .pattern = pattern(text)};

	return judge(&(struct when_config){.headers = &header, .nheaders = 1}, mail);
}

TEST(headers_one_of_that_name_must_match)
{
	expect_int(judge_header("^b$", "x-word: b\n\n"), MATCH_YES);
	expect_int(judge_header("^b$", "X-Word: a\nX-Word: b\n\n"), MATCH_YES);
	expect_int(judge_header("^b c$", "X-Word: b\n c\n\n"), MATCH_YES);
	expect_int(judge_header("^\xc3\xa9$", "X-Word: =?utf-8?q?=C3=A9?=\n\n"), MATCH_YES);
	expect_int(judge_header("^b$", "X-Words: b\n\nX-Word: b\n"), MATCH_NO);
	expect_int(judge_header("", "From: a@x\n\n"), MATCH_NO);
}

TEST(size_and_attachments)
{
	static const char with[] = "Content-Type: image/png\n\nx";

	expect_int(judge(&(struct when_config){.larger = 3}, "\nabc"), MATCH_YES);
	expect_int(judge(&(struct when_config){.larger = 4}, "\nabc"), MATCH_NO);
	expect_int(judge(&(struct when_config){.smaller = 5}, "\nabc"), MATCH_YES);
	expect_int(judge(&(struct when_config){.smaller = 4}, "\nabc"), MATCH_NO);
	expect_int(judge(&(struct when_config){.has_attachment = WANTED_YES}, with), MATCH_YES);
	expect_int(judge(&(struct when_config){.has_attachment = WANTED_NO}, with), MATCH_NO);
	expect_int(judge(&(struct when_config){.has_attachment = WANTED_NO}, "\nx"), MATCH_YES);
}

TEST(captures_of_all_patterns_and_what_is_filled_in)
{
	const char *missing = NULL;

	expect_int(judge(&(struct when_config){.command_pattern = pattern("^get (?<link>\\S+)"),
					       .body_pattern = pattern("n=(?<n>[0-9]+)")},
			 "Subject: get $(x);{n}\n\nn=12\n"),
		   MATCH_YES);
	AUTO(free) char *filled = match_fill("{{{link}}} {n}", &last.captures, &missing);
	expect_text(filled, "{$(x);{n}} 12");
	expect_null(match_fill("a {none} b", &last.captures, &missing));
	expect_text(missing, "none} b");
	expect_null(match_fill("a {n", &last.captures, &missing));
	AUTO(free) char *plain = match_fill("a } b", &last.captures, &missing);
	expect_text(plain, "a } b");
}

TEST(no_capture_holds_the_proof)
{
	expect_int(judge(&(struct when_config){.body_pattern = pattern("(?s)(?<all>.*)")},
			 "Subject: x\n\nkey: s3cret\ns3cret\n> key: s3cret\n"),
		   MATCH_YES);
	expect_null(strstr(captures_get(&last.captures, "all"), "s3cret"));
	expect_contains(captures_get(&last.captures, "all"), "key: ***");
	for (size_t i = 0; i < last.nsteps; i++)
		expect_null(strstr(last.steps[i].text, "s3cret"));
}

TEST(what_costs_too_much_does_not_match)
{
	AUTO(free)
	char *mail = xprintf("Subject: %.*s!\n\n", 60,
			     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");

	expect_int(judge(&(struct when_config){.subject_pattern = pattern("^(a+)+$")}, mail),
		   MATCH_TOO_COSTLY);
}

TEST(a_nul_in_the_body_and_what_stands_behind_it)
{
	static const char mail[] = "Subject: x\n\na\0b status\n";

	expect_int(judge_bytes(&(struct when_config){.body_pattern = pattern("b (?<w>.*)")}, mail,
			       sizeof(mail) - 1),
		   MATCH_YES);
	expect_text(captures_get(&last.captures, "w"), "status");
}

TEST(a_subject_of_nearly_a_megabyte)
{
	size_t len = 1000 * 1000;
	AUTO(free) char *word = xmalloc(len + 1);

	memset(word, 'x', len);
	word[len] = '\0';
	AUTO(free) char *mail = xprintf("Subject: get %s\n\n", word);
	expect_int(judge(&(struct when_config){.command_pattern = pattern("^get (?<w>x+)$")}, mail),
		   MATCH_YES);
	expect_int(strlen(captures_get(&last.captures, "w")), len);
	expect_true(strlen(last.steps[0].text) < sizeof(last.steps[0].text));
}

/* ---- what is put above a genuine signed mail ---- */

static enum authres_verdict word_of(const char *above)
{
	struct provider provider = {.authserv = "mx.example.net"};
	struct failure why = {0};
	AUTO(free)
	char *mail = xprintf("Authentication-Results: mx.example.net; dkim=pass "
			     "header.d=example.com; dmarc=pass header.from=example.com\n%s"
			     "From: ana@example.com\nSubject: status\n"
			     "Date: Wed, 25 Nov 2026 10:00:00 +0000\n\nx\n",
			     above);
	AUTO(parsed_free) struct parsed *p = parse_mail(mail, strlen(mail));

	return authres_judge(p, &provider, &why);
}

TEST(nothing_is_believed_with_fields_put_above_a_signed_mail)
{
	static const char *const above[] = {
		"Subject: torrent evil\n",
		"Subject : torrent evil\n",
		"Date: Thu, 26 Nov 2026 10:00:00 +0000\n",
		"From: eve@example.com\n",
		"Subject: torrent evil\nFrom: ana@example.com\nbroken\n",
		"X: a\rSubject: torrent evil\n",
		"Content-Type: text/html\nContent-type: text/plain\n",
	};

	expect_int(word_of(""), AUTHRES_VOUCHED);
	expect_int(word_of("X-Other: x\n"), AUTHRES_VOUCHED);
	for (size_t i = 0; i < sizeof(above) / sizeof(*above); i++)
		expect_int(word_of(above[i]), AUTHRES_FAILED);
}

RUN_TESTS()
