/* server/import_notice.h - what the sender of a mail from the drop directory is told when
 * some of its recipients, or all, were refused before it came into the queue. Pure. */
#ifndef NUNCIO_SERVER_IMPORT_NOTICE_H
#define NUNCIO_SERVER_IMPORT_NOTICE_H
#include <jansson.h>
#include <stddef.h>
struct address;
struct drop_mail;

struct refused {
	char *recipient; /* owned */
	char *reason;    /* owned */
};
/* Submit's parameters for the notice, under a key of its own. NULL: nobody may be told, the
 * sender is the null sender. from: the default address, which is the sender's default too. */
json_t *import_notice(const struct drop_mail *mail, const struct address *from,
		      const struct refused *refused, size_t n);
#endif
