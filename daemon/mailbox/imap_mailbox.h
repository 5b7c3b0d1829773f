/* mailbox/imap_mailbox.h - the kind `imap`: a folder on an IMAP server. */
#ifndef NUNCIO_MAILBOX_IMAP_MAILBOX_H
#define NUNCIO_MAILBOX_IMAP_MAILBOX_H
#include "mailbox/mailbox.h"

extern const struct mailbox_kind mailbox_imap;
#endif
