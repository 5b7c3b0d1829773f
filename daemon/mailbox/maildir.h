/* mailbox/maildir.h - a Maildir that others deliver into: mail is taken from new/, and
 * goes to cur/ once it needs nothing more. Others may use it at the same time. */
#ifndef NUNCIO_MAILBOX_MAILDIR_H
#define NUNCIO_MAILBOX_MAILDIR_H
struct mailbox_kind;

extern const struct mailbox_kind mailbox_maildir;
#endif
