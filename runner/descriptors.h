/* runner/descriptors.h - which of the runner's descriptors a new process of its own keeps. */
#ifndef NUNCIO_RUNNER_DESCRIPTORS_H
#define NUNCIO_RUNNER_DESCRIPTORS_H
#include <stddef.h>

/* All goes but stdin, stdout, stderr and the n to keep, which are sorted. */
void descriptors_close_others(int *keep, size_t n);
#endif
