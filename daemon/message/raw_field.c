/* message/raw_field.c - what is done to a field of a raw mail that can't be sent as it
 * came. Which fields go is for raw.c. */
#include "message/raw_field.h"

#include <string.h>

#include <gmime/gmime.h>

#include "alloc.h"
#include "auto.h"
#include "buf.h"
#include "mail_field.h"
#include "message/header.h"
#include "message/mime.h"

enum { LINE_MAX_OCTETS = 998 };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* At a blank, which then begins the next line; where there is none, anywhere. */
static void add_folded_line(struct buf *out, const char *line, size_t len)
{
	while (len > LINE_MAX_OCTETS) {
		size_t cut = LINE_MAX_OCTETS;

		while (cut > 1 && !(is_blank(line[cut]) && !is_blank(line[cut - 1])))
			cut--;
		bool at_blank = cut > 1;

		if (!at_blank)
			cut = LINE_MAX_OCTETS - 1;
		buf_add(out, line, cut);
		buf_add_text(out, at_blank ? "\r\n" : "\r\n ");
		line += cut;
		len -= cut;
	}
	buf_add(out, line, len);
	buf_add(out, "\r\n", 2);
}

static void add_folded(struct buf *out, const char *bytes, size_t len)
{
	while (len) {
		const char *end = memchr(bytes, '\n', len);
		size_t whole = end ? (size_t)(end - bytes) + 1 : len;
		size_t line = whole;

		while (line && strchr("\r\n", bytes[line - 1]))
			line--;
		add_folded_line(out, bytes, line);
		bytes += whole;
		len -= whole;
	}
}

/* ---- 8-bit text ---- */

static GMimeFormatOptions *format_new(void)
{
	GMimeFormatOptions *format = g_mime_format_options_new();

	g_mime_format_options_set_newline_format(format, GMIME_NEWLINE_FORMAT_DOS);
	g_mime_format_options_set_param_encoding_method(format,
							GMIME_PARAM_ENCODING_METHOD_RFC2231);
	return format;
}

/* These return the value encoded and folded, for g_free(), or NULL: not readable. */
static char *encode_addresses(const char *value)
{
	InternetAddressList *list = mime_addresses(value);

	if (!list)
		return NULL;
	GMimeFormatOptions *format = format_new();
	char *encoded = internet_address_list_to_string(list, format, TRUE);

	g_mime_format_options_free(format);
	g_object_unref(list);
	return encoded;
}

static char *encode_type(const char *value)
{
	GMimeContentType *type = g_mime_content_type_parse(NULL, value);

	if (!type)
		return NULL;
	GMimeFormatOptions *format = format_new();

	mime_drop_long_names(g_mime_content_type_get_parameters(type));
	char *encoded = g_mime_content_type_encode(type, format);

	g_mime_format_options_free(format);
	g_object_unref(type);
	return encoded;
}

static char *encode_disposition(const char *value)
{
	GMimeContentDisposition *disposition = g_mime_content_disposition_parse(NULL, value);

	if (!disposition)
		return NULL;
	GMimeFormatOptions *format = format_new();

	mime_drop_long_names(g_mime_content_disposition_get_parameters(disposition));
	char *encoded = g_mime_content_disposition_encode(disposition, format);

	g_mime_format_options_free(format);
	g_object_unref(disposition);
	return encoded;
}

static const struct {
	const char *name;
	char *(*encode)(const char *value);
} structured[] = {
	{"From", encode_addresses},
	{"Sender", encode_addresses},
	{"Reply-To", encode_addresses},
	{"To", encode_addresses},
	{"Cc", encode_addresses},
	{"Resent-From", encode_addresses},
	{"Resent-Sender", encode_addresses},
	{"Resent-To", encode_addresses},
	{"Resent-Cc", encode_addresses},
	{"Content-Type", encode_type},
	{"Content-Disposition", encode_disposition},
};

static bool has_eight_bit(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)bytes[i] > 0x7f)
			return true;
	return false;
}

static char *encode_structured(const struct mail_field *field)
{
	for (size_t i = 0; i < sizeof(structured) / sizeof(*structured); i++) {
		if (!mail_field_is(field, structured[i].name))
			continue;
		AUTO(free) char *value = mime_unfold(field->value, field->value_len);

		mime_begin();
		char *encoded = structured[i].encode(value);

		return encoded ? encoded : g_strdup(value);
	}
	return NULL;
}

static bool pass_encoded(const struct mail_field *field, struct buf *out)
{
	char *encoded = encode_structured(field);
	AUTO(free) char *name = xstrndup(field->bytes, field->name_len);

	if (!encoded) {
		AUTO(free) char *text = mime_decode_text(field->value, field->value_len);

		header_add_text(out, name, text);
		return true;
	}
	AUTO(free) char *whole = xprintf("%s: %s", name, encoded);
	bool ascii = !has_eight_bit(encoded, strlen(encoded));

	g_free(encoded);
	add_folded(out, whole, strlen(whole));
	return ascii;
}

bool raw_field_pass(const struct mail_field *field, struct buf *out)
{
	if (has_eight_bit(field->bytes, field->len))
		return pass_encoded(field, out);
	add_folded(out, field->bytes, field->len);
	return true;
}

bool raw_field_is_odd(const struct mail_field *field)
{
	size_t line = 0;

	for (size_t i = 0; i < field->len; i++) {
		line = field->bytes[i] == '\n' ? 0 : line + 1;
		/* the CR of its end is one more */
		if ((unsigned char)field->bytes[i] > 0x7f || line > LINE_MAX_OCTETS + 1)
			return true;
	}
	return false;
}

bool raw_field_needs_smtputf8(const struct mail_field *field)
{
	struct buf passed;

	if (!has_eight_bit(field->bytes, field->len))
		return false;
	buf_init(&passed, HEADER_BUF_MAX);
	bool ascii = raw_field_pass(field, &passed);

	buf_clear(&passed);
	return !ascii;
}
