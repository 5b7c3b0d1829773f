/* server/descriptor.h - descriptors that came with requests (SCM_RIGHTS): they
 * wait in the order they came, and each request takes those it declares. Only
 * memfds that can't change any more are ever read. */
#ifndef NUNCIO_SERVER_DESCRIPTOR_H
#define NUNCIO_SERVER_DESCRIPTOR_H
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
struct failure;

#define DESCRIPTORS_MAX 64 /* waiting on one connection */

struct descriptors {
	int fds[DESCRIPTORS_MAX]; /* owned, of n; -1: was taken out */
	size_t n;
};
void descriptors_clear(struct descriptors *d); /* closes them */
/* Reads like read(2), without waiting; descriptors that come along are added. -1 with
 * f filled: too many, or the kernel had to cut some off. */
ssize_t descriptors_read(struct descriptors *d, int fd, void *bytes, size_t len, struct failure *f);
/* How many the request declares by its "descriptor" members: the highest number + 1. */
size_t descriptors_declared(json_t *parameters);
/* Moves the first n to to, which is empty. -1: there are not as many. */
int descriptors_take(struct descriptors *d, size_t n, struct descriptors *to, struct failure *f);
/* Takes one out for reading, the caller's from now on, and how long it is. -1 and
 * FAILURE_REFUSED: used twice, or no memfd sealed against writing and resizing. */
int descriptor_open(struct descriptors *d, size_t number, int *ret_fd, uint64_t *ret_size,
		    struct failure *f);
#endif
