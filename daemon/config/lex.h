/* config/lex.h - the words of a configuration file, as libconfig sees them and
 * somewhat stricter. Pure: text in, tokens out. */
#ifndef NUNCIO_CONFIG_LEX_H
#define NUNCIO_CONFIG_LEX_H
#include <stdbool.h>
#include <stddef.h>

enum token_kind {
	TOKEN_END,
	TOKEN_NAME,    /* a setting's name; also true and false */
	TOKEN_TEXT,    /* "...", quotes included */
	TOKEN_INTEGER, /* -12 or 0x1f */
	TOKEN_FLOAT,
	TOKEN_MARK,    /* one of = : ; , { } ( ) [ ] */
	TOKEN_INCLUDE, /* @include "file", from the @ to the closing quote */
	TOKEN_BAD,     /* why says what is wrong with it */
};

struct token {
	enum token_kind kind;
	const char *start; /* in the text */
	size_t len;
	unsigned line;
	char mark;       /* of TOKEN_MARK, else 0 */
	const char *why; /* of TOKEN_BAD: a sentence; never repeats what stands there */
};

struct lex {
	const char *begin, *at, *end;
	unsigned line; /* of at, from 1 */
};

void lex_init(struct lex *lex, const char *text, size_t len);
void lex_next(struct lex *lex, struct token *ret);
/* The file name of TOKEN_INCLUDE, without quotes; not NUL-ended. */
const char *token_include_name(const struct token *token, size_t *ret_len);
#endif
