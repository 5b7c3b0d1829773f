/* net/twilio_wire.c - reads what Twilio answers, as its document has it: numbers
 * as strings, dates as RFC 2822, null where there is nothing yet. */
#include "net/twilio_wire.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "alloc.h"
#include "auto.h"
#include "buf.h"
#include "failure.h"
#include "text.h"

enum { PAGE_MAX = 1000, MEDIA_MAX = 100 };

static const char *const status_names[] = {
	[TWILIO_STATUS_UNKNOWN] = "unknown",
	[TWILIO_STATUS_ACCEPTED] = "accepted",
	[TWILIO_STATUS_SCHEDULED] = "scheduled",
	[TWILIO_STATUS_QUEUED] = "queued",
	[TWILIO_STATUS_SENDING] = "sending",
	[TWILIO_STATUS_SENT] = "sent",
	[TWILIO_STATUS_PARTIALLY_DELIVERED] = "partially_delivered",
	[TWILIO_STATUS_DELIVERED] = "delivered",
	[TWILIO_STATUS_UNDELIVERED] = "undelivered",
	[TWILIO_STATUS_READ] = "read",
	[TWILIO_STATUS_FAILED] = "failed",
	[TWILIO_STATUS_CANCELED] = "canceled",
	[TWILIO_STATUS_RECEIVING] = "receiving",
	[TWILIO_STATUS_RECEIVED] = "received",
};

const char *twilio_status_name(enum twilio_status status)
{
	return status_names[status];
}

static enum twilio_status status_of(const char *name)
{
	for (size_t i = 1; i < sizeof(status_names) / sizeof(*status_names); i++)
		if (strcmp(status_names[i], name) == 0)
			return (enum twilio_status)i;
	return TWILIO_STATUS_UNKNOWN;
}

bool twilio_sid_is_good(const char *sid, const char *letters)
{
	if (strncmp(sid, letters, 2) != 0 || strlen(sid) != TWILIO_SID_SIZE - 1)
		return false;
	for (const char *c = sid + 2; *c; c++)
		if (!isxdigit((unsigned char)*c))
			return false;
	return true;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

/* "Sun, 22 Nov 2026 20:30:00 +0000": 0 for null, and for what is none. */
static int64_t date_of(const json_t *object, const char *name)
{
	static const char *const months = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *text = text_of(object, name);
	char month[4], sign = '+';
	int day, year, hour, minute, second, zone = 0;

	if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d %c%4d", &day, month, &year,
		   &hour, &minute, &second, &sign, &zone) < 6)
		return 0;
	const char *found = strstr(months, month);

	if (!found || strlen(month) != 3 || (found - months) % 3 != 0)
		return 0;
	struct tm when = {.tm_mday = day,
			  .tm_mon = (int)(found - months) / 3,
			  .tm_year = year - 1900,
			  .tm_hour = hour,
			  .tm_min = minute,
			  .tm_sec = second};
	int64_t offset_s = (int64_t)(zone / 100 * 60 + zone % 100) * 60;

	return ((int64_t)timegm(&when) - (sign == '-' ? -offset_s : offset_s)) * 1000;
}

static unsigned count_of(const json_t *object, const char *name)
{
	long n = strtol(text_of(object, name), NULL, 10);

	return n > 0 && n < 1000 ? (unsigned)n : 0;
}

static int message_of(const json_t *json, struct twilio_message *ret, struct failure *f)
{
	const char *sid = text_of(json, "sid");
	const char *price = text_of(json, "price");

	if (!twilio_sid_is_good(sid, "SM") && !twilio_sid_is_good(sid, "MM"))
		return failure_set(f, FAILURE_LATER, "an answer without a message's sid");
	snprintf(ret->sid, sizeof(ret->sid), "%s", sid);
	ret->status = status_of(text_of(json, "status"));
	ret->inbound = strcmp(text_of(json, "direction"), "inbound") == 0;
	ret->from = xstrdup(text_of(json, "from"));
	ret->to = xstrdup(text_of(json, "to"));
	ret->body = xstrdup(text_of(json, "body"));
	ret->created_ms = date_of(json, "date_created");
	ret->sent_ms = date_of(json, "date_sent");
	ret->error_code = (int)json_integer_value(json_object_get(json, "error_code"));
	ret->segments = count_of(json, "num_segments");
	ret->media = count_of(json, "num_media");
	if (*price)
		snprintf(ret->price, sizeof(ret->price), "%.12s %.4s", price,
			 text_of(json, "price_unit"));
	return 0;
}

/* The code unit of an escape ("\\ud83d") at at; -1: there is none. */
static int escaped_unit(const char *json, size_t at, size_t len)
{
	int unit = 0;

	if (at + 6 > len || json[at] != '\\' || json[at + 1] != 'u')
		return -1;
	for (size_t i = at + 2; i < at + 6; i++) {
		unsigned char c = (unsigned char)json[i];

		if (!isxdigit(c))
			return -1;
		unit = unit * 16 + (isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
	}
	return unit;
}

/* What somebody texted may be cut within a character, or have a NUL in it, which no text of
 * ours can have: that becomes U+FFFD, for one such would make a page of them unreadable. */
static void mend_escapes(char *json, size_t len)
{
	for (size_t at = 0; at < len; at++) {
		int unit = escaped_unit(json, at, len), next = escaped_unit(json, at + 6, len);
		bool is_high = unit >= 0xd800 && unit < 0xdc00;

		if (is_high && next >= 0xdc00 && next < 0xe000) {
			at += 11;
		} else if (unit >= 0) {
			if (unit == 0 || (unit >= 0xd800 && unit < 0xe000))
				memcpy(json + at + 2, "fffd", 4);
			at += 5;
		} else if (json[at] == '\\') {
			at++;
		}
	}
}

static json_t *load(const char *json, size_t len, struct failure *f)
{
	json_error_t error;
	AUTO(free) char *mended = xmemdup(json, len);

	mend_escapes(mended, len);
	json_t *root = json_loadb(mended, len, JSON_REJECT_DUPLICATES, &error);

	if (root && json_is_object(root))
		return root;
	json_decref(root);
	failure_set(f, FAILURE_LATER, "an answer that is no JSON object");
	return NULL;
}

int twilio_read_message(const char *json, size_t len, struct twilio_message *ret, struct failure *f)
{
	json_t *root = load(json, len, f);

	*ret = (struct twilio_message){0};
	int result = root ? message_of(root, ret, f) : -1;

	json_decref(root);
	return result;
}

static int messages_of(const json_t *list, struct twilio_page *ret, struct failure *f)
{
	if (!json_is_array(list) || json_array_size(list) > PAGE_MAX)
		return failure_set(f, FAILURE_LATER, "an answer without a list of messages");
	ret->messages = xcalloc(json_array_size(list) + 1, sizeof(*ret->messages));
	for (size_t i = 0; i < json_array_size(list); i++)
		if (message_of(json_array_get(list, i), &ret->messages[ret->n++], f) < 0)
			return -1;
	return 0;
}

int twilio_read_page(const char *json, size_t len, struct twilio_page *ret, struct failure *f)
{
	json_t *root = load(json, len, f);
	const char *next = text_of(root, "next_page_uri");

	*ret = (struct twilio_page){0};
	int result = root ? messages_of(json_object_get(root, "messages"), ret, f) : -1;

	if (result == 0 && *next == '/') /* never to another host */
		ret->next = xstrdup(next);
	json_decref(root);
	return result;
}

static int one_medium(const json_t *json, struct twilio_media *ret, struct failure *f)
{
	const char *sid = text_of(json, "sid"), *type = text_of(json, "content_type");

	if (!twilio_sid_is_good(sid, "ME"))
		return failure_set(f, FAILURE_LATER, "an answer without a medium's sid");
	snprintf(ret->sid, sizeof(ret->sid), "%s", sid);
	if (strlen(type) < sizeof(ret->type))
		snprintf(ret->type, sizeof(ret->type), "%s", type);
	return 0;
}

int twilio_read_media(const char *json, size_t len, struct twilio_media_list *ret,
		      struct failure *f)
{
	json_t *root = load(json, len, f);
	const json_t *list = json_object_get(root, "media_list");
	int result = root ? 0 : -1;

	*ret = (struct twilio_media_list){.more = *text_of(root, "next_page_uri")};
	if (root && (!json_is_array(list) || json_array_size(list) > MEDIA_MAX))
		result = failure_set(f, FAILURE_LATER, "an answer without a list of media");
	if (result == 0)
		ret->media = xcalloc(json_array_size(list) + 1, sizeof(*ret->media));
	for (size_t i = 0; result == 0 && i < json_array_size(list); i++)
		result = one_medium(json_array_get(list, i), &ret->media[ret->n++], f);
	json_decref(root);
	return result;
}

void twilio_read_error(const char *json, size_t len, unsigned http_status, struct twilio_error *ret)
{
	struct failure f;
	json_t *root = load(json, len, &f);
	const char *text = text_of(root, "message");
	char said[200];

	ret->code = (int)json_integer_value(json_object_get(root, "code"));
	text_safe_line(said, sizeof(said), text, strlen(text));
	if (ret->code)
		snprintf(ret->text, sizeof(ret->text), "%s (Twilio %d)", said, ret->code);
	else
		snprintf(ret->text, sizeof(ret->text), "HTTP status %u", http_status);
	json_decref(root);
}

void twilio_message_clear(struct twilio_message *m)
{
	free(m->from);
	free(m->to);
	free(m->body);
	*m = (struct twilio_message){0};
}

void twilio_page_clear(struct twilio_page *p)
{
	for (size_t i = 0; i < p->n; i++)
		twilio_message_clear(&p->messages[i]);
	free(p->messages);
	free(p->next);
	*p = (struct twilio_page){0};
}

void twilio_media_clear(struct twilio_media_list *l)
{
	free(l->media);
	*l = (struct twilio_media_list){0};
}

void twilio_add_field(struct buf *form, const char *name, const char *value)
{
	if (!value)
		return;
	buf_printf(form, "%s%s=", form->len ? "&" : "", name);
	for (const unsigned char *c = (const unsigned char *)value; *c; c++) {
		if (isalnum(*c) || strchr("-._~", *c))
			buf_add(form, c, 1);
		else
			buf_printf(form, "%%%02X", *c);
	}
}
