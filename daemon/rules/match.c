/* rules/match.c - the conditions of `when`, one after the other, each a row of a table.
 * The proof is not among them (proof.h), nor is the provider's word (authres.h). What a
 * pattern sees of a text never holds the proof, so no capture can carry it away. */
#include "rules/match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "alloc.h"
#include "auto.h"
#include "buf.h"
#include "config/config.h"
#include "failure.h"
#include "message/parse.h"
#include "text.h"

enum {
	GROUPS_DEEP = 16, /* groups within groups; circles are an error, but end here too */
	FIELDS_MAX = 64,  /* of one name that are looked at */
	FILLED_MAX = 16 * 1024 * 1024,
};

struct trial {
	const struct config *config;
	const struct rule_config *rule;
	const struct incoming *in;
	const struct command_line *command;
	const struct contact_config *sender;
	const char *from;          /* address or number as it came; "" */
	struct captures *captures; /* of the match */
	char text[200];            /* what was compared last */
};

/* Beside the domain, the local part too without case: no provider of today tells Ana from
 * ana, and phones write the first letter large. */
static bool same_address(const struct address *a, const char *text)
{
	struct address b = {0};
	struct failure f;

	if (address_parse(text, strlen(text), &b, &f) < 0)
		return false;
	bool same = text_equal_nocase(a->ascii, b.ascii);
	address_clear(&b);
	return same;
}

static bool contact_has(const struct contact_config *contact, const char *address)
{
	for (size_t i = 0; i < contact->nmail; i++) {
		if (same_address(&contact->mail[i], address))
			return true;
	}
	return false;
}

static const char *from_of(const struct incoming *in)
{
	if (in->is_text)
		return in->from ? in->from : "";
	return in->mail->from.n == 1 ? in->mail->from.at[0].address : "";
}

const struct contact_config *match_sender(const struct config *config, const struct incoming *in)
{
	const char *from = from_of(in);

	for (size_t i = 0; *from && i < config->ncontacts; i++) {
		const struct contact_config *c = &config->contacts[i];

		if (in->is_text ? c->sms && strcmp(c->sms, from) == 0 : contact_has(c, from))
			return c;
	}
	return NULL;
}

/* Is address (or number) that of the contact, or of a member of the group? */
static bool belongs(const struct config *config, const struct contact_config *contact,
		    const char *address, unsigned depth)
{
	if ((contact->sms && strcmp(contact->sms, address) == 0) || contact_has(contact, address))
		return true;
	for (char **m = contact->members; m && *m && depth < GROUPS_DEEP; m++) {
		const struct contact_config *member = config_contact(config, *m);

		if (member && belongs(config, member, address, depth + 1))
			return true;
	}
	return false;
}

static bool is_named(const struct config *config, char *const *names, const char *address)
{
	for (; *address && *names; names++) {
		const struct contact_config *contact = config_contact(config, *names);

		if (contact ? belongs(config, contact, address, 0) : text_matches(*names, address))
			return true;
	}
	return false;
}

static void compared(struct trial *t, const char *text, size_t len)
{
	/* More can't be shown, and a text may be long. */
	text_safe_line(t->text, sizeof(t->text), text, len < 400 ? len : 400);
}

static enum match_verdict try_pattern(struct trial *t, const struct pattern *pattern,
				      const char *text, size_t len)
{
	compared(t, text, len);
	switch (pattern_match(pattern, text, len, t->captures)) {
	case PATTERN_MATCHES:
		return MATCH_YES;
	case PATTERN_TOO_COSTLY:
		return MATCH_TOO_COSTLY;
	case PATTERN_DIFFERS:
		break;
	}
	return MATCH_NO;
}

static enum match_verdict verdict_of(bool holds)
{
	return holds ? MATCH_YES : MATCH_NO;
}

static enum match_verdict try_from(struct trial *t)
{
	compared(t, t->from, strlen(t->from));
	return verdict_of(is_named(t->config, t->rule->when.from, t->from));
}

static bool one_is_named(struct trial *t, const struct mail_addresses *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *address = list->at[i].address;

		compared(t, address, strlen(address));
		if (is_named(t->config, t->rule->when.to, address))
			return true;
	}
	return false;
}

static enum match_verdict try_to(struct trial *t)
{
	return verdict_of(!t->in->is_text &&
			  (one_is_named(t, &t->in->mail->to) || one_is_named(t, &t->in->mail->cc)));
}

static enum match_verdict try_command(struct trial *t)
{
	const char *text = t->command ? t->command->text : "";

	return try_pattern(t, t->rule->when.command_pattern, text, strlen(text));
}

static enum match_verdict try_subject(struct trial *t)
{
	const char *subject = t->in->is_text ? NULL : t->in->mail->subject;

	subject = subject ? subject : "";
	return try_pattern(t, t->rule->when.subject_pattern, subject, strlen(subject));
}

/* Octets of the text with the proof taken out; owned by the caller. */
static char *body_without_proof(const struct trial *t)
{
	const struct incoming *in = t->in;
	const char *text = in->is_text ? in->body : in->mail->text;
	size_t len = !text ? 0 : in->is_text ? strlen(text) : in->mail->text_len;
	char *copy = xmemdup(text ? text : "", len);

	for (size_t i = 0; i < len; i++) {
		if (!copy[i]) /* no argument could hold it */
			copy[i] = '?';
	}
	if (t->command)
		command_line_redact(t->command, copy);
	return copy;
}

static enum match_verdict try_body(struct trial *t)
{
	AUTO(free) char *body = body_without_proof(t);

	return try_pattern(t, t->rule->when.body_pattern, body, strlen(body));
}

static enum match_verdict try_attachment(struct trial *t)
{
	bool has = t->in->is_text && t->in->has_attachment;

	for (size_t i = 0; !t->in->is_text && i < t->in->mail->nparts; i++)
		has = has || t->in->mail->parts[i].is_attachment;
	snprintf(t->text, sizeof(t->text), "%s", has ? "yes" : "no");
	return verdict_of(has == (t->rule->when.has_attachment == WANTED_YES));
}

static enum match_verdict try_size(struct trial *t)
{
	const struct when_config *when = &t->rule->when;
	uint64_t size = t->in->size;

	snprintf(t->text, sizeof(t->text), "%llu bytes", (unsigned long long)size);
	return verdict_of((!when->larger || size > when->larger) &&
			  (!when->smaller || size < when->smaller));
}

/* One of the fields of that name must match. */
static enum match_verdict try_header(struct trial *t, const struct header_condition *wanted)
{
	enum match_verdict verdict = MATCH_NO;

	t->text[0] = '\0';
	for (size_t n = 0; !t->in->is_text && verdict == MATCH_NO && n < FIELDS_MAX; n++) {
		AUTO(free) char *value = parsed_field_text(t->in->mail, wanted->name, n);

		if (!value)
			break;
		verdict = try_pattern(t, wanted->pattern, value, strlen(value));
	}
	return verdict;
}

static void add_step(struct match *m, const struct trial *t, const char *condition,
		     enum match_verdict verdict)
{
	if (verdict != MATCH_YES)
		m->matches = false;
	if (m->nsteps == MATCH_STEPS_MAX)
		return;
	struct match_step *step = &m->steps[m->nsteps++];
	step->condition = condition;
	step->verdict = verdict;
	memcpy(step->text, t->text, sizeof(step->text));
}

static void try_headers(struct trial *t, bool all, struct match *m)
{
	const struct when_config *when = &t->rule->when;

	for (size_t i = 0; i < when->nheaders && (all || m->matches); i++)
		add_step(m, t, "header", try_header(t, &when->headers[i]));
}

void match_rule(const struct config *config, const struct rule_config *rule,
		const struct incoming *in, const struct command_line *command, bool all,
		struct match *ret)
{
	const struct when_config *when = &rule->when;
	struct trial t = {.config = config, .rule = rule, .in = in, .command = command};
	/* What costs little comes first. */
	const struct {
		const char *name;
		bool is_said;
		enum match_verdict (*holds)(struct trial *t);
	} conditions[] = {
		{"from", when->from != NULL, try_from},
		{"to", when->to != NULL, try_to},
		{"size", when->larger || when->smaller, try_size},
		{"has_attachment", when->has_attachment != WANTED_ANY, try_attachment},
		{"command", when->command_pattern != NULL, try_command},
		{"subject", when->subject_pattern != NULL, try_subject},
		{"body", when->body_pattern != NULL, try_body},
	};

	*ret = (struct match){.matches = true};
	t.from = from_of(in);
	t.captures = &ret->captures;
	for (size_t i = 0; i < sizeof(conditions) / sizeof(*conditions); i++) {
		t.text[0] = '\0';
		if (conditions[i].is_said && (all || ret->matches))
			add_step(ret, &t, conditions[i].name, conditions[i].holds(&t));
	}
	try_headers(&t, all, ret);
}

void match_clear(struct match *m)
{
	captures_clear(&m->captures);
	*m = (struct match){0};
}

/* The value of the name that begins at name; *ret_len is the name's. NULL: no such. */
static const char *value_of(const char *name, const struct captures *captures, size_t *ret_len)
{
	char copy[PATTERN_NAME_SIZE];
	size_t len = strcspn(name, "{}");

	*ret_len = len;
	if (name[len] != '}' || !len || len >= sizeof(copy))
		return NULL;
	memcpy(copy, name, len);
	copy[len] = '\0';
	return captures_get(captures, copy);
}

char *match_fill(const char *text, const struct captures *captures, const char **ret_missing)
{
	struct buf out;

	buf_init(&out, FILLED_MAX);
	while (*text) {
		size_t n = strcspn(text, "{}"), name_len = 0;
		int added = buf_add(&out, text, n);

		text += n;
		if (*text && text[1] == *text) {
			added |= buf_add(&out, text, 1);
			text += 2;
		} else if (*text == '}') {
			added |= buf_add(&out, text++, 1);
		} else if (*text) {
			const char *value = value_of(text + 1, captures, &name_len);

			if (!value || buf_add_text(&out, value) < 0) {
				*ret_missing = text + 1;
				buf_clear(&out);
				return NULL;
			}
			text += name_len + 2;
		}
		if (added < 0)
			break;
	}
	return buf_take(&out, NULL);
}
