/* parent.h - where no service manager does it: a small process above the daemon that
 * starts nuncio-runner beside it, and again when it ends. */
#ifndef NUNCIO_PARENT_H
#define NUNCIO_PARENT_H
#include <stdbool.h>
struct daemon_options;

/* No manager is there, rules run something, and nobody answers at the runner's socket. */
bool parent_is_wanted(const struct daemon_options *options);
/* Runs both; the daemon's exit status. */
int parent_run(const struct daemon_options *options);
#endif
