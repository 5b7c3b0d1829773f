/* mailbox/twilio_text.h - one text message made whole: what the provider's list says of it,
 * and what came with it (MMS), asked for one after the other, up to a ceiling. */
#ifndef NUNCIO_MAILBOX_TWILIO_TEXT_H
#define NUNCIO_MAILBOX_TWILIO_TEXT_H
#include <stdint.h>
#include "base/loop.h"
#include "mailbox/mailbox.h"
struct secret;
struct text_fetch;
struct twilio_config;
struct twilio_message;

/* How the provider is spoken to; outlives what is fetched by it. */
struct text_way {
	struct loop *loop;
	struct http *http;
	const struct twilio_config *config; /* from config */
	struct secret *password;            /* owned by its mailbox */
	const char *cursor;                 /* of what is fetched; lives as long as way */
};

/* One that was listed, which is copied; or by its sid, then mail NULL with why NULL says that
 * it is gone. done comes once, later, and is the last thing of its turn. patient: what
 * can't be had just now is a failure; else the text comes without it, cut. */
struct text_fetch *text_fetch_listed(const struct text_way *way, const struct twilio_message *m,
				     bool patient, mailbox_fetched_fn *done, void *ctx);
struct text_fetch *text_fetch_sid(const struct text_way *way, const char *sid,
				  mailbox_fetched_fn *done, void *ctx);
void text_fetch_cancel(struct text_fetch *f); /* NULL is fine */

/* What an answer that is none of the good ones says. */
int text_answer_failure(unsigned status, const char *body, size_t len, struct failure *f);
#endif
