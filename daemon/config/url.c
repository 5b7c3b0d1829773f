/* config/url.c - takes a server's address apart. */
#include "config/url.h"

#include <arpa/inet.h>
#include <string.h>

#include "address.h"
#include "alloc.h"
#include "failure.h"
#include "text.h"

static const struct scheme {
	const char *prefix;
	enum tls_mode tls;
	uint16_t port;
} schemes[] = {
	{"smtp://", TLS_STARTTLS, 587},
	{"smtps://", TLS_IMPLICIT, 465},
	{"imap://", TLS_STARTTLS, 143},
	{"imaps://", TLS_IMPLICIT, 993},
};

/* protocol: "smtp" or "imap" */
static const struct scheme *find_scheme(const char *protocol, const char *text)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (text_starts_nocase(schemes[i].prefix, protocol) &&
		    text_starts_nocase(text, schemes[i].prefix))
			return &schemes[i];
	return NULL;
}

char *host_parse(const char *text, size_t len)
{
	AUTO(free) char *host = xstrndup(text, len);
	unsigned char address[16];

	if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
		return TAKE(host);
	return domain_to_ascii(host, len);
}

/* -1: no port from 1 to 65535. */
static int parse_port(const char *text, uint16_t *ret)
{
	size_t len = strspn(text, "0123456789");

	if (!len || len > 5 || text[len])
		return -1;
	unsigned long port = strtoul(text, NULL, 10);

	if (port < 1 || port > 65535)
		return -1;
	*ret = (uint16_t)port;
	return 0;
}

/* [2001:db8::1] and what follows it. */
static int parse_bracketed(const char *text, char **ret_host, const char **ret_rest,
			   struct failure *f)
{
	const char *end = strchr(text, ']');
	AUTO(free) char *host = end ? xstrndup(text + 1, (size_t)(end - text) - 1) : NULL;
	unsigned char address[16];

	if (!host || inet_pton(AF_INET6, host, address) != 1)
		return failure_set(f, FAILURE_SETUP,
				   "between [ and ] stands an IPv6 address, "
				   "like smtp://[2001:db8::1]:587");
	*ret_host = TAKE(host);
	*ret_rest = end + 1;
	return 0;
}

static int parse_host(const char *text, char **ret_host, const char **ret_rest, struct failure *f)
{
	if (text[0] == '[')
		return parse_bracketed(text, ret_host, ret_rest, f);
	size_t len = strcspn(text, ":");

	if (strchr(text + len + (text[len] == ':'), ':'))
		return failure_set(f, FAILURE_SETUP,
				   "an IPv6 address stands in brackets, like "
				   "smtp://[2001:db8::1]:587");
	*ret_host = host_parse(text, len);
	*ret_rest = text + len;
	if (!*ret_host)
		return failure_set(f, FAILURE_SETUP,
				   "the host is no valid name or address; write "
				   "it like smtp://mail.example.com:587");
	return 0;
}

static int parse(const struct scheme *scheme, const char *text, struct server_url *ret,
		 struct failure *f)
{
	const char *rest = text + strlen(scheme->prefix);
	uint16_t port = scheme->port;
	AUTO(free) char *host = NULL;

	if (strchr(rest, '@'))
		return failure_set(f, FAILURE_SETUP,
				   "names no user or password: they are the "
				   "settings user and password");
	if (strpbrk(rest, "/?#"))
		return failure_set(f, FAILURE_SETUP,
				   "ends with host and port: nothing comes "
				   "behind them");
	if (parse_host(rest, &host, &rest, f) < 0)
		return -1;
	if (*rest && (*rest != ':' || parse_port(rest + 1, &port) < 0))
		return failure_set(f, FAILURE_SETUP,
				   "the port is a number from 1 to 65535, like "
				   "smtp://mail.example.com:587");
	*ret = (struct server_url){TAKE(host), port, scheme->tls};
	return 0;
}

int smtp_url_parse(const char *text, struct server_url *ret, struct failure *f)
{
	const struct scheme *scheme = find_scheme("smtp", text);

	if (!scheme)
		return failure_set(f, FAILURE_SETUP,
				   "begins with smtp:// (STARTTLS, port 587) or smtps:// (TLS at "
				   "once, port 465)");
	return parse(scheme, text, ret, f);
}

int imap_url_parse(const char *text, struct server_url *ret, struct failure *f)
{
	const struct scheme *scheme = find_scheme("imap", text);

	if (!scheme)
		return failure_set(f, FAILURE_SETUP,
				   "begins with imaps:// (TLS at once, port 993) or imap:// "
				   "(STARTTLS, port 143)");
	return parse(scheme, text, ret, f);
}
