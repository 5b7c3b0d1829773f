/* server/order.c - decides what the parameters common to Send and Submit mean,
 * and what is refused before a byte is stored. How the content gets to the queue
 * is order_content.c's to say. */
#include "server/order.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "alloc.h"
#include "auto.h"
#include "base64.h"
#include "clock.h"
#include "config/config.h"
#include "duration.h"
#include "failure.h"
#include "message/letter.h"
#include "message/raw.h"
#include "queue/queue.h"
#include "server/admission.h"
#include "server/call.h"
#include "server/methods.h"
#include "server/peer.h"
#include "server/rights.h"
#include "server/room.h"
#include "server/rows.h"
#include "server/when.h"
#include "text.h"
#include "transport/transport.h"

#define KEY_MAX 200 /* octets of key and dedup */

static void order_free(void *state)
{
	struct order *o = state;

	for (size_t i = 0; i < o->nsources; i++) {
		free(o->sources[i].owned);
		if (o->sources[i].fd >= 0)
			close(o->sources[i].fd);
	}
	if (o->intake)
		intake_cancel(o->intake);
	admission_give_back(o);
	free(o->sources);
	free(o->deliveries);
	free(o->sender);
	free(o->spec);
	raw_free(o->raw);
	letter_free(o->letter);
	buf_clear(&o->mended);
	EVP_MD_CTX_free(o->hash);
	recipients_clear(&o->recipients);
	task_clear(&o->more);
	free(o);
}

static void order_stop(struct call *c)
{
	struct order *o = c->state;

	/* without an intake the queue has it, and will answer */
	if (!o->intake)
		return;
	intake_cancel(TAKE(o->intake));
	task_clear(&o->more);
	call_give_up(c);
}

static int read_name(struct order *o, const char *field, const char **ret)
{
	*ret = call_text(o->call, field);
	if (!*ret || (**ret && strlen(*ret) <= KEY_MAX && text_is_one_line(*ret, strlen(*ret))))
		return 0;
	call_bad(o->call, field, "one line of 1 to %d bytes is wanted.", KEY_MAX);
	return -1;
}

static int read_times(struct order *o)
{
	const char *at = call_text(o->call, "at"), *expires = call_text(o->call, "expires");
	struct failure f = {0};

	o->at_ms = o->now_ms;
	if (at && when_parse(at, o->now_ms, &o->at_ms, &f) < 0) {
		call_bad(o->call, "at", "%s", f.text);
		return -1;
	}
	if (!expires)
		return 0;
	if (duration_parse(expires, &o->life_ms, &f) < 0 || !o->life_ms) {
		call_bad(o->call, "expires", "a duration like \"4h\" is wanted.");
		return -1;
	}
	return 0;
}

static int read_common(struct order *o)
{
	const char *priority = call_text(o->call, "priority");

	o->hold = call_flag(o->call, "hold");
	if (priority_parse(priority ? priority : "normal", &o->priority) < 0) {
		call_bad(o->call, "priority", "urgent, high, normal or low is wanted.");
		return -1;
	}
	if (read_times(o) < 0 || read_name(o, "key", &o->key) < 0)
		return -1;
	return read_name(o, "dedup", &o->dedup);
}

int order_new(struct call *c, struct order **ret)
{
	struct order *o = xcalloc(1, sizeof(*o));

	o->call = c;
	o->letter = letter_new();
	o->now_ms = clock_wall_ms();
	buf_init(&o->mended, RAW_HEADER_MAX + 4 * SERVER_PIECE_BYTES);
	c->state = o;
	c->release = order_free;
	c->stop = order_stop;
	*ret = o;
	return read_common(o);
}

static int refused(struct order *o, const struct refusal *refusal)
{
	call_error(o->call, refusal->id, refusal->parameters);
	return -1;
}

int order_address(struct order *o, const char *by, unsigned carries)
{
	struct refusal refusal;

	if (recipients_init(&o->recipients, o->call->config, by, carries, &refusal) < 0)
		return refused(o, &refusal);
	return 0;
}

int order_add(struct order *o, const char *field, struct shown *shown)
{
	json_t *given = json_object_get(o->call->request.parameters, field);
	struct refusal refusal;

	if (recipients_add(&o->recipients, given, field, shown, &refusal) < 0)
		return refused(o, &refusal);
	return 0;
}

static int check_to(struct order *o, const char *recipient)
{
	const struct call *c = o->call;

	if (rights_allow_to(c->config, c->caller, c->method->right, recipient))
		return 0;
	AUTO(free)
	char *reason =
		xprintf("uid %lu may not send to %s; 'to' in a row of 'access' could allow it.",
			(unsigned long)c->caller->uid, recipient);
	call_error(o->call, ERROR_NOT_PERMITTED, json_pack("{s:o}", "reason", reply_text(reason)));
	return -1;
}

int order_check_ways(struct order *o)
{
	const struct recipients *r = &o->recipients;
	unsigned needed = 0;

	if (!r->n) {
		call_error(o->call, ERROR_BAD_RECIPIENT,
			   json_pack("{s:s, s:s, s:s}", "field", "to", "recipient", "", "reason",
				     "there is no recipient."));
		return -1;
	}
	for (size_t i = 0; i < r->n; i++) {
		if (check_to(o, r->list[i].address) < 0)
			return -1;
		needed |= r->list[i].carries;
	}
	for (unsigned one = CARRIES_MAIL; one <= CARRIES_TEXTS && !r->transport; one <<= 1) {
		if (!(needed & one) || queue_carries(o->call->server->queue, one))
			continue;
		call_error(o->call, ERROR_NO_TRANSPORT,
			   json_pack("{s:s, s:s}", "channel", one == CARRIES_MAIL ? "mail" : "sms",
				     "reason", "no transport in the configuration carries this."));
		return -1;
	}
	return 0;
}

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

void order_default_from(struct order *o)
{
	const struct address *from = &o->call->config->from;

	o->letter->from = (struct address){.name = copy(from->name),
					   .mailbox = copy(from->mailbox),
					   .ascii = copy(from->ascii),
					   .needs_smtputf8 = from->needs_smtputf8};
}

int order_check_from(struct order *o, const struct address *from)
{
	const struct call *c = o->call;

	if (rights_allow_from(c->config, c->caller, from))
		return 0;
	AUTO(free)
	char *reason =
		xprintf("uid %lu may not write as %s; 'from' in a row of 'access' could allow it.",
			(unsigned long)c->caller->uid, from->ascii);
	call_error(o->call, ERROR_NOT_PERMITTED, json_pack("{s:o}", "reason", reply_text(reason)));
	return -1;
}

static struct source *add_source(struct order *o)
{
	o->sources = xrealloc(o->sources, (o->nsources + 1) * sizeof(*o->sources));
	o->sources[o->nsources] = (struct source){.fd = -1};
	return &o->sources[o->nsources++];
}

int order_add_text(struct order *o, const char *text, size_t len)
{
	struct source *source = add_source(o);

	source->bytes = text;
	source->size = len;
	return 0;
}

static int take_base64(struct order *o, json_t *content, const char *place)
{
	struct buf bytes;

	buf_init(&bytes, json_string_length(content));
	if (base64_decode(&bytes, json_string_value(content), json_string_length(content)) < 0) {
		buf_clear(&bytes);
		call_bad(o->call, place, "content is not base64 (RFC 4648, with its padding).");
		return -1;
	}
	struct source *source = add_source(o);
	size_t len;
	source->owned = buf_take(&bytes, &len);
	source->bytes = source->owned;
	source->size = len;
	return 0;
}

static int take_descriptor(struct order *o, json_int_t number, const char *place)
{
	struct failure f = {0};
	uint64_t size;
	int fd;

	if (number < 0) {
		call_bad(o->call, place, "descriptors are numbered from 0.");
		return -1;
	}
	if (descriptor_open(&o->call->descriptors, (size_t)number, &fd, &size, &f) < 0) {
		peer_close_after(o->call->peer);
		call_bad(o->call, place, "%s", f.text);
		return -1;
	}
	struct source *source = add_source(o);
	source->fd = fd;
	source->size = size;
	return 0;
}

int order_take_content(struct order *o, json_t *holder, const char *place)
{
	json_t *content = json_object_get(holder, "content");
	json_t *descriptor = json_object_get(holder, "descriptor");

	if (json_is_string(content) == json_is_integer(descriptor)) {
		call_bad(o->call, place,
			 "exactly one of content (base64) and descriptor is wanted.");
		return -1;
	}
	if (json_is_string(content))
		return take_base64(o, content, place);
	return take_descriptor(o, json_integer_value(descriptor), place);
}

int order_check_size(struct order *o)
{
	uint64_t limit = o->call->config->max_message_bytes, size = 0;
	char most[32];

	for (size_t i = 0; i < o->nsources; i++)
		size += o->sources[i].size;
	if (size <= limit)
		return admission_take(o, size);
	call_over_limit(o->call, "message", limit, "a message has at most %s.",
			size_print(most, sizeof(most), limit));
	return -1;
}

void order_fix(struct order *o)
{
	struct letter *l = o->letter;
	const char *instance = store_instance(queue_store(o->call->server->queue));

	l->date_ms = o->now_ms;
	l->message_id = letter_make_message_id(&l->from, o->now_ms);
	l->boundary = letter_make_boundary();
	l->marker = xprintf("%s.%.*s", instance, (int)strcspn(l->message_id, "@"), l->message_id);
}
