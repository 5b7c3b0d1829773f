/* config/check_rules.c - what rules demand of contacts and mailboxes: who may make a
 * program run is said in full, or the configuration is refused. */
#include <string.h>

#include "address.h"
#include "alloc.h"
#include "config/check.h"
#include "config/document.h"
#include "failure.h"
#include "phone.h"
#include "text.h"

enum { GROUPS_MAX_DEPTH = 17 };

struct at {
	struct document *doc;
	const struct config *config;
	const config_setting_t *group, *when, *on; /* the rule's own; or the rule */
	struct rule_config *rule;
};

static const config_setting_t *member(const config_setting_t *group, const char *name)
{
	const config_setting_t *found = config_setting_get_member(group, name);

	return found ? found : group;
}

/* ---- people ---- */

/* Of `from` and `to`: contacts, and addresses in which * and ? match. */
static void check_matched(const struct at *at, const config_setting_t *setting, char **people)
{
	for (char **one = people; one && *one; one++)
		if (!address_looks_like(*one) && !config_contact(at->config, *one) &&
		    !(at->rule->on_sms && **one == '+'))
			document_problem(
				at->doc, setting,
				"\"%s\" is no contact and no address, like \"me@example.com\" "
				"or \"*@example.com\"",
				*one);
}

static bool contact_reached(const struct config *config, const struct contact_config *contact,
			    bool by_text, unsigned depth)
{
	for (char **one = contact->members; one && *one && depth < GROUPS_MAX_DEPTH; one++) {
		const struct contact_config *member = config_contact(config, *one);

		if (member && contact_reached(config, member, by_text, depth + 1))
			return true;
	}
	return by_text ? contact->sms != NULL : contact->nmail > 0;
}

static void check_written(const struct at *at, const config_setting_t *setting, const char *to,
			  const char *by)
{
	struct address address = {0};
	char number[PHONE_SIZE];
	struct failure f = {0};
	bool phone = phone_looks_like(to);

	if (phone ? phone_parse_in(at->config->region, to, number, &f) < 0
		  : address_looks_like(to) && address_parse(to, strlen(to), &address, &f) < 0)
		document_problem(at->doc, setting, "%s", f.text);
	else if (phone && by && strcmp(by, "mail") == 0)
		document_problem(at->doc, setting, "%s gets no mail", to);
	else if (!phone && address.mailbox && by && strcmp(by, "sms") == 0)
		document_problem(at->doc, setting, "%s gets no texts", to);
	else if (!phone && !address.mailbox)
		document_problem(at->doc, setting,
				 "\"%s\" is no contact, no address and no telephone number", to);
	address_clear(&address);
}

/* Who is written to. also: a word that may stand there, or NULL. */
static void check_people(const struct at *at, const config_setting_t *setting, char **people,
			 const char *by, const char *also)
{
	bool by_text = by && strcmp(by, "sms") == 0;

	for (char **one = people; one && *one; one++) {
		const struct contact_config *contact = config_contact(at->config, *one);

		if (also && strcmp(*one, also) == 0)
			continue;
		if (!contact)
			check_written(at, setting, *one, by);
		else if (by_text && !contact_reached(at->config, contact, true, 0))
			document_problem(at->doc, setting, "contact \"%s\" has no sms", *one);
	}
}

/* ---- keys ---- */

static bool has_key(const struct contact_config *contact, enum proof_kind proof)
{
	switch (proof) {
	case PROOF_SECRET:
		return contact->secret.kind != SECRET_NONE;
	case PROOF_TOTP:
		return contact->totp.kind != SECRET_NONE;
	case PROOF_HMAC:
		return contact->hmac.kind != SECRET_NONE;
	case PROOF_CONFIRM:
	case PROOF_NONE:
	case PROOF_UNSAID:
		break;
	}
	return true;
}

static const char *name_of(enum proof_kind proof)
{
	return proof == PROOF_SECRET ? "secret" : proof == PROOF_TOTP ? "totp" : "hmac";
}

/* The contact an address is taken for: the first that has it. */
static const struct contact_config *owner_of(const struct config *config,
					     const struct address *address)
{
	for (size_t i = 0; i < config->ncontacts; i++)
		for (size_t k = 0; k < config->contacts[i].nmail; k++)
			if (address_equal(&config->contacts[i].mail[k], address))
				return &config->contacts[i];
	return NULL;
}

/* The same of a number. */
static void check_number(const struct at *at, const struct contact_config *contact)
{
	const config_setting_t *from = member(at->when, "from");

	if (!contact->sms)
		document_problem(at->doc, from,
				 "contact \"%s\" has no sms: no text can be from them",
				 contact->name);
	for (size_t i = 0; contact->sms && i < at->config->ncontacts; i++) {
		const struct contact_config *owner = &at->config->contacts[i];

		if (owner == contact)
			break;
		if (owner->sms && strcmp(owner->sms, contact->sms) == 0)
			document_problem(at->doc, from,
					 "%s is of contact \"%s\" and of \"%s\": whose proof?",
					 contact->sms, owner->name, contact->name);
	}
}

static void check_person(const struct at *at, const struct contact_config *contact)
{
	const config_setting_t *from = member(at->when, "from");

	if (!has_key(contact, at->rule->when.proof))
		document_problem(at->doc, member(at->when, "proof"),
				 "contact \"%s\" has no %s: no command of theirs could be proven",
				 contact->name, name_of(at->rule->when.proof));
	if (at->rule->on_mail && !contact->nmail)
		document_problem(at->doc, from,
				 "contact \"%s\" has no mail: no mail can be from them",
				 contact->name);
	if (at->rule->on_sms)
		check_number(at, contact);
	for (size_t i = 0; at->rule->on_mail && i < contact->nmail; i++) {
		const struct contact_config *owner = owner_of(at->config, &contact->mail[i]);

		if (owner != contact)
			document_problem(at->doc, from,
					 "%s is of contact \"%s\" and of \"%s\": whose proof?",
					 contact->mail[i].mailbox, owner->name, contact->name);
	}
}

static void check_keys(const struct at *at, const char *name, unsigned depth)
{
	const struct contact_config *contact = config_contact(at->config, name);

	if (!contact || depth > GROUPS_MAX_DEPTH)
		return;
	for (char **one = contact->members; one && *one; one++)
		check_keys(at, *one, depth + 1);
	if (!contact->members)
		check_person(at, contact);
}

static void check_proof(const struct at *at)
{
	const struct when_config *when = &at->rule->when;

	if (when->proof == PROOF_UNSAID && rule_run(at->rule)) {
		document_problem(
			at->doc, at->when,
			"proof is missing: who may run a program is shown by \"secret\", "
			"\"totp\", \"hmac\" or \"confirm\"; or write \"none\" to let it be");
		return;
	}
	if (when->proof == PROOF_UNSAID || when->proof == PROOF_NONE)
		return;
	if (!when->from)
		document_problem(at->doc, at->when,
				 "from is missing: whose proof? Like from = [\"me\"]");
	for (char **one = when->from; one && *one; one++) {
		if (config_contact(at->config, *one))
			check_keys(at, *one, 0);
		else
			document_problem(at->doc, member(at->when, "from"),
					 "with a proof it names contacts, who have keys; \"%s\" is "
					 "none",
					 *one);
	}
}

/* ---- where from ---- */

static bool is_maildir_folder(const char *name)
{
	return name[0] == '.' && name[1] && !strchr(name, '/') && !strstr(name, "..");
}

/* What only a server has. */
static void check_maildir(const struct at *at)
{
	static const char wrong_folder[] = "a folder of a Maildir is written like \".Archive\"";
	const config_setting_t *deed = member(at->group, "do");
	const struct rule_config *rule = at->rule;

	for (size_t i = 0; i < rule->nactions; i++) {
		const char *flag = rule->actions[i].flag, *folder = rule->actions[i].move;

		if (flag && strcmp(flag, "seen") != 0 && strcmp(flag, "flagged") != 0 &&
		    strcmp(flag, "answered") != 0)
			document_problem(at->doc, deed,
					 "a Maildir knows the flags \"seen\", \"flagged\" and "
					 "\"answered\"");
		if (folder && !is_maildir_folder(folder))
			document_problem(at->doc, deed, wrong_folder);
	}
	if (rule->dispose_folder && !is_maildir_folder(rule->dispose_folder))
		document_problem(at->doc, member(member(at->group, "then"), "mail"), wrong_folder);
}

static void check_mailbox(const struct at *at, const char *name)
{
	const struct mailbox_config *mailbox = config_mailbox(at->config, name);
	const config_setting_t *setting = member(at->on, "mail");

	if (!mailbox || mailbox->twilio)
		document_problem(at->doc, setting, "\"%s\" is no mailbox%s", name,
				 mailbox ? ", but takes texts in: sms, not mail" : "");
	else if (!mailbox->authserv && (rule_run(at->rule) || at->rule->when.proof > PROOF_NONE))
		document_problem(
			at->doc, setting,
			"authserv of mailbox \"%s\" is missing: whose word is taken for who "
			"sent a mail? A Maildir of this machine says \"none\"",
			name);
	if (mailbox && mailbox->authserv && text_equal_nocase(mailbox->authserv, "none") &&
	    strcmp(mailbox->type, "imap") == 0 && rule_run(at->rule) &&
	    at->rule->when.proof == PROOF_NONE)
		document_warn(at->doc, setting,
			      "authserv of \"%s\" and proof are \"none\": whoever writes the "
			      "address of a contact into From makes the program run",
			      name);
	if (mailbox && strcmp(mailbox->type, "maildir") == 0)
		check_maildir(at);
}

static void check_way(const struct at *at, const char *name)
{
	const struct mailbox_config *way = config_mailbox(at->config, name);

	if (!config_transport(at->config, name))
		document_problem(at->doc, member(at->on, "sms"), "\"%s\" is no transport", name);
	else if (!way || !way->twilio)
		document_problem(at->doc, member(at->on, "sms"),
				 "\"%s\" takes no texts in; a transport of type twilio does, with "
				 "inbound = true",
				 name);
}

static void check_on(const struct at *at)
{
	if (!at->rule->on_mail && !at->rule->on_sms)
		document_problem(at->doc, at->on,
				 "mail or sms is missing, like on = { mail = \"inbox\"; }");
	for (char **name = at->rule->on_mail; name && *name; name++)
		check_mailbox(at, *name);
	for (char **name = at->rule->on_sms; name && *name; name++)
		check_way(at, *name);
	if (at->rule->on_sms && at->rule->when.proof == PROOF_SECRET)
		document_problem(
			at->doc, member(at->when, "proof"),
			"\"secret\" proves no text: whoever reads one could send the next; "
			"take \"totp\", \"hmac\" or \"confirm\"");
}

/* ---- who is told ---- */

static void check_actions(const struct at *at)
{
	const config_setting_t *deed = member(at->group, "do");

	for (size_t i = 0; i < at->rule->nactions; i++) {
		const struct action_config *action = &at->rule->actions[i];

		check_people(at, deed, action->send_to, action->send_by, "sender");
		check_people(at, deed, action->forward_to, action->forward_by, NULL);
		if (action->forward_to && at->rule->when.proof == PROOF_SECRET &&
		    !(action->forward_by && strcmp(action->forward_by, "sms") == 0))
			document_warn(
				at->doc, deed,
				"a mail is forwarded as it came, the secret in it; what proves "
				"once, like proof = \"totp\", is of no use to who reads it there");
	}
}

static bool is_nobody(char **to)
{
	return to && to[0] && strcmp(to[0], "nobody") == 0 && !to[1];
}

static void check_report(const struct at *at)
{
	const config_setting_t *then = member(at->group, "then");
	const config_setting_t *report = member(then, "report");

	if (!is_nobody(at->rule->report_to))
		check_people(at, member(report, "to"), at->rule->report_to, at->rule->report_by,
			     "sender");
}

/* Words that rules have for people: a contact of that name would never be reached. */
static void check_words(struct document *doc, const struct config *config)
{
	static const char *const words[] = {"sender", "nobody"};
	const config_setting_t *list = config_lookup(&doc->tree, "contacts");

	for (size_t i = 0; i < config->ncontacts; i++)
		for (size_t k = 0; k < sizeof(words) / sizeof(*words); k++)
			if (strcmp(config->contacts[i].name, words[k]) == 0)
				document_problem(doc, config_setting_get_elem(list, (unsigned)i),
						 "\"%s\" is a word of rules; give the contact "
						 "another name",
						 words[k]);
}

void check_rules(struct document *doc, struct config *config)
{
	struct node *nodes = xcalloc(config->nrules + 1, sizeof(*nodes));
	const config_setting_t *list = config_lookup(&doc->tree, "rules");

	for (size_t i = 0; i < config->nrules; i++) {
		const config_setting_t *group = config_setting_get_elem(list, (unsigned)i);
		struct at at = {doc,
				config,
				group,
				member(group, "when"),
				member(group, "on"),
				&config->rules[i]};

		check_rule(doc, group, at.rule);
		check_on(&at);
		check_matched(&at, member(at.when, "from"), at.rule->when.from);
		check_matched(&at, member(at.when, "to"), at.rule->when.to);
		check_proof(&at);
		check_actions(&at);
		check_report(&at);
		nodes[i] = (struct node){at.rule->name, NULL, group};
	}
	if (config->nrules)
		check_words(doc, config);
	check_names(doc, nodes, config->nrules, "name", "rule");
	free(nodes);
}
