/* message/part_body.h - the bytes of one MIME part as they go out, encoded step by
 * step in constant memory, with CRLF line ends. Pure. */
#ifndef NUNCIO_MESSAGE_PART_BODY_H
#define NUNCIO_MESSAGE_PART_BODY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gmime/gmime-encodings.h>
struct buf;

enum part_encoding {
	PART_7BIT,
	PART_QUOTED_PRINTABLE,
	PART_BASE64,
};

struct part_body {
	enum part_encoding encoding;
	bool is_text;           /* its line ends are to become CRLF */
	bool after_cr, in_line; /* of what was read last */
	GMimeEncoding state;
};

/* How text is best written. whole: there is no more of it; otherwise bytes are a
 * sample, and 7 bit, which is a promise about all lines, is not chosen. */
enum part_encoding part_encoding_for_text(const char *bytes, size_t len, bool whole);
const char *part_encoding_name(enum part_encoding encoding);
/* Octets that len octets become, about; for base64 of what is no text, exactly. */
uint64_t part_encoded_size(enum part_encoding encoding, bool is_text, uint64_t len);

void part_body_init(struct part_body *p, enum part_encoding encoding, bool is_text);
/* -1: out is full. */
int part_body_add(struct part_body *p, const char *bytes, size_t len, struct buf *out);
/* What the encoding still holds back. end_line: a line that is begun ends, too. */
int part_body_end(struct part_body *p, bool end_line, struct buf *out);
#endif
