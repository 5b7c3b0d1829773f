/* transport/maildir_file.h - the files of a Maildir: tmp/ while they are written,
 * new/ once they are whole and on disk. Everything here may wait for the disk:
 * for a thread beside the loop. Failures are FAILURE_LATER with the system's reason. */
#ifndef NUNCIO_TRANSPORT_MAILDIR_FILE_H
#define NUNCIO_TRANSPORT_MAILDIR_FILE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
struct failure;

#define MAILDIR_NAME_SIZE 200

/* The same for the same delivery at any time. */
void maildir_name(char out[MAILDIR_NAME_SIZE], int64_t created_ms, const char *instance,
		  int64_t delivery);
/* Makes what is missing (0700; not path's parents), removes what was left in tmp/ by
 * us more than 36 h ago, and tries whether a file can be written. */
int maildir_prepare(const char *path, struct failure *f);
int maildir_try(const char *path, struct failure *f); /* a small file that goes again */
/* Is it there already? Without search_cur only new/ is looked at, which is quick. */
bool maildir_has(const char *path, const char *name, bool search_cur);
/* Puts what is there on disk: a crash may have come before maildir_deliver() had. */
int maildir_keep(const char *path, struct failure *f);
int maildir_create(const char *path, const char *name, int *ret_fd, struct failure *f);
int maildir_write(int fd, const void *bytes, size_t len, struct failure *f);
/* Once this returns 0 it is in new/, and both file and name are on disk. fd is closed
 * either way; on -1 nothing is left behind. */
int maildir_deliver(const char *path, const char *name, int fd, struct failure *f);
void maildir_drop(const char *path, const char *name, int fd); /* instead of deliver */
#endif
