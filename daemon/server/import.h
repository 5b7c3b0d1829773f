/* server/import.h - the mails that programs left in the drop directory while nobody
 * answered on the socket: each is submitted for its owner, under its key, and removed
 * once that is on disk. What can't be sent goes to the directory called rejected. */
#ifndef NUNCIO_SERVER_IMPORT_H
#define NUNCIO_SERVER_IMPORT_H
struct failure;
struct import;
struct server;

/* state: the state directory, in which it makes drop and rejected. -1: it can't. */
int import_new(struct server *s, const char *state, struct import **ret, struct failure *f);
void import_stop(struct import *i); /* begins nothing more; NULL is fine */
void import_free(struct import *i); /* waits for its thread; NULL is fine */
#endif
