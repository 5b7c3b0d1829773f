/* common/mail_field.c - see mail_field.h.
 *
 *   field = name *WSP ":" value    name: printable ASCII without ":"
 *   value goes on in each next line that begins with WSP (RFC 5322 2.2.3, 4.5) */
#include "mail_field.h"

#include <string.h>

#include "text.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

size_t mail_field_line_len(const char *bytes, size_t len)
{
	size_t n = 0;

	while (n < len && !is_line_end(bytes[n]))
		n++;
	if (n == len)
		return n;
	return n + (bytes[n] == '\r' && n + 1 < len && bytes[n + 1] == '\n' ? 2 : 1);
}

static size_t field_len(const char *bytes, size_t len)
{
	size_t at = mail_field_line_len(bytes, len);

	while (at < len && is_blank(bytes[at]))
		at += mail_field_line_len(bytes + at, len - at);
	return at;
}

bool mail_field_read(const char *bytes, size_t len, struct mail_field *ret)
{
	size_t name = 0;

	while (name < len && bytes[name] > ' ' && bytes[name] <= '~' && bytes[name] != ':')
		name++;
	size_t colon = name;

	while (colon < len && is_blank(bytes[colon]))
		colon++;
	if (!name || colon == len || bytes[colon] != ':')
		return false;
	size_t whole = field_len(bytes, len);

	*ret = (struct mail_field){.bytes = bytes, .len = whole, .name_len = name};
	ret->value = bytes + colon + 1;
	ret->value_len = whole - colon - 1;
	while (ret->value_len && is_line_end(ret->value[ret->value_len - 1]))
		ret->value_len--;
	return true;
}

bool mail_field_is(const struct mail_field *field, const char *name)
{
	return strlen(name) == field->name_len && text_starts_nocase(field->bytes, name);
}

size_t mail_field_mbox_line_len(const char *bytes, size_t len)
{
	size_t n = 5;

	if (len < 5 || memcmp(bytes, "From ", 5) != 0)
		return 0;
	while (n < len && is_blank(bytes[n]))
		n++;
	return n < len && bytes[n] == ':' ? 0 : mail_field_line_len(bytes, len);
}
