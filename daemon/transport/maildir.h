/* transport/maildir.h - delivers mail into a local Maildir (cr.yp.to/proto/maildir.html):
 * a file for each recipient, named after the delivery, so that one begun before a crash
 * is not there twice. */
#ifndef NUNCIO_TRANSPORT_MAILDIR_H
#define NUNCIO_TRANSPORT_MAILDIR_H
struct transport_kind;

extern const struct transport_kind transport_maildir;
#endif
