/* mailbox/imap_mail.c - decides how much of a mail is asked for. RFC822.SIZE is what some
 * servers guess: a mail is whole when less came than was asked for. */
#include "mailbox/imap_mail.h"

#include <stdlib.h>

#include "auto.h"
#include "buf.h"
#include "mailbox/imap_wire.h"

void imap_mail_clear(struct imap_mail *mail)
{
	free(mail->bytes);
	*mail = (struct imap_mail){.uid = 0};
}

static size_t asked(enum imap_want want, uint64_t max_bytes)
{
	if (want == IMAP_WANT_PIECE)
		return IMAP_PIECE_BYTES;
	return want == IMAP_WANT_HEADER ? IMAP_HEADER_BYTES : (size_t)max_bytes + 1;
}

size_t imap_mail_ask(struct buf *out, enum imap_want want, uint64_t max_bytes)
{
	size_t most = asked(want, max_bytes);

	buf_printf(out, "(UID RFC822.SIZE INTERNALDATE BODY.PEEK[%s]<0.%zu>)",
		   want == IMAP_WANT_HEADER ? "HEADER" : "", most);
	return most;
}

bool imap_mail_hear(struct imap_mail *mail, const struct imap_reply *reply, struct imap_parser *p,
		    uint64_t max_bytes)
{
	enum imap_want want = mail->want;

	if (!reply->has_body || reply->uid == 0 || want == IMAP_WANT_NOTHING)
		return false;
	free(mail->bytes);
	mail->bytes = imap_parser_take_body(p, &mail->len);
	mail->uid = reply->uid;
	mail->size = reply->size > mail->len || want == IMAP_WANT_HEADER ? reply->size : mail->len;
	mail->date_s = reply->date_s;
	mail->cut = want == IMAP_WANT_HEADER;
	if (want == IMAP_WANT_HEADER)
		mail->want = IMAP_WANT_NOTHING;
	else if (mail->size > max_bytes)
		mail->want = IMAP_WANT_HEADER;
	else
		mail->want = mail->len < asked(want, max_bytes) ? IMAP_WANT_NOTHING : IMAP_WANT_ALL;
	if (mail->want != IMAP_WANT_NOTHING) {
		free(TAKE(mail->bytes));
		mail->len = 0;
	}
	return true;
}
