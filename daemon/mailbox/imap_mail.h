/* mailbox/imap_mail.h - a mail on its way in: a piece of it is asked for first, and only
 * what that does not show is asked for again. */
#ifndef NUNCIO_MAILBOX_IMAP_MAIL_H
#define NUNCIO_MAILBOX_IMAP_MAIL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
struct buf;
struct imap_parser;
struct imap_reply;

#define IMAP_PIECE_BYTES ((size_t)65536)
#define IMAP_HEADER_BYTES ((size_t)262144) /* of one that is too large */

enum imap_want { IMAP_WANT_PIECE, IMAP_WANT_ALL, IMAP_WANT_HEADER, IMAP_WANT_NOTHING };
struct imap_mail {
	uint32_t uid;
	uint64_t size;
	int64_t date_s; /* 0: not known */
	char *bytes;    /* owned, or NULL */
	size_t len;
	enum imap_want want; /* what is to be asked for next */
	bool cut;
};

void imap_mail_clear(struct imap_mail *mail);
/* The items of a FETCH; returns how large the body may be. */
size_t imap_mail_ask(struct buf *out, enum imap_want want, uint64_t max_bytes);
/* What came of it; takes the body out of p. false: it was not that. */
bool imap_mail_hear(struct imap_mail *mail, const struct imap_reply *reply, struct imap_parser *p,
		    uint64_t max_bytes);
#endif
