/* client/post.h - a raw mail on its way out of sendmail: to the daemon, or, when that
 * does not answer, into its drop directory. */
#ifndef NUNCIO_CLIENT_POST_H
#define NUNCIO_CLIENT_POST_H
#include <stdbool.h>
#include "address_list.h"
struct context;

struct post {
	const char *sender;     /* of the envelope; NULL: the default, "": the null sender */
	struct address_list to; /* owned */
	const char *notify, *ret, *envid; /* Submit's, or NULL */
	int fd;                           /* owned; a sealed memfd with the mail; -1: none yet */
};
void post_clear(struct post *p);
/* Returns an exit status (sysexits.h), 0: it is on disk; else stderr says why not. With
 * verbose it also says what became of it. A sender without a domain is a user of this
 * machine: the default is taken for it. */
int post_mail(struct context *context, const struct post *p, bool verbose);
#endif
