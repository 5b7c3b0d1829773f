/* message/letter.h - a message as it was asked for: what a mail is composed
 * from. Stored as a line of JSON (the spec) beside its content, the text, html
 * and attachment bytes one behind the other. Pure. */
#ifndef NUNCIO_MESSAGE_LETTER_H
#define NUNCIO_MESSAGE_LETTER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "address.h"
#include "auto.h"
struct failure;

struct attachment {
	char *name; /* owned; a base name in UTF-8, or NULL */
	char *type; /* owned; "image/png", or NULL: application/octet-stream */
	uint64_t size;
	bool is_mail; /* attachment_is_mail() said so: goes as message/rfc822, as it is */
};

enum letter_kind {
	LETTER_COMPOSED, /* content: text, html, attachments, in this order */
	LETTER_RAW,      /* content: an RFC 5322 message, its header already put right (raw.h) */
};

struct letter {
	enum letter_kind kind;
	struct address from;
	/* owned, of nto and ncc: as the header shows them. Bcc is nowhere in here */
	struct address *to, *cc;
	size_t nto, ncc;
	char *subject; /* owned, UTF-8, or NULL */
	bool has_text, has_html;
	uint64_t text_size, html_size;  /* octets of UTF-8 in the content */
	struct attachment *attachments; /* owned */
	size_t nattachments;
	char *message_id; /* owned; without <>; fixed when the message is taken */
	char *boundary;   /* owned; stem of the MIME boundaries */
	int64_t date_ms;
	char *marker;                       /* owned; value of the X-Nuncio-Id header */
	uint64_t raw_size;                  /* LETTER_RAW */
	bool raw_eight_bit, raw_long_lines; /* LETTER_RAW: what raw.h saw in the body; NUL: long */
	bool raw_header_eight_bit;          /* LETTER_RAW: its header needs SMTPUTF8 */
	bool raw_header_odd; /* LETTER_RAW: 8-bit octets or long lines in it, to be encoded */
	char *in_reply_to;   /* owned, or NULL: the Message-ID it answers, without <> */
	char *references;    /* owned, or NULL: "<a@x> <b@x>", of the conversation so far */
	bool replied;        /* Auto-Submitted: auto-replied, for it answers a mail */
	char *envid;         /* owned, or NULL: what the sender calls it in notices (RFC 3461) */
	bool return_full;    /* a notice brings the whole of it back */
	char **mailed; /* owned, NULL-ended, or NULL: numbers whose owners get all of it by mail */
	char **media;  /* owned, NULL-ended, or NULL: URLs (media.h) */
};

/* Is it on its way by mail to who has this number, besides? */
bool letter_is_mailed(const struct letter *l, const char *number);
void letter_add_mailed(struct letter *l, const char *number);
struct letter *letter_new(void);
void letter_free(struct letter *l);
AUTO_DEFINE(struct letter, letter_free)
uint64_t letter_content_size(const struct letter *l);
/* The spec: JSON on one line, owned by the caller. */
char *letter_to_spec(const struct letter *l);
int letter_from_spec(const char *spec, size_t len, struct letter **ret, struct failure *f);

/* Is what a person gave fit to be sent? Subject one line of UTF-8 <= 2000 octets,
 * names of attachments base names (a path is cut to its last part by
 * attachment_name()), types of token/token. -1, FAILURE_REFUSED, and *ret_field
 * the parameter's name. Addresses were parsed before. */
int letter_check(const struct letter *l, const char **ret_field, struct failure *f);
/* Base name without control characters, leading dots, path; owned. */
char *attachment_name(const char *given);
/* Can a mail of these octets stand in another one as it is (RFC 2046 5.2.1)? ASCII, line
 * ends of one kind, no line too long. Other mails are attached as files. */
bool attachment_is_mail(const char *bytes, size_t len);
/* By the name's ending ("report.pdf" -> application/pdf). Static text. */
const char *attachment_type(const char *name);

/* "<20261122T203000.a1b2c3d4e5f6@domain>" without the <>: unique by time and 64
 * random bits; domain from the From address. Owned. */
char *letter_make_message_id(const struct address *from, int64_t now_ms);
char *letter_make_boundary(void); /* random; never occurs in base64 or QP text. Owned */
#endif
