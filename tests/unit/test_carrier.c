/* Carriers' gateways: which one, whether there still is one, and what a letter looks like as
 * mail to it. conf/carriers.conf is read as it is installed. */
#include <string.h>

#include "auto.h"
#include "clock.h"
#include "config/config.h"
#include "config_house.h"
#include "expect.h"
#include "failure.h"
#include "media.h"
#include "message/letter.h"
#include "transport/carrier_mail.h"

#define DAY_MS (24LL * 60 * 60 * 1000)
#define YEAR_2026_MS (1767225600LL * 1000)

static const char transports[] =
	"carriers = \"carriers.conf\";\n"
	"transports = ( { name = \"mail\"; type = \"smtp\"; url = \"smtp://mail.example.com\"; },\n"
	"  { name = \"cell\"; type = \"carrier\"; via = \"mail\"; %s } );\n"
	"contacts = ( { name = \"me\"; sms = \"+12125550123\"; carrier = \"verizon\"; },\n"
	"  { name = \"bo\"; sms = \"+12125550124\"; carrier = \"Boost\"; },\n"
	"  { name = \"cy\"; sms = \"+12125550125\"; carrier = \"republic\"; } );\n";

static const struct config *load(const char *settings)
{
	char text[1000];

	house_open();
	house_copy(TEST_CASES "/../../conf");
	snprintf(text, sizeof(text), transports, settings);
	const struct config *config = house_load_text(text);

	if (!config)
		expect_stop(__FILE__, __LINE__, "%s", house_said());
	return config;
}

static void unload(const struct config *config)
{
	config_unref(config);
	house_close();
}

TEST(all_twelve_carriers_are_in_the_installed_table)
{
	static const struct {
		const char *name, *sms, *mms;
	} rows[] = {
		{"att", "2125550123@txt.att.net", "2125550123@mms.att.net"},
		{"boost", "2125550123@sms.myboostmobile.com", "2125550123@myboostmobile.com"},
		{"cricket", "2125550123@sms.cricketwireless.net",
		 "2125550123@mms.cricketwireless.net"},
		{"google-fi", "2125550123@msg.fi.google.com", "2125550123@msg.fi.google.com"},
		{"metro", "2125550123@mymetropcs.com", "2125550123@mymetropcs.com"},
		{"republic", "2125550123@text.republicwireless.com", NULL},
		{"sprint", "2125550123@messaging.sprintpcs.com", "2125550123@pm.sprint.com"},
		{"t-mobile", "2125550123@tmomail.net", "2125550123@tmomail.net"},
		{"us-cellular", "2125550123@email.uscc.net", "2125550123@mms.uscc.net"},
		{"verizon", "2125550123@vtext.com", "2125550123@vzwpix.com"},
		{"virgin", "2125550123@vmobl.com", "2125550123@vmpix.com"},
		{"xfinity", "2125550123@vtext.com", "2125550123@mypixmessages.com"},
	};
	const struct config *config = load("");

	expect_int(config->gateways.nrows, 12);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct gateway *g = gateway_find(&config->gateways, rows[i].name);

		expect_some(g);
		AUTO(free) char *sms = gateway_address(g, g->sms, "+12125550123");
		AUTO(free) char *mms = g->mms ? gateway_address(g, g->mms, "+12125550123") : NULL;

		expect_text(sms, rows[i].sms);
		if (rows[i].mms)
			expect_text(mms, rows[i].mms);
		else
			expect_null(mms);
		expect_int(g->characters, 160);
	}
	unload(config);
}

TEST(a_gateways_end_is_told)
{
	const struct config *config = load("");
	const struct gateway *verizon = gateway_find(&config->gateways, "verizon");
	const struct gateway *att = gateway_find(&config->gateways, "att");
	AUTO(free) char *before = gateway_warning(verizon, YEAR_2026_MS);
	AUTO(free) char *after = gateway_warning(verizon, YEAR_2026_MS + 455 * DAY_MS);
	AUTO(free) char *ended = gateway_warning(att, YEAR_2026_MS);
	AUTO(free)
	char *month = gateway_warning(gateway_find(&config->gateways, "tmobile"), YEAR_2026_MS);
	AUTO(free)
	char *note = gateway_warning(gateway_find(&config->gateways, "virgin"), YEAR_2026_MS);

	expect_contains(before, "Verizon's mail gateway ends 2027-03-31");
	expect_contains(after,
			"Verizon's mail gateway has ended: 2027-03-31, what goes there is lost");
	expect_contains(ended, "AT&T's mail gateway has ended: 2025-06-17");
	expect_contains(month, "T-Mobile's mail gateway has ended: 2024-12");
	expect_contains(note, "may not work: its customers were moved");
	expect_null(gateway_warning(gateway_find(&config->gateways, "boost"), YEAR_2026_MS));
	unload(config);
}

TEST(loading_warns_of_gateways_that_end)
{
	const struct config *config = load("carrier = \"att\";");

	expect_contains(house_said(), "warning: ");
	expect_contains(house_said(), "contacts.me.carrier: Verizon's mail gateway ");
	expect_contains(house_said(), "transports.cell.carrier: AT&T's mail gateway has ended");
	expect_true(!strstr(house_said(), "Boost"));
	unload(config);
}

TEST(a_number_goes_by_its_contacts_carrier_or_by_the_transports)
{
	const struct config *config = load("carrier = \"us-cellular\";");
	const struct transport_config *cell = config_transport(config, "cell");

	expect_text(gateway_of(cell, "+12125550123")->title, "Verizon");
	expect_text(gateway_of(cell, "+12125550124")->title, "Boost Mobile");
	expect_text(gateway_of(cell, "+12125550199")->title, "U.S. Cellular");
	unload(config);
	config = load("");
	expect_null(gateway_of(config_transport(config, "cell"), "+12125550199"));
	expect_null(gateway_address(gateway_find(&config->gateways, "boost"),
				    "{national}@x.example", "+447700900123"));
	unload(config);
}

TEST(what_carriers_and_contacts_say_changes_the_transport)
{
	const struct config *one = load("");
	AUTO(free) char *print = strdup(config_transport(one, "cell")->fingerprint);
	AUTO(free) char *mail = strdup(config_transport(one, "mail")->fingerprint);

	unload(one);
	const struct config *same = load("");

	expect_text(config_transport(same, "cell")->fingerprint, print);
	unload(same);
	house_open();
	house_copy(TEST_CASES "/../../conf");
	char text[1000];

	snprintf(text, sizeof(text), transports, "");
	memcpy(strstr(text, "Boost"), "metro", 5);
	const struct config *other = house_load_text(text);

	expect_some(other);
	expect_true(strcmp(config_transport(other, "cell")->fingerprint, print) != 0);
	expect_text(config_transport(other, "mail")->fingerprint, mail);
	unload(other);
}

/* ---- mail ---- */

static struct letter *letter_of(const char *subject, const char *text, size_t attached)
{
	struct letter *l = letter_new();

	expect_int(address_parse("box@example.com", 15, &l->from, NULL), 0);
	l->subject = subject ? strdup(subject) : NULL;
	l->has_text = text != NULL;
	l->text_size = text ? strlen(text) : 0;
	l->marker = strdup("0123.abc");
	l->message_id = strdup("20261122T203000.a@example.com");
	if (attached) {
		l->attachments = calloc(1, sizeof(*l->attachments));
		l->attachments[0] = (struct attachment){.name = strdup("a.png"), .size = attached};
		l->nattachments = 1;
	}
	return l;
}

static int make_of(const char *settings, const char *who, const struct letter *l, const char *text,
		   size_t attached, struct carrier_mail *ret, struct failure *f)
{
	const struct config *config = load(settings);
	size_t words = text ? strlen(text) : 0;
	AUTO(free) char *content = calloc(1, words + attached + 1);

	memcpy(content, text ? text : "", words);
	memset(content + words, 'A', attached);
	const struct transport_config *cell = config_transport(config, "cell");
	const char *number = config_contact(config, who)->sms;
	int result = carrier_mail_make(&cell->carrier, gateway_of(cell, number), number, l, content,
				       words + attached, ret, f);

	unload(config);
	return result;
}

static int make(const char *settings, const char *who, const char *subject, const char *text,
		size_t attached, struct carrier_mail *ret, struct failure *f)
{
	AUTO(letter_free) struct letter *l = letter_of(subject, text, attached);

	return make_of(settings, who, l, text, attached, ret, f);
}

static int make_media(const char *settings, const char *who, const char *text,
		      struct carrier_mail *ret, struct failure *f)
{
	AUTO(letter_free) struct letter *l = letter_of(NULL, text, 0);

	media_add(&l->media, "https://example.com/a.png");
	return make_of(settings, who, l, text, 0, ret, f);
}

TEST(a_text_is_plain_words_to_the_gateway)
{
	struct carrier_mail mail;
	struct failure f = {0};

	expect_ok(make("", "me", "Disk", "It\u2019s full", 0, &mail, &f), &f);
	expect_text(mail.address, "2125550123@vtext.com");
	expect_text(mail.content, "Disk\nIt's full");
	expect_int(mail.len, 14);
	expect_null(mail.letter->subject);
	expect_false(mail.letter->has_html);
	expect_int(mail.letter->nto, 1);
	expect_text(mail.letter->to[0].mailbox, "2125550123@vtext.com");
	expect_text(mail.letter->marker, "0123.abc");
	expect_false(mail.was_cut);
	carrier_mail_clear(&mail);
}

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define FULL HUNDRED TEN TEN TEN TEN TEN TEN

TEST(one_text_has_160_characters_and_more_go_to_the_other_gateway)
{
	struct carrier_mail mail;
	struct failure f = {0};

	expect_ok(make("", "me", NULL, FULL, 0, &mail, &f), &f);
	expect_text(mail.address, "2125550123@vtext.com");
	expect_int(mail.len, 160);
	carrier_mail_clear(&mail);
	expect_ok(make("", "me", NULL, FULL "0", 0, &mail, &f), &f);
	expect_text(mail.address, "2125550123@vzwpix.com");
	expect_int(mail.len, 161);
	expect_false(mail.was_cut);
	carrier_mail_clear(&mail);
}

TEST(without_another_gateway_a_longer_one_is_refused_or_cut)
{
	struct carrier_mail mail;
	struct failure f = {0};

	expect_failure(make("", "cy", NULL, FULL "0", 0, &mail, &f), &f, FAILURE_REFUSED);
	expect_contains(f.text, "2 segments (161 septets of GSM-7), and 1 are allowed");
	carrier_mail_clear(&mail);
	expect_failure(make("mms = false;", "me", NULL, FULL "0", 0, &mail, &f), &f,
		       FAILURE_REFUSED);
	carrier_mail_clear(&mail);
	expect_ok(make("too_long = \"cut\";", "cy", NULL, FULL "0", 0, &mail, &f), &f);
	expect_int(mail.len, 160);
	expect_text(mail.content + 157, "...");
	expect_true(mail.was_cut);
	carrier_mail_clear(&mail);
}

TEST(attachments_go_to_the_gateway_that_takes_them)
{
	struct carrier_mail mail;
	struct failure f = {0};

	expect_ok(make("", "bo", NULL, "See", 5, &mail, &f), &f);
	expect_text(mail.address, "2125550124@myboostmobile.com");
	expect_text(mail.content, "SeeAAAAA");
	expect_int(mail.letter->nattachments, 1);
	expect_text(mail.letter->attachments[0].name, "a.png");
	expect_int(mail.letter->attachments[0].size, 5);
	carrier_mail_clear(&mail);
	expect_ok(make("", "bo", NULL, NULL, 5, &mail, &f), &f);
	expect_false(mail.letter->has_text);
	expect_text(mail.content, "AAAAA");
	carrier_mail_clear(&mail);
	expect_failure(make("", "cy", NULL, "See", 5, &mail, &f), &f, FAILURE_REFUSED);
	expect_contains(f.text, "Republic Wireless: no gateway for attachments");
	carrier_mail_clear(&mail);
	expect_failure(make("max_attached = \"1K\";", "bo", NULL, "See", 1025, &mail, &f), &f,
		       FAILURE_REFUSED);
	expect_contains(f.text, "1025 bytes, and 1024 are allowed");
	carrier_mail_clear(&mail);
}

TEST(urls_of_media_are_lines_of_the_text)
{
	struct carrier_mail mail;
	struct failure f = {0};

	expect_ok(make_media("", "me", "See", &mail, &f), &f);
	expect_text(mail.address, "2125550123@vtext.com");
	expect_text(mail.content, "See\nhttps://example.com/a.png");
	expect_null(mail.letter->media);
	carrier_mail_clear(&mail);
	expect_ok(make_media("", "me", NULL, &mail, &f), &f);
	expect_text(mail.content, "https://example.com/a.png");
	carrier_mail_clear(&mail);
	expect_ok(make_media("too_long = \"cut\";", "cy", FULL, &mail, &f), &f);
	expect_int(mail.len, 160);
	expect_text(mail.content + 131, "...\nhttps://example.com/a.png");
	expect_true(mail.was_cut);
	carrier_mail_clear(&mail);
}

RUN_TESTS()
