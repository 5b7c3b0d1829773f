/* message/outgoing.c - one door for all that goes out: composed letters (compose.c),
 * raw mail as it is, and raw mail that must be encoded anew (reencode.c). Counts
 * what is fed against what the letter says. */
#include "message/outgoing.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "failure.h"
#include "mail_field.h"
#include "message/compose.h"
#include "message/letter.h"
#include "message/raw_field.h"
#include "message/reencode.h"

enum { RAW_STEP = 64 * 1024 };

#define HEADER_GROWS 65536 /* when it is mended, at most about so much */

/* A raw message that is encoded anew becomes at most three times as large. */
#define REENCODED_MAX(size) (4 * (size_t)(size) + 65536)

struct outgoing {
	const struct letter *letter;
	enum outgoing_step (*step)(struct outgoing *o, struct buf *out, struct failure *f);
	struct compose *compose;  /* owned; NULL: raw */
	struct buf content;       /* fed and not yet used */
	uint64_t size, fed, used; /* of the content */
	bool eight_bit;
	bool mends;      /* its header is not fit as it is */
	struct buf made; /* what was encoded, not yet given out */
	bool is_made;
};

static enum outgoing_step compose_one(struct outgoing *o, struct buf *out, struct failure *f)
{
	return compose_step(o->compose, &o->content, out, f);
}

static enum outgoing_step no_room(struct failure *f)
{
	failure_set(f, FAILURE_LATER, "no room for the next piece of the mail");
	return OUTGOING_BAD;
}

static int move_bytes(struct buf *from, struct buf *to)
{
	size_t n = from->len < RAW_STEP ? from->len : RAW_STEP;

	if (buf_add(to, buf_bytes(from), n) < 0)
		return -1;
	buf_drain(from, n);
	return 0;
}

static enum outgoing_step pass_on(struct outgoing *o, struct buf *out, struct failure *f)
{
	size_t before = o->content.len;

	if (move_bytes(&o->content, out) < 0)
		return no_room(f);
	o->used += before - o->content.len;
	if (o->used == o->size)
		return OUTGOING_END;
	return before ? OUTGOING_MORE : OUTGOING_NEED;
}

/* Up to the blank line and with it; 0: it is not there. */
static size_t header_len(const struct buf *content)
{
	const char *end = memmem(buf_bytes(content), content->len, "\r\n\r\n", 4);

	return end ? (size_t)(end - buf_bytes(content)) + 4 : 0;
}

/* The header's fields, made fit, into made. */
static void mend_header(struct outgoing *o, size_t len)
{
	const char *bytes = buf_bytes(&o->content), *end = bytes + len - 2;
	struct mail_field field;

	while (bytes < end && mail_field_read(bytes, (size_t)(end - bytes), &field)) {
		raw_field_pass(&field, &o->made);
		bytes += field.len;
	}
	buf_add(&o->made, bytes, (size_t)(end - bytes) + 2);
	buf_drain(&o->content, len);
	o->used += len;
}

/* The header mended, the body as it is. */
static enum outgoing_step pass_mended(struct outgoing *o, struct buf *out, struct failure *f)
{
	if (!o->is_made) {
		size_t len = header_len(&o->content);

		if (!len)
			return OUTGOING_NEED;
		mend_header(o, len);
		o->is_made = true;
	}
	if (!o->made.len)
		return pass_on(o, out, f);
	if (move_bytes(&o->made, out) < 0)
		return no_room(f);
	return OUTGOING_MORE;
}

/* The whole content, its header mended first, is encoded into made. */
static int make_anew(struct outgoing *o)
{
	struct buf whole;
	size_t len = o->mends ? header_len(&o->content) : 0;

	buf_init(&whole, REENCODED_MAX(o->size));
	if (len) {
		mend_header(o, len);
		buf_add(&whole, buf_bytes(&o->made), o->made.len);
		buf_drain(&o->made, o->made.len);
	}
	int result = buf_add(&whole, buf_bytes(&o->content), o->content.len);

	if (result == 0)
		result = reencode(buf_bytes(&whole), whole.len, &o->made);
	buf_clear(&whole);
	return result;
}

static enum outgoing_step encode_anew(struct outgoing *o, struct buf *out, struct failure *f)
{
	if (!o->is_made) {
		if (o->fed < o->size)
			return OUTGOING_NEED;
		if (make_anew(o) < 0) {
			failure_set(f, FAILURE_REFUSED, "the mail grows too much when encoded");
			return OUTGOING_BAD;
		}
		buf_clear(&o->content);
		o->is_made = true;
	}
	if (move_bytes(&o->made, out) < 0)
		return no_room(f);
	return o->made.len ? OUTGOING_MORE : OUTGOING_END;
}

static void begin_encoding(struct outgoing *o, bool eight_bit_ok)
{
	const struct letter *l = o->letter;

	o->mends = l->raw_header_odd;
	buf_init(&o->made, REENCODED_MAX(o->size));
	if (l->raw_long_lines || (l->raw_eight_bit && !eight_bit_ok)) {
		o->step = encode_anew;
		return;
	}
	o->eight_bit = l->raw_eight_bit;
	o->step = o->mends ? pass_mended : pass_on;
}

struct outgoing *outgoing_new(const struct letter *letter, enum outgoing_carries carries)
{
	struct outgoing *o = xcalloc(1, sizeof(*o));

	o->letter = letter;
	o->size = letter_content_size(letter);
	buf_init(&o->content, SIZE_MAX / 4);
	if (letter->kind == LETTER_COMPOSED) {
		o->compose = compose_new(letter);
		o->step = compose_one;
	} else if (carries == OUTGOING_ANY_OCTETS) {
		o->eight_bit = letter->raw_eight_bit;
		o->step = pass_on;
	} else {
		begin_encoding(o, carries == OUTGOING_EIGHT_BIT);
	}
	return o;
}

void outgoing_free(struct outgoing *o)
{
	if (!o)
		return;
	compose_free(o->compose);
	buf_clear(&o->content);
	buf_clear(&o->made);
	free(o);
}

void outgoing_feed(struct outgoing *o, const void *bytes, size_t len)
{
	o->fed += len;
	if (o->fed <= o->size)
		buf_add(&o->content, bytes, len);
}

enum outgoing_step outgoing_step(struct outgoing *o, struct buf *out, struct failure *f)
{
	enum outgoing_step step = OUTGOING_BAD;

	if (o->fed <= o->size)
		step = o->step(o, out, f);
	if (o->fed > o->size || (step == OUTGOING_NEED && o->fed == o->size)) {
		failure_set(f, FAILURE_REFUSED,
			    "the stored message is damaged: %llu octets of %llu",
			    (unsigned long long)o->fed, (unsigned long long)o->size);
		return OUTGOING_BAD;
	}
	return step;
}

uint64_t outgoing_size(const struct outgoing *o)
{
	if (o->compose)
		return compose_size(o->compose, false);
	if (o->step == pass_mended)
		return o->size + (o->size < HEADER_GROWS ? o->size : HEADER_GROWS);
	return o->step == pass_on ? o->size : o->size + o->size / 2;
}

uint64_t outgoing_size_least(const struct outgoing *o)
{
	return o->compose ? compose_size(o->compose, true) : o->size;
}

bool outgoing_is_eight_bit(const struct outgoing *o)
{
	return o->eight_bit || outgoing_needs_smtputf8(o);
}

static bool any_needs_smtputf8(const struct address *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].needs_smtputf8)
			return true;
	return false;
}

bool outgoing_needs_smtputf8(const struct outgoing *o)
{
	const struct letter *l = o->letter;

	if (l->kind == LETTER_RAW)
		return l->raw_header_eight_bit;
	return l->from.needs_smtputf8 || any_needs_smtputf8(l->to, l->nto) ||
	       any_needs_smtputf8(l->cc, l->ncc);
}
