/* tests/unit/test_config.c - what a good configuration becomes: defaults, places,
 * servers, secrets, fingerprints; and which files may be read at all. */
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "config/places.h"
#include "config_house.h"
#include "expect.h"
#include "secret.h"

#define ROW(settings) "transports = ( { name = \"mail\"; type = \"smtp\"; " settings " } );\n"
#define LOGIN "user = \"u\"; password = \"hunter2\"; "

/* Loads text and stops the test with what was said if it is not good. */
static const struct config *load(const char *text)
{
	const struct config *config = house_load_text(text);

	if (!config)
		expect_stop(__FILE__, __LINE__, "%s", house_said());
	return config;
}

static const struct smtp_config *smtp_of(const struct config *config)
{
	const struct transport_config *mail = config_transport(config, "mail");

	expect_some(mail);
	return &mail->smtp;
}

TEST(nothing_said_gives_the_defaults)
{
	house_open();
	const struct config *config = load("");

	expect_int(config->retention_ms, 7 * 86400000LL);
	expect_int(config->dedup_window_ms, 3600000);
	expect_int(config->max_message_bytes, 50 << 20);
	expect_int(config->max_request_bytes, 4 << 20);
	expect_int(config->max_recipients, 1000);
	expect_int(config->max_peers, 1000);
	expect_int(config->max_peers_per_uid, 200);
	expect_int(config->max_calls_per_peer, 64);
	expect_int(config->socket_mode, 0666);
	expect_int(config->log_level, LOG_LEVEL_INFO);
	expect_null(config->log_file);
	expect_int(strncmp(config->from.mailbox, "nuncio@", 7), 0);
	expect_text(config->path, "nuncio.conf");
	config_unref(config);
	house_close();
}

TEST(without_transports_there_is_an_outbox_in_the_state)
{
	house_open();
	const struct config *config = load("state = \"/srv/nuncio\";\n");

	expect_int(config->ntransports, 1);
	expect_text(config->transports[0].name, "outbox");
	expect_text(config->transports[0].type, "maildir");
	expect_text(config->transports[0].maildir.path, "/srv/nuncio/outbox");
	expect_int(config->transports[0].concurrency, 1);
	expect_int(config->transports[0].expires_ms, 4 * 86400000LL);
	expect_int(strlen(config->transports[0].fingerprint), 64);
	config_unref(config);
	house_close();
}

TEST(without_access_everyone_may_send_and_submit)
{
	house_open();
	const struct config *config = load("");

	expect_int(config->naccess, 1);
	expect_text(config->access[0].users[0], "*");
	expect_null(config->access[0].users[1]);
	expect_int(config->access[0].rights, RIGHT_SEND | RIGHT_SUBMIT);
	expect_null(config->access[0].from);
	config_unref(config);
	house_close();
}

TEST(access_rows_are_taken_as_they_stand)
{
	house_open();
	const struct config *config =
		load("access = ( { users = [\"ana\", \"1000\"]; groups = [\"adm\"];\n"
		     "  may = [\"look\", \"operate\"]; from = [\"*@example.com\"]; } );\n");

	expect_int(config->naccess, 1);
	expect_text(config->access[0].users[1], "1000");
	expect_text(config->access[0].groups[0], "adm");
	expect_int(config->access[0].rights, RIGHT_LOOK | RIGHT_OPERATE);
	expect_text(config->access[0].from[0], "*@example.com");
	config_unref(config);
	house_close();
}

TEST(an_smtp_transport_gets_its_settings_and_defaults)
{
	house_open();
	const struct config *config = load("\n" ROW(
		"url = \"smtp://mail.example.com\"; " LOGIN "rate = \"30/m\"; concurrency = 4;\n"
		"retry = { first = \"10s\"; }; failover = [\"mail2\"]; pin = "
		"\"AB34567890123456789012345678901234567890123456789012345678901234\"; }, {"
		"name = \"mail2\"; type = \"fake\"; log = \"/x\";"));
	const struct transport_config *mail = config_transport(config, "mail");

	expect_int(mail->line, 2);
	expect_int(mail->concurrency, 4);
	expect_int(mail->rate.count, 30);
	expect_int(mail->rate.per_ms, 60000);
	expect_int(mail->retry_first_ms, 10000);
	expect_int(mail->retry_max_ms, 3600000);
	expect_text(mail->failover[0], "mail2");
	expect_int(mail->smtp.connect_timeout_ms, 30000);
	expect_int(mail->smtp.answer_timeout_ms, 0);
	expect_int(mail->smtp.idle_ms, 10000);
	expect_int(mail->smtp.mails_per_session, 100);
	expect_int(mail->smtp.recipients_per_mail, 100);
	expect_int(strncmp(mail->smtp.pin, "ab34", 4), 0);
	expect_text(config_transport(config, "mail2")->fake.log, "/x");
	expect_null(config_transport(config, "mail3"));
	config_unref(config);
	house_close();
}

struct server {
	const char *settings, *host;
	int port;
	enum tls_mode tls;
};

TEST(the_url_says_host_port_and_how_tls_begins)
{
	static const struct server servers[] = {
		/* clang-format off */
		{ ROW("url = \"smtp://mail.example.com\";"), "mail.example.com", 587, TLS_STARTTLS },
		{ ROW("url = \"smtps://Mail.Example.COM\";"), "mail.example.com", 465, TLS_IMPLICIT },
		{ ROW("url = \"smtp://[2001:db8::1]:2525\";"), "2001:db8::1", 2525, TLS_STARTTLS },
		{ ROW("url = \"smtp://127.0.0.1:25\"; tls = \"none\";"), "127.0.0.1", 25, TLS_NONE },
		{ ROW("url = \"smtp://b\xc3\xbc" "cher.example:65535\";"), "xn--bcher-kva.example", 65535,
		  TLS_STARTTLS },
		/* clang-format on */
	};

	house_open();
	for (size_t i = 0; i < sizeof(servers) / sizeof(*servers); i++) {
		const struct config *config = load(servers[i].settings);

		expect_text(smtp_of(config)->host, servers[i].host);
		expect_int(smtp_of(config)->port, servers[i].port);
		expect_int(smtp_of(config)->tls, servers[i].tls);
		config_unref(config);
	}
	house_close();
}

TEST(a_provider_stands_in_place_of_a_url)
{
	house_open();
	house_copy(TEST_CASES "/../../conf");
	const struct config *config =
		load("providers = \"providers.conf\";\n" ROW("provider = \"GMail\"; " LOGIN));

	expect_text(smtp_of(config)->host, "smtp.gmail.com");
	expect_int(smtp_of(config)->port, 465);
	expect_int(smtp_of(config)->tls, TLS_IMPLICIT);
	expect_text(smtp_of(config)->auth[0], "XOAUTH2");
	expect_contains(smtp_of(config)->hint, "app passwords");
	config_unref(config);
	config = load("providers = \"providers.conf\";\n" ROW(
		"provider = \"gmail\"; tls = \"starttls\"; auth = [\"plain\"];" LOGIN));
	expect_int(smtp_of(config)->port, 587);
	expect_int(smtp_of(config)->tls, TLS_STARTTLS);
	expect_text(smtp_of(config)->auth[0], "PLAIN");
	expect_null(smtp_of(config)->auth[1]);
	config_unref(config);
	house_close();
}

TEST(every_provider_of_the_shipped_file_can_be_used)
{
	static const char *const names[] = {"gmail",   "outlook", "yahoo",  "att",
					    "comcast", "verizon", "icloud", "fastmail"};
	char text[512];

	house_open();
	house_copy(TEST_CASES "/../../conf");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *login = !strcmp(names[i], "outlook") ? "token" : "password";

		snprintf(text, sizeof(text),
			 "providers = \"providers.conf\";\n" ROW(
				 "provider = \"%s\"; user = \"u\"; %s = \"x\";"),
			 names[i], login);
		const struct config *config = load(text);

		expect_true(smtp_of(config)->port == 465 || smtp_of(config)->port == 587);
		expect_int(smtp_of(config)->tls,
			   smtp_of(config)->port == 465 ? TLS_IMPLICIT : TLS_STARTTLS);
		expect_true(strlen(smtp_of(config)->hint) <= 130);
		expect_text(house_said(), "");
		config_unref(config);
	}
	house_close();
}

TEST(outlook_takes_no_password_and_its_hint_says_so)
{
	house_open();
	house_copy(TEST_CASES "/../../conf");
	expect_null(house_load_text(
		"providers = \"providers.conf\";\n" ROW("provider = \"outlook\"; " LOGIN)));
	expect_contains(house_said(), "transports.mail.password: no mechanism allowed here");
	expect_contains(house_said(), "Outlook.com takes no passwords");
	house_close();
}

TEST(contacts_are_people_and_groups)
{
	house_open();
	const struct config *config =
		load("contacts = ( { name = \"me\"; mail = [\"Me <me@example.com>\", "
		     "\"me@example.org\"]; sms = \"+1 555 999 8888\"; },\n"
		     "  { name = \"ops\"; members = [\"me\"]; } );\n");
	const struct contact_config *me = config_contact(config, "me");

	expect_int(me->nmail, 2);
	expect_text(me->mail[0].name, "Me");
	expect_text(me->mail[1].mailbox, "me@example.org");
	expect_text(me->sms, "+15559998888");
	expect_null(me->members);
	expect_text(config_contact(config, "ops")->members[0], "me");
	expect_null(config_contact(config, "bo"));
	config_unref(config);
	house_close();
}

static char *fingerprint_of(const char *text)
{
	const struct config *config = load(text);
	char *copy = strdup(config->transports[0].fingerprint);

	config_unref(config);
	return copy;
}

static void expect_fingerprints(const char *a, const char *b, bool equal)
{
	char *first = fingerprint_of(a), *second = fingerprint_of(b);

	expect_int(strlen(first), 64);
	expect_true(!strcmp(first, second) == equal);
	free(first);
	free(second);
}

TEST(a_fingerprint_changes_with_what_a_transport_was_told)
{
#define BASE "url = \"smtp://mail.example.com\"; "
	house_open();
	expect_fingerprints(ROW(BASE LOGIN), "# moved\nretention = \"1d\";\n" ROW(LOGIN BASE),
			    true);
	expect_fingerprints(ROW(BASE LOGIN), ROW(BASE "user = \"u\"; password = \"hunter3\";"),
			    false);
	expect_fingerprints(ROW(BASE), ROW(BASE "concurrency = 2;"), false);
	expect_fingerprints(ROW(BASE "user = \"u\"; password = { file = \"/a\"; };"),
			    ROW(BASE "user = \"u\"; password = { credential = \"a\"; };"), false);
	expect_fingerprints("state = \"/a\";\n", "state = \"/b\";\n", false);
	house_close();
}

TEST(an_inline_secret_is_had_back_and_nobody_else_may_read_it)
{
	house_open();
	const char *text = ROW("url = \"smtp://h.example\"; " LOGIN);
	const struct config *config = load(text);
	AUTO(secret_free) struct secret *secret = NULL, *none = NULL;
	struct failure f;

	expect_int(smtp_of(config)->password.kind, SECRET_INLINE);
	expect_ok(secret_ref_get(&smtp_of(config)->password, &secret, &f), &f);
	expect_text(secret_bytes(secret), "hunter2");
	expect_ok(secret_ref_get(&smtp_of(config)->token, &none, &f), &f);
	expect_null(none);
	config_unref(config);
	house_write("open.conf", text, 0644);
	expect_null(house_load("open.conf"));
	expect_text(house_said(), "open.conf:1: transports.mail.password: a secret stands here and "
				  "everyone may read the file: chmod 0640 open.conf\n");
	house_close();
}

TEST(it_is_the_included_file_that_must_be_closed_where_the_secret_stands_there)
{
	house_open();
	house_write("row.inc",
		    "{ name = \"mail\"; type = \"smtp\"; url = \"smtp://h.example\";\n" LOGIN "}\n",
		    0644);
	expect_null(house_load_text("transports = (\n@include \"row.inc\"\n);\n"));
	expect_text(house_said(), "row.inc:2: transports.mail.password: a secret stands here and "
				  "everyone may read the file: chmod 0640 row.inc\n");
	house_close();
}

TEST(a_secret_in_a_file_is_read_when_it_is_asked_for)
{
	char text[512], here[256];
	AUTO(secret_free) struct secret *secret = NULL;
	struct failure f;

	house_open();
	snprintf(text, sizeof(text),
		 ROW("url = \"smtp://h.example\"; user = \"u\"; password = { file = \"%s/pw\"; };"),
		 getcwd(here, sizeof(here)));
	const struct config *config = load(text);

	expect_contains(house_said(), "warning: nuncio.conf:1: transports.mail.password: ");
	expect_contains(house_said(), "cannot be read now: No such file or directory");
	expect_failure(secret_ref_get(&smtp_of(config)->password, &secret, &f), &f, FAILURE_SETUP);
	house_write("pw", "geheim\n", 0600);
	expect_ok(secret_ref_get(&smtp_of(config)->password, &secret, &f), &f);
	expect_text(secret_bytes(secret), "geheim");
	config_unref(config);
	house_write("pw", "geheim\n", 0644);
	config_unref(load(text));
	expect_contains(house_said(), "everyone may read or write");
	house_close();
}

static void count_command(void *ctx, const struct secret_ref *ref)
{
	unsigned *count = ctx;

	++*count;
	expect_text(ref->name, "transports.mail.password");
	expect_text(ref->place, "nuncio.conf:1");
	expect_text(ref->command[0], "/usr/bin/pass");
	expect_text(ref->command[1], "smtp");
	expect_null(ref->command[2]);
}

static void count_doubt(void *ctx, const struct secret_ref *ref)
{
	++*(unsigned *)ctx;
}

TEST(a_command_says_its_secret_through_somebody_else)
{
	AUTO(secret_free) struct secret *secret = NULL;
	struct failure f, why = {FAILURE_SETUP, "it is locked"};
	unsigned commands = 0, doubts = 0;

	house_open();
	const struct config *config =
		load(ROW("url = \"smtp://h.example\"; user = \"u\"; password = { command = "
			 "[\"/usr/bin/pass\", \"smtp\"]; };"));
	const struct secret_ref *password = &smtp_of(config)->password;

	config_each_command(config, count_command, &commands);
	expect_int(commands, 1);
	secret_ref_on_doubt(password, count_doubt, &doubts);
	expect_failure(secret_ref_get(password, &secret, &f), &f, FAILURE_LATER);
	secret_ref_doubt(password);
	secret_ref_doubt(&smtp_of(config)->token);
	expect_int(doubts, 0);
	secret_ref_fail(password, &why);
	expect_failure(secret_ref_get(password, &secret, &f), &f, FAILURE_SETUP);
	expect_text(f.text, "it is locked");
	secret_ref_take(password, "geheim", 6);
	expect_ok(secret_ref_get(password, &secret, &f), &f);
	expect_text(secret_bytes(secret), "geheim");
	secret_free(TAKE(secret));
	secret_ref_doubt(password);
	secret_ref_doubt(password);
	expect_int(doubts, 1);
	expect_failure(secret_ref_get(password, &secret, &f), &f, FAILURE_LATER);
	config_unref(config);
	house_close();
}

TEST(a_credential_is_looked_for_where_systemd_puts_it)
{
	char here[256];
	AUTO(secret_free) struct secret *secret = NULL;
	struct failure f;

	house_open();
	const struct config *config =
		load(ROW("url = \"smtp://h.example\"; user = \"u\"; password = { credential = "
			 "\"smtp\"; };"));
	const struct secret_ref *password = &smtp_of(config)->password;

	unsetenv("CREDENTIALS_DIRECTORY");
	expect_failure(secret_ref_get(password, &secret, &f), &f, FAILURE_SETUP);
	expect_contains(f.text, "$CREDENTIALS_DIRECTORY is not set");
	setenv("CREDENTIALS_DIRECTORY", getcwd(here, sizeof(here)), 1);
	expect_failure(secret_ref_get(password, &secret, &f), &f, FAILURE_SETUP);
	expect_contains(f.text, "credential smtp: ");
	house_write("smtp", "geheim", 0400);
	expect_ok(secret_ref_get(password, &secret, &f), &f);
	expect_text(secret_bytes(secret), "geheim");
	unsetenv("CREDENTIALS_DIRECTORY");
	config_unref(config);
	house_close();
}

TEST(a_file_that_others_may_write_is_not_believed)
{
	house_open();
	house_write("open.conf", "", 0660);
	expect_null(house_load("open.conf"));
	expect_text(house_said(), "open.conf: may be written by others than its owner: chmod go-w "
				  "open.conf\n");
	house_write("open.inc", "", 0642);
	expect_null(house_load_text("@include \"open.inc\"\n"));
	expect_contains(house_said(), "open.inc: may be written by others");
	house_close();
}

TEST(root_believes_only_roots_files)
{
	if (geteuid() != 0)
		skip();
	house_open();
	house_write("other.conf", "", 0640);
	expect_int(chown("other.conf", 12345, 0), 0);
	expect_null(house_load("other.conf"));
	expect_text(house_said(), "other.conf: belongs to user 12345, and must belong to root: "
				  "chown root other.conf\n");
	house_close();
}

TEST(what_is_no_regular_file_is_refused_at_once)
{
	house_open();
	expect_int(mkfifo("pipe", 0600), 0);
	expect_null(house_load("pipe"));
	expect_text(house_said(), "pipe: the file is no regular file\n");
	expect_null(house_load("."));
	expect_null(house_load("absent.conf"));
	expect_text(house_said(),
		    "absent.conf: the file cannot be read: No such file or directory\n");
	house_close();
}

TEST(includes_have_ceilings)
{
	char *large = malloc((1 << 20) + 2), name[32], text[64];

	house_open();
	memset(large, '\n', (1 << 20) + 1);
	large[(1 << 20) + 1] = '\0';
	house_write("large.conf", large, 0640);
	expect_null(house_load("large.conf"));
	expect_text(house_said(), "large.conf: the file is larger than 1 MiB\n");
	for (int i = 0; i < 17; i++) {
		snprintf(name, sizeof(name), "%d.inc", i);
		snprintf(text, sizeof(text), "@include \"%d.inc\"\n", i + 1);
		house_write(name, text, 0640);
	}
	house_write("17.inc", "", 0640);
	config_unref(house_load("1.inc")); /* sixteen deep */
	expect_text(house_said(), "");
	expect_null(house_load("0.inc"));
	expect_text(house_said(), "16.inc:1: @include: includes go deeper than 16 files\n");
	text[0] = '\0';
	large[0] = '\0';
	for (int i = 0; i < 64; i++)
		strcat(large, "@include \"17.inc\"\n");
	expect_null(house_load_text(large));
	expect_text(house_said(), "nuncio.conf:64: @include: more than 64 files are included\n");
	free(large);
	house_close();
}

TEST(places_follow_the_machine_or_the_user)
{
	setenv("HOME", "/home/ana", 1);
	setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	setenv("XDG_STATE_HOME", "relative", 1);
	unsetenv("XDG_CONFIG_HOME");
	AUTO(free) char *config = place_config(false), *of_root = place_config(true);
	AUTO(free) char *socket = place_socket(false), *of_machine = place_socket(true);
	AUTO(free) char *state = place_state(false), *system_state = place_state(true);

	expect_text(config, "/home/ana/.config/nuncio/nuncio.conf");
	expect_contains(of_root, "/nuncio/nuncio.conf");
	expect_text(socket, "/run/user/7/nuncio/nuncio.sock");
	expect_text(of_machine, "/run/nuncio/nuncio.sock");
	expect_text(state, "/home/ana/.local/state/nuncio");
	expect_text(system_state, "/var/lib/nuncio");
	expect_true(place_is_system(of_root));
}

TEST(a_configuration_lives_as_long_as_someone_holds_it)
{
	house_open();
	const struct config *config = load(ROW("url = \"smtp://h.example\";"));
	const struct config *held = config_ref(config);

	config_unref(config);
	expect_text(smtp_of(held)->host, "h.example");
	config_unref(held);
	config_unref(NULL);
	house_close();
}

RUN_TESTS()
