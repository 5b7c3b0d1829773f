/* mailbox/imap_wire.h - what an IMAP server says (RFC 3501, 9051 and the extensions we
 * use), read piece by piece, and what is said to it. Pure.
 *
 *   response  = "+" SP text / "*" SP data / tag SP status
 *   status    = ("OK" / "NO" / "BAD" / "BYE" / "PREAUTH") SP ["[" code "]" SP] text
 *   data      = status / "CAPABILITY" ... / "SEARCH" *(SP number) / "LIST" ...
 *             / number SP ("EXISTS" / "EXPUNGE" / "FETCH" SP "(" items ")") / anything
 *   literal   = ["~"] "{" number ["+"] "}" CRLF bytes      in the place of any string
 */
#ifndef NUNCIO_MAILBOX_IMAP_WIRE_H
#define NUNCIO_MAILBOX_IMAP_WIRE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "buf.h"
struct failure;

#define IMAP_TEXT_MAX ((size_t)65536) /* of one response without its body */
#define IMAP_DEPTH_MAX 32             /* lists in lists */

enum imap_kind {
	IMAP_TAGGED,
	IMAP_GO_ON,  /* "+" */
	IMAP_STATUS, /* untagged */
	IMAP_CAPABILITY,
	IMAP_SEARCH, /* of a long one there come several */
	IMAP_LIST,
	IMAP_ENABLED,
	IMAP_EXISTS,
	IMAP_EXPUNGE,
	IMAP_FETCH,
	IMAP_OTHER, /* nothing we know */
};
enum imap_status { IMAP_OK, IMAP_NO, IMAP_BAD, IMAP_BYE, IMAP_PREAUTH };

/* Lives until the parser is fed again. Texts are NUL-ended and without control
 * characters, but not always UTF-8. */
struct imap_reply {
	enum imap_kind kind;
	enum imap_status status; /* TAGGED, STATUS */
	const char *tag;         /* TAGGED */
	const char *code;        /* TAGGED, STATUS: "UIDVALIDITY", or "" */
	const char *code_text;   /* what follows in the code, or "" */
	const char *text;        /* for people; GO_ON: all of it */
	const char *words; /* CAPABILITY, ENABLED, SEARCH: all behind the name; LIST: attributes */
	const char *name;  /* LIST: of the folder, as it is on the wire */
	uint32_t number;   /* EXISTS, EXPUNGE, FETCH */
	uint32_t uid;      /* FETCH; 0: not said */
	uint64_t size;     /* FETCH: RFC822.SIZE; 0: not said */
	int64_t date_s;    /* FETCH: INTERNALDATE, since 1970; 0: not said */
	bool has_body;     /* FETCH: BODY[...] is in the parser's body */
};

struct imap_parser {
	struct buf text; /* the response, its small literals too */
	struct buf body; /* BODY[...] of a FETCH */
	size_t body_at;  /* of its literal in text; SIZE_MAX: none */
	size_t left;     /* bytes of a literal that are due */
	bool into_body;  /* they are the body's */
	size_t part;     /* of text: a SEARCH's, handed out */
	bool complete;   /* text was handed out: the next byte begins another */
};

void imap_parser_init(struct imap_parser *p);
void imap_parser_clear(struct imap_parser *p); /* gives all memory back; can be used again */
/* The body of a FETCH may be as large as this; at first 0: none is taken. */
void imap_parser_allow(struct imap_parser *p, size_t body_max);

enum imap_parsed { IMAP_PARSED_MORE, IMAP_PARSED_REPLY, IMAP_PARSED_BAD };
/* Reads from bytes, says how much was used. BAD: it is no IMAP or beyond a ceiling;
 * f is FAILURE_LATER, the parser of no more use. */
enum imap_parsed imap_parser_feed(struct imap_parser *p, const char *bytes, size_t len,
				  size_t *ret_used, struct imap_reply *ret, struct failure *f);
/* The body of the reply at hand, the caller's to free() from now on. */
char *imap_parser_take_body(struct imap_parser *p, size_t *ret_len);

/* The next number of a SEARCH; begin with *at = words. Passes over what is none. */
bool imap_next_uid(const char **at, uint32_t *ret);
/* The next word, not NUL-ended; NULL: there is none. */
const char *imap_next_word(const char **at, size_t *ret_len);
/* "17-Jul-1996 02:44:25 -0700" to seconds since 1970. false: no date. */
bool imap_date_parse(const char *text, int64_t *ret_s);
#endif
