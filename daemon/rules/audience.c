/* rules/audience.c - decides by which stored address each is reached, and that nobody
 * is reached twice. */
#include "rules/audience.h"

#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "alloc.h"
#include "config/config.h"
#include "phone.h"
#include "text.h"

#define GROUP_DEPTH 16
#define AUDIENCE_MAX 200

void audience_clear(struct audience *a)
{
	for (size_t i = 0; i < a->nmail; i++)
		address_clear(&a->mail[i]);
	free(a->mail);
	for (size_t i = 0; i < a->ntexts; i++)
		free(a->texts[i]);
	free(a->texts);
	free(a->route);
	*a = (struct audience){0};
}

bool audience_is_empty(const struct audience *a)
{
	return a->nmail + a->ntexts == 0;
}

enum by by_of(const char *word, enum by otherwise)
{
	if (!word)
		return otherwise;
	if (strcmp(word, "mail") == 0)
		return BY_MAIL;
	if (strcmp(word, "sms") == 0)
		return BY_SMS;
	return strcmp(word, "both") == 0 ? BY_BOTH : BY_EITHER;
}

static struct address address_copy(const struct address *a)
{
	return (struct address){.name = a->name ? xstrdup(a->name) : NULL,
				.mailbox = xstrdup(a->mailbox),
				.ascii = xstrdup(a->ascii),
				.needs_smtputf8 = a->needs_smtputf8};
}

static void add_mail(struct audience *a, const struct address *mail)
{
	for (size_t i = 0; i < a->nmail; i++)
		if (address_equal(&a->mail[i], mail))
			return;
	if (a->nmail == AUDIENCE_MAX)
		return;
	a->mail = xrealloc(a->mail, (a->nmail + 1) * sizeof(*a->mail));
	a->mail[a->nmail++] = address_copy(mail);
}

static void add_text(struct audience *a, const char *number)
{
	for (size_t i = 0; i < a->ntexts; i++)
		if (strcmp(a->texts[i], number) == 0)
			return;
	if (a->ntexts == AUDIENCE_MAX)
		return;
	a->texts = xrealloc(a->texts, (a->ntexts + 1) * sizeof(*a->texts));
	a->texts[a->ntexts++] = xstrdup(number);
}

static void add_contact(struct audience *a, const struct config *config,
			const struct contact_config *contact, enum by by, unsigned depth)
{
	bool mail = by != BY_SMS && contact->nmail;

	for (char **member = contact->members; member && *member && depth < GROUP_DEPTH; member++) {
		const struct contact_config *one = config_contact(config, *member);

		if (one)
			add_contact(a, config, one, by, depth + 1);
	}
	if (mail)
		add_mail(a, &contact->mail[0]);
	if (contact->sms && (by == BY_SMS || by == BY_BOTH || !mail))
		add_text(a, contact->sms);
	else if (!contact->sms && by == BY_SMS && contact->nmail)
		add_mail(a, &contact->mail[0]);
}

void audience_add_contact(struct audience *a, const struct config *config,
			  const struct contact_config *contact, enum by by)
{
	add_contact(a, config, contact, by, 0);
}

static void add_written(struct audience *a, const struct config *config, const char *name)
{
	struct address address = {0};
	char number[PHONE_SIZE];

	if (phone_looks_like(name) && phone_parse_in(config->region, name, number, NULL) == 0)
		add_text(a, number);
	else if (address_parse(name, strlen(name), &address, NULL) == 0)
		add_mail(a, &address);
	address_clear(&address);
}

void audience_add(struct audience *a, const struct config *config, char *const *names,
		  const struct contact_config *sender, const char *word, enum by otherwise)
{
	enum by by = by_of(word, otherwise);

	if (word && by == BY_EITHER && !a->route)
		a->route = xstrdup(word);
	for (char *const *name = names; name && *name; name++) {
		bool is_sender = strcmp(*name, "sender") == 0;
		const struct contact_config *contact =
			is_sender ? sender : config_contact(config, *name);

		if (contact)
			add_contact(a, config, contact, by, 0);
		else if (!is_sender && strcmp(*name, "nobody") != 0)
			add_written(a, config, *name);
	}
}

size_t audience_without_texts(struct audience *a, const struct config *config)
{
	size_t lost = 0;

	for (size_t i = 0; i < a->ntexts; i++) {
		const struct contact_config *owner = config_owner(config, a->texts[i]);

		if (owner)
			add_mail(a, &owner->mail[0]);
		else
			lost++;
		free(a->texts[i]);
	}
	a->ntexts = 0;
	return lost;
}

/* ---- kept with a run ---- */

static json_t *address_to_json(const struct address *a)
{
	json_t *object = json_pack("{s:s, s:s}", "mailbox", a->mailbox, "ascii", a->ascii);

	if (a->name)
		json_object_set_new(object, "name", json_string(a->name));
	return object;
}

json_t *audience_to_json(const struct audience *a)
{
	json_t *mail = json_array(), *texts = json_array();

	for (size_t i = 0; i < a->nmail; i++)
		json_array_append_new(mail, address_to_json(&a->mail[i]));
	for (size_t i = 0; i < a->ntexts; i++)
		json_array_append_new(texts, json_string(a->texts[i]));
	json_t *object = json_pack("{s:o, s:o}", "mail", mail, "texts", texts);
	if (a->route)
		json_object_set_new(object, "route", json_string(a->route));
	return object;
}

void audience_from_json(struct audience *a, const json_t *object)
{
	const char *route = json_string_value(json_object_get(object, "route"));
	json_t *one;
	size_t i;

	*a = (struct audience){.route = route ? xstrdup(route) : NULL};
	json_array_foreach(json_object_get(object, "mail"), i, one)
	{
		const char *ascii = json_string_value(json_object_get(one, "ascii"));
		const char *mailbox = json_string_value(json_object_get(one, "mailbox"));
		const char *name = json_string_value(json_object_get(one, "name"));

		if (ascii && mailbox)
			add_mail(a, &(struct address){
					    .name = (char *)name,
					    .mailbox = (char *)mailbox,
					    .ascii = (char *)ascii,
					    .needs_smtputf8 = !text_is_ascii(ascii, strlen(ascii)),
				    });
	}
	json_array_foreach(json_object_get(object, "texts"), i, one) if (json_is_string(one))
		add_text(a, json_string_value(one));
}
