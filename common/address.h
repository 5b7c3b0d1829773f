/* common/address.h - mail addresses (RFC 5321 4.1.2, RFC 6531). Pure. */
#ifndef NUNCIO_COMMON_ADDRESS_H
#define NUNCIO_COMMON_ADDRESS_H
#include <stdbool.h>
#include <stddef.h>
struct failure;

/* One mailbox: "Ana Maria" <ana@example.com>, ana@example.com (Ana) is not
 * taken, <ana@example.com> and ana@example.com are. */
struct address {
	char *name;          /* owned; display name in UTF-8, or NULL */
	char *mailbox;       /* owned; local@domain as given, local part possibly quoted, UTF-8 */
	char *ascii;         /* owned; the same with the domain in A-labels (IDNA 2008, lower case).
			* The local part stays as it is. */
	bool needs_smtputf8; /* the local part has non-ASCII characters */
};

/* Takes len bytes of text. The domain must be a valid host name (IDN allowed,
 * at least one label; address literals [192.0.2.1] and [IPv6:...] are allowed);
 * local part <= 64 octets, the whole <= 254; no control characters anywhere; a
 * local part starting with '-' is fine. -1 and FAILURE_REFUSED with a sentence. */
int address_parse(const char *text, size_t len, struct address *ret, struct failure *f);
void address_clear(struct address *a);
/* Only the domain: to A-labels, lower case, owned by the caller. NULL: not valid. */
char *domain_to_ascii(const char *domain, size_t len);
bool address_looks_like(const char *text); /* has an '@': meant as a mail address */
/* ASCII forms compared: domains without case, local parts exactly. */
bool address_equal(const struct address *a, const struct address *b);
#endif
