/* runner/attach.h - a run's attachments: sealed memory on its way in, files of the
 * rule's user afterwards. */
#ifndef NUNCIO_RUNNER_ATTACH_H
#define NUNCIO_RUNNER_ATTACH_H
#include <stddef.h>
#include <sys/types.h>
struct failure;

struct attachments {
	const char **names; /* as they came; of n */
	const int *fds;
	size_t n;
};
/* -1 and FAILURE_REFUSED: one of them is no memfd sealed against writing and resizing. */
int attachments_check(const struct attachments *a, struct failure *f);
/* The name a file gets: one that stays in its directory, is no option and no hidden file.
 * number: of the attachment, from 1, for names that are none. */
void attachment_safe_name(char *out, size_t size, const char *given, unsigned number);
/* Makes homes/run and homes/run/attachments, which then belong to owner (with uid -1: to
 * the runner), and saves them there. */
int attachments_save(const struct attachments *a, int homes, const char *run, uid_t uid, gid_t gid,
		     struct failure *f);
#endif
