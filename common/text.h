/* common/text.h - questions about text that came from outside. Pure. */
#ifndef NUNCIO_COMMON_TEXT_H
#define NUNCIO_COMMON_TEXT_H
#include <stdbool.h>
#include <stddef.h>

bool text_is_utf8(const char *bytes, size_t len);  /* RFC 3629, no NUL inside */
bool text_is_ascii(const char *bytes, size_t len); /* 7 bit, no NUL inside */
/* No CR, LF, NUL or other control character (a tab is one too). */
bool text_is_one_line(const char *bytes, size_t len);
/* Writes bytes as one safe printable line into out (size > 0, NUL-ended):
 * control characters and invalid UTF-8 become '?', too long text is cut on a
 * character with "..." at its end. Returns out. */
char *text_safe_line(char *out, size_t size, const char *bytes, size_t len);
/* Octets of them without a character that their end cuts in two. */
size_t text_whole(const char *bytes, size_t len);
bool text_equal_nocase(const char *a, const char *b); /* ASCII only, no locale */
bool text_starts_nocase(const char *text, const char *prefix);
/* Shell-style match: '*' any run, '?' one byte, all else itself without regard
 * to ASCII case. Linear in practice: no backtracking beyond the last '*'. */
bool text_matches(const char *pattern, const char *text);
#endif
