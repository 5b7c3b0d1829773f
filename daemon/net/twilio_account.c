/* net/twilio_account.c - the account in the path, and in the login, or a key of its. */
#include "net/twilio_account.h"

#include "alloc.h"
#include "config/transport_config.h"
#include "failure.h"
#include "secret.h"

struct http_request twilio_account_request(const struct twilio_config *c,
					   const struct secret *password)
{
	return (struct http_request){.user = c->api_key ? c->api_key : c->account_sid,
				     .password = password,
				     .ca_file = c->ca_file,
				     .timeout_ms = c->timeout_ms};
}

char *twilio_account_url(const struct twilio_config *c, const char *rest)
{
	return xprintf("%s/2010-04-01/Accounts/%s/%s", c->api, c->account_sid, rest);
}

int twilio_account_secret(const struct twilio_config *c, struct secret **password,
			  struct failure *f)
{
	struct secret *secret = NULL;

	if (secret_ref_get(c->api_key ? &c->api_secret : &c->auth_token, &secret, f) < 0)
		return -1;
	if (!secret)
		return failure_set(f, FAILURE_SETUP, "%s is missing",
				   c->api_key ? "api_secret" : "auth_token");
	secret_free(*password);
	*password = secret;
	return 0;
}
