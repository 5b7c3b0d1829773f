/* common/fd.h - descriptors: all there is to write into one; others passed on over a socket. */
#ifndef NUNCIO_COMMON_FD_H
#define NUNCIO_COMMON_FD_H
#include <stddef.h>
#include <sys/types.h>

#define FDS_SENT_MAX 128 /* at once */

/* All of it, whatever interrupts. -1 and errno: some of it may be there. */
int fd_write(int fd, const void *bytes, size_t len);
/* As send(2), never with SIGPIPE: some of the bytes, and with the first of them the n
 * descriptors, which stay the caller's. n at most FDS_SENT_MAX. */
ssize_t fd_send(int socket, const void *bytes, size_t len, const int *fds, size_t n, int flags);
#endif
