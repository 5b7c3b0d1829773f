/* message/reencode.c - takes a raw message apart with GMime, changes the encoding of
 * its leaves, and writes it again. That it is needed is for outgoing.c to see. */
#include "message/reencode.h"

#include <stdbool.h>
#include <string.h>

#include <gmime/gmime.h>

#include "auto.h"
#include "buf.h"
#include "message/mime.h"
#include "message/part_body.h"
#include "text.h"

enum { LINE_MAX_OCTETS = 998 };

/* ---- lines: what holds whatever GMime made of it ---- */

/* One line without its end, which may be longer than a line may be: a space behind
 * the break makes it a continuation where it is in a header. */
static int add_line(struct buf *out, const char *line, size_t len)
{
	while (len > LINE_MAX_OCTETS) {
		if (buf_add(out, line, LINE_MAX_OCTETS - 1) < 0 || buf_add(out, "\r\n ", 3) < 0)
			return -1;
		line += LINE_MAX_OCTETS - 1;
		len -= LINE_MAX_OCTETS - 1;
	}
	return buf_add(out, line, len) < 0 || buf_add(out, "\r\n", 2) < 0 ? -1 : 0;
}

static int add_lines(struct buf *out, char *bytes, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		if (bytes[i])
			bytes[n++] = bytes[i];
	for (size_t i = 0; i < n;) {
		size_t end = i;

		while (end < n && bytes[end] != '\r' && bytes[end] != '\n')
			end++;
		if (add_line(out, bytes + i, end - i) < 0)
			return -1;
		i = end + (end + 1 < n && bytes[end] == '\r' && bytes[end + 1] == '\n' ? 2 : 1);
	}
	return 0;
}

/* ---- parts ---- */

static GByteArray *stream_bytes(GMimeStream *stream)
{
	return g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
}

/* What a receiver of 7 bit could not take as it is. */
static bool is_fit(const GByteArray *bytes)
{
	guint line = 0;

	for (guint i = 0; i < bytes->len; i++) {
		line = bytes->data[i] == '\n' ? 0 : line + 1;
		if (line > LINE_MAX_OCTETS || !bytes->data[i] || bytes->data[i] > 0x7f)
			return false;
	}
	return true;
}

/* The content as it stands in the message; the caller's. */
static GMimeStream *raw_content(GMimeDataWrapper *content)
{
	GMimeStream *raw = g_mime_stream_mem_new();

	g_mime_stream_reset(g_mime_data_wrapper_get_stream(content));
	g_mime_stream_write_to_stream(g_mime_data_wrapper_get_stream(content), raw);
	return raw;
}

static bool is_text(GMimeObject *object, const char *subtype)
{
	return g_mime_content_type_is_type(g_mime_object_get_content_type(object), "text", subtype);
}

/* Once it is encoded, nobody looks at text as it is. */
static void name_charset(GMimeObject *object, const char *text, size_t len)
{
	if (!is_text(object, "plain") || text_is_ascii(text, len) ||
	    g_mime_object_get_content_type_parameter(object, "charset"))
		return;
	g_mime_object_set_content_type_parameter(
		object, "charset", text_is_utf8(text, len) ? "utf-8" : "windows-1252");
}

static GMimeContentEncoding new_encoding(GMimeObject *object, const char *bytes, size_t len)
{
	if (is_text(object, "*") &&
	    part_encoding_for_text(bytes, len, false) == PART_QUOTED_PRINTABLE)
		return GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
	return GMIME_CONTENT_ENCODING_BASE64;
}

/* Its content is decoded, so that it will be encoded anew. */
static void encode_part(GMimePart *part, GMimeDataWrapper *content)
{
	GMimeStream *decoded = g_mime_stream_mem_new();

	g_mime_data_wrapper_write_to_stream(content, decoded);
	GByteArray *bytes = stream_bytes(decoded);
	GMimeDataWrapper *fresh =
		g_mime_data_wrapper_new_with_stream(decoded, GMIME_CONTENT_ENCODING_BINARY);

	name_charset(GMIME_OBJECT(part), (const char *)bytes->data, bytes->len);
	g_mime_part_set_content_encoding(
		part, new_encoding(GMIME_OBJECT(part), (const char *)bytes->data, bytes->len));
	g_mime_part_set_content(part, fresh);
	g_object_unref(fresh);
	g_object_unref(decoded);
}

static void mend_part(GMimePart *part)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);

	if (!content)
		return;
	GMimeStream *raw = raw_content(content);

	if (!is_fit(stream_bytes(raw)))
		encode_part(part, content);
	g_object_unref(raw);
}

/* Fields of a part with 8-bit text in them; those of the message itself raw.c has
 * seen to. */
static void mend_header(GMimeObject *object)
{
	GMimeHeaderList *list = g_mime_object_get_header_list(object);

	for (int i = 0; i < g_mime_header_list_get_count(list); i++) {
		GMimeHeader *header = g_mime_header_list_get_header_at(list, i);
		const char *raw = g_mime_header_get_raw_value(header);

		if (!raw || text_is_ascii(raw, strlen(raw)))
			continue;
		AUTO(free) char *value = mime_decode_text(raw, strlen(raw));

		g_mime_header_set_value(header, NULL, value, "utf-8");
	}
}

/* Before anything of the object is changed, which encodes its parameters. */
static void drop_long_names(GMimeObject *object)
{
	const char *type_text = g_mime_object_get_header(object, "Content-Type");
	const char *disposition_text = g_mime_object_get_header(object, "Content-Disposition");
	GMimeContentType *type = type_text ? g_mime_content_type_parse(NULL, type_text) : NULL;
	GMimeContentDisposition *disposition =
		disposition_text ? g_mime_content_disposition_parse(NULL, disposition_text) : NULL;

	if (type && mime_drop_long_names(g_mime_content_type_get_parameters(type)))
		g_mime_object_set_content_type(object, type);
	if (disposition &&
	    mime_drop_long_names(g_mime_content_disposition_get_parameters(disposition)))
		g_mime_object_set_content_disposition(object, disposition);
	g_clear_object(&type);
	g_clear_object(&disposition);
}

/* GMime's parser bounds how deep parts can stand in parts. */
static void mend(GMimeObject *object)
{
	drop_long_names(object);
	mend_header(object);
	if (GMIME_IS_PART(object)) {
		mend_part(GMIME_PART(object));
		return;
	}
	g_mime_object_remove_header(object, "Content-Transfer-Encoding");
	if (GMIME_IS_MESSAGE_PART(object)) {
		GMimeMessage *message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));

		if (message && g_mime_message_get_mime_part(message))
			mend(g_mime_message_get_mime_part(message));
	} else if (GMIME_IS_MULTIPART(object)) {
		for (int i = 0; i < g_mime_multipart_get_count(GMIME_MULTIPART(object)); i++)
			mend(g_mime_multipart_get_part(GMIME_MULTIPART(object), i));
	}
}

static GMimeMessage *read_message(const char *bytes, size_t len)
{
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(bytes, len);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

	g_object_unref(parser);
	g_object_unref(stream);
	return message;
}

static GMimeStream *write_message(GMimeMessage *message)
{
	GMimeFormatOptions *format = g_mime_format_options_new();
	GMimeStream *stream = g_mime_stream_mem_new();

	g_mime_format_options_set_newline_format(format, GMIME_NEWLINE_FORMAT_DOS);
	g_mime_object_write_to_stream(GMIME_OBJECT(message), format, stream);
	g_mime_format_options_free(format);
	return stream;
}

int reencode(const char *bytes, size_t len, struct buf *out)
{
	mime_begin();
	GMimeMessage *message = read_message(bytes, len);
	GMimeStream *stream;

	if (message) {
		if (!g_mime_object_get_header(GMIME_OBJECT(message), "MIME-Version"))
			g_mime_object_append_header(GMIME_OBJECT(message), "MIME-Version", "1.0",
						    NULL);
		if (g_mime_message_get_mime_part(message))
			mend(g_mime_message_get_mime_part(message));
		stream = write_message(message);
		g_object_unref(message);
	} else {
		stream = g_mime_stream_mem_new_with_buffer(bytes, len);
	}
	GByteArray *made = stream_bytes(stream);
	int result = add_lines(out, (char *)made->data, made->len);

	g_object_unref(stream);
	return result;
}
