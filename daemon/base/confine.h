/* base/confine.h - what this process gives up for good: to become another program. */
#ifndef NUNCIO_BASE_CONFINE_H
#define NUNCIO_BASE_CONFINE_H
struct failure;

/* From now on execve and execveat end the process, on every thread there is and will
 * be, and in every process it forks; so do system calls of a foreign architecture. Can't
 * be undone. -1 and FAILURE_SETUP: the kernel can't. */
int confine(struct failure *f);
#endif
