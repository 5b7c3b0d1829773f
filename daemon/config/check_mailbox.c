/* config/check_mailbox.c - which server a mailbox is on, whether its login can work
 * there, and who hears that it is down. */
#include <string.h>

#include "alloc.h"
#include "config/check.h"
#include "config/document.h"
#include "config/url.h"
#include "config/value.h"
#include "failure.h"

static const config_setting_t *member(const config_setting_t *group, const char *name)
{
	const config_setting_t *found = config_setting_get_member(group, name);

	return found ? found : group;
}

static void take_provider(struct presets *presets, const config_setting_t *group,
			  struct mailbox_config *mailbox)
{
	const config_setting_t *setting = config_setting_get_member(group, "provider");
	struct imap_config *imap = &mailbox->imap;
	const struct provider *provider = presets_find(presets, setting);

	if (!provider)
		return;
	if (!provider->imap.host) {
		document_problem(presets->doc, setting, "%s has no server to read from",
				 provider->names[0]);
		return;
	}
	imap->host = host_parse(provider->imap.host, strlen(provider->imap.host));
	imap->port = (uint16_t)provider->imap.port;
	imap->tls = TLS_IMPLICIT;
	imap->hint = provider->hint ? xstrdup(provider->hint) : NULL;
	/* both or none: the relays are of whom the word is */
	if (mailbox->authserv || mailbox->received_by || !provider->authserv)
		return;
	mailbox->authserv = xstrdup(provider->authserv);
	mailbox->received_by = texts_copy(provider->received_by);
}

static void take_url(struct document *doc, const config_setting_t *group, struct imap_config *imap)
{
	struct server_url url;
	struct failure f;

	if (imap_url_parse(setting_text(group, "url"), &url, &f) < 0) {
		document_problem(doc, member(group, "url"), "%s", f.text);
		return;
	}
	imap->host = url.host;
	imap->port = url.port;
	imap->tls = url.tls;
}

static void check_imap(struct presets *presets, const config_setting_t *group,
		       struct mailbox_config *mailbox)
{
	struct imap_config *imap = &mailbox->imap;
	bool url = setting_text(group, "url"), provider = setting_text(group, "provider");

	if (url && provider)
		document_problem(presets->doc, member(group, "provider"),
				 "stands in place of url; keep one of the two");
	else if (provider)
		take_provider(presets, group, mailbox);
	else if (url)
		take_url(presets->doc, group, imap);
	else
		document_problem(presets->doc, group,
				 "url or provider is missing, like url = "
				 "\"imaps://mail.example.com\" or provider = \"gmail\"");
	if (imap->password.kind == SECRET_NONE && imap->token.kind == SECRET_NONE)
		document_problem(presets->doc, group, "password or token is missing%s%s",
				 imap->hint ? ". " : "", imap->hint ? imap->hint : "");
}

static void check_owner(struct document *doc, const config_setting_t *group,
			const struct config *config, const struct mailbox_config *mailbox)
{
	for (char **name = mailbox->owner; name && *name; name++)
		if (!config_contact(config, *name))
			document_problem(doc, member(group, "owner"), "\"%s\" is no contact",
					 *name);
}

/* A pattern that fits any name believes any sender. */
static bool names_somebody(const char *pattern)
{
	return pattern[strspn(pattern, "*?.-")];
}

static void check_word(struct document *doc, const config_setting_t *group,
		       const struct mailbox_config *mailbox)
{
	static const char wrong[] = "\"%s\" fits every server, and so everyone would be believed";

	if (mailbox->authserv && !names_somebody(mailbox->authserv))
		document_problem(doc, member(group, "authserv"), wrong, mailbox->authserv);
	for (char **relay = mailbox->received_by; relay && *relay; relay++)
		if (!names_somebody(*relay))
			document_problem(doc, member(group, "received_by"), wrong, *relay);
	if (mailbox->received_by && !mailbox->authserv)
		document_problem(doc, member(group, "received_by"),
				 "says nothing without authserv, like authserv = "
				 "\"mx.example.com\"");
}

/* ---- texts ---- */

static char **names_copy(char *const *names)
{
	size_t n = 0;

	while (names && names[n])
		n++;
	char **copy = names ? xcalloc(n + 1, sizeof(*copy)) : NULL;

	for (size_t i = 0; i < n; i++)
		copy[i] = xstrdup(names[i]);
	return copy;
}

static bool takes_texts(const struct transport_config *transport)
{
	return strcmp(transport->type, "twilio") == 0 && transport->twilio.inbound;
}

/* A transport that takes texts in is a mailbox beside those of the file. */
static void add_texts(struct document *doc, struct config *config,
		      const struct transport_config *transport, size_t i)
{
	const config_setting_t *group =
		config_setting_get_elem(config_lookup(&doc->tree, "transports"), (unsigned)i);
	struct mailbox_config *mailbox;

	if (config_mailbox(config, transport->name))
		document_problem(doc, member(group, "name"),
				 "\"%s\" is a mailbox, too: where texts come in has a name of its "
				 "own",
				 transport->name);
	config->mailboxes =
		xrealloc(config->mailboxes, (config->nmailboxes + 1) * sizeof(*config->mailboxes));
	mailbox = &config->mailboxes[config->nmailboxes++];
	*mailbox = (struct mailbox_config){.name = xstrdup(transport->name),
					   .type = xstrdup("twilio"),
					   .line = transport->line,
					   .max_down_ms = transport->max_down_ms,
					   .owner = names_copy(config->operators),
					   .fingerprint = xstrdup(transport->fingerprint),
					   .twilio = &transport->twilio};
}

void check_text_ways(struct document *doc, struct config *config)
{
	for (size_t i = 0; i < config->ntransports; i++)
		if (takes_texts(&config->transports[i]))
			add_texts(doc, config, &config->transports[i], i);
}

void check_mailboxes(struct document *doc, struct config *config)
{
	struct presets presets = {.doc = doc};
	struct node *nodes = xcalloc(config->nmailboxes + 1, sizeof(*nodes));
	const config_setting_t *list = config_lookup(&doc->tree, "mailboxes");

	for (size_t i = 0; i < config->nmailboxes; i++) {
		struct mailbox_config *mailbox = &config->mailboxes[i];
		const config_setting_t *group = config_setting_get_elem(list, (unsigned)i);

		if (strcmp(mailbox->type, "imap") == 0)
			check_imap(&presets, group, mailbox);
		check_word(doc, group, mailbox);
		check_owner(doc, group, config, mailbox);
		mailbox->fingerprint = fingerprint_mailbox(group, mailbox);
		nodes[i] = (struct node){mailbox->name, NULL, group};
	}
	check_names(doc, nodes, config->nmailboxes, "name", "mailbox");
	free(nodes);
	providers_clear(&presets.providers);
}
