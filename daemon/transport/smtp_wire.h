/* transport/smtp_wire.h - SMTP's bytes (RFC 5321): replies, what EHLO offers,
 * commands, dot-stuffing. Pure. What a reply means is smtp_outcome.h's. */
#ifndef NUNCIO_TRANSPORT_SMTP_WIRE_H
#define NUNCIO_TRANSPORT_SMTP_WIRE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "buf.h"
struct failure;

#define SMTP_LINE_MAX 4096      /* of a reply, without its line end; RFC 5321 says 512 */
#define SMTP_LINES_MAX 100      /* of one reply */
#define SMTP_TEXT_MAX 32768     /* of one reply's text; what is beyond is dropped */
#define SMTP_COMMAND_MAX 512    /* with CRLF */
#define SMTP_MAIL_MAX 600       /* MAIL, with what SIZE, BODY and SMTPUTF8 add */
#define SMTP_RESPONSE_MAX 12288 /* a line of AUTH (RFC 4954) */

struct smtp_reply {
	int code;          /* 200 to 599 */
	char enhanced[12]; /* "5.1.1", or "" */
	const char *text;  /* lines, parted by LF, without codes; any bytes, NUL-ended */
	size_t text_len;   /* text lives until the parser is fed again */
};

struct smtp_parser {
	char line[SMTP_LINE_MAX + 2];
	size_t len; /* of line */
	unsigned lines;
	int code;
	char enhanced[12];
	struct buf text;
};
enum smtp_parsed {
	SMTP_PARSED_MORE,  /* all bytes were used, the reply goes on */
	SMTP_PARSED_REPLY, /* *ret is a reply; the bytes behind *ret_used are the next one's */
	SMTP_PARSED_BAD,   /* see f (FAILURE_LATER); nothing more can be read */
};
void smtp_parser_init(struct smtp_parser *p);
void smtp_parser_clear(struct smtp_parser *p);
enum smtp_parsed smtp_parser_feed(struct smtp_parser *p, const char *bytes, size_t len,
				  size_t *ret_used, struct smtp_reply *ret, struct failure *f);

/* What a server says it can do (RFC 5321, 1870, 2920, 3207, 4954, 6152, 6531). */
struct smtp_caps {
	bool pipelining, eight_bit, smtputf8, starttls, size;
	uint64_t size_max; /* 0: none was said */
	char auth[256];    /* mechanisms, parted by blanks */
};
void smtp_caps_parse(const struct smtp_reply *ehlo, struct smtp_caps *ret);

/* Commands are added to out. -1, out unchanged: a control character, or too
 * long for a line of SMTP. */
int smtp_add_hello(struct buf *out, const char *verb, const char *name);
int smtp_add_auth(struct buf *out, const char *mechanism, const char *initial /* or NULL */);
int smtp_add_response(struct buf *out, const char *base64);
struct smtp_mail_line {
	const char *sender;
	uint64_t size; /* 0: not said */
	bool eight_bit, smtputf8;
};
int smtp_add_mail(struct buf *out, const struct smtp_mail_line *mail);
int smtp_add_rcpt(struct buf *out, const char *address);

/* A name for EHLO from the machine's: itself when it is a full domain name,
 * else an address literal. Returns out. */
char *smtp_hello_name(char *out, size_t size, const char *hostname);

/* Dot-stuffing, as bytes come; zeroed at the start of a message. */
struct smtp_dots {
	bool inside_line;
	char last;
};
/* At most twice len is added. -1: out is full. */
int smtp_dots_add(struct smtp_dots *d, struct buf *out, const char *bytes, size_t len);
/* Ends the last line where it is not ended, and the message. */
int smtp_dots_end(struct smtp_dots *d, struct buf *out);
#endif
