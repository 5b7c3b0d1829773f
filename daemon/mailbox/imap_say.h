/* mailbox/imap_say.h - what is said to an IMAP server: strings in quotes or, where those
 * do not do, as literals; names of folders in modified UTF-7 (RFC 3501 5.1.3). Pure. */
#ifndef NUNCIO_MAILBOX_IMAP_SAY_H
#define NUNCIO_MAILBOX_IMAP_SAY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "buf.h"

#define IMAP_STOPS_MAX 4
#define IMAP_COMMAND_MAX ((size_t)65536)

/* Which literals need not wait: RFC 7888. */
enum imap_literals { IMAP_LITERALS_WAIT, IMAP_LITERALS_MINUS, IMAP_LITERALS_PLUS };

struct imap_command {
	struct buf bytes;
	size_t stops[IMAP_STOPS_MAX]; /* here the server must say "+" first */
	size_t nstops;
};
void imap_command_init(struct imap_command *c);
void imap_command_wipe(struct imap_command *c); /* it may hold a password; can be used again */

/* -1: it can't be said (NUL; for a folder: no UTF-8), or it is too long. */
int imap_add_string(struct imap_command *c, enum imap_literals literals, const char *bytes,
		    size_t len);
/* utf8: the server was told UTF8=ACCEPT (RFC 6855). */
int imap_add_folder(struct imap_command *c, const char *name, bool utf8);
/* "1:3,7": ascending. As many as leave the command short enough; returns how many. */
size_t imap_add_uids(struct imap_command *c, const uint32_t *uids, size_t n);
bool imap_is_atom(const char *text); /* a keyword may be called so */
/* A name as the wire has it, in UTF-8. -1: it is none, or out is full. */
int imap_folder_decode(struct buf *out, const char *name);
#endif
