/* config/schema_rule.c - the table of settings: rules. */
#include "config/schema_room.h"

static const struct choice proofs[] = {
	{"none", PROOF_NONE}, {"secret", PROOF_SECRET},   {"totp", PROOF_TOTP},
	{"hmac", PROOF_HMAC}, {"confirm", PROOF_CONFIRM}, {NULL, 0},
};
static const struct choice channels[] = {{"mail", 0}, {"sms", 0}, {NULL, 0}};
static const struct choice report_channels[] = {{"mail", 0}, {"sms", 0}, {"both", 0}, {NULL, 0}};

/* clang-format off */
static const struct setting on_settings[] = {
	{ "mail", SETTING_NAMES, AT(rule_config, on_mail), .single = true,
	  .help = "Mailboxes whose mail it is for." },
	{ "sms", SETTING_NAMES, AT(rule_config, on_sms), .single = true,
	  .help = "Transports (inbound = true) whose texts it is for." },
};
static const struct table on_table = TABLE("on", rule_config, 0, on_settings);

static const struct setting header_settings[] = {
	{ "name", SETTING_TEXT, AT(header_condition, name), .required = true,
	  .help = "Name of a header field." },
	{ "matches", SETTING_TEXT, AT(header_condition, matches), .required = true,
	  .help = "Pattern for one of its values." },
};
static const struct table header_table = TABLE("headers", header_condition, 0, header_settings);

static const struct setting when_settings[] = {
	{ "from", SETTING_TEXTS, AT(rule_config, when.from), .single = true,
	  .help = "Who sent it: contacts, groups, addresses, numbers; * and ? match." },
	{ "to", SETTING_TEXTS, AT(rule_config, when.to), .single = true,
	  .help = "To or Cc: contacts, groups, addresses; * and ? match." },
	{ "command", SETTING_TEXT, AT(rule_config, when.command),
	  .help = "Pattern for the command line: the subject, or the first line of the text where "
		  "there is none; of a text message all it says." },
	{ "subject", SETTING_TEXT, AT(rule_config, when.subject), .help = "Pattern for the subject." },
	{ "body", SETTING_TEXT, AT(rule_config, when.body), .help = "Pattern for the text." },
	{ "headers", SETTING_ROWS, AT(rule_config, when.headers), AT(rule_config, when.nheaders),
	  .max = 32, .single = true, .table = &header_table, .help = "Header fields." },
	{ "has_attachment", SETTING_WANTED, AT(rule_config, when.has_attachment),
	  .help = "Whether something is attached." },
	{ "larger", SETTING_SIZE, AT(rule_config, when.larger), .min = 1, .max = 1024 * MIB,
	  .help = "The mail is larger." },
	{ "smaller", SETTING_SIZE, AT(rule_config, when.smaller), .min = 1, .max = 1024 * MIB,
	  .help = "The mail is smaller." },
	{ "proof", SETTING_CHOICE, AT(rule_config, when.proof), .choices = proofs,
	  .help = "What shows that it comes from its owner; needed by a rule that runs something." },
	{ "max_age", SETTING_DURATION, AT(rule_config, when.max_age_ms), .initial = "1h",
	  .min = SECOND, .max = 30 * DAY, .help = "A command that came longer ago is told, not run." },
};
static const struct table when_table = TABLE("when", rule_config, 0, when_settings);

static const struct setting send_settings[] = {
	{ "to", SETTING_TEXTS, AT(action_config, send_to), .single = true, .required = true,
	  .help = "Contacts, addresses, numbers, or \"sender\"." },
	{ "by", SETTING_WORD, AT(action_config, send_by), .choices = channels, .help = "How." },
	{ "subject", SETTING_TEXT, AT(action_config, send_subject), .help = "Its subject." },
	{ "text", SETTING_TEXT, AT(action_config, send_text), .help = "What it says." },
};
static const struct table send_table = TABLE("send", action_config, 0, send_settings);

static const struct setting forward_settings[] = {
	{ "to", SETTING_TEXTS, AT(action_config, forward_to), .single = true, .required = true,
	  .help = "Contacts, addresses, numbers." },
	{ "by", SETTING_WORD, AT(action_config, forward_by), .choices = channels,
	  .help = "mail: as it came, attached (message/rfc822; as a file where its lines are "
		  "not fit for that). sms: who, subject and the begin of the text." },
};
static const struct table forward_table = TABLE("forward", action_config, 0, forward_settings);

static const struct setting action_settings[] = {
	{ "run", SETTING_TEXTS, AT(action_config, run),
	  .help = "A program and its arguments, no shell: {name} is what the pattern captured." },
	{ "user", SETTING_TEXT, AT(action_config, user), .help = "Whom to run it as." },
	{ "directory", SETTING_PATH, AT(action_config, directory),
	  .help = "Where to run it. Without it: a private one of the run." },
	{ "timeout", SETTING_DURATION, AT(action_config, timeout_ms), .initial = "1m",
	  .min = SECOND, .max = 30 * DAY, .help = "Then it is ended." },
	{ "max_output", SETTING_SIZE, AT(action_config, max_output), .initial = "1M",
	  .min = KIB, .max = 64 * MIB, .help = "So much of what it prints is kept, head and tail." },
	{ "memory", SETTING_SIZE, AT(action_config, memory), .min = MIB, .max = 1024 * 1024 * MIB,
	  .help = "Most memory it may take. Without it: no limit." },
	{ "leading_dash", SETTING_BOOL, AT(action_config, leading_dash),
	  .help = "What was captured may begin with -." },
	{ "environment", SETTING_TEXTS, AT(action_config, environment), .single = true,
	  .help = "Variables it gets from the runner's own." },
	{ "send", SETTING_GROUP, .table = &send_table, .help = "A message." },
	{ "forward", SETTING_GROUP, .table = &forward_table, .help = "The mail itself, passed on." },
	{ "move", SETTING_TEXT, AT(action_config, move), .help = "Moves the mail into a folder." },
	{ "flag", SETTING_TEXT, AT(action_config, flag),
	  .help = "Flags the mail: seen, flagged, answered, or a word." },
	{ "delete", SETTING_BOOL, SCHEMA_NOWHERE, .help = "true: deletes the mail." },
};
static const struct table action_table = TABLE("do", action_config, 0, action_settings);

static const struct setting report_settings[] = {
	{ "to", SETTING_TEXTS, AT(rule_config, report_to), .single = true,
	  .help = "\"sender\", contacts, or \"nobody\". Without it: the sender where something runs." },
	{ "by", SETTING_WORD, AT(rule_config, report_by), .choices = report_channels,
	  .help = "Without it: as the command came." },
};
static const struct table report_table = TABLE("report", rule_config, 0, report_settings);

static const struct setting then_settings[] = {
	{ "mail", SETTING_TEXT, SCHEMA_NOWHERE,
	  .help = "What becomes of the mail: delete, keep, seen, or move FOLDER. Without it: delete "
		  "where something runs, else keep. Texts are kept, unless delete is said." },
	{ "report", SETTING_GROUP, .table = &report_table, .help = "Who is told how it went." },
	{ "continue", SETTING_BOOL, AT(rule_config, more), .help = "Later rules are tried, too." },
};
static const struct table then_table = TABLE("then", rule_config, 0, then_settings);

static const struct setting rule_settings[] = {
	{ "name", SETTING_NAME, AT(rule_config, name), .required = true,
	  .help = "What it is called in commands, reports and logs." },
	{ "enabled", SETTING_BOOL, SCHEMA_NOWHERE, .help = "false: it is passed over." },
	{ "on", SETTING_GROUP, .table = &on_table, .help = "What it waits for." },
	{ "when", SETTING_GROUP, .table = &when_table, .help = "Conditions; all must hold." },
	{ "do", SETTING_ROWS, AT(rule_config, actions), AT(rule_config, nactions), .min = 1,
	  .max = 16, .single = true, .required = true, .table = &action_table,
	  .help = "What is done: a group or a list of groups, in each one of run, send, forward, "
		  "move, flag, delete." },
	{ "then", SETTING_GROUP, .table = &then_table, .help = "What follows." },
};
/* clang-format on */
const struct table schema_rule = TABLE("rules", rule_config, AT(rule_config, line), rule_settings);
