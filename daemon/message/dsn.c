/* message/dsn.c - see dsn.h. What comes from outside (answers, subjects, envelope
 * names) is made one line of ASCII before it stands in a field. */
#include "message/dsn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "alloc.h"
#include "auto.h"
#include "buf.h"
#include "message/header.h"
#include "text.h"

enum { LINE_TEXT = 900 }; /* of a value of unknown length */

/* ---- values ---- */

/* Printable ASCII on one line; what is not becomes '?'. Owned. */
static char *plain(const char *text)
{
	char *copy = xstrndup(text ? text : "", LINE_TEXT);

	for (char *c = copy; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
			*c = '?';
	return copy;
}

static unsigned long next_point(const char **at)
{
	const unsigned char *c = (const unsigned char *)*at;
	unsigned more = *c >= 0xf0 ? 3 : *c >= 0xe0 ? 2 : *c >= 0xc0 ? 1 : 0;
	unsigned long point = more ? *c & (0x3fU >> more) : *c;

	for (c++; more && (*c & 0xc0) == 0x80; more--)
		point = point << 6 | (*c++ & 0x3f);
	*at = (const char *)c;
	return point;
}

/* "rfc822; a@b", or of one that is not ASCII the form of RFC 6533, which is. */
static void add_mailbox(struct buf *out, const char *name, const char *address)
{
	const char *end = address + (strlen(address) < LINE_TEXT ? strlen(address) : LINE_TEXT);
	bool ascii = true;

	for (const char *c = address; c < end; c++)
		ascii &= (unsigned char)*c < 0x80;
	buf_printf(out, "%s: %s; ", name, ascii ? "rfc822" : "utf-8");
	while (address < end) {
		unsigned long point = next_point(&address);

		if (point > ' ' && point < 0x7f && (ascii || point != '\\'))
			buf_printf(out, "%c", (int)point);
		else
			buf_printf(out, "\\x{%lX}", point);
	}
	buf_add_text(out, "\r\n");
}

static bool is_status(const char *text, char class)
{
	unsigned dots = 0, digits = 0;

	for (const char *c = text; *c; c++) {
		if (*c == '.' && digits) {
			dots++;
			digits = 0;
		} else if (*c < '0' || *c > '9' || ++digits > 3) {
			return false;
		}
	}
	return dots == 2 && digits && text[0] == class && text[1] == '.';
}

static const char *status_of(const struct dsn *d, const struct dsn_recipient *r)
{
	const char *given = r->enhanced ? r->enhanced : "";

	if (d->delay)
		return is_status(given, '4') ? given : "4.0.0";
	if (r->expired)
		return "4.4.7";
	return is_status(given, '5') ? given : "5.0.0";
}

/* What the server said, as it said it. */
static void add_answer(struct buf *out, const struct dsn_recipient *r)
{
	AUTO(free) char *text = plain(r->text);
	AUTO(free) char *enhanced = plain(r->enhanced);

	if (r->code)
		buf_printf(out, "%d ", r->code);
	if (*enhanced)
		buf_printf(out, "%s ", enhanced);
	buf_printf(out, "%s\r\n", text);
}

/* ---- for people ---- */

static void add_date_of(struct buf *out, int64_t ms)
{
	struct buf line;

	buf_init(&line, 200);
	header_add_date(&line, "D", ms);
	buf_add(out, buf_bytes(&line) + 3, line.len - 5);
	buf_clear(&line);
}

static void add_person_recipient(struct buf *out, const struct dsn_recipient *r)
{
	AUTO(free) char *address = plain(r->address);

	buf_printf(out, "  %s\r\n", address);
	if (r->expired)
		buf_add_text(out, "    it was tried for too long; the last answer was:\r\n");
	buf_add_text(out, "    ");
	if (r->code || (r->text && *r->text))
		add_answer(out, r);
	else
		buf_add_text(out, "no answer so far\r\n");
}

static void add_sentences(const struct dsn *d, struct buf *out)
{
	AUTO(free) char *reporter = plain(d->reporter);
	AUTO(free) char *subject = xmalloc(LINE_TEXT);

	text_safe_line(subject, LINE_TEXT, d->subject ? d->subject : "",
		       d->subject ? strlen(d->subject) : 0);
	buf_printf(out, "This is nuncio on %s, which sends mail from there.\r\n\r\n", reporter);
	if (d->subject)
		buf_printf(out, "Your mail \"%s\" of\r\n", subject);
	else
		buf_add_text(out, "Your mail of\r\n");
	add_date_of(out, d->arrived_ms);
	buf_add_text(out, d->delay ? "\r\nhas not been delivered yet to:\r\n\r\n"
				   : "\r\ncould not be delivered to:\r\n\r\n");
	for (size_t i = 0; i < d->n; i++)
		add_person_recipient(out, &d->recipients[i]);
	if (!d->delay) {
		buf_add_text(out, "\r\nIt is not tried again.\r\n");
		return;
	}
	buf_add_text(out, "\r\nIt is tried until ");
	add_date_of(out, d->until_ms);
	buf_add_text(out, ".\r\nYou need not do anything.\r\n");
}

/* ---- for programs ---- */

static void add_program_recipient(const struct dsn *d, struct buf *out,
				  const struct dsn_recipient *r)
{
	buf_add_text(out, "\r\n");
	add_mailbox(out, "Final-Recipient", r->address);
	buf_printf(out, "Action: %s\r\nStatus: %s\r\n", d->delay ? "delayed" : "failed",
		   status_of(d, r));
	if (r->code || (r->text && *r->text)) {
		buf_printf(out, "Diagnostic-Code: %s; ", r->code ? "smtp" : "x-nuncio");
		add_answer(out, r);
	}
	if (r->at_ms)
		header_add_date(out, "Last-Attempt-Date", r->at_ms);
	if (d->delay)
		header_add_date(out, "Will-Retry-Until", d->until_ms);
}

static void add_status(const struct dsn *d, struct buf *out)
{
	AUTO(free) char *reporter = plain(d->reporter);
	AUTO(free) char *envid = plain(d->envid);

	if (d->envid)
		buf_printf(out, "Original-Envelope-Id: %s\r\n", envid);
	buf_printf(out, "Reporting-MTA: dns; %s\r\n", reporter);
	header_add_date(out, "Arrival-Date", d->arrived_ms);
	for (size_t i = 0; i < d->n; i++)
		add_program_recipient(d, out, &d->recipients[i]);
}

/* ---- the original ---- */

/* Whole lines up to the blank one. */
static size_t header_len(const char *bytes, size_t len)
{
	size_t at = 0;

	for (;;) {
		const char *lf = len > at ? memchr(bytes + at, '\n', len - at) : NULL;
		size_t line = lf ? (size_t)(lf - bytes) - at : 0;

		if (!lf || line == 0 || (line == 1 && bytes[at] == '\r'))
			return at;
		at = (size_t)(lf - bytes) + 1;
	}
}

static bool is_eight_bit(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)bytes[i] >= 0x80)
			return true;
	return false;
}

static void add_original(const struct dsn *d, struct buf *out)
{
	size_t len = d->whole ? d->original_len : header_len(d->original, d->original_len);

	buf_printf(out, "Content-Type: %s\r\nContent-Description: the mail\r\n",
		   d->whole ? "message/rfc822" : "text/rfc822-headers");
	if (is_eight_bit(d->original, len))
		buf_add_text(out, "Content-Transfer-Encoding: 8bit\r\n");
	buf_add_text(out, "\r\n");
	buf_add(out, d->original, len);
}

/* ---- the whole ---- */

static void add_header(const struct dsn *d, struct buf *out)
{
	struct address to = {.mailbox = (char *)d->to, .ascii = (char *)d->to};
	AUTO(free) char *id = xprintf("<%s>", d->message_id);
	AUTO(free) char *marker = plain(d->marker);

	header_add_date(out, "Date", d->now_ms);
	header_add_addresses(out, "From", d->from, 1);
	header_add_addresses(out, "To", &to, 1);
	header_add_text(out, "Subject",
			d->delay ? "Mail is delayed" : "Mail could not be delivered");
	header_add_plain(out, "Message-ID", id);
	header_add_plain(out, "X-Nuncio-Id", marker);
	buf_printf(out,
		   "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
		   "Content-Type: multipart/report; report-type=delivery-status;\r\n"
		   "\tboundary=\"%s\"\r\n\r\n",
		   d->boundary);
}

void dsn_compose(const struct dsn *d, struct buf *out)
{
	add_header(d, out);
	buf_printf(out,
		   "--%s\r\nContent-Type: text/plain; charset=utf-8\r\n"
		   "Content-Transfer-Encoding: 8bit\r\n\r\n",
		   d->boundary);
	add_sentences(d, out);
	buf_printf(out, "\r\n--%s\r\nContent-Type: message/delivery-status\r\n\r\n", d->boundary);
	add_status(d, out);
	buf_printf(out, "\r\n--%s\r\n", d->boundary);
	add_original(d, out);
	buf_printf(out, "\r\n--%s--\r\n", d->boundary);
}
