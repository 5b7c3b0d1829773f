/* restored.h - what must be done with a database that was put back from a backup,
 * before a daemon sends from it. */
#ifndef NUNCIO_RESTORED_H
#define NUNCIO_RESTORED_H
struct daemon_options;

/* Holds all that waits: it may have been sent after the backup was made. No daemon may
 * run on it. Returns the exit status, of <sysexits.h>. */
int restored_run(const struct daemon_options *options);
#endif
