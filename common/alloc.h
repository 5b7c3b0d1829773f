/* common/alloc.h - memory that is there or the process is not: running out
 * ends it with one line on stderr and abort(). Ceilings elsewhere bound what
 * is asked for, and the queue survives a restart. */
#ifndef NUNCIO_COMMON_ALLOC_H
#define NUNCIO_COMMON_ALLOC_H
#include <stddef.h>

/* All return memory to be freed with free(); never NULL. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size); /* zeroed; count * size may not overflow */
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *s);                 /* s may not be NULL */
char *xstrndup(const char *s, size_t len);    /* copies at most len bytes, ends with NUL */
void *xmemdup(const void *bytes, size_t len); /* one NUL is added behind the copy */
char *xprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#endif
