/* config/check_twilio.c - whether an account of Twilio's is whole: who it is, how it logs
 * in, whom texts come from, and that none of it goes out in the clear. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "config/check.h"
#include "config/document.h"
#include "failure.h"
#include "phone.h"
#include "throttle.h"

static const config_setting_t *member(const config_setting_t *group, const char *name)
{
	const config_setting_t *found = config_setting_get_member(group, name);

	return found ? found : group;
}

/* Two letters and 32 hex digits. */
static bool is_sid(const char *text, const char *letters)
{
	size_t n = strlen(letters);

	if (strncmp(text, letters, n) != 0 || strlen(text) != n + 32)
		return false;
	for (const char *c = text + n; *c; c++)
		if (!isxdigit((unsigned char)*c))
			return false;
	return true;
}

static void check_sid(struct document *doc, const config_setting_t *group, const char *name,
		      const char *text, const char *letters)
{
	if (text && !is_sid(text, letters))
		document_problem(doc, member(group, name), "is %s and 32 hex digits", letters);
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* http: to this machine only. */
static bool is_local(const char *url)
{
	static const char *const hosts[] = {"http://127.0.0.1", "http://[::1]", "http://localhost"};

	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
		size_t n = strlen(hosts[i]);

		if (begins(url, hosts[i]) && (!url[n] || url[n] == ':' || url[n] == '/'))
			return true;
	}
	return false;
}

static void check_api(struct document *doc, const config_setting_t *group, char *api)
{
	size_t len = strlen(api);

	while (len > 0 && api[len - 1] == '/')
		api[--len] = '\0';
	if (strchr(api, '@') || strpbrk(api, " ?#"))
		document_problem(doc, member(group, "api"),
				 "is no more than https://HOST[:PORT][/PATH]");
	else if (!is_local(api) && (!begins(api, "https://") || len == strlen("https://")))
		document_problem(doc, member(group, "api"),
				 "begins with https://; http:// is for this machine only, like "
				 "\"http://127.0.0.1:4010\"");
}

static void check_login(struct document *doc, const config_setting_t *group,
			const struct twilio_config *twilio)
{
	bool token = twilio->auth_token.kind != SECRET_NONE;
	bool secret = twilio->api_secret.kind != SECRET_NONE;

	if (token && (twilio->api_key || secret))
		document_problem(doc, member(group, "auth_token"),
				 "stands beside api_key and api_secret: one of the two is enough");
	else if (!token && !twilio->api_key && !secret)
		document_problem(doc, group,
				 "auth_token is missing, like auth_token = { credential = "
				 "\"twilio\"; }; or api_key with api_secret");
	else if (!token && !twilio->api_key)
		document_problem(doc, group, "api_key is missing: api_secret belongs to one");
	else if (!token && !secret)
		document_problem(doc, group, "api_secret is missing: api_key needs it");
}

static void check_price(struct document *doc, const config_setting_t *group,
			struct twilio_config *twilio)
{
	const char *currency;

	if (price_parse(twilio->price, &twilio->price_micros, &currency, NULL) < 0)
		document_problem(doc, member(group, "price"),
				 "takes an amount and its money, like \"0.0079 USD\"");
}

/* Of what belongs to texts that come in, the first that stands without it. */
static const char *stray(const config_setting_t *group)
{
	static const char *const names[] = {"numbers", "poll", "max_media", NULL};

	for (const char *const *n = names; *n; n++)
		if (config_setting_get_member(group, *n))
			return *n;
	return NULL;
}

static void check_inbound(struct document *doc, const config_setting_t *group,
			  struct twilio_config *twilio)
{
	char number[PHONE_SIZE];
	struct failure f;

	if (!twilio->inbound) {
		if (stray(group))
			document_problem(doc, member(group, stray(group)),
					 "belongs to inbound = true");
		return;
	}
	for (char **one = twilio->numbers; one && *one; one++) {
		if (phone_parse(*one, number, &f) < 0) {
			document_problem(doc, member(group, "numbers"), "%s", f.text);
			continue;
		}
		free(*one);
		*one = xstrdup(number);
	}
	if (!twilio->numbers && twilio->from) {
		twilio->numbers = xcalloc(2, sizeof(*twilio->numbers));
		twilio->numbers[0] = xstrdup(twilio->from);
	} else if (!twilio->numbers || !twilio->numbers[0]) {
		document_problem(doc, group,
				 "numbers is missing, like numbers = [\"+15017122661\"]: a "
				 "service does not say which it has");
	}
}

void check_twilio(struct document *doc, const config_setting_t *group, struct twilio_config *twilio)
{
	check_sid(doc, group, "account_sid", twilio->account_sid, "AC");
	check_sid(doc, group, "api_key", twilio->api_key, "SK");
	check_sid(doc, group, "service", twilio->service, "MG");
	check_login(doc, group, twilio);
	check_api(doc, group, twilio->api);
	if (twilio->price)
		check_price(doc, group, twilio);
	check_inbound(doc, group, twilio);
	if (twilio->from && twilio->service)
		document_problem(doc, member(group, "service"),
				 "stands beside from: texts come from one of the two");
	if (!twilio->from && !twilio->service)
		document_problem(doc, group,
				 "from is missing, like from = \"+15017122661\"; or "
				 "service, a Messaging Service");
	if (twilio->status_callback && !begins(twilio->status_callback, "https://") &&
	    !begins(twilio->status_callback, "http://"))
		document_problem(doc, member(group, "status_callback"),
				 "is a URL, https://HOST/PATH");
}
