/* client/sendmail_headers.c - see sendmail_headers.h. */
#include "sendmail_headers.h"

#include <string.h>

#include "address_list.h"
#include "buf.h"
#include "failure.h"
#include "mail_field.h"
#include "text.h"

enum { NAME_MAX_BYTES = 250 };

static bool is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

int sendmail_headers_read(const char *bytes, size_t len, bool more, struct sendmail_headers *ret,
			  struct failure *f)
{
	struct sendmail_headers h = {.bytes = bytes, .start = mail_field_mbox_line_len(bytes, len)};
	struct mail_field field;

	h.end = h.start;
	while (h.end < len && mail_field_read(bytes + h.end, len - h.end, &field)) {
		if (mail_field_is(&field, "From"))
			h.has_from = true;
		h.end += field.len;
	}
	/* far from the edge, so that none of what counts is cut off */
	if (more && h.end > len / 2)
		return failure_set(f, FAILURE_REFUSED, "the mail's header is too large");
	h.body = h.end;
	if (h.end < len && is_line_end(bytes[h.end]))
		h.body += mail_field_line_len(bytes + h.end, len - h.end);
	*ret = h;
	return 0;
}

/* ---- to whom ---- */

static bool next_field(const struct sendmail_headers *h, size_t *at, struct mail_field *ret)
{
	if (*at >= h->end || !mail_field_read(h->bytes + *at, h->end - *at, ret))
		return false;
	*at += ret->len;
	return true;
}

static bool is_resent(const struct mail_field *field)
{
	return field->name_len > 7 && text_starts_nocase(field->bytes, "Resent-");
}

/* What stands above and begins an older resending: a trace, or one's second date or
 * author. at is behind the first Resent- field. */
static size_t find_resent_end(const struct sendmail_headers *h)
{
	static const char *const once[] = {"Resent-Date", "Resent-From", "Resent-Message-ID"};
	bool seen[3] = {false}, begun = false;
	struct mail_field field;
	size_t at = h->start, before = at;

	for (; next_field(h, &at, &field); before = at) {
		if (begun && mail_field_is(&field, "Received"))
			return before;
		begun |= is_resent(&field);
		for (size_t i = 0; i < 3; i++) {
			if (!mail_field_is(&field, once[i]))
				continue;
			if (seen[i])
				return before;
			seen[i] = true;
		}
	}
	return h->end;
}

/* Of the names, all that stand in the header before end. Returns how many, or -1. */
static int take_fields(const struct sendmail_headers *h, size_t end, const char *const names[3],
		       struct address_list *list, struct failure *f)
{
	struct mail_field field;
	size_t at = h->start;
	int found = 0;

	while (at < end && next_field(h, &at, &field)) {
		for (size_t i = 0; i < 3; i++) {
			if (!mail_field_is(&field, names[i]))
				continue;
			found++;
			if (address_list_add(list, field.value, field.value_len, f) < 0)
				return failure_wrap(f, "%s", names[i]);
		}
	}
	return found;
}

int sendmail_headers_recipients(const struct sendmail_headers *h, struct address_list *list,
				struct failure *f)
{
	static const char *const first[3] = {"To", "Cc", "Bcc"};
	static const char *const again[3] = {"Resent-To", "Resent-Cc", "Resent-Bcc"};
	int found = take_fields(h, find_resent_end(h), again, list, f);

	if (found == 0)
		found = take_fields(h, h->end, first, list, f);
	return found < 0 ? -1 : 0;
}

/* ---- what goes out ---- */

static int add_without_nul(struct buf *out, const char *bytes, size_t len)
{
	while (len) {
		const char *nul = memchr(bytes, '\0', len);
		size_t n = nul ? (size_t)(nul - bytes) : len;

		if (buf_add(out, bytes, n) < 0)
			return -1;
		bytes += nul ? n + 1 : n;
		len -= nul ? n + 1 : n;
	}
	return 0;
}

static int add_quoted(struct buf *out, const char *name)
{
	char safe[NAME_MAX_BYTES + 1];
	int result = buf_add_text(out, "\"");

	text_safe_line(safe, sizeof(safe), name, strlen(name));
	for (const char *c = safe; *c && result == 0; c++) {
		if (*c == '"' || *c == '\\')
			result = buf_add_text(out, "\\");
		if (result == 0)
			result = buf_add(out, c, 1);
	}
	return result < 0 ? -1 : buf_add_text(out, "\" ");
}

static int add_from(struct buf *out, const char *from, const char *name)
{
	if (buf_add_text(out, "From: ") < 0 || (name && add_quoted(out, name) < 0))
		return -1;
	return buf_printf(out, "<%s>\n", from);
}

int sendmail_headers_write(const struct sendmail_headers *h, const char *from, const char *name,
			   struct buf *out)
{
	if (!h->has_from && from && add_from(out, from, name) < 0)
		return -1;
	if (add_without_nul(out, h->bytes + h->start, h->end - h->start) < 0)
		return -1;
	char last = h->end > h->start ? h->bytes[h->end - 1] : '\n';

	if (!is_line_end(last) && buf_add_text(out, "\n") < 0)
		return -1;
	/* behind a CR an LF alone would be the rest of that line's end */
	return buf_add_text(out, last == '\r' ? "\r\n" : "\n");
}
