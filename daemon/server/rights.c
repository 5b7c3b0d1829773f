/* server/rights.c - decides which rows of `access` fit a caller, and adds them
 * up. Which right a method needs is methods.c's to say. */
#include "server/rights.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "config/config.h"
#include "text.h"

void caller_clear(struct caller *c)
{
	for (size_t i = 0; i < c->ngroups; i++)
		free(c->groups[i].name);
	free(c->groups);
	free(c->user);
	c->groups = NULL;
	c->ngroups = 0;
	c->user = NULL;
	c->named = false;
}

static bool id_parse(const char *text, unsigned long *ret)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*ret = strtoul(text, &end, 10);
	return !*end && !errno && *ret <= UINT32_MAX;
}

/* One entry of `users` or `groups`: "*", a decimal id, or a name. */
static bool entry_fits(const char *entry, unsigned long id, const char *name)
{
	unsigned long number;

	if (strcmp(entry, "*") == 0)
		return true;
	if (id_parse(entry, &number))
		return number == id;
	return name && strcmp(entry, name) == 0;
}

static bool any_group_fits(const struct caller *caller, const char *entry)
{
	if (entry_fits(entry, caller->gid, NULL))
		return true;
	for (size_t i = 0; i < caller->ngroups; i++)
		if (entry_fits(entry, caller->groups[i].gid, caller->groups[i].name))
			return true;
	return false;
}

static bool row_fits(const struct access_config *row, const struct caller *caller)
{
	for (char **user = row->users; user && *user; user++)
		if (entry_fits(*user, caller->uid, caller->user))
			return true;
	for (char **group = row->groups; group && *group; group++)
		if (any_group_fits(caller, *group))
			return true;
	return false;
}

static bool user_needs_name(const char *entry)
{
	unsigned long number;

	return strcmp(entry, "*") != 0 && !id_parse(entry, &number);
}

bool rights_need_names(const struct config *config)
{
	for (size_t i = 0; i < config->naccess; i++) {
		const struct access_config *row = &config->access[i];

		if (row->groups && row->groups[0])
			return true;
		for (char **user = row->users; user && *user; user++)
			if (user_needs_name(*user))
				return true;
	}
	return false;
}

unsigned rights_of(const struct config *config, const struct caller *caller)
{
	unsigned rights = 0;

	if (caller->trusted)
		return RIGHT_SEND | RIGHT_SUBMIT | RIGHT_OPERATE | RIGHT_LOOK | RIGHT_RUN;
	if (!config->naccess)
		return RIGHT_SEND | RIGHT_SUBMIT;
	for (size_t i = 0; i < config->naccess; i++)
		if (row_fits(&config->access[i], caller))
			rights |= config->access[i].rights;
	return rights;
}

static bool row_allows_from(const struct access_config *row, const struct address *from)
{
	for (char **pattern = row->from; pattern && *pattern; pattern++)
		if (text_matches(*pattern, from->ascii))
			return true;
	return false;
}

bool rights_allow_from(const struct config *config, const struct caller *caller,
		       const struct address *from)
{
	if (caller->trusted || address_equal(from, &config->from))
		return true;
	for (size_t i = 0; i < config->naccess; i++)
		if (row_fits(&config->access[i], caller) &&
		    row_allows_from(&config->access[i], from))
			return true;
	return false;
}

/* ---- whom, and how much ---- */

static bool contact_has(const struct config *config, const struct contact_config *contact,
			const char *recipient)
{
	if (contact->sms && strcmp(contact->sms, recipient) == 0)
		return true;
	for (size_t i = 0; i < contact->nmail; i++)
		if (text_equal_nocase(contact->mail[i].ascii, recipient))
			return true;
	/* groups lead in no circle: check_names() saw to it */
	for (char **member = contact->members; member && *member; member++) {
		const struct contact_config *one = config_contact(config, *member);

		if (one && contact_has(config, one, recipient))
			return true;
	}
	return false;
}

static bool row_allows_to(const struct config *config, const struct access_config *row,
			  const char *recipient)
{
	for (char **to = row->to; to && *to; to++) {
		const struct contact_config *contact = config_contact(config, *to);

		if (contact ? contact_has(config, contact, recipient)
			    : text_matches(*to, recipient))
			return true;
	}
	return !row->to;
}

bool rights_allow_to(const struct config *config, const struct caller *caller, unsigned right,
		     const char *recipient)
{
	if (caller->trusted)
		return true;
	for (size_t i = 0; i < config->naccess; i++) {
		const struct access_config *row = &config->access[i];

		if (row->rights & right && row_fits(row, caller) &&
		    row_allows_to(config, row, recipient))
			return true;
	}
	return !config->naccess;
}

static void be_generous(uint64_t *most, uint64_t row, bool first)
{
	if (first || !row || (*most && row > *most))
		*most = row;
}

struct allowance rights_allowance(const struct config *config, const struct caller *caller)
{
	uint64_t messages = 0, bytes = 0, connections = 0;
	bool first = true;

	for (size_t i = 0; i < config->naccess && !caller->trusted; i++) {
		const struct access_config *row = &config->access[i];

		if (!(row->rights & (RIGHT_SEND | RIGHT_SUBMIT)) || !row_fits(row, caller))
			continue;
		be_generous(&messages, row->messages.count, first);
		be_generous(&bytes, row->bytes, first);
		be_generous(&connections, row->connections, first);
		first = false;
	}
	return (struct allowance){.messages = (uint32_t)messages,
				  .bytes = bytes,
				  .connections = (unsigned)connections};
}
