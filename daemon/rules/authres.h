/* rules/authres.h - the provider's word: what the Authentication-Results (RFC 8601)
 * that the mailbox's own provider added say of a mail. Forged and lower ones do not
 * count. Pure. */
#ifndef NUNCIO_RULES_AUTHRES_H
#define NUNCIO_RULES_AUTHRES_H
#include <stdbool.h>
#include "failure.h"
struct parsed;

struct provider {
	const char *authserv;           /* authserv-id; "none": nothing is asked, all is believed */
	const char *const *received_by; /* NULL-ended, or NULL: only authserv counts */
};
enum authres_verdict {
	AUTHRES_VOUCHED, /* dmarc=pass for the From domain, or dkim=pass aligned to it */
	AUTHRES_FAILED,  /* the provider spoke, and did not vouch */
	AUTHRES_SILENT,  /* it said nothing that counts */
};
/* why: a sentence for people, whatever the verdict. */
enum authres_verdict authres_judge(const struct parsed *mail, const struct provider *provider,
				   struct failure *why);

/* One field's value as a struct, for the judge and its tests (RFC 8601 2.2). */
struct authres_property {
	char ptype[16], property[32], value[256];
};
struct authres_result {
	char method[32], result[32];
	const struct authres_property *at; /* of n, among the properties of the whole */
	unsigned n;
};
struct authres { /* not to be copied */
	char authserv[256];
	struct authres_result at[32];
	unsigned n;
	struct authres_property properties[64];
	unsigned nproperties;
};
/* false: not by the grammar, or beyond a ceiling; then nothing of it counts but that it is
 * there: authserv says whose it is ("": that could not be read). */
bool authres_parse(const char *value, unsigned long len, struct authres *ret);
#endif
