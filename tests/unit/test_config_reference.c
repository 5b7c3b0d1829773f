/* tests/unit/test_config_reference.c - conf/nuncio.conf: good as it stands, good
 * with all its examples, and complete; and the manual's table of settings. */
#include <ctype.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auto.h"
#include "config/config.h"
#include "config/schema.h"
#include "config_house.h"
#include "expect.h"

static bool begins_example(const char *line)
{
	return line[0] == '#' && islower((unsigned char)line[1]) && strstr(line, " = ");
}

/* An example goes from a line "#name = " to the next empty one. */
static char *with_examples(const char *text)
{
	char *out = calloc(1, strlen(text) + 1), *at = out;
	bool inside = false;

	while (*text) {
		size_t len = strcspn(text, "\n") + 1;
		char line[256];

		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		inside = line[0] == '#' && (inside || begins_example(line));
		at = stpcpy(at, line + inside);
		text += len;
	}
	return out;
}

TEST(the_shipped_file_is_good_and_delivers_into_the_outbox)
{
	house_open();
	house_copy(TEST_CASES "/../../conf");
	expect_int(chmod("nuncio.conf", 0644), 0);
	const struct config *config = house_load("nuncio.conf");

	expect_text(house_said(), "");
	expect_int(config->ntransports, 1);
	expect_text(config->transports[0].name, "outbox");
	expect_int(config->ncontacts, 0);
	config_unref(config);
	house_close();
}

TEST(its_examples_are_good_too)
{
	house_open();
	house_copy(TEST_CASES "/../../conf");
	AUTO(free) char *text = house_read("nuncio.conf");
	AUTO(free) char *whole = with_examples(text);
	const struct config *config = house_load_text(whole);

	if (!config)
		expect_stop(__FILE__, __LINE__, "%s", house_said());
	expect_int(config->ntransports, 7);
	expect_int(config->ncontacts, 3);
	expect_int(config->naccess, 3);
	expect_int(config->nmailboxes, 4); /* one of them takes texts in */
	expect_int(config->nrules, 3);
	expect_text(config->log_file, "/var/log/nuncio.log");
	expect_text(config_mailbox(config, "box")->imap.host, "imap.gmail.com");
	expect_text(config_mailbox(config, "box")->authserv, "mx.google.com");
	expect_text(config_mailbox(config, "box")->received_by[1], "2002:a05:*");
	expect_text(config_transport(config, "spare")->smtp.host, "smtp.gmail.com");
	config_unref(config);
	house_close();
}

static const char people_and_places[] =
	"contacts = ( { name = \"me\"; mail = [\"me@example.com\"]; sms = \"+15559998888\";\n"
	"    totp = { credential = \"totp\"; }; } );\n"
	"mailboxes = ( { name = \"inbox\"; type = \"imap\"; provider = \"gmail\";\n"
	"    user = \"box@gmail.com\"; password = { credential = \"imap\"; }; } );\n"
	"providers = \"providers.conf\";\n"
	"@include \"rules.conf\"\n";

TEST(the_rules_to_start_from_are_good)
{
	house_open();
	house_copy(TEST_CASES "/../../conf");
	const struct config *config = house_load_text(people_and_places);

	if (!config)
		expect_stop(__FILE__, __LINE__, "%s", house_said());
	expect_text(house_said(), "");
	expect_int(config->nrules, 6);
	for (size_t i = 0; i < config->nrules; i++) {
		const struct rule_config *rule = &config->rules[i];

		expect_int(rule->when.proof,
			   rule->actions[0].kind == ACTION_RUN ? PROOF_TOTP : PROOF_UNSAID);
	}
	expect_text(config_rule(config, "save")->actions[0].run[4], "{attachments}");
	config_unref(config);
	house_close();
}

static void expect_mentioned(const char *text, const struct table *table)
{
	char name[64];

	for (size_t i = 0; i < table->nsettings; i++) {
		const struct setting *row = &table->settings[i];

		snprintf(name, sizeof(name), "%s = ", row->name);
		expect_contains(text, name);
		if (row->table)
			expect_mentioned(text, row->table);
	}
}

TEST(it_mentions_every_setting)
{
	house_open();
	house_copy(TEST_CASES "/../../conf");
	AUTO(free) char *text = house_read("nuncio.conf");

	expect_mentioned(text, &schema_config);
	house_close();
}

/* The defaults it spells out are the defaults. */
TEST(it_spells_the_defaults_right)
{
	house_open();
	house_copy(TEST_CASES "/../../conf");
	AUTO(free) char *text = house_read("nuncio.conf");

	for (size_t i = 0; i < schema_config.nsettings; i++) {
		const struct setting *row = &schema_config.settings[i];
		char line[64];

		if (!row->initial)
			continue;
		snprintf(line, sizeof(line), "\n#%s = \"%s\";\n", row->name, row->initial);
		expect_contains(text, line);
	}
	house_close();
}

TEST(the_manual_gets_a_row_for_every_setting)
{
	house_open();
	int out = dup(STDOUT_FILENO);

	fflush(stdout);
	expect_some(freopen("reference", "w", stdout));
	config_print_reference();
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	AUTO(free) char *text = house_read("reference");

	expect_contains(text, "## TRANSPORTS\n\n[[ *setting*\n");
	expect_contains(text, "|  *connect\\_timeout*\n:  a duration from 1 s to 10m");
	expect_contains(text, "|  *limits.peers\\_per\\_uid*\n");
	expect_contains(text, "\n:  30s\n:  (smtp) Longest wait for a connection.\n");
	expect_contains(text, "|  *then.report.by*\n");
	expect_contains(text, "|  *when.headers.matches*\n");
	expect_contains(text, "|  *do.run*\n");
	expect_contains(text, "|  *do.send.text*\n");
	expect_null(strstr(text, "|  *transports.name*\n"));
	house_close();
}

RUN_TESTS()
