/* message/parse.c - puts a parsed mail together: the header by our own scanner
 * (parse_fields.c), the tree by our own walk (parse_tree.c); GMime reads what stands in single
 * values: addresses, encoded words, dates, parameters, charsets. */
#include "message/parse.h"

#include <stdlib.h>
#include <string.h>

#include <gmime/gmime.h>

#include "alloc.h"
#include "auto.h"
#include "message/html_text.h"
#include "message/mime.h"
#include "message/parse_room.h"

enum {
	ADDRESSES_MAX = 10000,
	REFERENCES_MAX = 1000,
	FIELD_VALUE_MAX = 256 * 1024,
	DATE_MAX = 1000
};

const struct mail_field *parsed_field(const struct parsed *p, const char *name, size_t n)
{
	return fields_find(p->fields, p->nfields, name, n);
}

char *parsed_field_text(const struct parsed *p, const char *name, size_t n)
{
	const struct mail_field *field = parsed_field(p, name, n);

	return field ? mime_decode_text(field->value, field->value_len) : NULL;
}

/* ---- addresses ---- */

static void add_mailbox(struct mail_addresses *list, InternetAddress *address)
{
	const char *name = internet_address_get_name(address);
	const char *spec = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address));
	AUTO(free) char *decoded = name ? mime_decode_text(name, strlen(name)) : NULL;

	if (!(list->n & (list->n - 1))) /* room for twice as many */
		list->at = xrealloc(list->at, (list->n ? 2 * list->n : 1) * sizeof(*list->at));
	list->at[list->n++] = (struct mail_address){
		.name = decoded && *decoded ? TAKE(decoded) : NULL,
		.address = mime_unfold(spec ? spec : "", spec ? strlen(spec) : 0),
	};
}

static void add_list(struct mail_addresses *list, InternetAddressList *from, unsigned depth)
{
	int n = from ? internet_address_list_length(from) : 0;

	for (int i = 0; i < n && list->n < ADDRESSES_MAX; i++) {
		InternetAddress *address = internet_address_list_get_address(from, i);

		if (INTERNET_ADDRESS_IS_MAILBOX(address))
			add_mailbox(list, address);
		else if (INTERNET_ADDRESS_IS_GROUP(address) && depth < 4)
			add_list(
				list,
				internet_address_group_get_members(INTERNET_ADDRESS_GROUP(address)),
				depth + 1);
	}
}

static void add_addresses(struct mail_addresses *list, const struct mail_field *field)
{
	if (field->value_len > FIELD_VALUE_MAX)
		return;
	AUTO(free) char *value = mime_unfold(field->value, field->value_len);
	InternetAddressList *read = mime_addresses(value);

	if (!read)
		return;
	add_list(list, read, 0);
	g_object_unref(read);
}

/* all: of every field of that name, else of the first alone. */
static void read_addresses(const struct parsed *p, const char *name, bool all,
			   struct mail_addresses *ret)
{
	size_t left = p->nfields;
	const struct mail_field *field = p->fields;

	mime_begin();
	while (left && (field = fields_find(field, left, name, 0))) {
		add_addresses(ret, field++);
		left = p->nfields - (size_t)(field - p->fields);
		if (!all)
			break;
	}
}

static void addresses_clear(struct mail_addresses *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->at[i].name);
		free(list->at[i].address);
	}
	free(list->at);
}

/* ---- identifiers and dates ---- */

/* The id between the first < and >, or the first word. From at on; NULL: none. */
static char *next_id(const char **at)
{
	const char *open = strchr(*at, '<');
	const char *close = open ? strchr(open, '>') : NULL;

	if (close) {
		*at = close + 1;
		return xstrndup(open + 1, (size_t)(close - open) - 1);
	}
	*at += strspn(*at, " \t");
	size_t len = strcspn(*at, " \t");
	char *word = len ? xstrndup(*at, len) : NULL;

	*at += len;
	return word;
}

static char *read_id(const struct parsed *p, const char *name)
{
	const struct mail_field *field = parsed_field(p, name, 0);

	if (!field)
		return NULL;
	AUTO(free) char *value = mime_unfold(field->value, field->value_len);
	const char *at = value;

	return next_id(&at);
}

static char **read_ids(const struct parsed *p, const char *name)
{
	const struct mail_field *field = parsed_field(p, name, 0);
	char **ids = NULL, *id;
	size_t n = 0;

	if (!field)
		return NULL;
	AUTO(free) char *value = mime_unfold(field->value, field->value_len);
	const char *at = value;

	while (n < REFERENCES_MAX && (id = next_id(&at))) {
		ids = xrealloc(ids, (n + 2) * sizeof(*ids));
		ids[n++] = id;
		ids[n] = NULL;
	}
	return ids;
}

/* A zone of three digits ("-600") is one whose zero was forgotten; owned. */
static char *mended_date(const char *value)
{
	const char *sign = value + strcspn(value, "+-");

	while (*sign && strspn(sign + 1, "0123456789") != 3)
		sign += 1 + strcspn(sign + 1, "+-");
	if (!*sign || sign == value || sign[-1] != ' ' || (sign[4] && sign[4] != ' '))
		return xstrdup(value);
	return xprintf("%.*s0%s", (int)(sign - value) + 1, value, sign + 1);
}

static void read_date(struct parsed *p)
{
	AUTO(free) char *value = parsed_field_text(p, "Date", 0);
	AUTO(free) char *mended = value && strlen(value) < DATE_MAX ? mended_date(value) : NULL;
	GDateTime *date;

	if (!mended)
		return;
	mime_begin();
	date = g_mime_utils_header_decode_date(mended);
	if (!date)
		return;
	p->has_date = true;
	p->date_ms = (int64_t)g_date_time_to_unix(date) * 1000;
	g_date_time_unref(date);
}

/* ---- texts ---- */

static const struct mail_part *first_text(const struct parsed *p, const char *type)
{
	for (size_t i = 0; i < p->nparts; i++)
		if (!p->parts[i].is_attachment && strcmp(p->parts[i].type, type) == 0)
			return &p->parts[i];
	return NULL;
}

static void read_texts(struct parsed *p)
{
	const struct mail_part *text = first_text(p, "text/plain");
	const struct mail_part *html = first_text(p, "text/html");

	p->has_text = text;
	p->has_html = html;
	if (text)
		p->text = body_text(text->bytes, text->len, text->charset, &p->text_len, &p->flaws);
	if (html)
		p->html = body_text(html->bytes, html->len, html->charset, &p->html_len, &p->flaws);
	if (!text && html)
		p->text = html_text(p->html, p->html_len, &p->text_len);
	if (!p->text)
		p->text = xstrdup("");
}

/* ---- flaws ---- */

/* Nothing in From but one address, with a name or not: "<a@x> <b@x>", "b@x <a@x>", groups
 * and routes are read one way by us and another by who vouches for it. */
static bool is_clear(const struct mail_field *from)
{
	unsigned ats = 0, opened = 0;
	bool quoted = false;

	for (size_t i = 0; i < from->value_len; i++) {
		char c = from->value[i];

		if (c == '\\' && i + 1 < from->value_len)
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && strchr(":;,", c))
			return false;
		ats += !quoted && c == '@';
		opened += !quoted && c == '<';
	}
	return !quoted && ats == 1 && opened <= 1;
}

static void note_doubles(struct parsed *p)
{
	static const char *const single[] = {
		"From",    "To",   "Cc",         "Reply-To",     "Sender",
		"Subject", "Date", "Message-ID", "Content-Type", "Content-Transfer-Encoding",
		NULL,
	};
	const struct mail_field *from = parsed_field(p, "From", 0);

	for (const char *const *name = single; *name; name++)
		if (parsed_field(p, *name, 1))
			p->flaws |= FLAW_TWO_FROM;
	if (p->from.n != 1 || !strchr(p->from.at[0].address, '@') || !is_clear(from))
		p->flaws |= FLAW_FROM_LIST;
}

struct parsed *parse_mail(const char *bytes, size_t len)
{
	struct parsed *p = xcalloc(1, sizeof(*p));
	struct fields top;

	p->bytes = bytes;
	p->len = len;
	fields_read_mail((struct range){bytes, bytes + len}, PARSE_HEADER_MAX, &top);
	p->fields = top.at;
	p->nfields = top.n;
	p->flaws = top.flaws | (len && memchr(bytes, 0, len) ? FLAW_NUL : 0);
	p->subject = parsed_field_text(p, "Subject", 0);
	read_addresses(p, "From", false, &p->from);
	read_addresses(p, "Sender", false, &p->sender);
	read_addresses(p, "To", true, &p->to);
	read_addresses(p, "Cc", true, &p->cc);
	read_addresses(p, "Reply-To", true, &p->reply_to);
	p->message_id = read_id(p, "Message-ID");
	p->in_reply_to = read_id(p, "In-Reply-To");
	p->references = read_ids(p, "References");
	read_date(p);
	tree_read(p, &top);
	read_texts(p);
	note_doubles(p);
	return p;
}

static void part_clear(struct mail_part *part)
{
	free(part->type);
	free(part->disposition);
	free(part->filename);
	free(part->safe_name);
	free(part->charset);
	free(part->bytes);
}

void parsed_free(struct parsed *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->nparts; i++)
		part_clear(&p->parts[i]);
	for (char **id = p->references; id && *id; id++)
		free(*id);
	addresses_clear(&p->from);
	addresses_clear(&p->to);
	addresses_clear(&p->cc);
	addresses_clear(&p->reply_to);
	addresses_clear(&p->sender);
	free(p->subject);
	free(p->message_id);
	free(p->in_reply_to);
	free(p->references);
	free(p->text);
	free(p->html);
	free(p->parts);
	free(p->fields);
	free(p);
}
