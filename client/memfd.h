/* client/memfd.h - bytes in memory behind a descriptor, as the daemon reads them:
 * written, then sealed against every change. */
#ifndef NUNCIO_CLIENT_MEMFD_H
#define NUNCIO_CLIENT_MEMFD_H
#include <stddef.h>
struct failure;

/* All return -1 and FAILURE_LATER when there is no room. The caller closes it. */
int memfd_open(struct failure *f);
int memfd_add(int fd, const void *bytes, size_t len, struct failure *f);
int memfd_seal(int fd, struct failure *f);
#endif
