/* config/carrier.h - mail gateways of telephone carriers (conf/carriers.conf): where mail goes
 * that is to come out as a text message, and what is known of a gateway's end. */
#ifndef NUNCIO_CONFIG_CARRIER_H
#define NUNCIO_CONFIG_CARRIER_H
#include <stddef.h>
#include <stdint.h>
struct config;
struct document;
struct transport_config;

struct gateway {
	char **names;        /* NULL-ended */
	char *title;         /* in sentences */
	char *code;          /* country code of its numbers */
	char *sms, *mms;     /* "{national}@vtext.com"; mms NULL: it has none */
	unsigned characters; /* most of one text */
	char *ends;          /* "2027-03-31", "2024-12", or NULL: not known */
	char *note;          /* what else is known of its end, or NULL */
};
struct gateways {
	struct gateway *rows;
	size_t nrows;
};

/* Reads the table if anything in config asks for it, and checks who asks: contacts, and
 * transports, which get to know the mail transport that carries for them. */
void check_carriers(struct document *doc, struct config *config);

const struct gateway *gateway_find(const struct gateways *gateways, const char *name);
/* The gateway that a transport uses for a number: that of the contact it belongs to, or the
 * transport's own. NULL: none. */
const struct gateway *gateway_of(const struct transport_config *transport, const char *number);
/* Mail address for a number (E.164) by a template; owned. NULL: it has another country code. */
char *gateway_address(const struct gateway *gateway, const char *template, const char *number);
/* "AT&T's gateway has ended (2025-06-17)", or what else is to be known before it is relied on;
 * owned. NULL: nothing is. */
char *gateway_warning(const struct gateway *gateway, int64_t now_ms);
#endif
