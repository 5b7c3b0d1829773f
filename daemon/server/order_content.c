/* server/order_content.c - decides how content gets from the request to the queue: in
 * pieces, at the queue's pace, hashed on its way when the request has a key; and
 * what is answered in the end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "alloc.h"
#include "auto.h"
#include "config/config.h"
#include "failure.h"
#include "message/letter.h"
#include "message/raw.h"
#include "queue/queue.h"
#include "server/call.h"
#include "server/methods.h"
#include "server/order.h"
#include "server/rights.h"
#include "server/room.h"
#include "server/rows.h"
#include "transport/transport.h"

#define TURN_PIECES 16 /* then others have their turn */

/* ---- what was asked, as one digest ---- */

/* Without what makes no difference: nulls, the key itself, and content, which is
 * hashed as the bytes it stands for. */
static json_t *canonical(json_t *object)
{
	json_t *copy = json_object(), *value;
	const char *name;

	json_object_foreach(object, name, value) if (!json_is_null(value) &&
						     strcmp(name, "key") != 0 &&
						     strcmp(name, "content") != 0 &&
						     strcmp(name, "descriptor") != 0)
		json_object_set(copy, name, value);
	return copy;
}

static json_t *canonical_request(json_t *parameters)
{
	json_t *copy = canonical(parameters), *attachment;
	json_t *given = json_object_get(copy, "attachments");
	size_t i;

	if (given) {
		json_t *attachments = json_array();

		json_array_foreach(given, i, attachment)
			json_array_append_new(attachments, canonical(attachment));
		json_object_set_new(copy, "attachments", attachments);
	}
	return copy;
}

static void hash_begin(struct order *o)
{
	json_t *asked = canonical_request(o->call->request.parameters);
	AUTO(free) char *text = json_dumps(asked, JSON_COMPACT | JSON_SORT_KEYS);
	const char *method = o->call->method->name;

	json_decref(asked);
	o->hash = EVP_MD_CTX_new();
	EVP_DigestInit_ex(o->hash, EVP_sha256(), NULL);
	EVP_DigestUpdate(o->hash, method, strlen(method) + 1);
	EVP_DigestUpdate(o->hash, text, strlen(text) + 1);
	for (size_t i = 0; i < o->nsources; i++)
		EVP_DigestUpdate(o->hash, &o->sources[i].size, sizeof(o->sources[i].size));
}

static void hash_end(struct order *o)
{
	unsigned char sum[32];

	EVP_DigestFinal_ex(o->hash, sum, NULL);
	for (size_t i = 0; i < sizeof(sum); i++)
		snprintf(o->digest + 2 * i, 3, "%02x", sum[i]);
}

/* ---- the answer ---- */

static void reply(struct order *o, int64_t id, const char *message_id,
		  const struct intake_result *result)
{
	call_reply(o->call,
		   json_pack("{s:I, s:o, s:b, s:b}", "id", (json_int_t)id, "message_id",
			     reply_some(message_id), "duplicate", result->status == INTAKE_KEY_SAME,
			     "repeated", result->status == INTAKE_REPEATED));
}

/* The older message's Message-ID is the one that counts. */
static void shown_same(void *ctx, const struct show_result *shown)
{
	static const struct intake_result same = {.status = INTAKE_KEY_SAME};
	struct order *o = ctx;

	reply(o, o->message.id, shown->message ? shown->message->message_id : NULL, &same);
}

static void shown_repeated(void *ctx, const struct show_result *shown)
{
	static const struct intake_result repeated = {.status = INTAKE_REPEATED};
	struct order *o = ctx;

	reply(o, o->message.id, shown->message ? shown->message->message_id : NULL, &repeated);
}

static void taken(void *ctx, const struct intake_result *result)
{
	struct order *o = ctx;
	struct store *store = queue_store(o->call->server->queue);

	switch (result->status) {
	case INTAKE_TAKEN:
		o->counted_ms = 0; /* for good */
		reply(o, result->message, o->letter->message_id, result);
		break;
	case INTAKE_KEY_SAME:
		o->message.id = result->message;
		store_show(store, result->message, shown_same, o);
		break;
	case INTAKE_REPEATED:
		o->message.id = result->message;
		store_show(store, result->message, shown_repeated, o);
		break;
	case INTAKE_KEY_OTHER:
		call_error(
			o->call, ERROR_KEY_CONFLICT,
			json_pack("{s:s, s:I}", "key", o->key, "id", (json_int_t)result->message));
		break;
	case INTAKE_MISSED:
	case INTAKE_FAILED:
		call_not_stored(o->call, result->why);
		break;
	}
}

/* ---- the rows ---- */

/* The longest life any transport that may carry it gives. */
static int64_t default_life_ms(const struct order *o, const struct recipient *r)
{
	const struct config *config = o->call->config;
	int64_t life_ms = 0;

	for (size_t i = 0; i < config->ntransports; i++) {
		const struct transport_config *t = &config->transports[i];
		const struct transport_kind *kind = transport_kind_find(t->type);
		bool fits = *r->route == '#' ? kind && kind->carries & r->carries
					     : strcmp(r->route, t->name) == 0;

		if (fits && t->expires_ms > life_ms)
			life_ms = t->expires_ms;
	}
	return life_ms;
}

/* The one that it stands by for knows of it, and it of that one. */
static void fill_standby(struct order *o, size_t at, int64_t begin_ms)
{
	const struct recipient *r = &o->recipients.list[at];
	size_t first = r->first_way - 1;
	struct delivery_row *d = &o->deliveries[at];

	d->state = STATE_STANDBY;
	d->next_ms = begin_ms + r->after_ms;
	d->fallback_ms = r->after_ms;
	d->fallback = -(int64_t)(at - first);
	o->deliveries[first].fallback = (int64_t)(at - first);
}

static void fill_deliveries(struct order *o)
{
	const struct recipients *r = &o->recipients;
	int64_t begin_ms = o->at_ms > o->now_ms ? o->at_ms : o->now_ms;

	o->deliveries = xcalloc(r->n, sizeof(*o->deliveries));
	for (size_t i = 0; i < r->n; i++) {
		int64_t life_ms = o->life_ms ? o->life_ms : default_life_ms(o, &r->list[i]);

		o->deliveries[i] = (struct delivery_row){
			.recipient = r->list[i].address,
			.route = r->list[i].route,
			.state = o->hold ? STATE_HELD : STATE_QUEUED,
			.next_ms = begin_ms,
			.expires_ms = begin_ms + life_ms,
			.changed_ms = o->now_ms,
			.enhanced = "",
			.text = "",
			.transport = "",
			.remote_id = "",
			.notice = o->tell_failure ? NOTICE_WANTED : NOTICE_NONE,
		};
		if (r->list[i].first_way)
			fill_standby(o, i, begin_ms);
	}
}

static void fill_message(struct order *o)
{
	const struct caller *caller = o->call->caller;

	o->spec = letter_to_spec(o->letter);
	o->message = (struct message_row){
		.created_ms = o->now_ms,
		.uid = caller->uid,
		.pid = caller->pid,
		.key = o->key,
		.digest = o->digest,
		.dedup = o->dedup,
		.sender = o->sender,
		.subject = o->letter->subject,
		.message_id = o->letter->message_id,
		.priority = o->priority,
		.spec = o->spec,
		.tell_delay = o->tell_delay,
	};
}

/* ---- the pieces ---- */

/* The call is answered already: what was written is dropped. */
static void drop(struct order *o)
{
	intake_cancel(TAKE(o->intake));
}

/* Under which names a raw mail goes shows only in its header. One that is resent still
 * has its first From, and a reader that shows that one would be deceived: all count. */
static int check_header(struct order *o)
{
	size_t n;
	const struct address *claims = raw_claims(o->raw, &n);

	if (order_check_from(o, &o->letter->from) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (order_check_from(o, &claims[i]) < 0)
			return -1;
	return 0;
}

static void finish(struct order *o)
{
	struct failure f = {0};

	if (o->raw && raw_end(o->raw, &o->mended, &f) < 0) {
		drop(o);
		call_bad(o->call, "content", "%s", f.text);
		return;
	}
	if (o->raw && check_header(o) < 0) {
		drop(o);
		return;
	}
	if (o->mended.len)
		intake_write(o->intake, buf_bytes(&o->mended), o->mended.len, NULL, NULL);
	buf_clear(&o->mended);
	if (o->hash)
		hash_end(o);
	fill_message(o);
	fill_deliveries(o);
	intake_finish(TAKE(o->intake), &o->message, o->deliveries, o->recipients.n,
		      o->now_ms - o->call->config->dedup_window_ms, taken, o);
}

static void ready(void *ctx)
{
	struct order *o = ctx;

	task_start(&o->more);
}

/* The next piece of the content, at most SERVER_PIECE_BYTES. 0: that was all. */
static ssize_t read_piece(struct order *o, const char **ret)
{
	while (o->at < o->nsources && o->offset == o->sources[o->at].size) {
		o->at++;
		o->offset = 0;
	}
	if (o->at == o->nsources)
		return 0;
	const struct source *source = &o->sources[o->at];
	uint64_t left = source->size - o->offset;
	size_t want = left < SERVER_PIECE_BYTES ? (size_t)left : SERVER_PIECE_BYTES;
	*ret = source->bytes ? source->bytes + o->offset : o->call->server->piece;
	if (source->bytes)
		return (ssize_t)want;
	ssize_t got = pread(source->fd, o->call->server->piece, want, (off_t)o->offset);
	return got == 0 ? -1 : got;
}

enum fed { FED_GO_ON, FED_WAIT, FED_OVER };

static enum fed feed_raw(struct order *o, const char *piece, size_t len)
{
	struct failure f = {0};

	if (raw_feed(o->raw, piece, len, &o->mended, &f) < 0) {
		drop(o);
		call_bad(o->call, "content", "%s", f.text);
		return FED_OVER;
	}
	if (!o->mended.len)
		return FED_GO_ON;
	bool go_on = intake_write(o->intake, buf_bytes(&o->mended), o->mended.len, ready, o);
	buf_drain(&o->mended, o->mended.len);
	return go_on ? FED_GO_ON : FED_WAIT;
}

static enum fed feed_piece(struct order *o)
{
	const char *piece;
	ssize_t len = read_piece(o, &piece);

	if (len < 0) {
		drop(o);
		call_bad(o->call, "descriptor", "its content can't be read: %s", strerror(errno));
		return FED_OVER;
	}
	if (len == 0) {
		finish(o);
		return FED_OVER;
	}
	o->offset += (uint64_t)len;
	if (o->hash)
		EVP_DigestUpdate(o->hash, piece, (size_t)len);
	if (o->raw)
		return feed_raw(o, piece, (size_t)len);
	return intake_write(o->intake, piece, (size_t)len, ready, o) ? FED_GO_ON : FED_WAIT;
}

static void feed(void *ctx)
{
	struct order *o = ctx;

	for (int i = 0; i < TURN_PIECES; i++)
		if (feed_piece(o) != FED_GO_ON)
			return;
	task_start(&o->more);
}

void order_start(struct order *o)
{
	task_init(&o->more, o->call->server->loop, feed, o);
	if (o->key)
		hash_begin(o);
	o->intake = intake_new(o->call->server->queue);
	feed(o);
}
