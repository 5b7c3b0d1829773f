/* net/twilio_account.h - how an account of Twilio's is spoken to, by whoever does: its
 * login, and where its resources are. */
#ifndef NUNCIO_NET_TWILIO_ACCOUNT_H
#define NUNCIO_NET_TWILIO_ACCOUNT_H
#include "net/http.h"
struct failure;
struct secret;
struct twilio_config; /* config/transport_config.h */

/* A request with login, timeout and CA; url, body and the rest are the caller's. */
struct http_request twilio_account_request(const struct twilio_config *config,
					   const struct secret *password);
/* Of what is below the account; owned by the caller. */
char *twilio_account_url(const struct twilio_config *config, const char *rest);
/* Reads the secret as it is now; takes the place of the old one. -1: that stays. */
int twilio_account_secret(const struct twilio_config *config, struct secret **password,
			  struct failure *f);
#endif
