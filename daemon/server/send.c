/* server/send.c - Send: decides whether what was asked makes a message. */
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "alloc.h"
#include "failure.h"
#include "fallback.h"
#include "media.h"
#include "message/letter.h"
#include "queue/queue.h"
#include "server/call.h"
#include "server/methods.h"
#include "server/order.h"
#include "server/room.h"
#include "transport/transport.h"

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

static int read_from(struct order *o)
{
	const char *given = call_text(o->call, "from");
	struct failure f = {0};

	if (!given) {
		order_default_from(o);
	} else if (address_parse(given, strlen(given), &o->letter->from, &f) < 0) {
		call_bad(o->call, "from", "%s", f.text);
		return -1;
	}
	if (order_check_from(o, &o->letter->from) < 0)
		return -1;
	o->sender = xstrdup(o->letter->from.ascii);
	return 0;
}

static int read_fallback(struct order *o, size_t nshown, struct shown *to)
{
	const char *given = call_text(o->call, "fallback");
	const struct queue *queue = o->call->server->queue;
	unsigned carries = (queue_carries(queue, CARRIES_MAIL) ? CARRIES_MAIL : 0) |
			   (queue_carries(queue, CARRIES_TEXTS) ? CARRIES_TEXTS : 0);
	struct fallback asked = {.way = FALLBACK_UNSAID};
	struct failure f = {0};

	if ((given && fallback_parse(given, &asked, &f) < 0) ||
	    recipients_add_fallbacks(&o->recipients, &asked, carries, nshown, to, &f) < 0) {
		call_bad(o->call, "fallback", "%s", f.text);
		return -1;
	}
	return 0;
}

static int read_recipients(struct order *o)
{
	struct shown to = {0}, cc = {0};
	int result;
	size_t nto;

	if (order_address(o, call_text(o->call, "by"), CARRIES_MAIL | CARRIES_TEXTS) < 0)
		return -1;
	result = order_add(o, "to", &to);
	nto = o->recipients.n;
	if (result == 0)
		result = order_add(o, "cc", &cc);
	if (result == 0)
		result = order_add(o, "bcc", NULL);
	if (result == 0)
		result = read_fallback(o, nto, &to);
	o->letter->to = to.list;
	o->letter->nto = to.n;
	o->letter->cc = cc.list;
	o->letter->ncc = cc.n;
	return result < 0 ? -1 : order_check_ways(o);
}

/* text and html, in the order of the content. */
static void read_texts(struct order *o)
{
	json_t *parameters = o->call->request.parameters;
	json_t *text = json_object_get(parameters, "text");
	json_t *html = json_object_get(parameters, "html");

	o->letter->subject = copy(call_text(o->call, "subject"));
	o->letter->has_text = json_is_string(text);
	o->letter->text_size = json_string_length(text);
	if (o->letter->has_text)
		order_add_text(o, json_string_value(text), json_string_length(text));
	o->letter->has_html = json_is_string(html);
	o->letter->html_size = json_string_length(html);
	if (o->letter->has_html)
		order_add_text(o, json_string_value(html), json_string_length(html));
}

static int read_attachment(struct order *o, json_t *given, const char *place)
{
	const char *type = json_string_value(json_object_get(given, "type"));
	struct attachment *a = &o->letter->attachments[o->letter->nattachments];

	if (order_take_content(o, given, place) < 0)
		return -1;
	a->name = attachment_name(json_string_value(json_object_get(given, "name")));
	a->type = xstrdup(type ? type : attachment_type(a->name ? a->name : ""));
	a->size = o->sources[o->nsources - 1].size;
	o->letter->nattachments++;
	return 0;
}

#define ATTACHMENTS_MAX 200

static int read_attachments(struct order *o)
{
	json_t *given = json_object_get(o->call->request.parameters, "attachments"), *one;
	size_t n = json_array_size(given), i;
	char place[40];

	if (n > ATTACHMENTS_MAX) {
		call_over_limit(o->call, "attachments", ATTACHMENTS_MAX,
				"a message has at most %d attachments.", ATTACHMENTS_MAX);
		return -1;
	}
	o->letter->attachments = xcalloc(n + 1, sizeof(*o->letter->attachments));
	json_array_foreach(given, i, one)
	{
		snprintf(place, sizeof(place), "attachments[%zu]", i);
		if (read_attachment(o, one, place) < 0)
			return -1;
	}
	return 0;
}

static int read_media(struct order *o)
{
	json_t *given = json_object_get(o->call->request.parameters, "media"), *one;
	struct failure f = {0};
	char place[40];
	size_t i;

	if (json_array_size(given) > MEDIA_MAX) {
		call_over_limit(o->call, "media", MEDIA_MAX, "a message names at most %d media.",
				MEDIA_MAX);
		return -1;
	}
	json_array_foreach(given, i, one)
	{
		if (media_check(json_string_value(one), &f) < 0) {
			snprintf(place, sizeof(place), "media[%zu]", i);
			call_bad(o->call, place, "%s", f.text);
			return -1;
		}
		media_add(&o->letter->media, json_string_value(one));
	}
	return 0;
}

static int check_letter(struct order *o)
{
	const struct letter *l = o->letter;
	const char *field = "request";
	struct failure f = {0};

	if (letter_check(l, &field, &f) < 0) {
		call_bad(o->call, field, "%s", f.text);
		return -1;
	}
	if (!l->subject && !l->has_text && !l->has_html && !l->nattachments && !l->media) {
		call_bad(o->call, "text",
			 "there is nothing to send: text, subject, html, "
			 "attachments or media are wanted.");
		return -1;
	}
	return order_check_size(o);
}

void send_start(struct call *c)
{
	struct order *o;

	if (order_new(c, &o) < 0)
		return;
	o->letter->kind = LETTER_COMPOSED;
	if (read_from(o) < 0 || read_recipients(o) < 0)
		return;
	read_texts(o);
	if (read_attachments(o) < 0 || read_media(o) < 0)
		return;
	order_mail_texts(o);
	if (check_letter(o) < 0)
		return;
	order_fix(o);
	order_start(o);
}
