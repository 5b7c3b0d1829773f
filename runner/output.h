/* runner/output.h - what a program prints, kept in a file of bounded size: the first half
 * as it came, then a ring of the latest. Nothing of it stays in memory. */
#ifndef NUNCIO_RUNNER_OUTPUT_H
#define NUNCIO_RUNNER_OUTPUT_H
#include <stddef.h>
#include <stdint.h>

struct output {
	int fd;        /* owned; -1: nothing is kept */
	size_t max;    /* bytes kept at most */
	size_t len;    /* of the file */
	size_t head;   /* of them before the ring */
	size_t oldest; /* offset in the file of the ring's oldest byte */
	uint64_t total;
	int error; /* errno of the first write that failed; from then on bytes are only counted */
};
void output_init(struct output *o, int fd, size_t max); /* fd: a new, empty file; taken */
void output_add(struct output *o, const char *bytes, size_t len);
/* 0, or -1 and errno: what was kept is not sure to be on disk. The file is closed. */
int output_finish(struct output *o);
/* Reads len bytes of fd in the order in which they were printed. -1 and errno. */
int output_read(int fd, size_t head, size_t oldest, char *bytes, size_t len);
#endif
