/* mailbox/twilio_mailbox.h - texts that come to numbers of a Twilio account, as a mailbox: the
 * list of messages is asked for now and then. A text stays where it is unless it is
 * deleted; there are no folders and no flags. */
#ifndef NUNCIO_MAILBOX_TWILIO_MAILBOX_H
#define NUNCIO_MAILBOX_TWILIO_MAILBOX_H
struct mailbox_kind;

extern const struct mailbox_kind mailbox_twilio;
#endif
