/* config/fingerprint.c - one number for all that a transport was told, so that a
 * reload sees which ones changed. Secrets go in as they stand in the file (a
 * text, or only where it is) and cannot be had back from it. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "config/check.h"
#include "config/schema.h"

/* Each text with its NUL: "a" "bc" is not "ab" "c". */
static void add_text(EVP_MD_CTX *digest, const char *text)
{
	EVP_DigestUpdate(digest, text ? text : "", strlen(text ? text : "") + 1);
}

static void add_number(EVP_MD_CTX *digest, long long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", number);
	add_text(digest, text);
}

static void add_setting(EVP_MD_CTX *digest, const config_setting_t *setting)
{
	add_text(digest, config_setting_name(setting));
	if (config_setting_is_aggregate(setting)) {
		add_number(digest, config_setting_length(setting));
		for (int i = 0; i < config_setting_length(setting); i++)
			add_setting(digest, config_setting_get_elem(setting, (unsigned)i));
	} else if (config_setting_type(setting) == CONFIG_TYPE_STRING) {
		add_text(digest, config_setting_get_string(setting));
	} else if (config_setting_type(setting) == CONFIG_TYPE_BOOL) {
		add_number(digest, config_setting_get_bool(setting));
	} else {
		add_number(digest, config_setting_get_int(setting));
	}
}

/* What came from a provider's preset. */
static void add_derived(EVP_MD_CTX *digest, const struct transport_config *transport)
{
	const struct smtp_config *smtp = &transport->smtp;

	add_text(digest, smtp->host);
	add_number(digest, smtp->port);
	add_number(digest, smtp->tls);
	add_text(digest, smtp->hint);
	for (char **name = smtp->auth; name && *name; name++)
		add_text(digest, *name);
	add_text(digest, transport->maildir.path);
}

/* Who carries for it, and by which gateway whom. */
static void add_carrier(EVP_MD_CTX *digest, const struct carrier_config *carrier)
{
	const struct config *config = carrier->config;

	if (!config || !carrier->by)
		return;
	add_text(digest, carrier->by->fingerprint);
	for (size_t i = 0; i < config->ncontacts; i++) {
		add_text(digest, config->contacts[i].sms);
		add_text(digest, config->contacts[i].carrier);
	}
	for (size_t i = 0; i < config->gateways.nrows; i++) {
		const struct gateway *g = &config->gateways.rows[i];

		for (char **name = g->names; name && *name; name++)
			add_text(digest, *name);
		add_text(digest, g->code);
		add_text(digest, g->sms);
		add_text(digest, g->mms);
		add_text(digest, g->ends);
		add_text(digest, g->note);
		add_number(digest, g->characters);
	}
}

/* By the table: the order in the file means nothing. */
static EVP_MD_CTX *begin(const config_setting_t *group, const struct table *table)
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();

	if (!digest || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1)
		abort();
	for (size_t i = 0; group && i < table->nsettings; i++) {
		const config_setting_t *setting =
			config_setting_get_member(group, table->settings[i].name);

		if (setting)
			add_setting(digest, setting);
	}
	return digest;
}

static char *finish(EVP_MD_CTX *digest)
{
	unsigned char hash[32];
	char *hex = xcalloc(1, 2 * sizeof(hash) + 1);

	EVP_DigestFinal_ex(digest, hash, NULL);
	EVP_MD_CTX_free(digest);
	for (size_t i = 0; i < sizeof(hash); i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	return hex;
}

char *fingerprint(const config_setting_t *group, const struct transport_config *transport)
{
	EVP_MD_CTX *digest = begin(group, &schema_transport);

	add_derived(digest, transport);
	add_carrier(digest, &transport->carrier);
	return finish(digest);
}

char *fingerprint_mailbox(const config_setting_t *group, const struct mailbox_config *mailbox)
{
	EVP_MD_CTX *digest = begin(group, &schema_mailbox);

	add_text(digest, mailbox->imap.host);
	add_number(digest, mailbox->imap.port);
	add_number(digest, mailbox->imap.tls);
	add_text(digest, mailbox->authserv);
	for (char **relay = mailbox->received_by; relay && *relay; relay++)
		add_text(digest, *relay);
	return finish(digest);
}
