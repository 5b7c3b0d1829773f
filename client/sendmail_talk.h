/* client/sendmail_talk.h - sendmail -bs: SMTP (RFC 5321) on standard input and output,
 * as much as a mail program needs to hand over mail. */
#ifndef NUNCIO_CLIENT_SENDMAIL_TALK_H
#define NUNCIO_CLIENT_SENDMAIL_TALK_H
struct context;
struct sendmail_options;

/* Until QUIT or the end of the input. Returns an exit status. */
int sendmail_talk(struct context *context, const struct sendmail_options *o);
#endif
