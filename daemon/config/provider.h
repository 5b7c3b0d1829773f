/* config/provider.h - presets of mail providers (conf/providers.conf): what a
 * transport or a mailbox gets that says provider = "gmail" in place of a url. */
#ifndef NUNCIO_CONFIG_PROVIDER_H
#define NUNCIO_CONFIG_PROVIDER_H
#include <stddef.h>
#include "config/config.h"
struct problems;

struct provider_server {
	char *host;
	unsigned port, tls; /* enum tls_mode */
};

struct provider {
	char **names;                 /* NULL-ended */
	struct provider_server *smtp; /* of nsmtp, best first */
	size_t nsmtp;
	struct provider_server imap; /* TLS at once; host NULL: it has none */
	char **auth;                 /* NULL-ended; NULL: our order */
	char *authserv;              /* its authserv-id; NULL: not known, and so below */
	char **received_by;          /* its relays, NULL-ended */
	char *hint;                  /* NULL, or what its users must know about passwords */
};

struct providers {
	struct provider *rows;
	size_t nrows;
};

/* -1: said in problems. */
int providers_load(const char *path, struct providers *ret, struct problems *problems);
void providers_clear(struct providers *providers);
const struct provider *provider_find(const struct providers *providers, const char *name);
/* All first names, for sentences: "gmail", "outlook". Returns out. */
char *providers_list(const struct providers *providers, char *out, size_t size);
#endif
