/* server/drop_file.h - the files of the drop directory, as the importer's thread
 * handles them: what lies there, one mail read, one file put away. Waits for the disk.
 * Who left a file is who may do with it what they could do on the socket; the file itself
 * is trusted in nothing. */
#ifndef NUNCIO_SERVER_DROP_FILE_H
#define NUNCIO_SERVER_DROP_FILE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "server/rights.h"
#include "spool.h"
struct failure;

#define DROP_NAMES_MAX 2000 /* that one look brings */

struct drop {
	int directory; /* owned; -1: not open */
	int rejected;  /* owned; where files go that can't be sent */
};
/* Opens drop and rejected in the state directory; makes them when missing. A drop that
 * can't have its mode is as good as it is: *ret_mode_missing says so. */
int drop_open(struct drop *d, const char *state, bool *ret_mode_missing, struct failure *f);
void drop_close(struct drop *d);

/* Names that may be mails, in an array the caller frees with its texts; stale beginnings
 * of files are swept. *ret_more: there are others. */
size_t drop_list(const struct drop *d, int64_t now_ms, char ***ret, bool *ret_more);

/* A mail of the drop directory, ready to be submitted. */
struct drop_mail {
	struct spool spool;   /* owned */
	struct caller caller; /* its owner; names are not looked up */
	int memfd;            /* owned; sealed; -1: none */
};
/* -1: FAILURE_REFUSED: no mail, and never will be; FAILURE_LATER: not now, or it is gone. */
int drop_read(const struct drop *d, const char *name, uint64_t max_bytes, struct drop_mail *ret,
	      struct failure *f);
void drop_mail_clear(struct drop_mail *m);

int drop_remove(const struct drop *d, const char *name, struct failure *f);
/* Moves it to where only we come; ret_name is what it is called there. */
int drop_set_aside(const struct drop *d, const char *name, char ret_name[64], struct failure *f);
#endif
