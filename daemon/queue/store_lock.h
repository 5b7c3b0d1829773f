/* queue/store_lock.h - the state directory: made when missing, checked, and
 * locked for one process. */
#ifndef NUNCIO_QUEUE_STORE_LOCK_H
#define NUNCIO_QUEUE_STORE_LOCK_H
struct failure;

/* The lock is held until *ret_fd is closed. FAILURE_SETUP otherwise. */
int state_lock(const char *directory, int *ret_fd, struct failure *f);
/* Makes a file that only we may read, unless it is there. */
int state_file(const char *path, struct failure *f);
#endif
