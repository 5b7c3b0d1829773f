/* config/schema.c - the table of settings. */
#include "config/schema.h"

#include "config/provider.h"
#include "config/schema_room.h"

static const struct choice log_levels[] = {
	{"error", LOG_LEVEL_ERROR},
	{"warn", LOG_LEVEL_WARN},
	{"info", LOG_LEVEL_INFO},
	{"debug", LOG_LEVEL_DEBUG},
	{NULL, 0},
};
static const struct choice tls_modes_safe[] = {
	{"implicit", TLS_IMPLICIT}, {"starttls", TLS_STARTTLS}, {NULL, 0}};
static const struct choice rights[] = {
	{"send", RIGHT_SEND}, {"submit", RIGHT_SUBMIT}, {"operate", RIGHT_OPERATE},
	{"look", RIGHT_LOOK}, {"run", RIGHT_RUN},       {NULL, 0},
};

/* clang-format off */
static const struct setting log_settings[] = {
	{ "level", SETTING_CHOICE, AT(config, log_level), .initial = "info", .choices = log_levels,
	  .help = "How much is logged: what someone must act on, what is coped with, what was asked "
		  "for, each change of state." },
	{ "file", SETTING_PATH, AT(config, log_file),
	  .help = "File to log into, reopened on SIGHUP. Without it: standard error." },
};
static const struct table log_table = TABLE("log", config, 0, log_settings);

static const struct setting limits_settings[] = {
	{ "message", SETTING_SIZE, AT(config, max_message_bytes), .initial = "50M",
	  .min = KIB, .max = 2048 * MIB, .help = "Largest message, attachments included." },
	{ "request", SETTING_SIZE, AT(config, max_request_bytes), .initial = "4M",
	  .min = 64 * KIB, .max = 256 * MIB,
	  .help = "Largest request on the socket. Larger content comes as a descriptor." },
	{ "recipients", SETTING_NUMBER, AT(config, max_recipients), .initial = "1000",
	  .min = 1, .max = 100000, .help = "Most recipients of one message." },
	{ "peers", SETTING_NUMBER, AT(config, max_peers), .initial = "1000",
	  .min = 1, .max = 100000, .help = "Most connections to the socket at a time." },
	{ "peers_per_uid", SETTING_NUMBER, AT(config, max_peers_per_uid), .initial = "200",
	  .min = 1, .max = 100000, .help = "Most connections of one user at a time." },
	{ "calls_per_peer", SETTING_NUMBER, AT(config, max_calls_per_peer), .initial = "64",
	  .min = 1, .max = 10000, .help = "Most unanswered requests of one connection." },
	{ "queue", SETTING_NUMBER, AT(config, max_queue), .initial = "0", .min = 0,
	  .max = 1000000000, .help = "Most deliveries that wait, of everyone. 0: no limit." },
	{ "queue_bytes", SETTING_SIZE, AT(config, max_queue_bytes), .min = MIB,
	  .max = 1024 * 1024 * MIB,
	  .help = "Most that the queue takes on disk, with what `retention` keeps. Without it: no "
		  "limit." },
};
static const struct table limits_table = TABLE("limits", config, 0, limits_settings);

static const struct setting contact_settings[] = {
	{ "name", SETTING_NAME, AT(contact_config, name), .required = true,
	  .help = "What is written in place of an address." },
	{ "mail", SETTING_ADDRESSES, AT(contact_config, mail), AT(contact_config, nmail),
	  .help = "Mail addresses. Mail goes to the first." },
	{ "sms", SETTING_PHONE, AT(contact_config, sms), .help = "Telephone number." },
	{ "fallback", SETTING_FALLBACK, AT(contact_config, fallback),
	  .help = "The other way, for messages that have not arrived by the first so much later, or "
		  "have failed: \"mail after 10m\" for texts, \"sms after 1h\" for mail. Unless the "
		  "message says otherwise." },
	{ "carrier", SETTING_NAME, AT(contact_config, carrier),
	  .help = "Whose number it is, for transports of type carrier: a name of carriers.conf, like "
		  "\"verizon\"." },
	{ "secret", SETTING_SECRET, AT(contact_config, secret),
	  .help = "Proof \"secret\": a word of theirs, sent with each command." },
	{ "totp", SETTING_SECRET, AT(contact_config, totp),
	  .help = "Proof \"totp\": the key of their one-time codes, in base32; nuncio rules totp makes "
		  "one." },
	{ "hmac", SETTING_SECRET, AT(contact_config, hmac),
	  .help = "Proof \"hmac\": the key that their programs sign commands with." },
	{ "members", SETTING_NAMES, AT(contact_config, members),
	  .help = "Makes it a group: names of contacts and groups." },
};
const struct table schema_contact = TABLE("contacts", contact_config, 0, contact_settings);

static const struct setting alias_settings[] = {
	{ "name", SETTING_NAME, AT(alias_config, name), .required = true,
	  .help = "A recipient without a domain, as programs of this machine write it: root." },
	{ "to", SETTING_TEXTS, AT(alias_config, to), .required = true,
	  .help = "Who that is: names of contacts and aliases, addresses, numbers." },
};
const struct table schema_alias = TABLE("aliases", alias_config, 0, alias_settings);

static const struct setting access_settings[] = {
	{ "users", SETTING_TEXTS, AT(access_config, users),
	  .help = "Names or numbers of users; \"*\" is everyone." },
	{ "groups", SETTING_TEXTS, AT(access_config, groups),
	  .help = "Names or numbers of groups of users; \"*\" is everyone." },
	{ "may", SETTING_FLAGS, AT(access_config, rights), .required = true, .choices = rights,
	  .help = "send: send messages. submit: hand in finished mail. operate: the queue and the "
		  "transports, whosever messages. look: see the messages of others. "
		  "run: start and end the programs of rules by hand; who may operate may, too." },
	{ "from", SETTING_TEXTS, AT(access_config, from),
	  .help = "Sender addresses they may use besides the default, in the envelope and in From, "
		  "Sender, Resent-From and Resent-Sender of finished mail; * and ? match." },
	{ "to", SETTING_TEXTS, AT(access_config, to),
	  .help = "Whom they may send to by this row: names of contacts and groups, addresses and "
		  "numbers; * and ? match. Without it: anyone." },
	{ "messages", SETTING_RATE, AT(access_config, messages),
	  .help = "Most messages of each user in an hour, like \"100/h\". Of rows that let a user "
		  "send, the most generous counts. Without it: no limit." },
	{ "bytes", SETTING_SIZE, AT(access_config, bytes), .min = KIB, .max = 1024 * 1024 * MIB,
	  .help = "Most bytes of each user's messages in an hour; else as messages." },
	{ "connections", SETTING_NUMBER, AT(access_config, connections), .min = 1, .max = 100000,
	  .help = "Most connections of each user at a time, within limits.peers_per_uid; else as "
		  "messages." },
};
const struct table schema_access = TABLE("access", access_config, 0, access_settings);

static const struct setting config_settings[] = {
	{ "from", SETTING_ADDRESS, AT(config, from),
	  .help = "Default sender. Without it: nuncio@ and the machine's name." },
	{ "region", SETTING_TEXT, AT(config, region),
	  .help = "A country's two letters (ISO 3166), like \"US\": telephone numbers can then be written as "
		  "they are dialled there. Without it: only with + and the country code." },
	{ "operator", SETTING_NAMES, AT(config, operators),
	  .help = "Contacts who are told of transports that stay down, and that they are back." },
	{ "socket", SETTING_PATH, AT(config, socket),
	  .help = "The Unix socket. Without it: /run/nuncio/nuncio.sock; for a user "
		  "$XDG_RUNTIME_DIR/nuncio/nuncio.sock." },
	{ "socket_mode", SETTING_BITS, AT(config, socket_mode), .initial = "0666",
	  .help = "Permission bits of the socket." },
	{ "state", SETTING_PATH, AT(config, state),
	  .help = "Directory of the queue. Without it: /var/lib/nuncio; for a user "
		  "$XDG_STATE_HOME/nuncio." },
	{ "log", SETTING_GROUP, .table = &log_table, .help = "Where and how much is logged." },
	{ "retention", SETTING_DURATION, AT(config, retention_ms), .initial = "7d",
	  .min = 0, .max = 3650 * DAY, .help = "How long finished messages are kept." },
	{ "delay_notice", SETTING_DURATION, AT(config, delay_notice_ms), .initial = "4h",
	  .min = 0, .max = 30 * DAY,
	  .help = "How long mail may wait before its sender is told so, once. 0: never." },
	{ "dedup_window", SETTING_DURATION, AT(config, dedup_window_ms), .initial = "1h",
	  .min = SECOND, .max = 365 * DAY,
	  .help = "How long a second message with the same dedup text is not sent." },
	{ "limits", SETTING_GROUP, .table = &limits_table, .help = "Ceilings." },
	{ "providers", SETTING_TEXT, SCHEMA_NOWHERE,
	  .help = "File of mail providers in place of the installed one; relative to this file." },
	{ "carriers", SETTING_TEXT, SCHEMA_NOWHERE,
	  .help = "File of telephone carriers in place of the installed one; relative to this file." },
	{ "transports", SETTING_ROWS, AT(config, transports), AT(config, ntransports), .max = 256,
	  .table = &schema_transport,
	  .help = "The ways out, best first. Without any: a Maildir named outbox in the state "
		  "directory." },
	{ "mailboxes", SETTING_ROWS, AT(config, mailboxes), AT(config, nmailboxes), .max = 10000,
	  .table = &schema_mailbox, .help = "The ways in: what is watched for commands." },
	{ "rules", SETTING_ROWS, AT(config, rules), AT(config, nrules), .max = 10000,
	  .table = &schema_rule,
	  .help = "What is done with what comes in. The first that fits is the only one, unless it "
		  "says continue." },
	{ "runner", SETTING_GROUP, .table = &schema_runner,
	  .help = "The program that runs what rules run, *nuncio-runner*(8)." },
	{ "contacts", SETTING_ROWS, AT(config, contacts), AT(config, ncontacts), .max = 10000,
	  .table = &schema_contact, .help = "People and groups of people." },
	{ "aliases", SETTING_ROWS, AT(config, aliases), AT(config, naliases), .max = 10000,
	  .table = &schema_alias, .help = "Users of this machine, to whom programs write." },
	{ "access", SETTING_ROWS, AT(config, access), AT(config, naccess), .max = 1000,
	  .table = &schema_access,
	  .help = "Who may do what; all rows that fit a caller add up. Without any: everyone may "
		  "send and submit." },
};
const struct table schema_config = TABLE("", config, 0, config_settings);

static const struct setting server_settings[] = {
	{ "host", SETTING_TEXT, AT(provider_server, host), .required = true, .help = "Its name." },
	{ "port", SETTING_NUMBER, AT(provider_server, port), .required = true, .min = 1, .max = 65535,
	  .help = "Its port." },
	{ "tls", SETTING_CHOICE, AT(provider_server, tls), .required = true,
	  .choices = tls_modes_safe, .help = "How TLS begins." },
};
static const struct table server_table = TABLE("smtp", provider_server, 0, server_settings);

static const struct setting imap_settings[] = {
	{ "host", SETTING_TEXT, AT(provider, imap.host), .required = true, .help = "Its name." },
	{ "port", SETTING_NUMBER, AT(provider, imap.port), .required = true, .min = 1, .max = 65535,
	  .help = "Its port, of TLS at once." },
};
static const struct table imap_table = TABLE("imap", provider, 0, imap_settings);

static const struct setting provider_settings[] = {
	{ "names", SETTING_NAMES, AT(provider, names), .required = true, .help = "What it is called." },
	{ "smtp", SETTING_ROWS, AT(provider, smtp), AT(provider, nsmtp), .min = 1, .max = 8,
	  .required = true, .table = &server_table, .help = "Servers to send by, best first." },
	{ "imap", SETTING_GROUP, .table = &imap_table, .help = "The server to read from." },
	{ "auth", SETTING_TEXTS, AT(provider, auth), .choices = schema_mechanisms,
	  .help = "Login mechanisms, best first." },
	{ "authserv", SETTING_TEXT, AT(provider, authserv),
	  .help = "The name by which it signs its Authentication-Results." },
	{ "received_by", SETTING_TEXTS, AT(provider, received_by),
	  .help = "Its own relays, as their Received lines call them." },
	{ "hint", SETTING_TEXT, AT(provider, hint), .help = "What users must know about passwords." },
};
static const struct table provider_table = TABLE("providers", provider, 0, provider_settings);

static const struct setting providers_settings[] = {
	{ "providers", SETTING_ROWS, AT(providers, rows), AT(providers, nrows), .min = 1, .max = 256,
	  .required = true, .table = &provider_table, .help = "The providers." },
};
/* clang-format on */
const struct table schema_providers = TABLE("", providers, 0, providers_settings);
