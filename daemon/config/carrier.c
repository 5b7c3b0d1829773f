/* config/carrier.c - decides which gateway is meant, and whether there still is one. */
#include "config/carrier.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <errno.h>

#include "address.h"
#include "alloc.h"
#include "clock.h"
#include "config/check.h"
#include "config/document.h"
#include "config/load.h"
#include "config/problem.h"
#include "config/schema.h"
#include "text.h"

const struct gateway *gateway_find(const struct gateways *gateways, const char *name)
{
	for (size_t i = 0; i < gateways->nrows; i++)
		for (char **own = gateways->rows[i].names; own && *own; own++)
			if (text_equal_nocase(*own, name))
				return &gateways->rows[i];
	return NULL;
}

const struct gateway *gateway_of(const struct transport_config *transport, const char *number)
{
	const struct config *config = transport->carrier.config;

	for (size_t i = 0; i < config->ncontacts; i++) {
		const struct contact_config *contact = &config->contacts[i];

		if (contact->carrier && contact->sms && strcmp(contact->sms, number) == 0)
			return gateway_find(&config->gateways, contact->carrier);
	}
	if (!transport->carrier.carrier)
		return NULL;
	return gateway_find(&config->gateways, transport->carrier.carrier);
}

char *gateway_address(const struct gateway *gateway, const char *template, const char *number)
{
	static const char national[] = "{national}", whole[] = "{number}";
	size_t code = strlen(gateway->code);
	const char *at, *digits = number + 1;

	if (strncmp(digits, gateway->code, code) != 0)
		return NULL;
	if ((at = strstr(template, national)))
		return xprintf("%.*s%s%s", (int)(at - template), template, digits + code,
			       at + strlen(national));
	if ((at = strstr(template, whole)))
		return xprintf("%.*s%s%s", (int)(at - template), template, digits,
			       at + strlen(whole));
	return NULL;
}

/* ---- its end ---- */

/* "2024-12" is its first day. -1: no date. */
static int read_day(const char *text, int64_t *ret_ms)
{
	struct tm tm = {.tm_mday = 1};
	int year, month, end = 0;

	if (sscanf(text, "%4d-%2d%n", &year, &month, &end) == 2 && text[end] == '-' &&
	    sscanf(text + end, "-%2d", &tm.tm_mday) == 1)
		end += 3;
	if ((end != 7 && end != 10) || text[end] || year < 1990 || month < 1 || month > 12 ||
	    tm.tm_mday < 1 || tm.tm_mday > 31)
		return -1;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	*ret_ms = (int64_t)timegm(&tm) * 1000;
	return 0;
}

char *gateway_warning(const struct gateway *g, int64_t now_ms)
{
	const char *note = g->note ? g->note : "", *comma = g->note ? "; " : "";
	int64_t ends_ms;

	if (g->ends && read_day(g->ends, &ends_ms) == 0)
		return xprintf("%s's mail gateway %s %s%s%s%s", g->title,
			       now_ms < ends_ms ? "ends" : "has ended:", g->ends,
			       now_ms < ends_ms ? "" : ", what goes there is lost", comma, note);
	return g->note ? xprintf("%s's mail gateway may not work: %s", g->title, note) : NULL;
}

/* ---- the table ---- */

static void check_template(struct document *doc, const config_setting_t *row,
			   const struct gateway *g, const char *template)
{
	AUTO(free) char *number = xprintf("+%s2125550123", g->code);
	AUTO(free) char *address = template ? gateway_address(g, template, number) : NULL;
	struct address parsed = {0};

	if (template && (!address || address_parse(address, strlen(address), &parsed, NULL) < 0))
		document_problem(doc, row, "%s is no address like {national}@example.com",
				 template);
	address_clear(&parsed);
}

static void check_table(struct document *doc, const struct gateways *gateways)
{
	const config_setting_t *rows = config_lookup(&doc->tree, "carriers");
	int64_t day;

	for (size_t i = 0; i < gateways->nrows; i++) {
		const struct gateway *g = &gateways->rows[i];
		const config_setting_t *row = config_setting_get_elem(rows, (unsigned)i);

		if (!g->names)
			document_problem(doc, row, "names is empty");
		for (char **name = g->names; name && *name; name++)
			if (gateway_find(gateways, *name) != g)
				document_problem(doc, row, "the name \"%s\" is taken already",
						 *name);
		if (!*g->code || g->code[strspn(g->code, "0123456789")])
			document_problem(doc, row, "code is a country code, like \"1\"");
		else
			check_template(doc, row, g, g->sms);
		check_template(doc, row, g, g->mms);
		if (g->ends && read_day(g->ends, &day) < 0)
			document_problem(doc, row,
					 "ends is a day like \"2027-03-31\", or a month "
					 "like \"2024-12\"");
	}
}

static int load_table(const char *path, struct gateways *ret, struct problems *problems)
{
	struct document doc = {0};
	unsigned before = problems->count;

	if (document_open(&doc, path, problems) == 0) {
		load_group(&doc, config_root_setting(&doc.tree), &schema_gateways, ret);
		if (problems->count == before)
			check_table(&doc, ret);
	}
	document_close(&doc);
	return problems->count == before ? 0 : -1;
}

static int read_table(struct document *doc, struct config *config, const config_setting_t *asking)
{
	const config_setting_t *setting = config_lookup(&doc->tree, "carriers");
	AUTO(free) char *path = presets_path(doc, setting, "carriers.conf");

	if (access(path, R_OK) == 0)
		return load_table(path, &config->gateways, doc->problems);
	document_problem(doc, setting ? setting : asking,
			 "the file of carriers, %s, cannot be read: %s", path, strerror(errno));
	return -1;
}

/* ---- who asks for it ---- */

static const config_setting_t *row_of(struct document *doc, const char *list, size_t i)
{
	return config_setting_get_elem(config_lookup(&doc->tree, list), (unsigned)i);
}

static void say_unknown(struct document *doc, const struct gateways *gateways,
			const config_setting_t *setting)
{
	char known[200] = "";
	size_t at = 0;

	for (size_t i = 0; i < gateways->nrows && at < sizeof(known); i++)
		at += (size_t)snprintf(known + at, sizeof(known) - at, "%s%s", i ? ", " : "",
				       gateways->rows[i].names[0]);
	document_problem(doc, setting, "is not known; there are %s", known);
}

/* The gateway that this setting names, and how it stands with it. */
static void check_asking(struct document *doc, const struct config *config,
			 const config_setting_t *row, const char *name, const char *number)
{
	const config_setting_t *setting = config_setting_get_member(row, "carrier");
	const struct gateway *g = gateway_find(&config->gateways, name);

	if (!g) {
		say_unknown(doc, &config->gateways, setting);
		return;
	}
	AUTO(free) char *warning = gateway_warning(g, clock_wall_ms());

	if (warning)
		document_warn(doc, setting, "%s", warning);
	if (number && strncmp(number + 1, g->code, strlen(g->code)) != 0)
		document_problem(doc, setting, "%s's numbers begin with +%s, and sms is %s",
				 g->title, g->code, number);
}

static void check_via(struct document *doc, struct config *config, const config_setting_t *row,
		      struct transport_config *transport)
{
	const struct transport_config *by = config_transport(config, transport->carrier.via);

	if (!by || strcmp(by->type, "smtp") != 0)
		document_problem(doc, config_setting_get_member(row, "via"),
				 "\"%s\" is no transport of type \"smtp\", which could carry its "
				 "mail",
				 transport->carrier.via);
	transport->carrier.by = by;
	transport->carrier.config = config;
}

static const config_setting_t *who_asks(struct document *doc, const struct config *config)
{
	for (size_t i = 0; i < config->ntransports; i++)
		if (strcmp(config->transports[i].type, "carrier") == 0)
			return row_of(doc, "transports", i);
	for (size_t i = 0; i < config->ncontacts; i++)
		if (config->contacts[i].carrier)
			return row_of(doc, "contacts", i);
	return NULL;
}

static void check_contact(struct document *doc, const struct config *config,
			  const config_setting_t *row, const struct contact_config *contact)
{
	if (!contact->sms)
		document_problem(doc, config_setting_get_member(row, "carrier"),
				 "sms is missing: whose number it is the carrier of");
	else
		check_asking(doc, config, row, contact->carrier, contact->sms);
}

void check_carriers(struct document *doc, struct config *config)
{
	const config_setting_t *asking = who_asks(doc, config);

	if (!asking || read_table(doc, config, asking) < 0)
		return;
	for (size_t i = 0; i < config->ncontacts; i++)
		if (config->contacts[i].carrier)
			check_contact(doc, config, row_of(doc, "contacts", i),
				      &config->contacts[i]);
	for (size_t i = 0; i < config->ntransports; i++) {
		struct transport_config *transport = &config->transports[i];
		const config_setting_t *row = row_of(doc, "transports", i);

		if (strcmp(transport->type, "carrier") != 0)
			continue;
		check_via(doc, config, row, transport);
		if (transport->carrier.carrier)
			check_asking(doc, config, row, transport->carrier.carrier, NULL);
		free(transport->fingerprint);
		transport->fingerprint = fingerprint(row, transport);
	}
}
