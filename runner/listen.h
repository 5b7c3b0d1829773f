/* runner/listen.h - the runner's socket, and who may knock there. */
#ifndef NUNCIO_RUNNER_LISTEN_H
#define NUNCIO_RUNNER_LISTEN_H
#include <stdbool.h>
#include <sys/types.h>
struct failure;
struct runner_config;

/* runner.user as a number; the runner's own user for NULL. FAILURE_SETUP: none such. */
int listen_user(const struct runner_config *config, uid_t *ret, struct failure *f);
/* The socket that the service manager passed, else a new one at config's place, which
 * only user may open. The caller's. */
int listen_open(const struct runner_config *config, uid_t user, int *ret_fd, struct failure *f);
/* One who knocked and may speak, or -1: nobody (any more), or turned away. */
int listen_accept(int fd, uid_t user, uid_t *ret_stranger /* -1: none */);
#endif
