/* message/parse.h - what a mail says: any octets in, a struct out. Never fails: what
 * is broken is read as far as it makes sense, and marked. Pure. */
#ifndef NUNCIO_MESSAGE_PARSE_H
#define NUNCIO_MESSAGE_PARSE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "auto.h"
struct parsed;

struct mail_address {
	char *name;    /* owned; decoded, or NULL */
	char *address; /* owned; addr-spec as it stands, UTF-8; "" where there is none */
};
struct mail_addresses {
	struct mail_address *at; /* owned, of n; members of groups stand in their place */
	size_t n;
};
/* A field of the header as it came, in its order. */
struct mail_field {
	const char *name; /* into the mail's bytes, as are the next: not NUL-ended */
	size_t name_len;
	const char *value; /* behind the colon, folded, without the last line end */
	size_t value_len;
};
/* A leaf of the MIME tree; multiparts are gone into, message/rfc822 is a leaf. */
struct mail_part {
	char *type;        /* owned; "image/gif", lower case */
	char *disposition; /* owned; "inline" "attachment", or NULL */
	char *filename;    /* owned; decoded as it stands, or NULL */
	char *safe_name;   /* owned; attachment_name() of it, never NULL, unlike those before it */
	char *charset;     /* owned; as named, or NULL */
	bool is_attachment;
	char *bytes; /* owned; decoded octets (of text: not converted), NUL behind them */
	size_t len;
};

enum mail_flaw {
	FLAW_HEADER = 1,    /* lines in it that are no fields */
	FLAW_TWO_FROM = 2,  /* a single-instance field (RFC 5322 3.6, and those of MIME that
				 * say how the body is read) stands twice */
	FLAW_FROM_LIST = 4, /* From is not one address, or others could read another in it */
	FLAW_MIME = 8,      /* boundary missing, bad encoding, ... */
	FLAW_CHARSET = 16,  /* text in an unknown or wrong charset */
	FLAW_DEEP = 32,     /* nesting beyond PARSE_DEPTH_MAX was not gone into */
	FLAW_PARTS = 64,    /* more than PARSE_PARTS_MAX parts */
	FLAW_LARGE =
		128, /* header beyond PARSE_HEADER_MAX or PARSE_FIELDS_MAX, or more text than PARSE_TEXT_MAX: cut */
	FLAW_NUL = 256,
	FLAW_DOUBTFUL = 512, /* the mail's own header has what readers take differently: lines
				 * that are no fields, bare CR, NUL, blanks before a colon.
				 * Who vouched for it may have seen other fields */
};
#define PARSE_DEPTH_MAX 64
#define PARSE_PARTS_MAX 1000
#define PARSE_HEADER_MAX (1024 * 1024)
#define PARSE_FIELDS_MAX 10000
#define PARSE_TEXT_MAX (8 * 1024 * 1024)

struct parsed {
	const char *bytes; /* the mail's own, which must outlive the struct */
	size_t len;
	char *subject; /* owned; decoded, one line of UTF-8; NULL: none */
	struct mail_addresses from, to, cc, reply_to, sender;
	char *message_id;  /* owned; without <>; NULL */
	char *in_reply_to; /* the same */
	char **references; /* owned, NULL-ended; NULL */
	bool has_date;
	int64_t date_ms;
	bool has_text, has_html; /* the mail itself has such a part */
	char *text;              /* owned; UTF-8, LF; made from html where there is no text; "" */
	size_t text_len;
	char *html; /* owned; UTF-8; or NULL */
	size_t html_len;
	struct mail_part *parts; /* owned, of nparts: all leaves in order */
	size_t nparts;
	struct mail_field *fields; /* owned, of nfields */
	size_t nfields;
	unsigned flaws; /* of enum mail_flaw */
};

/* Never NULL. */
struct parsed *parse_mail(const char *bytes, size_t len);
void parsed_free(struct parsed *p); /* NULL is fine */
AUTO_DEFINE(struct parsed, parsed_free)
/* The n-th (from 0) field of that name, or NULL. */
const struct mail_field *parsed_field(const struct parsed *p, const char *name, size_t n);
/* Its value unfolded and decoded; owned by the caller; NULL: there is none. */
char *parsed_field_text(const struct parsed *p, const char *name, size_t n);

/* RFC 3834, and what lists and other daemons do: is this a mail that no program may act
 * on or answer? NULL: no; else why, a sentence. own_marker: this installation's id. */
const char *parsed_is_automatic(const struct parsed *p, const char *own_marker);
/* Of those, the mails that are not even sorted: our own, and notices of what became of
 * other mail. */
const char *parsed_is_notice(const struct parsed *p, const char *own_marker);
#endif
