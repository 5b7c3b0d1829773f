/* config/url.h - smtp://HOST[:PORT], smtps://, imap://, imaps://. Pure. */
#ifndef NUNCIO_CONFIG_URL_H
#define NUNCIO_CONFIG_URL_H
#include <stdint.h>
#include "config/config.h"
struct failure;

struct server_url {
	char *host; /* owned: domain in A-labels, or an address without brackets */
	uint16_t port;
	enum tls_mode tls; /* TLS_STARTTLS, or TLS_IMPLICIT of smtps, imaps */
};

/* -1 and FAILURE_SETUP with a sentence that never repeats the text, which may
 * hold a password by mistake. */
int smtp_url_parse(const char *text, struct server_url *ret, struct failure *f);
int imap_url_parse(const char *text, struct server_url *ret, struct failure *f);
/* A host name or address; owned by the caller. NULL: it is neither. */
char *host_parse(const char *text, size_t len);
#endif
