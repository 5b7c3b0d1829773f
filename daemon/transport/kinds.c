/* transport/kinds.c - the kinds of transport there are. */
#include <string.h>

#include "transport/carrier.h"
#include "transport/fake.h"
#include "transport/maildir.h"
#include "transport/smtp.h"
#include "transport/transport.h"
#include "transport/twilio.h"

static const struct transport_kind *const kinds[] = {
	&transport_smtp,    &transport_maildir, &transport_twilio,
	&transport_carrier, &transport_fake,    NULL,
};

const struct transport_kind *transport_kind_find(const char *name)
{
	for (const struct transport_kind *const *kind = kinds; *kind; kind++)
		if (strcmp((*kind)->name, name) == 0)
			return *kind;
	return NULL;
}

const struct transport_kind *const *transport_kinds(void)
{
	return kinds;
}
