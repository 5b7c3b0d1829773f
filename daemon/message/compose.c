/* message/compose.c - the shape of a composed mail: its header, its parts and the
 * lines between them; then its making, piece by piece. How a part is encoded
 * is for part_body.c, how a field is written for header.c.
 *
 *   text only              text/plain
 *   html                   multipart/alternative: text/plain, text/html
 *   with attachments       multipart/mixed: one of the above, the attachments: base64, or
 *                          message/rfc822 for a mail that can stand there as it is
 *   with URLs of media     they are the text's last lines; behind html a text of their own
 *
 * A text is looked at before its part begins, for the encoding is chosen by it: whole
 * up to TEXT_HELD, else by its beginning. */
#include "message/compose.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "buf.h"
#include "failure.h"
#include "media.h"
#include "message/attachment.h"
#include "message/header.h"
#include "message/html_text.h"
#include "message/letter.h"
#include "message/part_body.h"

enum {
	TEXT_HELD = 256 * 1024,
	TEXT_SAMPLE = 64 * 1024,
	HTML_HELD = 1024 * 1024, /* of html that comes without a text: so much is put into words */
	TEXT_STEP = 16 * 1024,   /* of content a step */
	FILE_STEP = 57 * 800,    /* whole lines of base64 */
	PART_HEADER = 100,       /* octets of a text part's own header, about */
	LEVEL_MIXED = 1,
	LEVEL_ALTERNATIVE = 2,
};

enum piece_kind {
	PIECE_BYTES, /* known beforehand */
	PIECE_TEXT,  /* text/plain from the content */
	PIECE_HTML,
	PIECE_SAID, /* text/plain made of the html that is next in the content */
	PIECE_FILE,
	PIECE_MAIL, /* goes as it is */
};

struct piece {
	enum piece_kind kind;
	char *bytes;   /* owned; of PIECE_BYTES, of PIECE_SAID once it is made; of PIECE_TEXT, or
			* NULL: lines behind the content */
	size_t len;    /* of bytes */
	size_t at;     /* of bytes: written so far */
	uint64_t size; /* of content */
	uint64_t left; /* of content: not yet written */
};

struct compose {
	const struct letter *letter;
	struct piece *pieces; /* owned, of npieces */
	size_t npieces, next;
	struct buf known; /* while the pieces are laid out: bytes for the next PIECE_BYTES */
	bool begun;       /* the piece that is next has its header written */
	struct part_body body;
};

/* ---- laying out ---- */

static struct piece *add_piece(struct compose *c, enum piece_kind kind, uint64_t size)
{
	struct piece *p = &c->pieces[c->npieces++];

	*p = (struct piece){.kind = kind, .size = size, .left = size};
	return p;
}

static void end_known(struct compose *c)
{
	if (!c->known.len)
		return;
	struct piece *p = add_piece(c, PIECE_BYTES, 0);

	p->bytes = buf_take(&c->known, &p->len);
}

static void add_part(struct compose *c, enum piece_kind kind, uint64_t size)
{
	end_known(c);
	add_piece(c, kind, size);
}

static const char *boundary(const struct compose *c)
{
	return c->letter->boundary ? c->letter->boundary : "=_nuncio";
}

static void begin_multipart(struct compose *c, const char *subtype, int level)
{
	buf_printf(&c->known, "Content-Type: multipart/%s; boundary=\"%s.%d\"\r\n", subtype,
		   boundary(c), level);
}

static void delimit(struct compose *c, int level)
{
	buf_printf(&c->known, "\r\n--%s.%d\r\n", boundary(c), level);
}

static void end_multipart(struct compose *c, int level)
{
	buf_printf(&c->known, "\r\n--%s.%d--\r\n", boundary(c), level);
}

static void add_recipients(struct buf *out, const struct letter *l)
{
	if (l->nto)
		header_add_addresses(out, "To", l->to, l->nto);
	else if (!l->ncc)
		buf_add_text(out, "To: undisclosed-recipients:;\r\n");
	if (l->ncc)
		header_add_addresses(out, "Cc", l->cc, l->ncc);
}

static void add_thread(struct buf *out, const struct letter *l)
{
	if (l->in_reply_to) {
		AUTO(free) char *id = xprintf("<%s>", l->in_reply_to);

		header_add_plain(out, "In-Reply-To", id);
	}
	if (l->references)
		header_add_plain(out, "References", l->references);
}

static void add_header(struct buf *out, const struct letter *l)
{
	header_add_date(out, "Date", l->date_ms);
	header_add_addresses(out, "From", &l->from, 1);
	add_recipients(out, l);
	if (l->subject)
		header_add_text(out, "Subject", l->subject);
	if (l->message_id) {
		AUTO(free) char *id = xprintf("<%s>", l->message_id);

		header_add_plain(out, "Message-ID", id);
	}
	add_thread(out, l);
	if (l->marker)
		header_add_plain(out, "X-Nuncio-Id", l->marker);
	header_add_plain(out, "Auto-Submitted", l->replied ? "auto-replied" : "auto-generated");
	buf_add_text(out, "MIME-Version: 1.0\r\n");
}

static void lay_out_html(struct compose *c)
{
	const struct letter *l = c->letter;

	begin_multipart(c, "alternative", LEVEL_ALTERNATIVE);
	delimit(c, LEVEL_ALTERNATIVE);
	if (l->has_text)
		add_part(c, PIECE_TEXT, l->text_size);
	else
		add_part(c, PIECE_SAID, 0);
	delimit(c, LEVEL_ALTERNATIVE);
	add_part(c, PIECE_HTML, l->html_size);
	end_multipart(c, LEVEL_ALTERNATIVE);
}

static void print_text_header(struct buf *out, const char *subtype, enum part_encoding encoding)
{
	buf_printf(out,
		   "Content-Type: text/%s; charset=utf-8\r\n"
		   "Content-Transfer-Encoding: %s\r\n\r\n",
		   subtype, part_encoding_name(encoding));
}

/* Readers show one of the alternatives, and this behind it. */
static void lay_out_media(struct compose *c)
{
	AUTO(free) char *lines = media_lines(c->letter->media);
	enum part_encoding encoding = part_encoding_for_text(lines, strlen(lines), true);

	delimit(c, LEVEL_MIXED);
	print_text_header(&c->known, "plain", encoding);
	part_body_init(&c->body, encoding, true);
	part_body_add(&c->body, lines, strlen(lines), &c->known);
	part_body_end(&c->body, true, &c->known);
}

static bool has_words(const struct letter *l)
{
	return l->has_text || l->has_html || l->media;
}

static void lay_out_text(struct compose *c)
{
	const struct letter *l = c->letter;

	add_part(c, PIECE_TEXT, l->has_text ? l->text_size : 0);
	if (!l->media)
		return;
	struct piece *p = &c->pieces[c->npieces - 1];

	p->bytes = media_lines(l->media);
	p->len = strlen(p->bytes);
}

static void lay_out_body(struct compose *c)
{
	const struct letter *l = c->letter;

	if (l->has_html)
		lay_out_html(c);
	else if (has_words(l) || !l->nattachments)
		lay_out_text(c);
	if (l->has_html && l->media)
		lay_out_media(c);
}

static void lay_out_files(struct compose *c)
{
	for (size_t i = 0; i < c->letter->nattachments; i++) {
		const struct attachment *a = &c->letter->attachments[i];

		delimit(c, LEVEL_MIXED);
		header_add_attachment(
			&c->known,
			a->is_mail ? "message/rfc822" : attachment_type_to_write(a->type),
			part_encoding_name(a->is_mail ? PART_7BIT : PART_BASE64), a->name);
		buf_add(&c->known, "\r\n", 2);
		add_part(c, a->is_mail ? PIECE_MAIL : PIECE_FILE, a->size);
	}
}

static void lay_out(struct compose *c)
{
	const struct letter *l = c->letter;

	bool mixed = l->nattachments || (l->has_html && l->media);

	add_header(&c->known, l);
	if (mixed) {
		begin_multipart(c, "mixed", LEVEL_MIXED);
		if (has_words(l))
			delimit(c, LEVEL_MIXED);
	}
	lay_out_body(c);
	lay_out_files(c);
	if (mixed)
		end_multipart(c, LEVEL_MIXED);
	end_known(c);
}

struct compose *compose_new(const struct letter *letter)
{
	struct compose *c = xcalloc(1, sizeof(*c));

	c->letter = letter;
	c->pieces = xcalloc(8 + 2 * letter->nattachments, sizeof(*c->pieces));
	buf_init(&c->known, HEADER_BUF_MAX);
	lay_out(c);
	return c;
}

void compose_free(struct compose *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->npieces; i++)
		free(c->pieces[i].bytes);
	free(c->pieces);
	buf_clear(&c->known);
	free(c);
}

/* Its encoding is not known yet. */
static uint64_t text_size(uint64_t size, bool least)
{
	return least ? size : PART_HEADER + part_encoded_size(PART_BASE64, true, size);
}

uint64_t compose_size(const struct compose *c, bool least)
{
	uint64_t size = 0;

	for (size_t i = 0; i < c->npieces; i++) {
		const struct piece *p = &c->pieces[i];

		switch (p->kind) {
		case PIECE_BYTES:
			size += p->len;
			break;
		case PIECE_FILE:
			size += part_encoded_size(PART_BASE64, false, p->size);
			break;
		case PIECE_MAIL:
			size += least ? p->size : part_encoded_size(PART_7BIT, true, p->size);
			break;
		case PIECE_TEXT:
		case PIECE_HTML:
			size += text_size(p->size + p->len, least);
			break;
		case PIECE_SAID:
			size += least ? 0 : text_size(c->letter->html_size, false) / 2;
			break;
		}
	}
	return size;
}

/* ---- making ---- */

static enum outgoing_step no_room(struct failure *f)
{
	failure_set(f, FAILURE_LATER, "no room for the next piece of the mail");
	return OUTGOING_BAD;
}

static enum outgoing_step next_piece(struct compose *c)
{
	c->next++;
	c->begun = false;
	return c->next < c->npieces ? OUTGOING_MORE : OUTGOING_END;
}

static size_t at_most(uint64_t size, size_t most)
{
	return size < most ? (size_t)size : most;
}

static int begin_text(struct compose *c, const char *subtype, const char *seen, size_t len,
		      bool whole, struct buf *out)
{
	enum part_encoding encoding = part_encoding_for_text(seen, len, whole);
	size_t before = out->len;

	part_body_init(&c->body, encoding, true);
	c->begun = true;
	print_text_header(out, subtype, encoding);
	return out->len > before ? 0 : -1;
}

/* The lines behind a text, which begin on one of their own. */
static int write_lines(struct compose *c, const struct piece *p, struct buf *out)
{
	if (p->size && c->body.in_line && part_body_add(&c->body, "\n", 1, out) < 0)
		return -1;
	return part_body_add(&c->body, p->bytes, p->len, out);
}

/* Adds the next bytes of a part, most at once; what ends it when they are the last. */
static int write_some(struct compose *c, const char *bytes, size_t len, bool last, struct buf *out)
{
	const struct piece *p = &c->pieces[c->next];
	bool alone = c->npieces == 2;

	if (part_body_add(&c->body, bytes, len, out) < 0 ||
	    (last && p->kind == PIECE_TEXT && p->bytes && write_lines(c, p, out) < 0))
		return -1;
	return last ? part_body_end(&c->body, alone, out) : 0;
}

static enum outgoing_step write_content(struct compose *c, struct piece *p, size_t most,
					struct buf *content, struct buf *out, struct failure *f)
{
	size_t n = at_most(p->left, most);

	if (n > content->len)
		n = content->len;
	if (p->left && !n)
		return OUTGOING_NEED;
	if (write_some(c, buf_bytes(content), n, n == p->left, out) < 0)
		return no_room(f);
	buf_drain(content, n);
	p->left -= n;
	return p->left ? OUTGOING_MORE : next_piece(c);
}

/* Fit to stand there as they are. */
static bool lines_are_short(const struct piece *p)
{
	return part_encoding_for_text(p->bytes, p->len, true) == PART_7BIT;
}

static enum outgoing_step text_step(struct compose *c, struct piece *p, struct buf *content,
				    struct buf *out, struct failure *f)
{
	if (!c->begun) {
		size_t see = p->size <= TEXT_HELD ? (size_t)p->size : TEXT_SAMPLE;

		if (content->len < see)
			return OUTGOING_NEED;
		bool plain = !p->bytes || lines_are_short(p);

		if (begin_text(c, p->kind == PIECE_HTML ? "html" : "plain", buf_bytes(content), see,
			       see == p->size && plain, out) < 0)
			return no_room(f);
	}
	return write_content(c, p, TEXT_STEP, content, out, f);
}

static enum outgoing_step file_step(struct compose *c, struct piece *p, struct buf *content,
				    struct buf *out, struct failure *f)
{
	bool is_mail = p->kind == PIECE_MAIL;

	if (!c->begun)
		part_body_init(&c->body, is_mail ? PART_7BIT : PART_BASE64, is_mail);
	c->begun = true;
	return write_content(c, p, FILE_STEP, content, out, f);
}

static void say(struct compose *c, struct piece *p, const struct buf *content, size_t seen)
{
	static const char cut[] = "[...]\n";

	p->bytes = html_text(buf_bytes(content), seen, &p->len);
	if (seen == c->letter->html_size)
		return;
	p->bytes = xrealloc(p->bytes, p->len + sizeof(cut));
	memcpy(p->bytes + p->len, cut, sizeof(cut));
	p->len += sizeof(cut) - 1;
}

static enum outgoing_step said_step(struct compose *c, struct piece *p, struct buf *content,
				    struct buf *out, struct failure *f)
{
	if (!c->begun) {
		size_t see = at_most(c->letter->html_size, HTML_HELD);

		if (content->len < see)
			return OUTGOING_NEED;
		say(c, p, content, see);
		if (begin_text(c, "plain", p->bytes, p->len, true, out) < 0)
			return no_room(f);
	}
	size_t n = at_most(p->len - p->at, TEXT_STEP);

	if (write_some(c, p->bytes + p->at, n, p->at + n == p->len, out) < 0)
		return no_room(f);
	p->at += n;
	return p->at < p->len ? OUTGOING_MORE : next_piece(c);
}

static enum outgoing_step bytes_step(struct compose *c, struct piece *p, struct buf *out,
				     struct failure *f)
{
	size_t n = at_most(p->len - p->at, 1 << 16);

	if (buf_add(out, p->bytes + p->at, n) < 0)
		return no_room(f);
	p->at += n;
	return p->at < p->len ? OUTGOING_MORE : next_piece(c);
}

enum outgoing_step compose_step(struct compose *c, struct buf *content, struct buf *out,
				struct failure *f)
{
	if (c->next == c->npieces)
		return OUTGOING_END;
	struct piece *p = &c->pieces[c->next];

	switch (p->kind) {
	case PIECE_BYTES:
		return bytes_step(c, p, out, f);
	case PIECE_TEXT:
	case PIECE_HTML:
		return text_step(c, p, content, out, f);
	case PIECE_SAID:
		return said_step(c, p, content, out, f);
	case PIECE_FILE:
	case PIECE_MAIL:
		return file_step(c, p, content, out, f);
	}
	return OUTGOING_END;
}
