/* mailbox/twilio_errand.h - what a mailbox of texts is told to do with one: delete it, or
 * show it again. Each is a question of its own, answered once, later. */
#ifndef NUNCIO_MAILBOX_TWILIO_ERRAND_H
#define NUNCIO_MAILBOX_TWILIO_ERRAND_H
#include "mailbox/mailbox.h"
struct text_errand;
struct text_way;

struct text_errands {
	const struct text_way *way;
	struct text_errand *first; /* owned, by .next */
};
void text_errands_init(struct text_errands *e, const struct text_way *way);
void text_errands_clear(struct text_errands *e); /* none of them is answered any more */
/* Whatever else than MAIL_DELETE is done at once: a text has neither flags nor a folder. */
void text_errand_deed(struct text_errands *e, enum deed_on_mail deed, const char *ref,
		      mailbox_done_fn *done, void *ctx);
void text_errand_fetch(struct text_errands *e, const char *ref, mailbox_fetched_fn *done,
		       void *ctx);
#endif
