/* client/content.h - what a message is made of, from files and standard input. */
#ifndef NUNCIO_CLIENT_CONTENT_H
#define NUNCIO_CLIENT_CONTENT_H
#include <stddef.h>
struct buf;
struct failure;

/* All of a file, "-" for standard input, as UTF-8 text: what is not valid UTF-8 is
 * taken for windows-1252, NUL bytes are left out. NUL-ended, owned by the caller. */
int content_text(const char *path, char **ret, struct failure *f);
/* All of it as it is, within out's ceiling. */
int content_bytes(const char *path, struct buf *out, struct failure *f);
/* As content_text() for what is at hand; owned by the caller. */
char *content_utf8(const char *text);
char *content_utf8_bytes(const char *bytes, size_t len);
/* A file as a sealed memfd, for the daemon to read; the caller closes it. */
int content_memfd(const char *path, struct failure *f);
#endif
