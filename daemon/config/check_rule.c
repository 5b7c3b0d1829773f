/* config/check_rule.c - what a rule says by itself: its patterns, its deeds, the names in
 * braces, what becomes of the mail. */
#include <string.h>

#include "alloc.h"
#include "config/check.h"
#include "config/document.h"
#include "failure.h"
#include "pattern.h"

struct at {
	struct document *doc;
	const config_setting_t *group, *when; /* of the rule; when: its own, or the rule's */
	struct rule_config *rule;
};

static const config_setting_t *member(const config_setting_t *group, const char *name)
{
	const config_setting_t *found = config_setting_get_member(group, name);

	return found ? found : group;
}

/* ---- patterns ---- */

static void compile(const struct at *at, const config_setting_t *setting, const char *text,
		    struct pattern **ret)
{
	struct failure f;

	if (text && pattern_new(text, ret, &f) < 0)
		document_problem(at->doc, setting, "%s", f.text);
}

static void check_header(const struct at *at, const config_setting_t *setting,
			 struct header_condition *header)
{
	for (const char *c = header->name; *c; c++)
		if (*c <= ' ' || *c >= 127 || *c == ':') {
			document_problem(at->doc, setting,
					 "name is a header field's without its colon, like "
					 "\"X-Alert\"");
			break;
		}
	compile(at, setting, header->matches, &header->pattern);
}

static void check_patterns(const struct at *at)
{
	struct when_config *when = &at->rule->when;
	const config_setting_t *headers = config_setting_get_member(at->when, "headers");

	compile(at, member(at->when, "subject"), when->subject, &when->subject_pattern);
	compile(at, member(at->when, "body"), when->body, &when->body_pattern);
	compile(at, member(at->when, "command"), when->command, &when->command_pattern);
	for (size_t i = 0; i < when->nheaders; i++)
		check_header(at, headers, &when->headers[i]);
	if (when->command_pattern && pattern_has_capture(when->command_pattern, "attachments"))
		document_problem(at->doc, member(at->when, "command"),
				 "captures under the name attachments, which is taken: "
				 "{attachments} is the folder of what was attached");
	if (when->larger && when->smaller && when->larger >= when->smaller)
		document_problem(at->doc, member(at->when, "larger"),
				 "no mail is larger than this and smaller than that");
}

/* ---- names in braces ---- */

#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

static bool captures(const struct pattern *pattern, const char *name)
{
	return pattern && pattern_has_capture(pattern, name);
}

/* The program runs by what the command line alone says: the runner sees no more. */
static bool run_knows(const struct at *at, const char *name)
{
	const struct when_config *when = &at->rule->when;

	/* of a pattern that is none enough was said */
	return strcmp(name, "attachments") == 0 || captures(when->command_pattern, name) ||
	       (when->command && !when->command_pattern);
}

static bool text_knows(const struct at *at, const char *name)
{
	const struct when_config *when = &at->rule->when;
	bool known = captures(when->command_pattern, name) ||
		     captures(when->subject_pattern, name) || captures(when->body_pattern, name);

	for (size_t i = 0; i < when->nheaders; i++)
		known = known || captures(when->headers[i].pattern, name);
	return known;
}

/* Of an argument, as the runner fills it: a brace that opens no name is itself. */
static void check_argument(const struct at *at, const config_setting_t *setting, const char *text)
{
	for (const char *c = text; (c = strchr(c, '{')); c++) {
		size_t len = strspn(c + 1, NAME_LETTERS);

		if (!len || c[len + 1] != '}')
			continue;
		AUTO(free) char *name = xstrndup(c + 1, len);

		if (len >= PATTERN_NAME_SIZE || !run_knows(at, name))
			document_problem(
				at->doc, setting,
				"{%.40s} is captured nowhere in `command`, as (?<%.40s>...), "
				"and is not {attachments}",
				name, name);
	}
}

/* Of a message, where a brace is written twice to mean itself. */
static void check_text(const struct at *at, const config_setting_t *setting, const char *text)
{
	for (const char *c = text; c && (c = strpbrk(c, "{}")); c++) {
		if (c[0] == c[1]) {
			c++;
			continue;
		}
		size_t len = *c == '{' ? strcspn(c + 1, "{}") : 0;

		if (!len || c[len + 1] != '}') {
			document_problem(at->doc, setting,
					 "a brace stands alone; write it twice to mean itself");
			return;
		}
		AUTO(free) char *name = xstrndup(c + 1, len);

		if (!text_knows(at, name))
			document_problem(at->doc, setting,
					 "{%.40s} is captured by no pattern of `when`, as "
					 "(?<%.40s>...)",
					 name, name);
		c += len + 1;
	}
}

/* ---- deeds ---- */

static void check_run(const struct at *at, const config_setting_t *group,
		      const struct action_config *action)
{
	const config_setting_t *setting = member(group, "run");

	if (action->run[0][0] != '/' || strpbrk(action->run[0], "{}"))
		document_problem(at->doc, setting,
				 "begins with the absolute path of a program, like "
				 "\"/usr/bin/uptime\"");
	for (char **argument = action->run; *argument; argument++)
		check_argument(at, setting, *argument);
	for (char **name = action->environment; name && *name; name++)
		if ((*name)[strspn(*name, NAME_LETTERS)] ||
		    ((*name)[0] >= '0' && (*name)[0] <= '9'))
			document_problem(at->doc, member(group, "environment"),
					 "takes names of variables, like [\"LANG\"], not "
					 "\"%.60s\"",
					 *name);
}

static void check_send(const struct at *at, const config_setting_t *group,
		       const struct action_config *action)
{
	const config_setting_t *send = config_setting_get_member(group, "send");

	if (!action->send_text && !action->send_subject)
		document_problem(at->doc, send, "text is missing");
	check_text(at, member(send, "subject"), action->send_subject);
	check_text(at, member(send, "text"), action->send_text);
}

/* Of what belongs to run alone, the first that stands without it. */
static const char *stray(const config_setting_t *group)
{
	static const char *const names[] = {"user",   "directory",    "timeout",     "max_output",
					    "memory", "leading_dash", "environment", NULL};

	for (const char *const *n = names; *n; n++)
		if (config_setting_get_member(group, *n))
			return *n;
	return NULL;
}

static void take_kind(const struct at *at, const config_setting_t *group,
		      struct action_config *action)
{
	int deletes = 0;
	unsigned kinds = 0;
	const struct {
		bool said;
		enum action_kind kind;
	} said[] = {
		{action->run, ACTION_RUN},
		{action->send_to, ACTION_SEND},
		{action->forward_to, ACTION_FORWARD},
		{action->move, ACTION_MOVE},
		{action->flag, ACTION_FLAG},
		{config_setting_lookup_bool(group, "delete", &deletes) && deletes, ACTION_DELETE},
	};

	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++)
		if (said[i].said) {
			action->kind = said[i].kind;
			kinds++;
		}
	if (kinds != 1)
		document_problem(at->doc, group,
				 "takes exactly one of run, send, forward, move, flag, delete = "
				 "true; more go into a list of groups");
	else if (action->kind != ACTION_RUN && stray(group))
		document_problem(at->doc, member(group, stray(group)), "belongs to run");
}

/* What IMAP takes for a keyword. */
static bool is_atom(const char *text)
{
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c >= 127 || strchr("(){%*\"\\]", *c))
			return false;
	return strlen(text) <= 200;
}

static void check_action(const struct at *at, const config_setting_t *group,
			 struct action_config *action)
{
	take_kind(at, group, action);
	if (action->run)
		check_run(at, group, action);
	if (action->send_to)
		check_send(at, group, action);
	if (action->flag && !is_atom(action->flag))
		document_problem(at->doc, member(group, "flag"),
				 "takes \"seen\", \"flagged\", \"answered\" or one word of ASCII "
				 "without ( ) { %% * \\ ]");
}

/* Is the mail no longer there afterwards? */
static bool takes_away(const struct action_config *action)
{
	return action->kind == ACTION_MOVE || action->kind == ACTION_DELETE;
}

static bool mail_is_taken_away(const struct rule_config *rule)
{
	for (size_t i = 0; i < rule->nactions; i++)
		if (takes_away(&rule->actions[i]))
			return true;
	return false;
}

static void check_actions(const struct at *at)
{
	const config_setting_t *list = config_setting_get_member(at->group, "do");
	unsigned programs = 0, ends = 0;

	for (size_t i = 0; i < at->rule->nactions; i++) {
		check_action(at,
			     config_setting_is_group(list)
				     ? list
				     : config_setting_get_elem(list, (unsigned)i),
			     &at->rule->actions[i]);
		programs += at->rule->actions[i].kind == ACTION_RUN && at->rule->actions[i].run;
		ends += takes_away(&at->rule->actions[i]);
	}
	if (ends > 1)
		document_problem(at->doc, list, "moves or deletes the mail once at most");
	if (programs > 1)
		document_problem(at->doc, list,
				 "runs one program at most; others are rules of their own");
}

/* ---- then ---- */

static void take_disposition(const struct at *at)
{
	static const struct {
		const char *word;
		enum disposition is;
	} words[] = {{"delete", DISPOSE_DELETE}, {"keep", DISPOSE_KEEP}, {"seen", DISPOSE_SEEN}};
	const config_setting_t *then = config_setting_get_member(at->group, "then");
	const char *text = then ? setting_text(then, "mail") : NULL;
	struct rule_config *rule = at->rule;

	rule->dispose = rule_run(rule) && !mail_is_taken_away(rule) ? DISPOSE_DELETE : DISPOSE_KEEP;
	rule->dispose_said = text;
	if (!text)
		return;
	if (mail_is_taken_away(rule) && strcmp(text, "seen") != 0 && strcmp(text, "keep") != 0) {
		document_problem(at->doc, member(then, "mail"),
				 "`do` moves or deletes the mail already");
		return;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(text, words[i].word) == 0) {
			rule->dispose = words[i].is;
			return;
		}
	if (strncmp(text, "move ", 5) == 0 && text[5]) {
		rule->dispose = DISPOSE_MOVE;
		rule->dispose_folder = xstrdup(text + 5);
		return;
	}
	document_problem(at->doc, member(then, "mail"),
			 "takes \"delete\", \"keep\", \"seen\" or \"move FOLDER\"");
}

static void take_enabled(const struct at *at)
{
	int enabled = 1;

	config_setting_lookup_bool(at->group, "enabled", &enabled);
	at->rule->disabled = !enabled;
}

/* (?i) and the like, at the begin of a pattern. */
static const char *behind_options(const char *pattern)
{
	size_t len;

	while (strncmp(pattern, "(?", 2) == 0 &&
	       pattern[2 + (len = strspn(pattern + 2, "imsxn-"))] == ')')
		pattern += len + 3;
	return pattern;
}

/* Is there a | outside all parentheses? Then ^ and $ are of its sides only. */
static bool has_sides(const char *pattern)
{
	int depth = 0;
	bool class = false;

	for (const char *c = pattern; *c; c++) {
		if (*c == '\\' && c[1])
			c++;
		else if (class)
			class = *c != ']';
		else if (*c == '[')
			class = true;
		else if (*c == '|' && depth == 0)
			return true;
		else
			depth += (*c == '(') - (*c == ')');
	}
	return false;
}

static bool is_anchored(const char *pattern)
{
	const char *text = behind_options(pattern);
	size_t len = strlen(text), escapes = 0;

	if (len < 2 || text[0] != '^' || text[len - 1] != '$' || has_sides(text))
		return false;
	while (text[len - 2 - escapes] == '\\')
		escapes++;
	return escapes % 2 == 0;
}

void check_rule(struct document *doc, const config_setting_t *group, struct rule_config *rule)
{
	struct at at = {doc, group, member(group, "when"), rule};

	check_patterns(&at);
	check_actions(&at);
	take_disposition(&at);
	take_enabled(&at);
	if (rule_run(rule) && rule->when.command && !is_anchored(rule->when.command))
		document_warn(
			doc, member(at.when, "command"),
			"is found anywhere in a line; ^ at its begin and $ at its end say that "
			"the whole line is meant");
}
