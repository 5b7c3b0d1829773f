/* config/schema_transport.c - the table of settings: ways out. */
#include "config/schema_room.h"

static const struct choice types[] = {{"smtp", 0},    {"maildir", 0}, {"twilio", 0},
				      {"carrier", 0}, {"fake", 0},    {NULL, 0}};
static const struct choice too_long[] = {{"refuse", TOO_LONG_REFUSE},
					 {"cut", TOO_LONG_CUT},
					 {"attach to mail", TOO_LONG_MAIL},
					 {NULL, 0}};
static const struct choice on_uncertain[] = {
	{"resend", UNCERTAIN_RESEND}, {"hold", UNCERTAIN_HOLD}, {NULL, 0}};
static const struct choice risk_checks[] = {{"enable", 0}, {"disable", 0}, {NULL, 0}};
const struct choice schema_tls_modes[] = {
	{"implicit", TLS_IMPLICIT}, {"starttls", TLS_STARTTLS}, {"none", TLS_NONE}, {NULL, 0}};
const struct choice schema_mechanisms[] = {
	{"PLAIN", 0},   {"LOGIN", 0},       {"SCRAM-SHA-256", 0},
	{"XOAUTH2", 0}, {"OAUTHBEARER", 0}, {NULL, 0},
};

/* clang-format off */
static const struct setting retry_settings[] = {
	{ "first", SETTING_DURATION, AT(transport_config, retry_first_ms), .initial = "60s",
	  .min = SECOND, .max = DAY, .help = "Wait before the second attempt. It doubles from there." },
	{ "max", SETTING_DURATION, AT(transport_config, retry_max_ms), .initial = "1h",
	  .min = SECOND, .max = 7 * DAY, .help = "Longest wait between two attempts." },
};
static const struct table retry_table = TABLE("retry", transport_config, 0, retry_settings);

static const struct setting daily_settings[] = {
	{ "messages", SETTING_NUMBER, AT(transport_config, daily.messages), .initial = "0",
	  .max = 1000000, .help = "Most texts. 0: no limit." },
	{ "cost", SETTING_MONEY, AT(transport_config, daily.cost),
	  .help = "Most money, as the account pays it: what the provider said of a text, until then "
		  "an estimate. Without it: no limit." },
	{ "warn", SETTING_NUMBER, AT(transport_config, daily.warn), .initial = "80", .min = 1,
	  .max = 100, .help = "At so many per cent of either, the operator is told, once; and again "
		  "when it is reached." },
	{ "urgent", SETTING_BOOL, AT(transport_config, daily.urgent),
	  .help = "true: texts of priority urgent go out all the same." },
};
static const struct table daily_table = TABLE("daily", transport_config, 0, daily_settings);

static const struct setting transport_settings[] = {
	{ "name", SETTING_NAME, AT(transport_config, name), .required = true,
	  .help = "What it is called in commands, logs and failover." },
	{ "type", SETTING_WORD, AT(transport_config, type), .required = true, .choices = types,
	  .help = "smtp: a mail server. maildir: a folder of this machine. twilio: text messages. "
		  "carrier: text messages, by mail to the gateways of telephone carriers. fake: delivers nowhere, for trying things out." },
	{ "concurrency", SETTING_NUMBER, AT(transport_config, concurrency), .initial = "1",
	  .min = 1, .max = 64, .help = "Most deliveries (smtp: sessions) at a time." },
	{ "rate", SETTING_RATE, AT(transport_config, rate),
	  .help = "Most deliveries in a time. Without it: no limit." },
	{ "throttle", SETTING_THROTTLE, AT(transport_config, throttle), .initial = "none",
	  .help = "Most texts to one number: so many in so long, all of it at once. What is above "
		  "waits and then goes together, in one text. Of priority urgent: the longest time "
		  "alone counts." },
	{ "daily", SETTING_GROUP, .table = &daily_table,
	  .help = "Most texts of a day. What is above waits for midnight, or until *nuncio resume* "
		  "lifts it for the day." },
	{ "expires", SETTING_DURATION, AT(transport_config, expires_ms), .initial = "4d",
	  .min = MINUTE, .max = 365 * DAY,
	  .help = "How long a delivery is tried, unless the message says otherwise." },
	{ "retry", SETTING_GROUP, .table = &retry_table, .help = "When to try again." },
	{ "max_down", SETTING_DURATION, AT(transport_config, max_down_ms), .initial = "1h",
	  .min = 0, .max = 365 * DAY,
	  .help = "How long it may be down before the operator is told, by another transport. 0: "
		  "never." },
	{ "failover", SETTING_NAMES, AT(transport_config, failover),
	  .help = "Transports to use, in this order, while this one is down." },
	{ "url", SETTING_TEXT, SCHEMA_NOWHERE, .only = "smtp",
	  .help = "Server: smtp://HOST[:PORT] begins TLS by STARTTLS (port 587), smtps://HOST[:PORT] "
		  "speaks TLS at once (port 465)." },
	{ "provider", SETTING_TEXT, SCHEMA_NOWHERE, .only = "smtp",
	  .help = "In place of url: server, mechanisms and advice from the file of providers." },
	{ "tls", SETTING_CHOICE, SCHEMA_NOWHERE, .only = "smtp", .choices = schema_tls_modes,
	  .help = "none: no TLS at all, and no login either. Else follows from url; picks the port of "
		  "a provider that has both." },
	{ "user", SETTING_TEXT, AT(transport_config, smtp.user), .only = "smtp",
	  .help = "Whom to log in as. Without it: no login." },
	{ "password", SETTING_SECRET, AT(transport_config, smtp.password), .only = "smtp",
	  .help = "For PLAIN, LOGIN and SCRAM-SHA-256." },
	{ "token", SETTING_SECRET, AT(transport_config, smtp.token), .only = "smtp",
	  .help = "OAuth2 access token, for XOAUTH2 and OAUTHBEARER." },
	{ "auth", SETTING_TEXTS, AT(transport_config, smtp.auth), .only = "smtp",
	  .choices = schema_mechanisms, .help = "Login mechanisms allowed, best first." },
	{ "ca_file", SETTING_PATH, AT(transport_config, smtp.ca_file), .only = "smtp",
	  .help = "Certificates (PEM) to trust in place of the system's." },
	{ "pin", SETTING_DIGEST, AT(transport_config, smtp.pin), .only = "smtp",
	  .help = "SHA-256 of the server's public key, asked for besides a valid certificate." },
	{ "hello", SETTING_TEXT, AT(transport_config, smtp.hello), .only = "smtp",
	  .help = "Name in EHLO. Without it: the machine's." },
	{ "timeout", SETTING_DURATION, AT(transport_config, smtp.answer_timeout_ms), .initial = "0",
	  .min = 0, .max = HOUR, .only = "smtp",
	  .help = "Longest wait for an answer, or for the server to take more of a message. 0: 2 to "
		  "10 minutes, as RFC 5321 says for each command. Once a message has gone out, "
		  "its answer is waited for 10 minutes in any case: who leaves earlier may send "
		  "it twice." },
	{ "connect_timeout", SETTING_DURATION, AT(transport_config, smtp.connect_timeout_ms),
	  .initial = "30s", .min = SECOND, .max = 10 * MINUTE, .only = "smtp",
	  .help = "Longest wait for a connection." },
	{ "idle", SETTING_DURATION, AT(transport_config, smtp.idle_ms), .initial = "10s",
	  .min = 0, .max = HOUR, .only = "smtp",
	  .help = "How long a session waits for more mail before it ends." },
	{ "mails_per_session", SETTING_NUMBER, AT(transport_config, smtp.mails_per_session),
	  .initial = "100", .min = 1, .max = 10000, .only = "smtp",
	  .help = "Most messages in one session." },
	{ "recipients_per_mail", SETTING_NUMBER, AT(transport_config, smtp.recipients_per_mail),
	  .initial = "100", .min = 1, .max = 1000, .only = "smtp",
	  .help = "Most recipients in one transaction." },
	{ "path", SETTING_PATH, AT(transport_config, maildir.path), .only = "maildir",
	  .required = true, .help = "The Maildir. It is made if it is missing." },
	{ "expires", SETTING_DURATION, AT(transport_config, expires_ms), .initial = "4h",
	  .min = MINUTE, .max = 365 * DAY, .only = "twilio",
	  .help = "How long a text is tried. What is left of it goes with the text, so that Twilio "
		  "gives up then, too." },
	{ "throttle", SETTING_THROTTLE, AT(transport_config, throttle),
	  .initial = "3/1m 5/15m 11/h 21/3h", .only = "twilio", .help = "As above." },
	{ "account_sid", SETTING_TEXT, AT(transport_config, twilio.account_sid), .only = "twilio",
	  .required = true, .help = "The account: AC and 32 hex digits." },
	{ "auth_token", SETTING_SECRET, AT(transport_config, twilio.auth_token), .only = "twilio",
	  .help = "The account's token. Better is an API key of its own: api_key and api_secret." },
	{ "api_key", SETTING_TEXT, AT(transport_config, twilio.api_key), .only = "twilio",
	  .help = "In place of auth_token: an API key, SK and 32 hex digits." },
	{ "api_secret", SETTING_SECRET, AT(transport_config, twilio.api_secret), .only = "twilio",
	  .help = "The secret of api_key." },
	{ "from", SETTING_PHONE, AT(transport_config, twilio.from), .only = "twilio",
	  .help = "The account's number that texts come from." },
	{ "service", SETTING_TEXT, AT(transport_config, twilio.service), .only = "twilio",
	  .help = "In place of from: a Messaging Service, MG and 32 hex digits, which picks the "
		  "number." },
	{ "api", SETTING_TEXT, AT(transport_config, twilio.api),
	  .initial = "https://api.twilio.com", .only = "twilio",
	  .help = "Where the API is. Without TLS only on this machine." },
	{ "status_callback", SETTING_TEXT, AT(transport_config, twilio.status_callback),
	  .only = "twilio", .help = "A URL that Twilio tells what became of texts, besides." },
	{ "ca_file", SETTING_PATH, AT(transport_config, twilio.ca_file), .only = "twilio",
	  .help = "Certificates (PEM) to trust in place of the system's." },
	{ "timeout", SETTING_DURATION, AT(transport_config, twilio.timeout_ms), .initial = "30s",
	  .min = SECOND, .max = 10 * MINUTE, .only = "twilio",
	  .help = "Longest wait for an answer." },
	{ "exact", SETTING_BOOL, AT(transport_config, twilio.exact), .only = "twilio",
	  .help = "true: characters go out as they are. Else quotes, dashes and their like are "
		  "replaced where that lets a text stay in the small alphabet (GSM 03.38)." },
	{ "segments", SETTING_NUMBER, AT(transport_config, twilio.segments), .initial = "3",
	  .min = 1, .max = 10, .only = "twilio", .help = "Most segments of one text." },
	{ "too_long", SETTING_CHOICE, AT(transport_config, twilio.too_long), .initial = "refuse",
	  .choices = too_long, .only = "twilio",
	  .help = "What becomes of a text with more. attach to mail: it is cut, and the whole goes by "
		  "mail, too, to the same contact." },
	{ "price", SETTING_TEXT, AT(transport_config, twilio.price), .only = "twilio",
	  .help = "What a segment costs, with its money: \"0.0079 USD\". For estimates, of *nuncio "
		  "text --dry-run* and for daily.cost, until Twilio says what was paid." },
	{ "smart_encoded", SETTING_BOOL, AT(transport_config, twilio.smart_encoded),
	  .only = "twilio", .help = "true: Twilio replaces such characters, too." },
	{ "risk_check", SETTING_WORD, AT(transport_config, twilio.risk_check),
	  .choices = risk_checks, .only = "twilio",
	  .help = "Twilio's guard against SMS pumping. Without it: as the account has it." },
	{ "on_uncertain", SETTING_CHOICE, AT(transport_config, twilio.on_uncertain),
	  .initial = "resend", .choices = on_uncertain, .only = "twilio",
	  .help = "What becomes of a text that was not answered for, and is in none of Twilio's "
		  "lists for 10 minutes. hold: it waits for release or cancel." },
	{ "inbound", SETTING_BOOL, AT(transport_config, twilio.inbound), .only = "twilio",
	  .help = "true: texts that come to the account are taken in, for rules with `on.sms`." },
	{ "numbers", SETTING_TEXTS, AT(transport_config, twilio.numbers), .only = "twilio",
	  .single = true, .help = "The account's numbers whose texts are taken in. Without it: from." },
	{ "poll", SETTING_DURATION, AT(transport_config, twilio.poll_ms), .initial = "15s",
	  .min = SECOND, .max = DAY, .only = "twilio",
	  .help = "How often Twilio is asked for texts that came." },
	{ "max_media", SETTING_SIZE, AT(transport_config, twilio.max_media_bytes), .initial = "10M",
	  .min = 1, .max = 100 * MIB, .only = "twilio",
	  .help = "Most that is taken of what comes with one text (MMS), of at most 10 files. With "
		  "more, no rule obeys it." },
	{ "expires", SETTING_DURATION, AT(transport_config, expires_ms), .initial = "4h",
	  .min = MINUTE, .max = 365 * DAY, .only = "carrier", .help = "How long a text is tried." },
	{ "throttle", SETTING_THROTTLE, AT(transport_config, throttle),
	  .initial = "3/1m 5/15m 11/h 21/3h", .only = "carrier", .help = "As above." },
	{ "via", SETTING_NAME, AT(transport_config, carrier.via), .only = "carrier",
	  .required = true, .help = "Name of the smtp transport whose server takes its mail." },
	{ "carrier", SETTING_NAME, AT(transport_config, carrier.carrier), .only = "carrier",
	  .help = "Carrier of numbers that are no contact's, or of one without carrier." },
	{ "mms", SETTING_BOOL, AT(transport_config, carrier.mms), .initial = "true",
	  .only = "carrier",
	  .help = "Whether long texts and attachments go to the gateway that a carrier has for them." },
	{ "max_attached", SETTING_SIZE, AT(transport_config, carrier.max_attached),
	  .initial = "1M", .min = KIB, .max = 16 * MIB, .only = "carrier",
	  .help = "Most that attachments of a text take together." },
	{ "exact", SETTING_BOOL, AT(transport_config, carrier.exact), .only = "carrier",
	  .help = "As of twilio." },
	{ "too_long", SETTING_CHOICE, AT(transport_config, carrier.too_long), .initial = "refuse",
	  .choices = too_long, .only = "carrier",
	  .help = "What becomes of a text that has more than the 160 characters of one, where there is "
		  "no gateway for longer ones. As of twilio." },
	{ "answers", SETTING_PATH, AT(transport_config, fake.answers), .only = "fake",
	  .help = "File of lines PATTERN CODE TEXT: what is answered to whom. Without it all is "
		  "accepted." },
	{ "log", SETTING_PATH, AT(transport_config, fake.log), .only = "fake",
	  .help = "File that gets a line of JSON for each delivery." },
};
const struct table schema_transport =
	TABLE("transports", transport_config, AT(transport_config, line), transport_settings);
/* clang-format on */
