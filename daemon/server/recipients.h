/* server/recipients.h - whom a message goes to: names, groups, addresses and
 * numbers become one delivery each, and say which way it goes. */
#ifndef NUNCIO_SERVER_RECIPIENTS_H
#define NUNCIO_SERVER_RECIPIENTS_H
#include <stdbool.h>
#include <stddef.h>
#include "server/interface.h"
struct address;
struct config;
struct contact_config;
struct failure;
struct fallback;

struct recipient {
	char *address;     /* owned; ASCII form, or E.164 */
	const char *route; /* "#mail", "#sms", or a transport's name from config */
	unsigned carries;  /* of enum carries: what it needs */
	size_t first_way;  /* which of the list it stands by for, counted from 1; 0: none */
	int64_t after_ms;  /* and for so long */
};
struct recipients {
	const struct config *config; /* outlives it */
	const char *transport;       /* all by this one; NULL: by channel */
	unsigned carries;            /* channels that may be used, of enum carries */
	struct recipient *list;      /* owned, of n */
	size_t n;
	void *known; /* owned: a tree of list's addresses, for tsearch(3) */
	const struct contact_config **groups; /* owned, of ngroups: those gone through */
	size_t ngroups;
};
/* Addresses as a header shows them. */
struct shown {
	struct address *list; /* owned, of n */
	size_t n;
};
/* What is the matter: an error of the interface and its parameters. */
struct refusal {
	enum error_id id;
	json_t *parameters; /* the callee's */
};

/* by: "mail", "sms", a transport's name, or NULL. carries: what the method can send. */
int recipients_init(struct recipients *r, const struct config *config, const char *by,
		    unsigned carries, struct refusal *ret);
void recipients_clear(struct recipients *r);
/* Takes the list of texts given as the parameter called field ("to"), NULL: none. Who
 * is there already is passed over. Mail addresses are added to shown, when not NULL. */
int recipients_add(struct recipients *r, json_t *given, const char *field, struct shown *shown,
		   struct refusal *ret);
/* Who has another way gets it: as asked, or as the contact says. carries: what can be sent at
 * all. -1, REFUSED in *f: it was asked for, and nobody has it. The addresses of those among
 * the first nshown are added to shown. */
int recipients_add_fallbacks(struct recipients *r, const struct fallback *asked, unsigned carries,
			     size_t nshown, struct shown *shown, struct failure *f);
/* The contact with this number gets the message by mail, too; true: by this call. shown: see
 * above. */
bool recipients_add_mail(struct recipients *r, const struct contact_config *contact,
			 struct shown *shown);
void shown_clear(struct shown *shown);
#endif
