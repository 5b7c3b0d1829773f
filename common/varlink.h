/* common/varlink.h - Varlink on a stream (varlink.org), for both ends: framing,
 * and the envelopes around calls and replies. A frame is a JSON object ended by
 * NUL; a newline ends one too where the bytes so far are a complete object. */
#ifndef NUNCIO_COMMON_VARLINK_H
#define NUNCIO_COMMON_VARLINK_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
struct buf;
struct failure;

/* The state of scanning one stream for the end of its next frame. Zeroed at
 * the start of a stream. Looks at each byte once, whatever the frame's size. */
struct varlink_framer {
	size_t scanned; /* bytes of the present frame already looked at */
	unsigned depth; /* open braces and brackets */
	bool in_string, escaped, begun, closed;
};

enum varlink_framing {
	VARLINK_FRAME,   /* *ret_len bytes are a frame; *ret_used includes its end byte */
	VARLINK_PARTIAL, /* more bytes are needed */
	VARLINK_BROKEN,  /* not an object, or nested deeper than 64, or text behind it; or, when
			    in_string, a control character in a string */
};
/* Looks for the first frame in len bytes at data, which must be the unread
 * bytes of the stream, the same as at the last call with new ones behind.
 * Blank bytes between frames are passed over (counted in ret_used); a lone
 * newline or NUL between frames is blank too. After VARLINK_FRAME drop
 * *ret_used bytes. *ret_end is the byte that ended it: '\0' or '\n'. */
enum varlink_framing varlink_frame(struct varlink_framer *framer, const char *data, size_t len,
				   size_t *ret_start, size_t *ret_len, size_t *ret_used,
				   char *ret_end);

/* At the end of the stream: are the unread bytes a complete object all the same
 * (printf without newline)? Then they are a frame ended by '\n'. */
bool varlink_frame_at_end(const struct varlink_framer *framer);

struct varlink_call {
	json_t *root;       /* owned: the whole object; the rest points into it */
	const char *method; /* "io.nuncio.Send" */
	json_t *parameters; /* an object, never NULL */
	bool more, oneway;
};
/* Duplicate keys, NUL in strings, unknown members of the envelope, upgrade and more
 * than 131,072 values are refused. -1 and FAILURE_REFUSED. */
int varlink_call_parse(const char *frame, size_t len, struct varlink_call *ret, struct failure *f);
void varlink_call_clear(struct varlink_call *call);

/* What a call asks for: one reply; as many as come ("more"); none ("oneway"). */
enum varlink_wants { VARLINK_ONE, VARLINK_MORE, VARLINK_NONE };
/* Add one frame to out, ended by end. parameters are borrowed, may be NULL.
 * -1: out is full (nothing added). */
int varlink_add_call(struct buf *out, const char *method, json_t *parameters,
		     enum varlink_wants wants, char end);
int varlink_add_reply(struct buf *out, json_t *parameters, bool continues, char end);
int varlink_add_error(struct buf *out, const char *error, json_t *parameters, char end);

struct varlink_reply {
	json_t *root;       /* owned */
	const char *error;  /* NULL: none */
	json_t *parameters; /* an object, never NULL */
	bool continues;
};
int varlink_reply_parse(const char *frame, size_t len, struct varlink_reply *ret,
			struct failure *f);
void varlink_reply_clear(struct varlink_reply *reply);
#endif
