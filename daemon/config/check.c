/* config/check.c - what one setting demands of another, and the defaults that
 * depend on the machine. */
#include "config/check.h"

#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "address.h"
#include "alloc.h"
#include "config/document.h"
#include "config/load.h"
#include "config/places.h"
#include "config/schema.h"
#include "failure.h"
#include "phone.h"
#include "phone_region.h"

static const config_setting_t *row_of(struct document *doc, const char *list, size_t i)
{
	return config_setting_get_elem(config_lookup(&doc->tree, list), (unsigned)i);
}

static void default_from(struct config *config)
{
	char host[256] = "";
	AUTO(free) char *text = NULL;

	if (gethostname(host, sizeof(host) - 1) == 0)
		text = xprintf("nuncio@%s", host);
	if (text && address_parse(text, strlen(text), &config->from, NULL) == 0)
		return;
	/* The machine's name is none that mail knows. */
	if (address_parse("nuncio@localhost", strlen("nuncio@localhost"), &config->from, NULL) < 0)
		abort();
}

static void default_transport(struct config *config)
{
	struct transport_config *outbox = xcalloc(1, sizeof(*outbox));

	load_defaults(&schema_transport, "maildir", outbox);
	outbox->name = xstrdup("outbox");
	outbox->type = xstrdup("maildir");
	outbox->maildir.path = xprintf("%s/outbox", config->state);
	outbox->fingerprint = fingerprint(NULL, outbox);
	free(config->transports);
	config->transports = outbox;
	config->ntransports = 1;
}

static void default_access(struct config *config)
{
	struct access_config *everyone = xcalloc(1, sizeof(*everyone));

	everyone->users = xcalloc(2, sizeof(char *));
	everyone->users[0] = xstrdup("*");
	everyone->rights = RIGHT_SEND | RIGHT_SUBMIT;
	free(config->access);
	config->access = everyone;
	config->naccess = 1;
}

/* /var/lib/nuncio-runner beside /var/lib/nuncio. */
static char *beside(const char *state)
{
	size_t len = strlen(state);

	while (len > 1 && state[len - 1] == '/')
		len--;
	return xprintf("%.*s-runner", (int)len, state);
}

static void take_defaults(struct config *config)
{
	bool system = place_is_system(config->path);

	if (!config->from.mailbox)
		default_from(config);
	if (!config->socket)
		config->socket = place_socket(system);
	if (!config->state)
		config->state = place_state(system);
	if (!config->runner.socket)
		config->runner.socket = place_runner_socket(system);
	if (!config->runner.state)
		config->runner.state = beside(config->state);
	if (!config->ntransports)
		default_transport(config);
	if (!config->naccess)
		default_access(config);
}

static void check_socket(struct document *doc, const char *name, const char *path)
{
	const config_setting_t *setting = config_lookup(&doc->tree, name);
	size_t most = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;

	if (strlen(path) > most)
		document_problem(doc, setting ? setting : config_root_setting(&doc->tree),
				 "the path of a socket has at most %zu bytes: %s", most, path);
}

/* nunciod and the runner each lock what is theirs, and listen where nobody else does. */
static void check_runner(struct document *doc, const struct config *config)
{
	const config_setting_t *setting = config_lookup(&doc->tree, "runner");
	const config_setting_t *runner = setting ? setting : config_root_setting(&doc->tree);

	if (strcmp(config->runner.state, config->state) == 0)
		document_problem(doc, runner,
				 "state is nunciod's own; the runner needs another folder, "
				 "like \"/var/lib/nuncio-runner\"");
	if (strcmp(config->runner.socket, config->socket) == 0)
		document_problem(doc, runner,
				 "socket is nunciod's own; the runner needs another one, like "
				 "\"/run/nuncio/runner.sock\"");
}

static void check_transport(struct presets *presets, const config_setting_t *group,
			    struct transport_config *transport)
{
	if (transport->retry_first_ms > transport->retry_max_ms)
		document_problem(presets->doc, config_setting_get_member(group, "retry"),
				 "first is longer than max");
	if (!strcmp(transport->type, "smtp"))
		check_smtp(presets, group, transport);
	if (!strcmp(transport->type, "twilio"))
		check_twilio(presets->doc, group, &transport->twilio);
	transport->fingerprint = fingerprint(group, transport);
}

static void check_transports(struct document *doc, struct config *config)
{
	struct presets presets = {.doc = doc};
	struct node *nodes = xcalloc(config->ntransports + 1, sizeof(*nodes));

	for (size_t i = 0; i < config->ntransports; i++) {
		struct transport_config *transport = &config->transports[i];
		const config_setting_t *group = row_of(doc, "transports", i);

		check_transport(&presets, group, transport);
		nodes[i] = (struct node){transport->name, transport->failover, group};
	}
	check_names(doc, nodes, config->ntransports, "failover", "transport");
	free(nodes);
	providers_clear(&presets.providers);
}

static void check_contact(struct document *doc, const config_setting_t *group,
			  const struct contact_config *contact)
{
	bool keys = contact->secret.kind != SECRET_NONE || contact->totp.kind != SECRET_NONE ||
		    contact->hmac.kind != SECRET_NONE;

	if (contact->members && (contact->nmail || contact->sms || keys))
		document_problem(doc, group,
				 "is a group and has members only: mail, sms and keys are of "
				 "people");
	if (contact->fallback.way > FALLBACK_NONE && (!contact->nmail || !contact->sms))
		document_problem(doc, config_setting_get_member(group, "fallback"),
				 "leads nowhere: mail and sms are both needed");
	if (!contact->members && !contact->nmail && !contact->sms)
		document_problem(doc, group,
				 "mail, sms or members is missing, like "
				 "mail = [\"me@example.com\"]");
}

static void check_contacts(struct document *doc, const struct config *config)
{
	struct node *nodes = xcalloc(config->ncontacts + 1, sizeof(*nodes));

	for (size_t i = 0; i < config->ncontacts; i++) {
		const struct contact_config *contact = &config->contacts[i];
		const config_setting_t *group = row_of(doc, "contacts", i);

		check_contact(doc, group, contact);
		nodes[i] = (struct node){contact->name, contact->members, group};
	}
	check_names(doc, nodes, config->ncontacts, "members", "contact");
	free(nodes);
}

void check_region(struct document *doc)
{
	const config_setting_t *setting = config_lookup(&doc->tree, "region");
	const char *region = setting ? config_setting_get_string(setting) : NULL;

	if (!region) /* said elsewhere if it is no text */
		return;
	if (phone_region_find(region))
		doc->region = region;
	else
		document_problem(
			doc, setting,
			"takes the two letters (ISO 3166) of a country whose numbers are "
			"known, like \"US\"; others are written with + and the country code");
}

static bool is_name(const struct config *config, const char *to)
{
	return config_contact(config, to) || config_alias(config, to) ||
	       (!address_looks_like(to) && !phone_looks_like(to));
}

/* The names in to, in an array the caller frees; what is none must be right by itself. */
static char **alias_names(struct document *doc, const config_setting_t *group,
			  const struct config *config, const struct alias_config *alias)
{
	const config_setting_t *list = config_setting_get_member(group, "to");
	size_t n = 0, count = 0;
	char number[PHONE_SIZE];
	struct failure f;

	while (alias->to && alias->to[count])
		count++;
	if (!count)
		document_problem(doc, list ? list : group, "names nobody, like to = [\"me\"]");
	char **names = xcalloc(count + 1, sizeof(*names));

	for (size_t i = 0; i < count; i++) {
		const char *to = alias->to[i];
		struct address address = {0};

		if (is_name(config, to))
			names[n++] = alias->to[i];
		else if (address_looks_like(to)
				 ? address_parse(to, strlen(to), &address, &f) < 0
				 : phone_parse_in(config->region, to, number, &f) < 0)
			document_problem(doc, list, "%s", f.text);
		address_clear(&address);
	}
	return names;
}

/* Aliases and contacts are names of one kind: none is there twice. */
static void check_aliases(struct document *doc, const struct config *config)
{
	size_t n = config->naliases;
	struct node *nodes = xcalloc(n + config->ncontacts + 1, sizeof(*nodes));
	char ***names = xcalloc(n + 1, sizeof(*names));

	for (size_t i = 0; i < n; i++) {
		const config_setting_t *group = row_of(doc, "aliases", i);

		names[i] = alias_names(doc, group, config, &config->aliases[i]);
		nodes[i] = (struct node){config->aliases[i].name, names[i], group};
	}
	for (size_t i = 0; i < config->ncontacts; i++)
		nodes[n + i] =
			(struct node){config->contacts[i].name, NULL, row_of(doc, "contacts", i)};
	check_names(doc, nodes, n + config->ncontacts, "to", "contact and no alias");
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
	free(nodes);
}

static void check_operators(struct document *doc, const struct config *config)
{
	for (char **name = config->operators; name && *name; name++)
		if (!config_contact(config, *name))
			document_problem(doc, config_lookup(&doc->tree, "operator"),
					 "\"%s\" is no contact", *name);
}

static void check_shares(struct document *doc, const config_setting_t *group,
			 const struct access_config *access)
{
	bool sends = access->rights & (RIGHT_SEND | RIGHT_SUBMIT);

	if (access->messages.count && access->messages.per_ms != 60 * 60 * 1000)
		document_problem(doc, config_setting_get_member(group, "messages"),
				 "is counted by the hour, like \"100/h\"");
	if (!sends && (access->to || access->messages.count || access->bytes))
		document_problem(doc, group,
				 "to, messages and bytes limit what `may` lets send or submit, and "
				 "this row lets nobody");
}

static void check_access(struct document *doc, const struct config *config)
{
	for (size_t i = 0; i < config->naccess; i++) {
		const struct access_config *access = &config->access[i];
		const config_setting_t *group = row_of(doc, "access", i);

		if (!access->users && !access->groups)
			document_problem(doc, group,
					 "users or groups is missing, like "
					 "users = [\"*\"]");
		if (!access->rights)
			document_problem(doc, config_setting_get_member(group, "may"),
					 "is empty; leave the row out to allow nothing");
		check_shares(doc, group, access);
	}
}

void check_config(struct document *doc, struct config *config)
{
	if (config->ntransports)
		check_transports(doc, config);
	check_contacts(doc, config);
	check_carriers(doc, config);
	if (config->naliases)
		check_aliases(doc, config);
	check_operators(doc, config);
	if (config->naccess)
		check_access(doc, config);
	take_defaults(config);
	check_socket(doc, "socket", config->socket);
	check_socket(doc, "runner.socket", config->runner.socket);
	check_runner(doc, config);
	check_mailboxes(doc, config);
	check_text_ways(doc, config);
	check_rules(doc, config);
}
