/* config/schema_mailbox.c - the table of settings: ways in, and the runner. */
#include "config/schema_room.h"

static const struct choice types[] = {{"imap", 0}, {"maildir", 0}, {NULL, 0}};
static const struct choice extensions[] = {
	{"ID", IMAP_EXT_ID},
	{"IDLE", IMAP_EXT_IDLE},
	{"UIDPLUS", IMAP_EXT_UIDPLUS},
	{"MOVE", IMAP_EXT_MOVE},
	{"SASL-IR", IMAP_EXT_SASL_IR},
	{"SPECIAL-USE", IMAP_EXT_SPECIAL_USE},
	{"CONDSTORE", IMAP_EXT_CONDSTORE},
	{"ENABLE", IMAP_EXT_ENABLE},
	{"LITERAL+", IMAP_EXT_LITERAL_PLUS},
	{NULL, 0},
};

/* clang-format off */
static const struct setting mailbox_settings[] = {
	{ "name", SETTING_NAME, AT(mailbox_config, name), .required = true,
	  .help = "What it is called in rules, commands and logs." },
	{ "type", SETTING_WORD, AT(mailbox_config, type), .required = true, .choices = types,
	  .help = "imap: a folder on a mail server. maildir: a folder of this machine." },
	{ "authserv", SETTING_TEXT, AT(mailbox_config, authserv),
	  .help = "The name by which the provider signs its Authentication-Results (RFC 8601), the "
		  "word on which senders are believed; * and ? match. \"none\": every From is believed, "
		  "for mail that never crossed a network." },
	{ "received_by", SETTING_TEXTS, AT(mailbox_config, received_by), .single = true,
	  .help = "The provider's own relays, as their Received lines call them after \"by\"; * and ? "
		  "match. Without it: authserv." },
	{ "max_mail", SETTING_SIZE, AT(mailbox_config, max_mail_bytes), .initial = "50M",
	  .min = 64 * KIB, .max = 1024 * MIB, .help = "Larger mail is not read: no rule obeys or forwards it." },
	{ "max_down", SETTING_DURATION, AT(mailbox_config, max_down_ms), .initial = "1h",
	  .min = 0, .max = 365 * DAY,
	  .help = "How long it may be down before its owner is told. 0: never." },
	{ "owner", SETTING_NAMES, AT(mailbox_config, owner), .single = true,
	  .help = "Contacts who are told that it is down. Without it: operator." },
	{ "url", SETTING_TEXT, SCHEMA_NOWHERE, .only = "imap",
	  .help = "Server: imaps://HOST[:PORT] speaks TLS at once (port 993), imap://HOST[:PORT] "
		  "begins TLS by STARTTLS (port 143)." },
	{ "provider", SETTING_TEXT, SCHEMA_NOWHERE, .only = "imap",
	  .help = "In place of url: server and advice from the file of providers." },
	{ "user", SETTING_TEXT, AT(mailbox_config, imap.user), .only = "imap", .required = true,
	  .help = "Whom to log in as." },
	{ "password", SETTING_SECRET, AT(mailbox_config, imap.password), .only = "imap",
	  .help = "For PLAIN, LOGIN and SCRAM-SHA-256." },
	{ "token", SETTING_SECRET, AT(mailbox_config, imap.token), .only = "imap",
	  .help = "OAuth2 access token, for XOAUTH2 and OAUTHBEARER." },
	{ "auth", SETTING_TEXTS, AT(mailbox_config, imap.auth), .only = "imap",
	  .choices = schema_mechanisms, .help = "Login mechanisms allowed, best first." },
	{ "ca_file", SETTING_PATH, AT(mailbox_config, imap.ca_file), .only = "imap",
	  .help = "Certificates (PEM) to trust in place of the system's." },
	{ "pin", SETTING_DIGEST, AT(mailbox_config, imap.pin), .only = "imap",
	  .help = "SHA-256 of the server's public key, asked for besides a valid certificate." },
	{ "folder", SETTING_TEXT, AT(mailbox_config, imap.folder), .only = "imap",
	  .initial = "INBOX", .help = "The folder that is watched." },
	{ "idle", SETTING_DURATION, AT(mailbox_config, imap.idle_ms), .only = "imap",
	  .initial = "9m", .min = MINUTE, .max = 29 * MINUTE,
	  .help = "IDLE (RFC 2177) is begun anew so often." },
	{ "poll", SETTING_DURATION, AT(mailbox_config, imap.poll_ms), .only = "imap",
	  .initial = "60s", .min = SECOND, .max = DAY,
	  .help = "Where a server has no IDLE, it is asked so often." },
	{ "timeout", SETTING_DURATION, AT(mailbox_config, imap.answer_timeout_ms), .only = "imap",
	  .initial = "60s", .min = SECOND, .max = HOUR, .help = "Longest wait for an answer." },
	{ "connect_timeout", SETTING_DURATION, AT(mailbox_config, imap.connect_timeout_ms),
	  .only = "imap", .initial = "30s", .min = SECOND, .max = 10 * MINUTE,
	  .help = "Longest wait for a connection." },
	{ "disable", SETTING_FLAGS, AT(mailbox_config, imap.disabled), .only = "imap",
	  .choices = extensions, .help = "What the server offers and gets wrong: never used." },
	{ "path", SETTING_PATH, AT(mailbox_config, maildir.path), .only = "maildir",
	  .required = true, .help = "The Maildir; made when it is missing." },
};
const struct table schema_mailbox =
	TABLE("mailboxes", mailbox_config, AT(mailbox_config, line), mailbox_settings);

static const struct setting runner_settings[] = {
	{ "socket", SETTING_PATH, AT(config, runner.socket),
	  .help = "Its socket. Without it: /run/nuncio/runner.sock; for a user "
		  "$XDG_RUNTIME_DIR/nuncio/runner.sock." },
	{ "state", SETTING_PATH, AT(config, runner.state),
	  .help = "Where it keeps what ran and the results. Without it: the folder runner beside "
		  "`state`: /var/lib/nuncio-runner for the machine." },
	{ "user", SETTING_TEXT, AT(config, runner.user),
	  .help = "The user who may speak to it, by name or number: whom nunciod runs as. Without "
		  "it: nuncio for the machine, else its own." },
	{ "max_runs", SETTING_NUMBER, AT(config, runner.max_runs), .initial = "16", .min = 1,
	  .max = 1000, .help = "Most programs at a time." },
	{ "secret_timeout", SETTING_DURATION, AT(config, runner.secret_timeout_ms),
	  .initial = "30s", .min = SECOND, .max = 10 * MINUTE,
	  .help = "Longest that a command may take which says a secret." },
};
/* clang-format on */
const struct table schema_runner = TABLE("runner", config, 0, runner_settings);
