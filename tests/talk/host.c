/* tests/talk/host.c - see host.h. */
#include "host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "base/loop.h"
#include "media.h"
#include "message/letter.h"

#define MAILS_MAX 512
#define PIECE_BYTES ((size_t)65536)

enum stage { STAGE_READY, STAGE_TAKEN, STAGE_FINISHED };

struct host_entry {
	enum stage stage;
	struct parcel parcel; /* what the transport sees: of those not settled for good */
	size_t *whom;         /* owned; recipient of the mail, for each of the parcel */
	char **to;            /* owned, of nto */
	unsigned *attempts;   /* owned */
	size_t nto;
	struct outcome *outcomes; /* owned, of nto */
	bool *settled;            /* owned */
	char *sender;             /* owned */
	struct letter *letter;    /* owned */
	char *content;            /* owned */
	size_t len, at;
};

struct host {
	struct loop *loop;
	struct transport_env env;
	const struct transport_kind *kind;
	struct transport *transport; /* owned */
	struct host_entry mails[MAILS_MAX];
	size_t nmails;
	size_t piece;
	enum failure_kind broken;
	size_t broken_after;
	bool all_finished, was_up, was_down;
	unsigned ups, downs;
	struct failure why;
	struct task later; /* content that was asked for */
	struct host_entry *asked;
	content_done_fn *done;
	void *done_ctx;
};

static void broke_contract(const char *how)
{
	print_error("the transport broke its contract: %s\n", how);
	_fail(__FILE__, __LINE__);
}

static struct host_entry *entry_of(struct host *h, const struct parcel *p)
{
	for (size_t i = 0; i < h->nmails; i++)
		if (&h->mails[i].parcel == p && h->mails[i].stage == STAGE_TAKEN)
			return &h->mails[i];
	broke_contract("a parcel that it does not have");
	return NULL;
}

static struct parcel *host_next(void *ctx)
{
	struct host *h = ctx;

	for (size_t i = 0; i < h->nmails; i++)
		if (h->mails[i].stage == STAGE_READY) {
			h->mails[i].stage = STAGE_TAKEN;
			h->mails[i].at = 0;
			return &h->mails[i].parcel;
		}
	return NULL;
}

static void give_content(struct host *h, struct host_entry *e, content_done_fn *done, void *ctx)
{
	size_t left = e->len - e->at, piece = h->piece ? h->piece : PIECE_BYTES;
	size_t n = left < piece ? left : piece;
	struct failure why;

	if (h->broken != FAILURE_NONE && e->at >= h->broken_after) {
		failure_set(&why, h->broken, "the disk is gone");
		done(ctx, NULL, 0, &why);
		return;
	}
	e->at += n;
	done(ctx, e->content + e->at - n, n, NULL);
}

static void content_later(void *ctx)
{
	struct host *h = ctx;
	struct host_entry *e = h->asked;

	h->asked = NULL;
	if (e && e->stage == STAGE_TAKEN)
		give_content(h, e, h->done, h->done_ctx);
}

static void host_content(void *ctx, struct parcel *p, content_done_fn *done, void *done_ctx)
{
	struct host *h = ctx;
	struct host_entry *e = entry_of(h, p);

	if (!h->piece) {
		give_content(h, e, done, done_ctx);
		return;
	}
	if (h->asked)
		broke_contract("it asked for content before the last came");
	h->asked = e;
	h->done = done;
	h->done_ctx = done_ctx;
	task_start(&h->later);
}

static void host_rewind(void *ctx, struct parcel *p)
{
	entry_of(ctx, p)->at = 0;
}

static void host_settle(void *ctx, struct parcel *p, size_t recipient, const struct outcome *o)
{
	struct host_entry *e = entry_of(ctx, p);

	if (recipient >= p->nrecipients)
		broke_contract("settled a recipient that is none");
	if (e->settled[e->whom[recipient]])
		broke_contract("settled a recipient twice");
	if (memchr(o->text, '\n', sizeof(o->text)) || !memchr(o->text, '\0', sizeof(o->text)))
		broke_contract("an outcome's text is not one line");
	e->outcomes[e->whom[recipient]] = *o;
	e->settled[e->whom[recipient]] = true;
}

static void host_finished(void *ctx, struct parcel *p)
{
	struct host *h = ctx;
	struct host_entry *e = entry_of(h, p);

	for (size_t i = 0; i < p->nrecipients; i++)
		if (!e->settled[e->whom[i]])
			broke_contract("finished a parcel with recipients not settled");
	if (h->asked == e)
		h->asked = NULL;
	e->stage = STAGE_FINISHED;
	h->all_finished = true;
	for (size_t i = 0; i < h->nmails; i++)
		h->all_finished &= h->mails[i].stage == STAGE_FINISHED;
}

static void host_up(void *ctx)
{
	struct host *h = ctx;

	h->was_up = true;
	h->ups++;
}

static void host_down(void *ctx, const struct failure *why)
{
	struct host *h = ctx;

	if (why->kind == FAILURE_NONE || !*why->text)
		broke_contract("down without a reason");
	h->was_down = true;
	h->downs++;
	h->why = *why;
}

static const struct transport_host host_calls = {
	.next = host_next,
	.content = host_content,
	.rewind = host_rewind,
	.settle = host_settle,
	.finished = host_finished,
	.up = host_up,
	.down = host_down,
};

struct host *host_new(struct loop *loop, struct resolver *resolver)
{
	struct host *h = xcalloc(1, sizeof(*h));

	h->loop = loop;
	h->env = (struct transport_env){loop, resolver, &host_calls, h};
	task_init(&h->later, loop, content_later, h);
	return h;
}

static void entry_clear(struct host_entry *e)
{
	for (size_t i = 0; i < e->nto; i++)
		free(e->to[i]);
	free(e->to);
	free(e->whom);
	free(e->attempts);
	free(e->outcomes);
	free(e->settled);
	free(e->sender);
	free(e->content);
	free(e->parcel.recipients);
	letter_free(e->letter);
}

void host_free(struct host *h)
{
	if (!h)
		return;
	if (h->transport)
		h->kind->close(h->transport);
	task_clear(&h->later);
	for (size_t i = 0; i < h->nmails; i++)
		entry_clear(&h->mails[i]);
	free(h);
}

int host_open(struct host *h, const struct transport_kind *kind,
	      const struct transport_config *config, struct failure *f)
{
	h->kind = kind;
	return kind->open(&h->env, config, &h->transport, f);
}

struct transport *host_transport(struct host *h)
{
	return h->transport;
}

static bool has_eight_bit(const char *text)
{
	for (; *text; text++)
		if (*text & 0x80)
			return true;
	return false;
}

static void lay_ready(struct host_entry *e)
{
	struct parcel *p = &e->parcel;

	p->nrecipients = 0;
	for (size_t i = 0; i < e->nto; i++) {
		if (e->settled[i])
			continue;
		e->whom[p->nrecipients] = i;
		p->recipients[p->nrecipients++] = (struct parcel_recipient){
			.address = e->to[i],
			.needs_smtputf8 = has_eight_bit(e->to[i]),
			.delivery = p->message * 1000 + (int64_t)i,
			.attempt_no = e->attempts[i],
		};
	}
	e->stage = p->nrecipients > 0 ? STAGE_READY : STAGE_FINISHED;
}

static void write_letter(struct host_entry *e, const struct host_mail *mail)
{
	struct letter *l = e->letter = letter_new();
	struct failure f;

	if (address_parse("box@example.com", 15, &l->from, &f) < 0)
		broke_contract(f.text);
	l->message_id = xprintf("%lld@test.example.com", (long long)e->parcel.message);
	l->boundary = xstrdup("boundary");
	l->marker = xstrdup("test");
	l->date_ms = INT64_C(1700000000000);
	if (mail->raw) {
		l->kind = LETTER_RAW;
		l->raw_size = e->len = mail->raw_len ? mail->raw_len : strlen(mail->raw);
		l->raw_eight_bit = mail->eight_bit;
		e->content = xmemdup(mail->raw, e->len);
		return;
	}
	l->kind = LETTER_COMPOSED;
	l->subject = mail->subject ? xstrdup(mail->subject) : NULL;
	if (mail->media)
		media_add(&l->media, mail->media);
	l->has_text = true;
	l->text_size = e->len = mail->text ? strlen(mail->text) : 0;
	e->content = xmemdup(mail->text ? mail->text : "", e->len);
}

size_t host_add(struct host *h, const struct host_mail *mail)
{
	struct host_entry *e = &h->mails[h->nmails];

	if (h->nmails == MAILS_MAX)
		broke_contract("too many mails for this test");
	while (e->nto < HOST_TO_MAX && mail->to[e->nto])
		e->nto++;
	e->to = xcalloc(e->nto, sizeof(*e->to));
	e->whom = xcalloc(e->nto, sizeof(*e->whom));
	e->attempts = xcalloc(e->nto, sizeof(*e->attempts));
	e->outcomes = xcalloc(e->nto, sizeof(*e->outcomes));
	e->settled = xcalloc(e->nto, sizeof(*e->settled));
	e->parcel.recipients = xcalloc(e->nto, sizeof(*e->parcel.recipients));
	for (size_t i = 0; i < e->nto; i++) {
		e->to[i] = xstrdup(mail->to[i]);
		e->attempts[i] = 1;
	}
	e->sender = xstrdup(mail->from ? mail->from : "box@example.com");
	e->parcel.message = (int64_t)h->nmails + 1;
	e->parcel.sender = e->sender;
	e->parcel.instance = "c0ffee";
	write_letter(e, mail);
	e->parcel.letter = e->letter;
	lay_ready(e);
	h->all_finished = false;
	return h->nmails++;
}

size_t host_add_simple(struct host *h, const char *to)
{
	const struct host_mail mail = {.to = {to}, .raw = "Subject: hi\r\n\r\nHello.\r\n"};

	return host_add(h, &mail);
}

void host_again(struct host *h, size_t mail)
{
	struct host_entry *e = &h->mails[mail];

	if (e->stage != STAGE_FINISHED)
		broke_contract("the mail is still with it");
	for (size_t i = 0; i < e->nto; i++) {
		enum outcome_kind kind = e->outcomes[i].kind;

		if (kind == OUTCOME_UNTOUCHED || kind == OUTCOME_LATER)
			e->settled[i] = false;
		if (kind == OUTCOME_LATER)
			e->attempts[i]++;
	}
	h->all_finished = false;
	lay_ready(e);
}

void host_wake(struct host *h)
{
	size_t ready = 0;

	for (size_t i = 0; i < h->nmails; i++)
		ready += h->mails[i].stage == STAGE_READY;
	if (ready > 0)
		h->kind->wake(h->transport, ready);
}

void host_probe(struct host *h)
{
	h->kind->wake(h->transport, 0);
}

void host_slow_content(struct host *h, size_t bytes)
{
	h->piece = bytes;
}

void host_break_content(struct host *h, enum failure_kind kind, size_t after)
{
	h->broken = kind;
	h->broken_after = after;
}

const struct outcome *host_outcome(const struct host *h, size_t mail, size_t recipient)
{
	const struct host_entry *e = &h->mails[mail];

	return e->settled[recipient] ? &e->outcomes[recipient] : NULL;
}

bool host_is_finished(const struct host *h, size_t mail)
{
	return h->mails[mail].stage == STAGE_FINISHED;
}

const bool *host_all_finished(const struct host *h)
{
	return &h->all_finished;
}

const bool *host_was_up(const struct host *h)
{
	return &h->was_up;
}

const bool *host_was_down(const struct host *h)
{
	return &h->was_down;
}

unsigned host_ups(const struct host *h)
{
	return h->ups;
}

unsigned host_downs(const struct host *h)
{
	return h->downs;
}

const struct failure *host_why(const struct host *h)
{
	return &h->why;
}

void host_forget(struct host *h)
{
	h->was_up = h->was_down = false;
	h->ups = h->downs = 0;
}
