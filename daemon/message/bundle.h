/* message/bundle.h - several texts to one number as one: what did not fit is counted. Pure,
 * and always the same for the same texts. */
#ifndef NUNCIO_MESSAGE_BUNDLE_H
#define NUNCIO_MESSAGE_BUNDLE_H
#include <stddef.h>

struct bundle_limits {
	size_t segments;   /* 0: none */
	size_t characters; /* 0: none */
};
/* texts: the most important first, n of them, UTF-8. Owned by the caller. The first is there
 * always, if only its beginning. */
char *bundle_make(const char *const *texts, size_t n, const struct bundle_limits *limits);
#endif
