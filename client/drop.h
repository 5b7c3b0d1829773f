/* client/drop.h - leaves a mail in the drop directory, for a daemon that does not
 * run now. Nobody else can read or change it there, nor guess what it is called. */
#ifndef NUNCIO_CLIENT_DROP_H
#define NUNCIO_CLIENT_DROP_H
struct failure;
struct spool;

/* $NUNCIO_SPOOL, else the system's. */
const char *drop_directory(void);
/* Writes the file, whose name is the spool's key, from the head and the bytes of fd,
 * spool->size of them. 0: it is on disk. -1: nothing is left behind. */
int drop_leave(const char *directory, const struct spool *spool, int fd, struct failure *f);
#endif
