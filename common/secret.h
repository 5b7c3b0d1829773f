/* common/secret.h - a password or token: cannot be printed by accident, kept
 * on pages that stay out of core dumps, wiped when freed. */
#ifndef NUNCIO_COMMON_SECRET_H
#define NUNCIO_COMMON_SECRET_H
#include <stdbool.h>
#include <stddef.h>
#include "auto.h"
struct failure;
struct secret;

struct secret *secret_new(const char *bytes, size_t len); /* copies; never NULL */
void secret_free(struct secret *s);                       /* wipes; NULL is fine */
AUTO_DEFINE(struct secret, secret_free)
/* The whole file (at most 64 KiB), without one trailing newline. Empty, too
 * large, NUL inside or not readable: -1 and FAILURE_SETUP. */
int secret_read_file(const char *path, struct secret **ret, struct failure *f);
const char *secret_bytes(const struct secret *s); /* NUL-ended; lives as long as s */
size_t secret_len(const struct secret *s);
bool secret_equal(const struct secret *s, const char *bytes, size_t len); /* constant time in len */
void secret_wipe(void *bytes, size_t len);                                /* not optimised away */
#endif
