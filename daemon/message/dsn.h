/* message/dsn.h - a notice to a sender of what became of a mail: a delivery status
 * notification (RFC 3464) for programs, with a few sentences for people. Pure. */
#ifndef NUNCIO_MESSAGE_DSN_H
#define NUNCIO_MESSAGE_DSN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
struct address;
struct buf;

struct dsn_recipient {
	const char *address;  /* ASCII, or with a UTF-8 local part */
	const char *enhanced; /* "5.1.1" of the last answer; "" or nonsense: none */
	int code;             /* of the last answer; 0: none came from a server */
	const char *text;     /* what it said, or what was the matter; "": unknown */
	int64_t at_ms;        /* of the last attempt; 0: there was none */
	bool expired;         /* it was tried for too long */
};
struct dsn {
	const struct address *from; /* of the notice */
	const char *to;             /* the sender, who gets it */
	const char *reporter;       /* name of this machine */
	const char *message_id, *boundary, *marker;
	const char *envid;   /* the sender's name for the mail, or NULL */
	const char *subject; /* of the mail, or NULL */
	int64_t now_ms, arrived_ms;
	bool delay; /* it is tried further, until until_ms; else it failed */
	int64_t until_ms;
	const struct dsn_recipient *recipients;
	size_t n;
	const char *original; /* the mail as far as it is at hand; may end anywhere */
	size_t original_len;
	bool whole; /* original is all of it, and all of it goes back; else its header */
};
/* Adds it with CRLF line ends. Nothing in it but the subject and original has 8 bits, but
 * original has lines of more than 998 octets. */
void dsn_compose(const struct dsn *d, struct buf *out);
#endif
