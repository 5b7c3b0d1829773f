/* transport/carrier_mail.c - decides by which of a carrier's gateways a letter goes, and
 * what of it. One text has 160 characters of the small alphabet, or 70 others: what does not
 * fit goes to the gateway for longer ones where there is one. */
#include "transport/carrier_mail.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "config/config.h"
#include "failure.h"
#include "message/letter.h"
#include "message/text_message.h"

#define LONG_CHARACTERS_MAX 1600

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

/* Behind text and html. */
static size_t attachments_at(const struct letter *l)
{
	return (size_t)((l->has_text ? l->text_size : 0) + (l->has_html ? l->html_size : 0));
}

static void take_attachments(struct letter *to, const struct letter *from)
{
	to->attachments = xcalloc(from->nattachments + 1, sizeof(*to->attachments));
	for (; to->nattachments < from->nattachments; to->nattachments++) {
		const struct attachment *a = &from->attachments[to->nattachments];

		to->attachments[to->nattachments] = (struct attachment){
			.name = copy(a->name), .type = copy(a->type), .size = a->size};
	}
}

/* No subject, no html, no thread: telephones show such things in brackets, or as files. */
static struct letter *letter_for(const struct letter *l, const char *address)
{
	struct letter *made = letter_new();

	made->kind = LETTER_COMPOSED;
	made->from = (struct address){.name = copy(l->from.name),
				      .mailbox = copy(l->from.mailbox),
				      .ascii = copy(l->from.ascii),
				      .needs_smtputf8 = l->from.needs_smtputf8};
	made->to = xcalloc(1, sizeof(*made->to));
	made->to[0] = (struct address){.mailbox = xstrdup(address), .ascii = xstrdup(address)};
	made->nto = 1;
	made->message_id = copy(l->message_id);
	made->boundary = copy(l->boundary);
	made->marker = copy(l->marker);
	made->date_ms = l->date_ms;
	made->replied = l->replied;
	return made;
}

static void fill(struct carrier_mail *mail, const struct letter *l, char *text,
		 const char *attached, size_t len)
{
	size_t text_len = text ? strlen(text) : 0;

	mail->letter = letter_for(l, mail->address);
	mail->letter->has_text = text != NULL;
	mail->letter->text_size = text_len;
	mail->len = text_len + len;
	mail->content = xmalloc(mail->len + 1);
	if (text)
		memcpy(mail->content, text, text_len);
	if (len) {
		memcpy(mail->content + text_len, attached, len);
		take_attachments(mail->letter, l);
	}
	mail->content[mail->len] = '\0';
}

/* What is being made. */
struct making {
	const struct carrier_config *config;
	const struct gateway *gateway;
	const struct letter *letter;
	const char *content; /* text and html, of len */
	size_t len;
	bool mailed; /* all of it goes by mail, too */
	bool *ret_cut;
};

static bool may_cut(const struct making *m)
{
	return m->mailed || m->config->too_long != TOO_LONG_REFUSE;
}

/* For the gateway for longer ones. */
static int make_long(const struct making *m, char **ret, struct failure *f)
{
	const struct letter *l = m->letter;
	const struct text_message_options options = {.exact = m->config->exact,
						     .media_lines = true,
						     .cut = may_cut(m),
						     .characters = LONG_CHARACTERS_MAX,
						     .tail = m->mailed ? TEXT_MESSAGE_TAIL : NULL,
						     .ret_cut = m->ret_cut};

	*ret = NULL;
	if (l->nattachments && !l->subject && !l->has_text && !l->has_html && !l->media)
		return 0; /* they alone */
	return text_message_make(l, m->content, m->len, &options, ret, f);
}

static int make_short(const struct making *m, bool cut, char **ret, struct failure *f)
{
	const struct text_message_options options = {.exact = m->config->exact,
						     .media_lines = true,
						     .segments = 1,
						     .cut = cut,
						     .characters = m->gateway->characters,
						     .tail = m->mailed ? TEXT_MESSAGE_TAIL : NULL,
						     .ret_cut = m->ret_cut};

	return text_message_make(m->letter, m->content, m->len, &options, ret, f);
}

static uint64_t attached_size(const struct letter *l)
{
	uint64_t size = 0;

	for (size_t i = 0; i < l->nattachments; i++)
		size += l->attachments[i].size;
	return size;
}

static const char *long_gateway(const struct carrier_config *config, const struct gateway *g)
{
	return config->mms ? g->mms : NULL;
}

static int check_attached(const struct carrier_config *config, const struct gateway *g,
			  const struct letter *l, struct failure *f)
{
	if (!long_gateway(config, g))
		return failure_set(f, FAILURE_REFUSED, "%s: no gateway for attachments", g->title);
	if (attached_size(l) > config->max_attached)
		return failure_set(f, FAILURE_REFUSED,
				   "its attachments have %llu bytes, and %llu are allowed "
				   "(max_attached)",
				   (unsigned long long)attached_size(l),
				   (unsigned long long)config->max_attached);
	return 0;
}

/* Attachments that can't go this way are left out where they go by mail. */
static bool takes_attached(const struct carrier_config *config, const struct gateway *g,
			   const char *number, const struct letter *l)
{
	return l->nattachments &&
	       (!letter_is_mailed(l, number) || check_attached(config, g, l, NULL) == 0);
}

size_t carrier_mail_wants(const struct carrier_config *config, const struct gateway *g,
			  const char *number, const struct letter *l)
{
	return takes_attached(config, g, number, l) ? (size_t)letter_content_size(l)
						    : attachments_at(l);
}

bool carrier_mail_fits(const struct carrier_config *config, const struct gateway *g,
		       const struct letter *l, const char *content, size_t len)
{
	struct making m = {
		.config = config, .gateway = g, .letter = l, .content = content, .len = len};
	struct carrier_config whole = *config;
	AUTO(free) char *text = NULL;

	whole.too_long = TOO_LONG_REFUSE;
	m.config = &whole;
	if (l->nattachments && check_attached(config, g, l, NULL) < 0)
		return false;
	if (long_gateway(config, g))
		return make_long(&m, &text, NULL) == 0;
	return make_short(&m, false, &text, NULL) == 0;
}

int carrier_mail_make(const struct carrier_config *config, const struct gateway *g,
		      const char *number, const struct letter *l, const char *content, size_t len,
		      struct carrier_mail *ret, struct failure *f)
{
	const char *mms = long_gateway(config, g);
	size_t words = attachments_at(l) < len ? attachments_at(l) : len;
	struct making m = {config,       g, l, content, words, letter_is_mailed(l, number),
			   &ret->was_cut};
	bool attached = takes_attached(config, g, number, l);
	AUTO(free) char *text = NULL;

	*ret = (struct carrier_mail){0};
	if (l->kind != LETTER_COMPOSED)
		return failure_set(f, FAILURE_REFUSED, "finished mail can't go as a text message");
	if (attached && check_attached(config, g, l, f) < 0)
		return -1;
	bool fits = !attached && make_short(&m, !mms && may_cut(&m), &text, f) == 0;

	if (!fits && (!mms || make_long(&m, &text, f) < 0))
		return -1;
	ret->address = gateway_address(g, fits ? g->sms : mms, number);
	if (!ret->address)
		return failure_set(f, FAILURE_REFUSED, "%s's numbers begin with +%s", g->title,
				   g->code);
	fill(ret, l, text, content + words, attached ? len - words : 0);
	return 0;
}

void carrier_mail_clear(struct carrier_mail *mail)
{
	letter_free(mail->letter);
	free(mail->address);
	free(mail->content);
	*mail = (struct carrier_mail){0};
}
