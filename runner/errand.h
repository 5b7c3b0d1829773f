/* runner/errand.h - secrets that a command says: one process beside each, whose answer the
 * one who asked waits for. Nothing of them is kept here. */
#ifndef NUNCIO_RUNNER_ERRAND_H
#define NUNCIO_RUNNER_ERRAND_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "buf.h"
struct failure;
struct secret_ref;

#define ERRANDS_MAX 16 /* at a time */

struct errand {
	uint64_t number; /* from 1 */
	int fd;          /* owned: what comes of it, until its end */
	struct buf said;
};
struct errands {
	struct errand at[ERRANDS_MAX]; /* of n */
	size_t n;
	uint64_t last;
};
/* Has ref's command run. FAILURE_LATER: not now. Its number. */
int errands_begin(struct errands *errands, const struct secret_ref *ref, int64_t within_ms,
		  uint64_t *ret_number, struct failure *f);
/* Reads what is there. true: it is over, and gone; *ret: {value}, or {reason}; the caller's. */
bool errands_look(struct errands *errands, size_t i, uint64_t *ret_number, json_t **ret);
void errands_clear(struct errands *errands);
#endif
