/* daemon.h - the daemon as a whole: builds the rooms in order, ties them, and
 * takes them down backwards. */
#ifndef NUNCIO_DAEMON_H
#define NUNCIO_DAEMON_H
#include <stdbool.h>

/* What main() was asked. */
struct daemon_options {
	const char *config; /* NULL: the default place */
	bool verbose;       /* debug lines, whatever the configuration says */
};
/* Both return the exit status, of <sysexits.h>. */
int daemon_run(const struct daemon_options *options);
int daemon_check(const struct daemon_options *options); /* prints every problem */
#endif
