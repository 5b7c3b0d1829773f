/* runner/offspring.h - the processes that came of a run, wherever they fled to. */
#ifndef NUNCIO_RUNNER_OFFSPRING_H
#define NUNCIO_RUNNER_OFFSPRING_H
#include <stdbool.h>
#include <sys/types.h>

/* Kills every child of this process, and everybody in the session. False: there was
 * none. Who was forked meanwhile is found the next time: this process is the one that
 * orphans of its descendants fall to. */
bool offspring_kill(pid_t session);
#endif
