/* message/text_message.h - a letter as a text message says it: its text (made from html
 * where there is only that), the subject before it, simple characters, a ceiling on
 * segments. Pure, and always the same for the same letter. */
#ifndef NUNCIO_MESSAGE_TEXT_MESSAGE_H
#define NUNCIO_MESSAGE_TEXT_MESSAGE_H
#include <stdbool.h>
#include <stddef.h>
struct failure;
struct letter;

struct text_message_options {
	bool exact;        /* no look-alikes: characters as they are (segments.h) */
	size_t segments;   /* the ceiling; 0: none */
	bool cut;          /* what is above it is cut off, "..." at its end; else refused */
	size_t characters; /* a provider's own ceiling, on top; 0: none */
	const char *tail;  /* in place of "...", where the rest comes by another way; or NULL */
	bool *ret_cut;     /* set where something was cut off; may be NULL */
	bool media_lines;  /* URLs of media are its last lines, never cut; else they go beside it */
};
/* Cut off by text_message_make() where the whole goes by mail. */
#define TEXT_MESSAGE_TAIL "... (all of it by mail)"

/* How much of the letter's content text_message_make() looks at, from its beginning. */
size_t text_message_wants(const struct letter *letter, bool cut);
/* content: as much of the letter's, or more. UTF-8, owned by the caller. FAILURE_REFUSED: too long, or there is
 * nothing in it (with media beside it: "" is made); the sentence says by how much. */
int text_message_make(const struct letter *letter, const char *content, size_t len,
		      const struct text_message_options *options, char **ret, struct failure *f);
#endif
