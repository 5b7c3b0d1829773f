/* message/letter.c - the letter as a value: its life, its spec in JSON, its
 * identifiers. Attachments' names and types are in attachment.c, how it looks
 * as a mail in compose.c.
 *
 * A spec is written by ourselves; it is checked all the same when it is read, so
 * that nothing in a letter can be more than one line. */
#include "message/letter.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <jansson.h>

#include "alloc.h"
#include "failure.h"
#include "media.h"
#include "message/attachment.h"
#include "text.h"

enum {
	SUBJECT_MAX = 2000,
	TOKEN_MAX = 900, /* Message-ID, boundary, marker: one line of a header each */
	BOUNDARY_MAX = 60,
	REFERENCES_MAX = 8000,
	PARTS_MAX = 1000,
	ADDRESSES_MAX = 100000,
};
#define PART_SIZE_MAX ((json_int_t)1 << 40)

struct letter *letter_new(void)
{
	return xcalloc(1, sizeof(struct letter));
}

static void clear_addresses(struct address *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		address_clear(&list[i]);
	free(list);
}

void letter_free(struct letter *l)
{
	if (!l)
		return;
	address_clear(&l->from);
	clear_addresses(l->to, l->nto);
	clear_addresses(l->cc, l->ncc);
	for (size_t i = 0; i < l->nattachments; i++) {
		free(l->attachments[i].name);
		free(l->attachments[i].type);
	}
	free(l->attachments);
	free(l->subject);
	free(l->message_id);
	free(l->boundary);
	free(l->marker);
	free(l->envid);
	free(l->in_reply_to);
	free(l->references);
	for (char **number = l->mailed; number && *number; number++)
		free(*number);
	free(l->mailed);
	media_free(l->media);
	free(l);
}

bool letter_is_mailed(const struct letter *l, const char *number)
{
	for (char **one = l->mailed; one && *one; one++)
		if (strcmp(*one, number) == 0)
			return true;
	return false;
}

void letter_add_mailed(struct letter *l, const char *number)
{
	size_t n = 0;

	while (l->mailed && l->mailed[n])
		n++;
	l->mailed = xrealloc(l->mailed, (n + 2) * sizeof(*l->mailed));
	l->mailed[n] = xstrdup(number);
	l->mailed[n + 1] = NULL;
}

uint64_t letter_content_size(const struct letter *l)
{
	if (l->kind == LETTER_RAW)
		return l->raw_size;
	uint64_t size = (l->has_text ? l->text_size : 0) + (l->has_html ? l->html_size : 0);

	for (size_t i = 0; i < l->nattachments; i++)
		size += l->attachments[i].size;
	return size;
}

/* ---- to the spec ---- */

static void put_text(json_t *object, const char *key, const char *value)
{
	if (!value)
		return;
	json_t *text = json_string(value);

	if (!text) {
		size_t size = strlen(value) + 4;
		AUTO(free) char *safe = xmalloc(size);

		text = json_string(text_safe_line(safe, size, value, size - 4));
	}
	json_object_set_new(object, key, text);
}

static void put_size(json_t *object, const char *key, uint64_t size)
{
	json_object_set_new(object, key, json_integer((json_int_t)size));
}

static json_t *address_to_json(const struct address *a)
{
	json_t *object = json_object();

	put_text(object, "name", a->name);
	put_text(object, "mailbox", a->mailbox);
	if (!a->mailbox || !a->ascii || strcmp(a->mailbox, a->ascii) != 0)
		put_text(object, "ascii", a->ascii);
	return object;
}

static void put_addresses(json_t *object, const char *key, const struct address *list, size_t n)
{
	if (!n)
		return;
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, address_to_json(&list[i]));
	json_object_set_new(object, key, array);
}

static void put_attachments(json_t *object, const struct letter *l)
{
	if (!l->nattachments)
		return;
	json_t *array = json_array();

	for (size_t i = 0; i < l->nattachments; i++) {
		json_t *one = json_object();

		put_text(one, "name", l->attachments[i].name);
		put_text(one, "type", l->attachments[i].type);
		put_size(one, "size", l->attachments[i].size);
		if (l->attachments[i].is_mail)
			json_object_set_new(one, "mail", json_true());
		json_array_append_new(array, one);
	}
	json_object_set_new(object, "attachments", array);
}

static void put_mailed(json_t *object, const struct letter *l)
{
	if (!l->mailed)
		return;
	json_t *array = json_array();

	for (char **number = l->mailed; *number; number++)
		json_array_append_new(array, json_string(*number));
	json_object_set_new(object, "mailed", array);
}

static void put_content(json_t *object, const struct letter *l)
{
	put_mailed(object, l);
	if (l->has_text)
		put_size(object, "text", l->text_size);
	if (l->has_html)
		put_size(object, "html", l->html_size);
	put_attachments(object, l);
	if (l->media)
		json_object_set_new(object, "media", media_to_json(l->media));
}

static void put_raw(json_t *object, const struct letter *l)
{
	put_size(object, "raw", l->raw_size);
	json_object_set_new(object, "eight_bit", json_boolean(l->raw_eight_bit));
	json_object_set_new(object, "long_lines", json_boolean(l->raw_long_lines));
	json_object_set_new(object, "header_eight_bit", json_boolean(l->raw_header_eight_bit));
	if (l->raw_header_odd)
		json_object_set_new(object, "header_odd", json_true());
}

char *letter_to_spec(const struct letter *l)
{
	json_t *object = json_object();

	json_object_set_new(object, "from", address_to_json(&l->from));
	put_addresses(object, "to", l->to, l->nto);
	put_addresses(object, "cc", l->cc, l->ncc);
	put_text(object, "subject", l->subject);
	put_text(object, "message_id", l->message_id);
	put_text(object, "boundary", l->boundary);
	put_text(object, "marker", l->marker);
	put_text(object, "envid", l->envid);
	put_text(object, "in_reply_to", l->in_reply_to);
	put_text(object, "references", l->references);
	if (l->replied)
		json_object_set_new(object, "replied", json_true());
	if (l->return_full)
		json_object_set_new(object, "return_full", json_true());
	json_object_set_new(object, "date", json_integer(l->date_ms));
	if (l->kind == LETTER_RAW)
		put_raw(object, l);
	else
		put_content(object, l);
	char *spec = json_dumps(object, JSON_COMPACT);

	json_decref(object);
	return spec;
}

/* ---- from the spec ---- */

static int bad_spec(const char *key, struct failure *f)
{
	return failure_set(f, FAILURE_REFUSED, "the stored message is damaged: %s", key);
}

/* Missing: *ret stays NULL. */
static int get_text(const json_t *object, const char *key, size_t max, char **ret,
		    struct failure *f)
{
	const json_t *value = json_object_get(object, key);

	if (!value)
		return 0;
	size_t len = json_string_length(value);

	if (!json_is_string(value) || len > max)
		return bad_spec(key, f);
	for (const char *c = json_string_value(value); *c; c++)
		if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
			return bad_spec(key, f);
	*ret = xstrdup(json_string_value(value));
	return 0;
}

static int get_token(const json_t *object, const char *key, size_t max, char **ret,
		     struct failure *f)
{
	if (get_text(object, key, max, ret, f) < 0)
		return -1;
	if (*ret && (!**ret || strpbrk(*ret, " \t<>") || !text_is_ascii(*ret, strlen(*ret))))
		return bad_spec(key, f);
	return 0;
}

/* Stands in quotes. */
static int get_boundary(const json_t *object, char **ret, struct failure *f)
{
	if (get_token(object, "boundary", BOUNDARY_MAX, ret, f) < 0)
		return -1;
	return *ret && strpbrk(*ret, "\"\\") ? bad_spec("boundary", f) : 0;
}

static int get_size(const json_t *object, const char *key, bool *ret_there, uint64_t *ret,
		    struct failure *f)
{
	const json_t *value = json_object_get(object, key);

	*ret_there = value != NULL;
	if (!value)
		return 0;
	json_int_t size = json_integer_value(value);

	if (!json_is_integer(value) || size < 0 || size > PART_SIZE_MAX)
		return bad_spec(key, f);
	*ret = (uint64_t)size;
	return 0;
}

static int get_address(const json_t *object, const char *key, struct address *ret,
		       struct failure *f)
{
	if (!json_is_object(object) || get_text(object, "name", SUBJECT_MAX, &ret->name, f) < 0 ||
	    get_text(object, "mailbox", TOKEN_MAX, &ret->mailbox, f) < 0 || !ret->mailbox ||
	    get_text(object, "ascii", TOKEN_MAX, &ret->ascii, f) < 0)
		return bad_spec(key, f);
	if (!ret->ascii)
		ret->ascii = xstrdup(ret->mailbox);
	ret->needs_smtputf8 = !text_is_ascii(ret->ascii, strlen(ret->ascii));
	return 0;
}

static int get_addresses(const json_t *object, const char *key, struct address **ret, size_t *ret_n,
			 struct failure *f)
{
	const json_t *array = json_object_get(object, key);
	size_t n = json_array_size(array);

	if (!array)
		return 0;
	if (!json_is_array(array) || n > ADDRESSES_MAX)
		return bad_spec(key, f);
	*ret = xcalloc(n ? n : 1, sizeof(**ret));
	*ret_n = n;
	for (size_t i = 0; i < n; i++)
		if (get_address(json_array_get(array, i), key, &(*ret)[i], f) < 0)
			return -1;
	return 0;
}

static int get_attachment(const json_t *object, struct attachment *ret, struct failure *f)
{
	bool sized;

	if (!json_is_object(object) || get_text(object, "name", SUBJECT_MAX, &ret->name, f) < 0 ||
	    get_text(object, "type", TOKEN_MAX, &ret->type, f) < 0 ||
	    get_size(object, "size", &sized, &ret->size, f) < 0 || !sized)
		return bad_spec("attachments", f);
	if (ret->type && !attachment_type_is_valid(ret->type))
		return bad_spec("type", f);
	ret->is_mail = json_is_true(json_object_get(object, "mail"));
	return 0;
}

static int get_attachments(const json_t *object, struct letter *l, struct failure *f)
{
	const json_t *array = json_object_get(object, "attachments");
	size_t n = json_array_size(array);

	if (!array)
		return 0;
	if (!json_is_array(array) || n > PARTS_MAX)
		return bad_spec("attachments", f);
	l->attachments = xcalloc(n ? n : 1, sizeof(*l->attachments));
	l->nattachments = n;
	for (size_t i = 0; i < n; i++)
		if (get_attachment(json_array_get(array, i), &l->attachments[i], f) < 0)
			return -1;
	return 0;
}

static int get_mailed(const json_t *object, struct letter *l, struct failure *f)
{
	const json_t *array = json_object_get(object, "mailed");
	size_t n = json_array_size(array);

	if (array && (!json_is_array(array) || n > ADDRESSES_MAX))
		return bad_spec("mailed", f);
	for (size_t i = 0; i < n; i++) {
		const char *number = json_string_value(json_array_get(array, i));

		if (!number || *number != '+' || number[1 + strspn(number + 1, "0123456789")])
			return bad_spec("mailed", f);
		letter_add_mailed(l, number);
	}
	return 0;
}

static int get_raw(const json_t *object, struct letter *l, struct failure *f)
{
	bool raw;

	if (get_size(object, "raw", &raw, &l->raw_size, f) < 0)
		return -1;
	if (!raw)
		return 0;
	l->kind = LETTER_RAW;
	l->raw_eight_bit = json_is_true(json_object_get(object, "eight_bit"));
	l->raw_long_lines = json_is_true(json_object_get(object, "long_lines"));
	l->raw_header_odd = json_is_true(json_object_get(object, "header_odd"));
	l->raw_header_eight_bit = json_is_true(json_object_get(object, "header_eight_bit"));
	return 0;
}

static int read_spec(const json_t *object, struct letter *l, struct failure *f)
{
	l->replied = json_is_true(json_object_get(object, "replied"));
	l->return_full = json_is_true(json_object_get(object, "return_full"));
	l->date_ms = json_integer_value(json_object_get(object, "date"));
	if (get_address(json_object_get(object, "from"), "from", &l->from, f) < 0 ||
	    get_addresses(object, "to", &l->to, &l->nto, f) < 0 ||
	    get_addresses(object, "cc", &l->cc, &l->ncc, f) < 0 ||
	    get_text(object, "subject", SUBJECT_MAX, &l->subject, f) < 0 ||
	    get_token(object, "message_id", TOKEN_MAX, &l->message_id, f) < 0 ||
	    get_boundary(object, &l->boundary, f) < 0 ||
	    get_token(object, "marker", TOKEN_MAX, &l->marker, f) < 0 ||
	    get_token(object, "envid", TOKEN_MAX, &l->envid, f) < 0 ||
	    get_token(object, "in_reply_to", TOKEN_MAX, &l->in_reply_to, f) < 0 ||
	    get_text(object, "references", REFERENCES_MAX, &l->references, f) < 0 ||
	    get_size(object, "text", &l->has_text, &l->text_size, f) < 0 ||
	    get_size(object, "html", &l->has_html, &l->html_size, f) < 0 ||
	    get_attachments(object, l, f) < 0 || get_mailed(object, l, f) < 0)
		return -1;
	if (media_from_json(json_object_get(object, "media"), &l->media) < 0)
		return bad_spec("media", f);
	return get_raw(object, l, f);
}

int letter_from_spec(const char *spec, size_t len, struct letter **ret, struct failure *f)
{
	json_error_t error;
	json_t *object = json_loadb(spec, len, 0, &error);

	if (!object)
		return failure_set(f, FAILURE_REFUSED, "the stored message is damaged: %s",
				   error.text);
	AUTO(letter_free) struct letter *l = letter_new();
	int result = read_spec(object, l, f);

	json_decref(object);
	if (result == 0)
		*ret = TAKE(l);
	return result;
}

/* ---- what a person gave ---- */

static bool subject_is_fit(const char *subject)
{
	size_t len = strlen(subject);

	if (len > SUBJECT_MAX || !text_is_utf8(subject, len))
		return false;
	for (;;) {
		size_t n = strcspn(subject, "\t");

		if (!text_is_one_line(subject, n))
			return false;
		if (!subject[n])
			return true;
		subject += n + 1;
	}
}

static int check_attachment(const struct attachment *a, struct failure *f)
{
	if (a->name && !attachment_name_is_valid(a->name))
		return failure_set(f, FAILURE_REFUSED, "'%s' can't be the name of an attachment",
				   a->name);
	if (a->type && !attachment_type_is_valid(a->type))
		return failure_set(f, FAILURE_REFUSED,
				   "'%s' is not a type like image/png (attachment %s)", a->type,
				   a->name ? a->name : "without a name");
	return 0;
}

int letter_check(const struct letter *l, const char **ret_field, struct failure *f)
{
	*ret_field = "subject";
	if (l->subject && !subject_is_fit(l->subject))
		return failure_set(f, FAILURE_REFUSED,
				   "the subject must be one line of UTF-8, at most %d octets",
				   SUBJECT_MAX);
	*ret_field = "attachments";
	if (l->nattachments > PARTS_MAX)
		return failure_set(f, FAILURE_REFUSED, "at most %d attachments", PARTS_MAX);
	for (size_t i = 0; i < l->nattachments; i++)
		if (check_attachment(&l->attachments[i], f) < 0)
			return -1;
	*ret_field = NULL;
	return 0;
}

/* ---- identifiers ---- */

static uint64_t random_bits(void)
{
	uint64_t bits;

	if (getrandom(&bits, sizeof(bits), 0) != (ssize_t)sizeof(bits))
		abort();
	return bits;
}

char *letter_make_message_id(const struct address *from, int64_t now_ms)
{
	const char *at = from->ascii ? strrchr(from->ascii, '@') : NULL;
	time_t seconds = (time_t)(now_ms / 1000);
	char when[40] = "0";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(when, sizeof(when), "%Y%m%dT%H%M%S", &tm);
	return xprintf("%s.%016llx@%s", when, (unsigned long long)random_bits(),
		       at && at[1] ? at + 1 : "localhost");
}

/* Quoted-printable has no '_' behind '=', and base64 no '=' before its end. */
char *letter_make_boundary(void)
{
	return xprintf("=_%016llx%08llx", (unsigned long long)random_bits(),
		       (unsigned long long)random_bits() & 0xffffffff);
}
