/* common/socket_path.h - Unix sockets by their paths. */
#ifndef NUNCIO_COMMON_SOCKET_PATH_H
#define NUNCIO_COMMON_SOCKET_PATH_H
#include <sys/un.h>
struct failure;

/* -1 and FAILURE_SETUP: no socket can have so long a path. */
int socket_path_address(const char *path, struct sockaddr_un *ret, struct failure *f);
/* So that it can be bound to: a socket that nobody answers at was left over, and is removed.
 * -1 and FAILURE_SETUP: somebody answers there, or it is something else. */
int socket_path_clear(const struct sockaddr_un *address, struct failure *f);
#endif
