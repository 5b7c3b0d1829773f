/* tests/unit/test_config_rules.c - what the file says of mailboxes, rules and the runner,
 * and whether it is still the one that was read. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "config/config.h"
#include "config_house.h"
#include "expect.h"

TEST(a_configuration_is_stale_when_one_of_its_files_changed)
{
	house_open();
	house_write("part.inc", "retention = \"1d\";\n", 0644);
	const struct config *config = house_load_text("@include \"part.inc\"\n");

	expect_true(!config_is_stale(config));
	house_write("other", "retention = \"2d\";\n", 0644);
	expect_true(!config_is_stale(config));
	expect_int(rename("other", "part.inc"), 0);
	expect_true(config_is_stale(config));
	config_unref(config);
	config = house_load_text("@include \"part.inc\"\n");
	expect_true(!config_is_stale(config));
	expect_int(unlink("part.inc"), 0);
	expect_true(config_is_stale(config));
	config_unref(config);
	house_close();
}

static const char a_mailbox[] =
	"providers = \"presets\"; mailboxes = ( { name = \"a\"; type = \"imap\"; user = \"u\";\n"
	"password = { credential = \"c\"; }; provider = \"p\"; %s } );";

static const struct config *load_mailbox(const char *more)
{
	AUTO(free) char *text = xprintf(a_mailbox, more);

	return house_load_text(text);
}

TEST(a_mailbox_takes_its_provider_s_word_and_relays)
{
	house_open();
	house_write(
		"presets",
		"providers = ( { names = [\"p\"]; imap = { host = \"i.example.com\"; port = 993; };\n"
		"smtp = ( { host = \"s.example.com\"; port = 465; tls = \"implicit\"; } );\n"
		"authserv = \"mx.example.com\"; received_by = [\"a\", \"b*\"]; } );",
		0644);
	const struct config *taken = load_mailbox(""), *own = load_mailbox("authserv = \"x\";");
	const struct mailbox_config *a = &taken->mailboxes[0], *b = &own->mailboxes[0];

	expect_text(a->imap.host, "i.example.com");
	expect_text(a->authserv, "mx.example.com");
	expect_text(a->received_by[1], "b*");
	expect_text(b->authserv, "x");
	expect_null(b->received_by);
	expect_true(strcmp(a->fingerprint, b->fingerprint) != 0);
	config_unref(taken);
	config_unref(own);
	house_close();
}

TEST(the_runner_s_state_stands_beside_nunciod_s)
{
	house_open();
	const struct config *config = house_load_text("state = \"/var/lib/x//\";");

	expect_text(config->runner.state, "/var/lib/x-runner");
	config_unref(config);
	house_close();
}

static const char a_rule[] =
	"contacts = ( { name = \"me\"; mail = [\"me@example.com\"]; secret = \"s\"; } );\n"
	"mailboxes = ( { name = \"in\"; type = \"maildir\"; path = \"/x\"; authserv = \"none\"; } );\n"
	"rules = ( { name = \"r\"; on = { mail = \"in\"; }; do = %s;\n"
	"when = { from = \"me\"; proof = \"secret\"; command = \"%s\"; }; } );";

TEST(a_mail_that_the_rule_moves_is_not_deleted_too)
{
	static const struct {
		const char *deeds;
		enum disposition is;
	} cases[] = {
		{"{ run = [\"/bin/true\"]; }", DISPOSE_DELETE},
		{"( { run = [\"/bin/true\"]; }, { move = \".Old\"; } )", DISPOSE_KEEP},
		{"{ flag = \"seen\"; }", DISPOSE_KEEP},
	};

	house_open();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		AUTO(free) char *text = xprintf(a_rule, cases[i].deeds, "^x$");
		const struct config *config = house_load_text(text);

		expect_some(config);
		expect_int(config->rules[0].dispose, cases[i].is);
		config_unref(config);
	}
	house_close();
}

TEST(a_command_that_is_found_anywhere_is_warned_of)
{
	static const struct {
		const char *pattern;
		bool warned;
	} cases[] = {
		{"^go$", false},      {"(?i)^go$", false},    {"^(a|b)$", false}, {"^[|]$", false},
		{"^a\\\\|b$", false}, {"^a\\\\\\\\$", false}, {"go", true},       {"^go", true},
		{"go$", true},        {"^go\\\\$", true},     {"^a$|^b$", true},  {"(?i)go$", true},
	};

	house_open();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		AUTO(free)
		char *text = xprintf(a_rule, "{ run = [\"/bin/true\"]; }", cases[i].pattern);
		const struct config *config = house_load_text(text);

		expect_some(config);
		if ((strstr(house_said(), "is found anywhere") != NULL) != cases[i].warned)
			expect_stop(__FILE__, __LINE__, "%s: %s", cases[i].pattern, house_said());
		config_unref(config);
	}
	house_close();
}

TEST(a_secret_that_would_be_forwarded_is_warned_of)
{
	static const struct {
		const char *deed;
		bool warned;
	} cases[] = {
		{"{ forward = { to = [\"me\"]; }; }", true},
		{"{ forward = { to = [\"me\"]; by = \"mail\"; }; }", true},
		{"{ forward = { to = [\"+15559998888\"]; by = \"sms\"; }; }", false},
		{"{ run = [\"/bin/true\"]; }", false},
	};

	house_open();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		AUTO(free) char *text = xprintf(a_rule, cases[i].deed, "^x$");
		const struct config *config = house_load_text(text);

		expect_some(config);
		if ((strstr(house_said(), "the secret in it") != NULL) != cases[i].warned)
			expect_stop(__FILE__, __LINE__, "%s: %s", cases[i].deed, house_said());
		config_unref(config);
	}
	house_close();
}

RUN_TESTS()
