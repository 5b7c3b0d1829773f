/* message/raw.c - reads the header of a submitted message, keeps what is to be kept,
 * adds what is missing; normalises the line ends of all of it. What a single field
 * looks like is for raw_field.c. */
#include "message/raw.h"

#include <stdlib.h>
#include <string.h>

#include <gmime/gmime.h>

#include "alloc.h"
#include "buf.h"
#include "failure.h"
#include "mail_field.h"
#include "message/header.h"
#include "message/letter.h"
#include "message/mime.h"
#include "message/raw_field.h"
#include "text.h"

enum {
	LINE_MAX_OCTETS = 998,
	SUBJECT_MAX = 2000,
	NAME_MAX_OCTETS = 1000,
	MESSAGE_ID_MAX = 900,
	ADDRESSES_MAX = 10000,
	CLAIMS_MAX = 1000,
};

struct raw {
	struct letter *letter;
	struct buf header; /* whole lines with CRLF, and the one that has begun */
	bool in_body;
	bool after_cr;   /* an LF that follows belongs to it */
	size_t line_len; /* of the line that has begun */
	bool has_date, has_from, has_message_id, has_subject;
	bool odd_from;          /* readers may differ about it: it is written anew */
	struct address *claims; /* owned, of nclaims: Sender, Resent-From, Resent-Sender */
	size_t nclaims;
};

struct raw *raw_new(struct letter *letter)
{
	struct raw *r = xcalloc(1, sizeof(*r));

	r->letter = letter;
	letter->kind = LETTER_RAW;
	letter->raw_size = 0;
	letter->raw_eight_bit = letter->raw_long_lines = false;
	letter->raw_header_eight_bit = letter->raw_header_odd = false;
	buf_init(&r->header, RAW_HEADER_MAX);
	return r;
}

void raw_free(struct raw *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->nclaims; i++)
		address_clear(&r->claims[i]);
	free(r->claims);
	buf_clear(&r->header);
	free(r);
}

const struct address *raw_claims(const struct raw *r, size_t *ret_n)
{
	*ret_n = r->nclaims;
	return r->claims;
}

/* ---- what a field tells ---- */

enum verdict { VERDICT_KEEP, VERDICT_DROP, VERDICT_REFUSE };

static enum verdict drop_it(struct raw *r, const struct mail_field *field, struct failure *f)
{
	return VERDICT_DROP;
}

static enum verdict see_date(struct raw *r, const struct mail_field *field, struct failure *f)
{
	if (r->has_date)
		return VERDICT_DROP;
	r->has_date = true;
	return VERDICT_KEEP;
}

static enum verdict see_subject(struct raw *r, const struct mail_field *field, struct failure *f)
{
	if (r->has_subject)
		return VERDICT_KEEP;
	r->has_subject = true;
	AUTO(free) char *text = mime_decode_text(field->value, field->value_len);
	char *line = xmalloc(SUBJECT_MAX + 1);

	free(r->letter->subject);
	r->letter->subject = text_safe_line(line, SUBJECT_MAX + 1, text, strlen(text));
	return VERDICT_KEEP;
}

/* One that is no msg-id is as good as none: ours comes in its place. */
static enum verdict see_message_id(struct raw *r, const struct mail_field *field, struct failure *f)
{
	AUTO(free) char *value = mime_unfold(field->value, field->value_len);
	size_t len = strlen(value);

	if (r->has_message_id || len < 3 || len > MESSAGE_ID_MAX || value[0] != '<' ||
	    value[len - 1] != '>' || !text_is_ascii(value, len))
		return VERDICT_DROP;
	if (strcspn(value + 1, "<> \t") != len - 2)
		return VERDICT_DROP;
	r->has_message_id = true;
	free(r->letter->message_id);
	r->letter->message_id = xstrndup(value + 1, len - 2);
	return VERDICT_KEEP;
}

static int read_mailbox(InternetAddress *ia, struct address *ret, struct failure *f)
{
	const char *spec = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(ia));
	const char *name = internet_address_get_name(ia);

	if (!spec)
		return failure_set(f, FAILURE_REFUSED, "an address is missing");
	if (address_parse(spec, strlen(spec), ret, f) < 0)
		return -1;
	if (name && *name) {
		free(ret->name);
		ret->name = xmalloc(NAME_MAX_OCTETS + 1);
		text_safe_line(ret->name, NAME_MAX_OCTETS + 1, name, strlen(name));
	}
	return 0;
}

static InternetAddressList *read_list(const struct mail_field *field)
{
	AUTO(free) char *value = mime_unfold(field->value, field->value_len);

	return mime_addresses(value);
}

static int read_from(InternetAddressList *list, struct address *ret, struct failure *f)
{
	if (!list || internet_address_list_length(list) != 1)
		return failure_set(f, FAILURE_REFUSED, "From must hold one address");
	InternetAddress *ia = internet_address_list_get_address(list, 0);

	if (!INTERNET_ADDRESS_IS_MAILBOX(ia))
		return failure_set(f, FAILURE_REFUSED, "From holds a group");
	if (read_mailbox(ia, ret, f) < 0)
		return failure_wrap(f, "From");
	return 0;
}

/* An @ that stands neither in quotes nor in a comment: an address has one. */
static size_t count_bare_ats(const char *value, size_t len)
{
	size_t n = 0, depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (value[i] == '\\')
			i++;
		else if (value[i] == '"' && !depth)
			quoted = !quoted;
		else if (value[i] == '(' && !quoted)
			depth++;
		else if (value[i] == ')' && !quoted && depth)
			depth--;
		else if (value[i] == '@' && !quoted && !depth)
			n++;
	}
	return quoted || depth ? 0 : n;
}

/* A user of the machine gets the default address, and keeps a name of their own. */
static void see_local_from(struct raw *r, const struct mail_field *field)
{
	InternetAddressList *list = read_list(field);
	InternetAddress *ia = list && internet_address_list_length(list) == 1
				      ? internet_address_list_get_address(list, 0)
				      : NULL;
	const char *name = ia ? internet_address_get_name(ia) : NULL;

	if (name && *name && r->letter->from.ascii) {
		free(r->letter->from.name);
		r->letter->from.name = xmalloc(NAME_MAX_OCTETS + 1);
		text_safe_line(r->letter->from.name, NAME_MAX_OCTETS + 1, name, strlen(name));
	}
	if (list)
		g_object_unref(list);
}

static enum verdict see_from(struct raw *r, const struct mail_field *field, struct failure *f)
{
	if (r->has_from) {
		failure_set(f, FAILURE_REFUSED, "the message has two From fields");
		return VERDICT_REFUSE;
	}
	if (!memchr(field->value, '@', field->value_len)) {
		see_local_from(r, field);
		return VERDICT_DROP;
	}
	InternetAddressList *list = read_list(field);
	struct address from = {0};
	int result = read_from(list, &from, f);

	if (list)
		g_object_unref(list);
	if (result < 0)
		return VERDICT_REFUSE;
	r->has_from = true;
	address_clear(&r->letter->from);
	r->letter->from = from;
	r->odd_from = count_bare_ats(field->value, field->value_len) != 1;
	return r->odd_from ? VERDICT_DROP : VERDICT_KEEP;
}

static int add_claim(struct raw *r, InternetAddress *ia)
{
	struct address one = {0};

	if (!INTERNET_ADDRESS_IS_MAILBOX(ia) || read_mailbox(ia, &one, NULL) < 0)
		return -1;
	r->claims = xrealloc(r->claims, (r->nclaims + 1) * sizeof(*r->claims));
	r->claims[r->nclaims++] = one;
	return 0;
}

/* Who else is said to have sent it. What can't be read can't be allowed: it goes out. */
static enum verdict see_claim(struct raw *r, const struct mail_field *field, struct failure *f)
{
	InternetAddressList *list = read_list(field);
	int length = list ? internet_address_list_length(list) : 0;
	bool odd = length < 1 || r->nclaims + (size_t)length > CLAIMS_MAX ||
		   count_bare_ats(field->value, field->value_len) != (size_t)length;

	for (int i = 0; i < length && !odd; i++)
		odd = add_claim(r, internet_address_list_get_address(list, i)) < 0;
	if (list)
		g_object_unref(list);
	return odd ? VERDICT_DROP : VERDICT_KEEP;
}

static void collect(InternetAddressList *list, struct address **to, size_t *n)
{
	int length = list ? internet_address_list_length(list) : 0;

	for (int i = 0; i < length && *n < ADDRESSES_MAX; i++) {
		InternetAddress *ia = internet_address_list_get_address(list, i);
		struct address one = {0};

		if (INTERNET_ADDRESS_IS_GROUP(ia)) {
			InternetAddressGroup *group = INTERNET_ADDRESS_GROUP(ia);

			collect(internet_address_group_get_members(group), to, n);
		} else if (read_mailbox(ia, &one, NULL) == 0) {
			*to = xrealloc(*to, (*n + 1) * sizeof(**to));
			(*to)[(*n)++] = one;
		}
	}
}

static enum verdict see_to(struct raw *r, const struct mail_field *field, struct failure *f)
{
	InternetAddressList *list = read_list(field);

	if (mail_field_is(field, "Cc"))
		collect(list, &r->letter->cc, &r->letter->ncc);
	else
		collect(list, &r->letter->to, &r->letter->nto);
	if (list)
		g_object_unref(list);
	return VERDICT_KEEP;
}

static const struct {
	const char *name;
	enum verdict (*see)(struct raw *r, const struct mail_field *field, struct failure *f);
} known_fields[] = {
	{"Bcc", drop_it},      {"Resent-Bcc", drop_it},    {"X-Nuncio-Id", drop_it},
	{"Date", see_date},    {"From", see_from},         {"To", see_to},
	{"Cc", see_to},        {"Subject", see_subject},   {"Message-ID", see_message_id},
	{"Sender", see_claim}, {"Resent-From", see_claim}, {"Resent-Sender", see_claim},
};

static enum verdict judge(struct raw *r, const struct mail_field *field, struct failure *f)
{
	for (size_t i = 0; i < sizeof(known_fields) / sizeof(*known_fields); i++)
		if (mail_field_is(field, known_fields[i].name))
			return known_fields[i].see(r, field, f);
	return VERDICT_KEEP;
}

/* ---- the header ---- */

static int no_field(const char *bytes, size_t len, struct failure *f)
{
	char line[60];
	const char *end = memchr(bytes, '\r', len);

	text_safe_line(line, sizeof(line), bytes, end ? (size_t)(end - bytes) : len);
	return failure_set(f, FAILURE_REFUSED, "'%s' is not a line of a mail header", line);
}

/* As it came; whoever can't carry it so gets it as raw_field_pass() makes it. */
static void keep_field(struct raw *r, const struct mail_field *field, struct buf *mended)
{
	buf_add(mended, field->bytes, field->len);
	r->letter->raw_header_odd |= raw_field_is_odd(field);
	r->letter->raw_header_eight_bit |= raw_field_needs_smtputf8(field);
}

static int mend_fields(struct raw *r, struct buf *mended, struct failure *f)
{
	const char *bytes = buf_bytes(&r->header);
	size_t len = r->header.len;

	if (mail_field_mbox_line_len(bytes, len)) {
		size_t line = (size_t)((const char *)memchr(bytes, '\n', len) - bytes) + 1;

		bytes += line;
		len -= line;
	}
	while (len) {
		struct mail_field field;

		if (!mail_field_read(bytes, len, &field))
			return no_field(bytes, len, f);
		enum verdict verdict = judge(r, &field, f);

		if (verdict == VERDICT_REFUSE)
			return -1;
		if (verdict == VERDICT_KEEP)
			keep_field(r, &field, mended);
		bytes += field.len;
		len -= field.len;
	}
	return 0;
}

static int add_missing(struct raw *r, struct buf *mended, struct failure *f)
{
	const struct letter *l = r->letter;

	if (!r->has_date)
		header_add_date(mended, "Date", l->date_ms);
	if (!r->has_from || r->odd_from) {
		if (!l->from.ascii)
			return failure_set(f, FAILURE_REFUSED, "the message has no From");
		header_add_addresses(mended, "From", &l->from, 1);
		if (l->from.needs_smtputf8)
			r->letter->raw_header_eight_bit = true;
	}
	if (!r->has_message_id && l->message_id) {
		AUTO(free) char *id = xprintf("<%s>", l->message_id);

		header_add_plain(mended, "Message-ID", id);
	}
	if (l->marker)
		header_add_plain(mended, "X-Nuncio-Id", l->marker);
	return 0;
}

static int no_room(struct failure *f)
{
	return failure_set(f, FAILURE_LATER, "no room for what the message becomes");
}

static int end_header(struct raw *r, struct buf *out, struct failure *f)
{
	struct buf mended;

	buf_init(&mended, HEADER_BUF_MAX);
	int result = mend_fields(r, &mended, f);

	if (result == 0)
		result = add_missing(r, &mended, f);
	if (result == 0 &&
	    (buf_add(&mended, "\r\n", 2) < 0 || buf_add(out, buf_bytes(&mended), mended.len) < 0))
		result = no_room(f);
	buf_clear(&mended);
	buf_clear(&r->header);
	r->in_body = true;
	return result;
}

/* ---- lines ---- */

static int add_to_header(struct raw *r, const char *bytes, size_t len, struct failure *f)
{
	if (memchr(bytes, '\0', len))
		return failure_set(f, FAILURE_REFUSED, "the mail's header has a NUL octet in it");
	if (buf_add(&r->header, bytes, len) < 0)
		return failure_set(f, FAILURE_REFUSED, "the mail's header is larger than %d KiB",
				   RAW_HEADER_MAX / 1024);
	return 0;
}

static void look_at_body(struct raw *r, const char *bytes, size_t len)
{
	unsigned char all = 0;

	for (size_t i = 0; i < len; i++)
		all |= (unsigned char)bytes[i];
	if (all & 0x80)
		r->letter->raw_eight_bit = true;
	if (r->line_len + len > LINE_MAX_OCTETS || memchr(bytes, '\0', len))
		r->letter->raw_long_lines = true;
}

/* A piece of one line, without line ends. */
static int add_run(struct raw *r, const char *bytes, size_t len, struct buf *out, struct failure *f)
{
	int result = 0;

	if (!r->in_body) {
		result = add_to_header(r, bytes, len, f);
	} else {
		look_at_body(r, bytes, len);
		if (buf_add(out, bytes, len) < 0)
			result = no_room(f);
	}
	r->line_len += len;
	return result;
}

static int add_line_end(struct raw *r, struct buf *out, struct failure *f)
{
	bool empty = r->line_len == 0;

	r->line_len = 0;
	if (r->in_body)
		return buf_add(out, "\r\n", 2) < 0 ? no_room(f) : 0;
	return empty ? end_header(r, out, f) : add_to_header(r, "\r\n", 2, f);
}

static size_t run_len(const char *bytes, size_t len)
{
	const char *lf = memchr(bytes, '\n', len);
	size_t n = lf ? (size_t)(lf - bytes) : len;
	const char *cr = memchr(bytes, '\r', n);

	return cr ? (size_t)(cr - bytes) : n;
}

static int feed_lines(struct raw *r, const char *bytes, size_t len, struct buf *out,
		      struct failure *f)
{
	while (len) {
		size_t n = run_len(bytes, len);

		if (n) {
			r->after_cr = false;
			if (add_run(r, bytes, n, out, f) < 0)
				return -1;
		}
		bytes += n;
		len -= n;
		if (!len)
			return 0;
		bool counts = *bytes == '\r' || !r->after_cr;

		r->after_cr = *bytes == '\r';
		bytes++;
		len--;
		if (counts && add_line_end(r, out, f) < 0)
			return -1;
	}
	return 0;
}

int raw_feed(struct raw *r, const void *bytes, size_t len, struct buf *out, struct failure *f)
{
	size_t before = out->len;
	int result = feed_lines(r, bytes, len, out, f);

	r->letter->raw_size += out->len - before;
	return result;
}

int raw_end(struct raw *r, struct buf *out, struct failure *f)
{
	size_t before = out->len;
	int result = r->line_len ? add_line_end(r, out, f) : 0;

	if (result == 0 && !r->in_body)
		result = end_header(r, out, f);
	r->letter->raw_size += out->len - before;
	return result;
}
