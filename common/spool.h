/* common/spool.h - a mail left for the daemon in its drop directory, by a sendmail
 * whose call nobody answered. The form of such a file, for both ends; pure.
 *
 *   file    = "nuncio spool 1" LF "size " number LF "key " text LF
 *             [ "from " [ address ] LF ] [ "notify " text LF ] [ "ret " text LF ]
 *             [ "envid " text LF ] 1*( "to " recipient LF ) LF mail
 *   mail    = size octets, as Submit takes them, to the end of the file
 *
 * key is Submit's: whoever sees a mail both on the socket and in the drop directory
 * queues it once. Without from the default sender is meant, with an empty one the
 * null sender. notify, ret and envid are Submit's too. A recipient is what Submit takes for one. All is UTF-8. Who owns the
 * file is who submits. A name that begins with a dot is a file that is being written. */
#ifndef NUNCIO_COMMON_SPOOL_H
#define NUNCIO_COMMON_SPOOL_H
#include <stddef.h>
#include <stdint.h>
#include "auto.h"
struct buf;
struct failure;

#define SPOOL_DROP "/var/lib/nuncio/drop" /* the system's drop directory */

enum {
	SPOOL_LINE_MAX = 1000,        /* of one address, recipient or key */
	SPOOL_RECIPIENTS_MAX = 10000, /* of one mail */
	SPOOL_HEAD_MAX = 1024 * 1024, /* all before the mail */
};

struct spool {
	char *key;                  /* owned */
	char *sender;               /* owned; NULL: the default, "": the null sender */
	char *notify, *ret, *envid; /* owned, or NULL */
	char **recipients;          /* owned, of nrecipients */
	size_t nrecipients;
	uint64_t size; /* of the mail */
};
void spool_clear(struct spool *s);

/* Writes the lines before the mail. -1 and FAILURE_REFUSED: a value can't stand there
 * (too long, more than one line, not UTF-8), or there are too many recipients. */
int spool_add_head(struct buf *out, const struct spool *s, struct failure *f);
/* Reads them. bytes are the first len of a file of file_size bytes: all, or at least
 * SPOOL_HEAD_MAX. The mail is what follows from *ret_mail on. -1 and FAILURE_REFUSED:
 * that is no such file, or one that was cut short; nothing is left to clear. */
int spool_read_head(const char *bytes, size_t len, uint64_t file_size, struct spool *ret,
		    size_t *ret_mail, struct failure *f);
#endif
