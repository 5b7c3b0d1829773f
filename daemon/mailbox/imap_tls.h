/* mailbox/imap_tls.h - TLS settings shared by all mailboxes that say the same: thousands
 * of them hold one list of CAs. */
#ifndef NUNCIO_MAILBOX_IMAP_TLS_H
#define NUNCIO_MAILBOX_IMAP_TLS_H
struct failure;
struct imap_tls;
struct tls;
struct tls_options;

int imap_tls_get(const struct tls_options *options, struct imap_tls **ret, struct failure *f);
struct tls *imap_tls(struct imap_tls *shared);
void imap_tls_put(struct imap_tls *shared); /* NULL is fine */
#endif
