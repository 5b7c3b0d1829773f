/* server/order_texts.c - decides who gets by mail, too, what does not fit into a text: when
 * the message is taken, so that the mail and the text are one message and one commit. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "config/config.h"
#include "message/letter.h"
#include "queue/queue.h"
#include "server/call.h"
#include "server/methods.h"
#include "server/order.h"
#include "server/rights.h"
#include "server/room.h"
#include "transport/transport.h"

/* The transport that carries it as things stand: the one that is named, or the first. */
static const struct transport_config *way_of(const struct order *o, const struct recipient *r)
{
	const struct config *config = o->call->config;

	if (*r->route != '#')
		return config_transport(config, r->route);
	for (size_t i = 0; i < config->ntransports; i++) {
		const struct transport_kind *kind = transport_kind_find(config->transports[i].type);

		if (kind && kind->carries & CARRIES_TEXTS)
			return &config->transports[i];
	}
	return NULL;
}

/* text and html of Send: in memory, one behind the other in the content. */
static char *copy_words(const struct order *o, size_t *ret_len)
{
	size_t n = (size_t)o->letter->has_text + (size_t)o->letter->has_html, len = 0;

	for (size_t i = 0; i < n; i++)
		len += (size_t)o->sources[i].size;
	char *words = xmalloc(len + 1);

	*ret_len = 0;
	for (size_t i = 0; i < n; i++) {
		memcpy(words + *ret_len, o->sources[i].bytes, (size_t)o->sources[i].size);
		*ret_len += (size_t)o->sources[i].size;
	}
	words[len] = '\0';
	return words;
}

static bool wants_mail(const struct order *o, const struct recipient *r)
{
	const struct transport_config *way = r->carries == CARRIES_TEXTS ? way_of(o, r) : NULL;
	const struct transport_kind *kind = way ? transport_kind_find(way->type) : NULL;
	size_t len;

	if (!kind || !kind->wants_mail)
		return false;
	AUTO(free) char *words = copy_words(o, &len);

	return kind->wants_mail(way, r->address, o->letter, words, len);
}

void order_mail_texts(struct order *o)
{
	const struct call *c = o->call;
	struct recipients *r = &o->recipients;
	struct shown to = {o->letter->to, o->letter->nto};

	for (size_t i = 0, n = r->n; i < n; i++) {
		const char *number = r->list[i].address;
		const struct contact_config *owner =
			wants_mail(o, &r->list[i]) ? config_owner(c->config, number) : NULL;

		if (!owner || !queue_carries(c->server->queue, CARRIES_MAIL) ||
		    !rights_allow_to(c->config, c->caller, c->method->right, owner->mail[0].ascii))
			continue;
		recipients_add_mail(r, owner, &to); /* or it goes there anyway */
		letter_add_mailed(o->letter, number);
	}
	o->letter->to = to.list;
	o->letter->nto = to.n;
}
