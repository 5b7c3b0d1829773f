/* config/check_smtp.c - which server a transport speaks to, and whether its
 * login can work there and is safe. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "alloc.h"
#include "config/check.h"
#include "config/document.h"
#include "config/schema.h"
#include "config/url.h"
#include "config/value.h"
#include "text.h"

static const config_setting_t *member(const config_setting_t *group, const char *name)
{
	const config_setting_t *found = config_setting_get_member(group, name);

	return found ? found : group;
}

/* The setting tls, or -1: it is not given. */
static int tls_given(const config_setting_t *group)
{
	const char *text = setting_text(group, "tls");
	const struct choice *c = schema_find(&schema_transport, "tls", "smtp")->choices;

	for (; text && c->name; c++)
		if (text_equal_nocase(c->name, text))
			return (int)c->value;
	return -1;
}

char *presets_path(const struct document *doc, const config_setting_t *setting,
		   const char *installed)
{
	const char *name = setting ? config_setting_get_string(setting) : NULL;
	unsigned line;

	if (!name)
		return xprintf("%s/nuncio/%s", NUNCIO_DATADIR, installed);
	const char *beside = document_file(doc, setting, &line)->path;
	const char *slash = name[0] == '/' ? NULL : strrchr(beside, '/');

	return xprintf("%.*s%s", slash ? (int)(slash - beside) + 1 : 0, beside, name);
}

static void read_presets(struct presets *presets, const config_setting_t *asking)
{
	struct document *doc = presets->doc;
	const config_setting_t *setting = config_lookup(&doc->tree, "providers");
	AUTO(free) char *path = presets_path(doc, setting, "providers.conf");

	presets->state = PRESETS_BROKEN;
	if (access(path, R_OK) < 0)
		document_problem(doc, setting ? setting : asking,
				 "the file of providers, %s, cannot be read: %s", path,
				 strerror(errno));
	else if (providers_load(path, &presets->providers, doc->problems) == 0)
		presets->state = PRESETS_READ;
}

const struct provider *presets_find(struct presets *presets, const config_setting_t *setting)
{
	char known[160];

	if (presets->state == PRESETS_UNREAD)
		read_presets(presets, setting);
	if (presets->state == PRESETS_BROKEN)
		return NULL;
	const struct provider *provider =
		provider_find(&presets->providers, config_setting_get_string(setting));

	if (!provider)
		document_problem(presets->doc, setting,
				 "is not known; there are %s. Others are given by url",
				 providers_list(&presets->providers, known, sizeof(known)));
	return provider;
}

static void take_provider(struct presets *presets, const config_setting_t *group,
			  struct smtp_config *smtp)
{
	const config_setting_t *setting = config_setting_get_member(group, "provider");
	const struct provider *provider = presets_find(presets, setting);
	int tls = tls_given(group);
	size_t i = 0;

	if (!provider)
		return;
	while (tls >= 0 && i < provider->nsmtp && provider->smtp[i].tls != (unsigned)tls)
		i++;
	if (i == provider->nsmtp) {
		document_problem(presets->doc, member(group, "tls"),
				 "%s has no server of this kind; leave tls out",
				 provider->names[0]);
		return;
	}
	const struct provider_server *server = &provider->smtp[i];

	smtp->host = host_parse(server->host, strlen(server->host));
	smtp->port = (uint16_t)server->port;
	smtp->tls = (enum tls_mode)server->tls;
	smtp->hint = provider->hint ? xstrdup(provider->hint) : NULL;
	if (!smtp->auth)
		smtp->auth = texts_copy(provider->auth);
	if (!smtp->user)
		document_warn(presets->doc, group,
			      "%s takes mail from its users only: user and "
			      "password are missing",
			      provider->names[0]);
}

static void take_url(struct document *doc, const config_setting_t *group, struct smtp_config *smtp)
{
	struct server_url url;
	struct failure f;
	int tls = tls_given(group);

	if (smtp_url_parse(setting_text(group, "url"), &url, &f) < 0) {
		document_problem(doc, member(group, "url"), "%s", f.text);
		return;
	}
	smtp->host = url.host;
	smtp->port = url.port;
	smtp->tls = tls < 0 ? url.tls : (enum tls_mode)tls;
	if (url.tls == TLS_IMPLICIT && tls >= 0 && tls != TLS_IMPLICIT)
		document_problem(doc, member(group, "tls"),
				 "smtps:// speaks TLS at once; write smtp:// or leave tls out");
	if (url.tls == TLS_STARTTLS && tls == TLS_IMPLICIT)
		document_problem(
			doc, member(group, "tls"),
			"smtp:// begins TLS by STARTTLS; write smtps:// and leave tls out");
}

static void check_server(struct presets *presets, const config_setting_t *group,
			 struct smtp_config *smtp)
{
	bool url = setting_text(group, "url"), provider = setting_text(group, "provider");

	if (url && provider)
		document_problem(presets->doc, member(group, "provider"),
				 "stands in place of url; keep one of the two");
	else if (provider)
		take_provider(presets, group, smtp);
	else if (url)
		take_url(presets->doc, group, smtp);
	else
		document_problem(presets->doc, group,
				 "url or provider is missing, like url = "
				 "\"smtp://mail.example.com:587\" or provider = \"gmail\"");
}

static void check_plain(struct document *doc, const config_setting_t *group,
			const struct smtp_config *smtp)
{
	if (smtp->user || smtp->password.kind || smtp->token.kind)
		document_problem(doc, member(group, "tls"),
				 "no password ever goes out in clear: with \"none\" there is no "
				 "user, password or token");
	if (smtp->pin || smtp->ca_file)
		document_problem(doc, member(group, "tls"),
				 "with \"none\" nothing is verified: there is no pin or ca_file");
}

static bool takes_token(const char *mechanism)
{
	return !strcmp(mechanism, "XOAUTH2") || !strcmp(mechanism, "OAUTHBEARER");
}

/* Whether one of the mechanisms allowed takes a token, or a password. */
static bool auth_takes(const struct smtp_config *smtp, bool token)
{
	if (!smtp->auth)
		return true;
	for (char **name = smtp->auth; *name; name++)
		if (takes_token(*name) == token)
			return true;
	return false;
}

static void check_login(struct document *doc, const config_setting_t *group,
			const struct smtp_config *smtp)
{
	bool password = smtp->password.kind != SECRET_NONE, token = smtp->token.kind != SECRET_NONE;
	const char *hint = smtp->hint ? ". " : "", *advice = smtp->hint ? smtp->hint : "";

	if (!smtp->user && (password || token))
		document_problem(doc, member(group, password ? "password" : "token"),
				 "user is missing: whom to log in as");
	else if (smtp->user && !password && !token)
		document_problem(doc, member(group, "user"), "password is missing%s%s", hint,
				 advice);
	else if (password && !token && !auth_takes(smtp, false))
		document_problem(doc, member(group, "password"),
				 "no mechanism allowed here takes a password: token is missing%s%s",
				 hint, advice);
	else if (token && !password && !auth_takes(smtp, true))
		document_problem(doc, member(group, "token"),
				 "no mechanism allowed here takes a token: password is missing%s%s",
				 hint, advice);
}

static void check_hello(struct document *doc, const config_setting_t *group,
			const struct smtp_config *smtp)
{
	size_t len = strlen(smtp->hello);

	if (smtp->hello[0] == '[' && smtp->hello[len - 1] == ']' &&
	    !smtp->hello[strspn(smtp->hello, "[]IPv6:.0123456789abcdefABCDEF")])
		return;
	AUTO(free) char *ascii = domain_to_ascii(smtp->hello, len);

	if (!ascii)
		document_problem(doc, member(group, "hello"),
				 "takes a host name, or an address like \"[192.0.2.1]\"");
}

void check_smtp(struct presets *presets, const config_setting_t *group,
		struct transport_config *transport)
{
	struct smtp_config *smtp = &transport->smtp;

	check_server(presets, group, smtp);
	check_login(presets->doc, group, smtp);
	if (smtp->host && smtp->tls == TLS_NONE)
		check_plain(presets->doc, group, smtp);
	if (smtp->hello)
		check_hello(presets->doc, group, smtp);
}
