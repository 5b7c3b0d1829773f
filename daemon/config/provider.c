/* config/provider.c - loads the presets by the table of schema.c. Which server
 * a transport takes is decided in check_smtp.c. */
#include "config/provider.h"

#include <stdio.h>
#include <string.h>

#include "config/document.h"
#include "config/load.h"
#include "config/url.h"
#include "text.h"

static void check_servers(struct document *doc, const config_setting_t *row,
			  const struct provider *provider)
{
	const config_setting_t *servers = config_setting_get_member(row, "smtp");

	for (size_t i = 0; i < provider->nsmtp; i++) {
		const char *name = provider->smtp[i].host;
		AUTO(free) char *host = host_parse(name, strlen(name));

		if (!host)
			document_problem(doc, config_setting_get_elem(servers, (unsigned)i),
					 "host is no valid name or address");
	}
}

static void check_providers(struct document *doc, const struct providers *providers)
{
	const config_setting_t *rows = config_lookup(&doc->tree, "providers");

	for (size_t i = 0; i < providers->nrows; i++) {
		const struct provider *provider = &providers->rows[i];
		const config_setting_t *row = config_setting_get_elem(rows, (unsigned)i);

		if (!provider->names)
			document_problem(doc, row, "names is empty");
		for (char **name = provider->names; name && *name; name++)
			if (provider_find(providers, *name) != provider)
				document_problem(doc, row, "the name \"%s\" is taken already",
						 *name);
		check_servers(doc, row, provider);
	}
}

int providers_load(const char *path, struct providers *ret, struct problems *problems)
{
	struct document doc = {0};
	unsigned before = problems->count;

	*ret = (struct providers){0};
	if (document_open(&doc, path, problems) == 0) {
		load_group(&doc, config_root_setting(&doc.tree), &schema_providers, ret);
		if (problems->count == before)
			check_providers(&doc, ret);
	}
	document_close(&doc);
	if (problems->count == before)
		return 0;
	providers_clear(ret);
	return -1;
}

void providers_clear(struct providers *providers)
{
	load_clear(&schema_providers, providers);
	*providers = (struct providers){0};
}

const struct provider *provider_find(const struct providers *providers, const char *name)
{
	for (size_t i = 0; i < providers->nrows; i++)
		for (char **own = providers->rows[i].names; own && *own; own++)
			if (text_equal_nocase(*own, name))
				return &providers->rows[i];
	return NULL;
}

char *providers_list(const struct providers *providers, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < providers->nrows && at < size; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%s", i ? ", " : "",
				       providers->rows[i].names[0]);
	return out;
}
