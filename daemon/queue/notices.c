/* queue/notices.c - decides when to look for what senders are owed, and what a notice
 * says. It goes out as a message like others, from the null sender: of a notice nobody
 * hears. */
#include "queue/notices.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "alloc.h"
#include "auto.h"
#include "base/deadline.h"
#include "buf.h"
#include "clock.h"
#include "config/config.h"
#include "failure.h"
#include "log.h"
#include "message/dsn.h"
#include "message/letter.h"
#include "queue/room.h"
#include "queue/store_owed.h"
#include "text.h"

#define GATHER_MS 1000            /* failures of one mail that come together are told together */
#define LOOK_MS (60 * 1000)       /* for delay, and again after trouble */
#define DSN_MAX (4 * 1024 * 1024) /* thousands of recipients, and the first chunk of a mail */
#define LIFE_MS ((int64_t)4 * 24 * 60 * 60 * 1000)
#define LINE_MAX_OCTETS 998

struct notices {
	struct queue *queue;
	const struct config *config; /* the queue's */
	struct watcher *watcher;     /* owned */
	struct deadline next;
	struct asking *asking; /* under way, or NULL */
	bool again;            /* something happened meanwhile */
	bool stopped;
};

/* For delay, which nothing tells of. */
static int64_t next_look_ms(const struct notices *n)
{
	int64_t often_ms = n->config->delay_notice_ms / 4;

	if (!often_ms || often_ms > LOOK_MS)
		return LOOK_MS;
	return often_ms > GATHER_MS ? often_ms : GATHER_MS;
}

static void look_in(struct notices *n, int64_t ms)
{
	if (!n->stopped)
		deadline_set(&n->next, ms);
}

/* A look, and the notice that comes of it: may outlive the queue. */
struct asking {
	struct pending pending; /* first */
	struct notices *notices;
	struct letter *letter; /* owned; or NULL */
	bool giving;           /* an intake has it, which is silent once the queue is gone */
};

static void asking_free(struct asking *a)
{
	pending_remove(&a->pending);
	letter_free(a->letter);
	free(a);
}

/* ---- what it says ---- */

static bool is_failed(enum delivery_state state)
{
	return state == STATE_FAILED || state == STATE_EXPIRED || state == STATE_UNDELIVERED;
}

/* What was not meant to be sent by now is not late. */
static bool is_late(const struct delivery_row *d, int64_t now_ms)
{
	if (d->state != STATE_QUEUED && d->state != STATE_SENDING)
		return false;
	return d->attempt_no > 0 || d->next_ms <= now_ms;
}

static bool is_meant(const struct owed_result *owed, const struct delivery_row *d, int64_t now_ms)
{
	if (owed->delay)
		return is_late(d, now_ms);
	return d->notice == NOTICE_WANTED && is_failed(d->state);
}

struct told {
	struct dsn_recipient *recipients; /* owned, of n */
	int64_t *deliveries;              /* owned, of n */
	size_t n;
	int64_t until_ms;
};

static void told_clear(struct told *t)
{
	free(t->recipients);
	free(t->deliveries);
}

static void tell_of(const struct owed_result *owed, int64_t now_ms, struct told *ret)
{
	*ret = (struct told){.recipients = xcalloc(owed->ndeliveries + 1, sizeof(*ret->recipients)),
			     .deliveries = xcalloc(owed->ndeliveries + 1, sizeof(int64_t))};
	for (size_t i = 0; i < owed->ndeliveries; i++) {
		const struct delivery_row *d = &owed->deliveries[i];

		if (!is_meant(owed, d, now_ms))
			continue;
		ret->deliveries[ret->n] = d->id;
		ret->recipients[ret->n++] = (struct dsn_recipient){
			.address = d->recipient,
			.enhanced = d->enhanced,
			.code = d->code,
			.text = d->text,
			.at_ms = d->attempt_no ? d->changed_ms : 0,
			.expired = d->state == STATE_EXPIRED,
		};
		if (d->expires_ms > ret->until_ms)
			ret->until_ms = d->expires_ms;
	}
}

static struct letter *make_letter(const struct notices *n, const char *to, bool delay)
{
	struct letter *l = letter_new();
	const struct address *from = &n->config->from;

	l->kind = LETTER_RAW;
	l->from = (struct address){.name = xstrdup("Mail delivery"),
				   .mailbox = xstrdup(from->mailbox),
				   .ascii = xstrdup(from->ascii),
				   .needs_smtputf8 = from->needs_smtputf8};
	l->subject = xstrdup(delay ? "Mail is delayed" : "Mail could not be delivered");
	l->date_ms = clock_wall_ms();
	l->message_id = letter_make_message_id(from, l->date_ms);
	l->boundary = letter_make_boundary();
	l->marker = xprintf("%s.%.*s", store_instance(queue_store(n->queue)),
			    (int)strcspn(l->message_id, "@"), l->message_id);
	l->raw_header_eight_bit = from->needs_smtputf8 || !text_is_ascii(to, strlen(to));
	return l;
}

static void note_octets(struct letter *l, const char *bytes, size_t len)
{
	l->raw_size = len;
	l->raw_eight_bit = !text_is_ascii(bytes, len);
	while (len) {
		const char *lf = memchr(bytes, '\n', len);
		size_t line = lf ? (size_t)(lf - bytes) + 1 : len;

		if (line > LINE_MAX_OCTETS + 2)
			l->raw_long_lines = true;
		bytes += line;
		len -= line;
	}
}

/* The original's spec says how its sender calls it, and what is to come back. */
static void compose(const struct owed_result *owed, const struct told *told, struct letter *l,
		    struct buf *out)
{
	const struct message_row *m = owed->message;
	struct letter *original = NULL;
	char host[256] = "";

	if (gethostname(host, sizeof(host) - 1) < 0 || !*host)
		strcpy(host, "localhost");
	if (letter_from_spec(m->spec, strlen(m->spec), &original, NULL) < 0)
		original = letter_new();
	dsn_compose(&(struct dsn){.from = &l->from,
				  .to = m->sender,
				  .reporter = host,
				  .message_id = l->message_id,
				  .boundary = l->boundary,
				  .marker = l->marker,
				  .envid = original->envid,
				  .subject = m->subject,
				  .now_ms = l->date_ms,
				  .arrived_ms = m->created_ms,
				  .delay = owed->delay,
				  .until_ms = told->until_ms,
				  .recipients = told->recipients,
				  .n = told->n,
				  .original = owed->content ? owed->content : "",
				  .original_len = owed->content_len,
				  .whole = original->return_full && !owed->delay &&
					   owed->content_len == m->content_size},
		    out);
	letter_free(original);
	note_octets(l, buf_bytes(out), out->len);
}

/* ---- giving it ---- */

static void given(void *ctx, const struct intake_result *result)
{
	struct asking *a = ctx;
	struct notices *n = a->notices;
	const struct failure *why = result->why;

	/* without a reason it was no longer owed */
	if (why)
		log_warn(NULL, "a notice for a sender waits: %s", why->text);
	asking_free(a);
	n->asking = NULL;
	look_in(n, why ? LOOK_MS : 0);
}

static void give(struct asking *a, const struct owed_result *owed, const struct told *told,
		 const struct buf *bytes)
{
	const struct message_row *m = owed->message;
	struct intake *in = intake_new(a->notices->queue);
	AUTO(free) char *spec = letter_to_spec(a->letter);
	int64_t now_ms = a->letter->date_ms;
	struct message_row notice = {.created_ms = now_ms,
				     .uid = m->uid,
				     .pid = (int32_t)getpid(),
				     .sender = "",
				     .subject = a->letter->subject,
				     .message_id = a->letter->message_id,
				     .priority = m->priority,
				     .spec = spec};
	struct delivery_row delivery = {.recipient = m->sender,
					.route = "#mail",
					.state = STATE_QUEUED,
					.next_ms = now_ms,
					.expires_ms = now_ms + LIFE_MS,
					.changed_ms = now_ms};

	a->giving = true;
	intake_write(in, buf_bytes(bytes), bytes->len, NULL, NULL);
	intake_tells(in, m->id, told->deliveries, owed->delay ? 0 : told->n);
	intake_finish(in, &notice, &delivery, 1, 0, given, a);
}

/* It takes long, but is not late: said to nobody, and not looked at again. */
static void pass_over_done(void *ctx, const struct batch_result *result)
{
	struct asking *a = ctx;
	struct notices *n = a->pending.queue ? a->notices : NULL;

	asking_free(a);
	if (!n)
		return;
	n->asking = NULL;
	look_in(n, result->status == BATCH_FAILED ? LOOK_MS : 0);
}

static void pass_over(struct asking *a, const struct owed_result *owed)
{
	struct batch *batch = batch_new();

	batch_tell(batch, owed->message->id, NULL, 0);
	store_commit(queue_store(a->notices->queue), batch, pass_over_done, a);
}

static void tell(struct asking *a, const struct owed_result *owed)
{
	struct told told;
	struct buf bytes;

	tell_of(owed, clock_wall_ms(), &told);
	if (told.n) {
		buf_init(&bytes, DSN_MAX);
		a->letter = make_letter(a->notices, owed->message->sender, owed->delay);
		compose(owed, &told, a->letter, &bytes);
		give(a, owed, &told, &bytes);
		buf_clear(&bytes);
	} else {
		pass_over(a, owed);
	}
	told_clear(&told);
}

static void looked(void *ctx, const struct owed_result *owed)
{
	struct asking *a = ctx;
	struct notices *n = a->notices;

	if (!a->pending.queue) {
		asking_free(a);
		return;
	}
	if (owed->message) {
		tell(a, owed);
		return;
	}
	asking_free(a);
	n->asking = NULL;
	look_in(n, n->again && !owed->why ? GATHER_MS : next_look_ms(n));
}

static void orphaned(struct pending *p)
{
	struct asking *a = (struct asking *)p;

	if (a->giving)
		asking_free(a);
}

static void look_now(void *ctx)
{
	struct notices *n = ctx;
	int64_t delay_ms = n->config->delay_notice_ms;

	n->again = false;
	n->asking = xcalloc(1, sizeof(*n->asking));
	n->asking->notices = n;
	n->asking->pending.orphaned = orphaned;
	pending_add(n->queue, &n->asking->pending);
	store_owed(queue_store(n->queue), delay_ms ? clock_wall_ms() - delay_ms : 0, looked,
		   n->asking);
}

/* ---- the door ---- */

static void hear(void *ctx, const struct event_row *event)
{
	struct notices *n = ctx;

	if (!event->delivery || !is_failed(event->to))
		return;
	n->again = true;
	if (!n->asking && n->config && n->next.at_ms > clock_mono_ms() + GATHER_MS)
		look_in(n, GATHER_MS);
}

struct notices *notices_new(struct queue *q)
{
	struct notices *n = xcalloc(1, sizeof(*n));

	n->queue = q;
	deadline_init(&n->next, queue_loop(q), look_now, n);
	n->watcher = queue_watch(q, hear, n);
	return n;
}

void notices_configure(struct notices *n, const struct config *config)
{
	n->config = config;
	if (!n->asking)
		look_in(n, GATHER_MS);
}

void notices_stop(struct notices *n)
{
	n->stopped = true;
	deadline_unset(&n->next);
}

void notices_free(struct notices *n)
{
	if (!n)
		return;
	watcher_free(n->watcher);
	deadline_clear(&n->next);
	free(n);
}
