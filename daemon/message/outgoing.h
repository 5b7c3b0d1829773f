/* message/outgoing.h - a stored message as it goes out: RFC 5322 bytes with CRLF
 * line ends of at most 998 octets, produced piece by piece, so that memory does
 * not grow with the mail. Not dot-stuffed. Pure. */
#ifndef NUNCIO_MESSAGE_OUTGOING_H
#define NUNCIO_MESSAGE_OUTGOING_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "auto.h"
struct buf;
struct failure;
struct letter;
struct outgoing;

enum outgoing_step {
	OUTGOING_MORE, /* out got something (at most about 64 KiB a step): call again */
	OUTGOING_NEED, /* feed the next bytes of the content first */
	OUTGOING_END,  /* that was all; out may have got the last of it */
	OUTGOING_BAD,  /* see f; only for content that contradicts its spec */
};

/* What the way out can carry; only raw mail makes a difference. */
enum outgoing_carries {
	OUTGOING_SEVEN_BIT,
	OUTGOING_EIGHT_BIT,  /* in the body: 8BITMIME */
	OUTGOING_ANY_OCTETS, /* also in the header, and lines of any length: a file */
};
/* letter must outlive the result. What can't be carried is encoded: 8-bit text of a raw
 * mail's header (so that only addresses whose local part is not ASCII need SMTPUTF8),
 * field by field, long lines there folded; its body through GMime (then held in memory
 * whole). Composed mail is always 7 bit:
 * text/plain, multipart/alternative when there is html (its text made from the html
 * when none was given), multipart/mixed with attachments; RFC 2047 and 2231. */
struct outgoing *outgoing_new(const struct letter *letter, enum outgoing_carries carries);
void outgoing_free(struct outgoing *o);
AUTO_DEFINE(struct outgoing, outgoing_free)
enum outgoing_step outgoing_step(struct outgoing *o, struct buf *out, struct failure *f);
/* The next bytes of the content, in order, any number; they are consumed or copied. */
void outgoing_feed(struct outgoing *o, const void *bytes, size_t len);
/* For SIZE= (RFC 1870): octets as sent, or a close upper estimate. */
uint64_t outgoing_size(const struct outgoing *o);
/* It can't be smaller: more than this a server refuses for certain. */
uint64_t outgoing_size_least(const struct outgoing *o);
/* BODY=8BITMIME is to be said: what comes out has 8-bit characters. */
bool outgoing_is_eight_bit(const struct outgoing *o);
/* The header itself has non-ASCII octets (raw mail of RFC 6532, or addresses whose
 * local part is not ASCII): only for receivers with SMTPUTF8. */
bool outgoing_needs_smtputf8(const struct outgoing *o);
#endif
