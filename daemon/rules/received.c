/* rules/received.c - copies a mail and reads it once for all rules. */
#include "rules/received.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "alloc.h"
#include "config/config.h"
#include "mailbox/mailbox.h"
#include "message/parse.h"
#include "rules/note.h"

/* ---- a text ---- */

static void take_text(struct received *r, const struct mail_text *text)
{
	r->from = xstrdup(text->from);
	r->body = xstrdup(text->body);
	r->attachments = xcalloc(text->nattachments + 1, sizeof(*r->attachments));
	for (; r->nattachments < text->nattachments; r->nattachments++) {
		const struct mail_attachment *a = &text->attachments[r->nattachments];

		r->attachments[r->nattachments] =
			(struct mail_attachment){.name = xstrdup(a->name),
						 .bytes = xmemdup(a->bytes, a->len),
						 .len = a->len};
	}
	r->in.is_text = true;
	r->in.from = r->from;
	r->in.body = r->body;
	r->in.has_attachment = r->nattachments > 0;
}

static void clear_text(struct received *r)
{
	for (size_t i = 0; i < r->nattachments; i++) {
		free((char *)(uintptr_t)r->attachments[i].name);
		free((char *)(uintptr_t)r->attachments[i].bytes);
	}
	free(r->attachments);
	free(r->from);
	free(r->body);
}

/* ---- either ---- */

void received_init(struct received *r, const char *mailbox, const struct mail *mail)
{
	*r = (struct received){.ref = xstrdup(mail->ref),
			       .origin = xstrdup(mailbox),
			       .bytes = xmemdup(mail->bytes, mail->len),
			       .len = mail->len};
	r->mail = mail->text ? NULL : parse_mail(r->bytes, r->len);
	r->in = (struct incoming){.origin = r->origin,
				  .mail = r->mail,
				  .size = mail->size,
				  .received_ms = mail->received_ms,
				  .cut = mail->cut,
				  .stale = mail->stale};
	if (mail->text)
		take_text(r, mail->text);
	command_line_find(&r->in, &r->command);
}

void received_clear(struct received *r)
{
	command_line_clear(&r->command);
	parsed_free(r->mail);
	clear_text(r);
	free(r->ref);
	free(r->bytes);
	free(r->origin);
	*r = (struct received){0};
}

const char *received_channel(const struct received *r)
{
	return r->in.is_text ? "sms" : "mail";
}

const struct mailbox_config *received_voucher(const struct received *r, const struct config *config)
{
	return r->in.is_text ? NULL : config_mailbox(config, r->origin);
}

void received_thread(const struct received *r, struct thread *ret)
{
	*ret = (struct thread){0};
	if (r->mail)
		thread_of(ret, r->mail);
	else
		ret->subject = xstrdup(r->command.text);
	if (ret->subject)
		command_line_redact(&r->command, ret->subject);
}

void received_identity(const struct received *r, const char *rule, char ret[IDENTITY_SIZE])
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	char beside[200];
	/* a text is told apart by its name: it has no octets of its own */
	int n = snprintf(beside, sizeof(beside), "%lld\n%s\n%s", (long long)r->in.received_ms, rule,
			 r->in.is_text ? r->ref : "");

	if (!hash || !EVP_DigestInit_ex(hash, EVP_sha256(), NULL) ||
	    !EVP_DigestUpdate(hash, beside, (size_t)n) ||
	    !EVP_DigestUpdate(hash, r->bytes, r->len) || !EVP_DigestFinal_ex(hash, digest, &len))
		abort();
	EVP_MD_CTX_free(hash);
	for (unsigned i = 0; i < len && i < IDENTITY_SIZE / 2; i++)
		snprintf(ret + i * 2, 3, "%02x", digest[i]);
}
