/* mailbox/maildir_folder.h - the files of a Maildir that is read. Everything here may
 * wait for the disk: for a thread beside the loop. A mail is called by a ref: its unique
 * name (what stands before the colon), unusual octets as %XX. What has gone is no
 * failure: others use the Maildir as well. Failures are LATER, or REFUSED. */
#ifndef NUNCIO_MAILBOX_MAILDIR_FOLDER_H
#define NUNCIO_MAILBOX_MAILDIR_FOLDER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "mailbox/mailbox.h"

#define MAILDIR_BATCH 1000

struct maildir_name {
	char *name; /* owned */
	int64_t mtime_ns;
};
/* Names of new/ that are yet to be read: at most MAILDIR_BATCH of what is there. */
struct maildir_names {
	struct maildir_name *names; /* owned */
	size_t n, at;
	char trouble[160]; /* the first file that can't be read, and why; or "" */
};
void maildir_names_clear(struct maildir_names *names);

struct maildir_mail {
	char *name;  /* owned; in new/ or cur/; NULL: there is none */
	char *ref;   /* owned */
	char *bytes; /* owned */
	size_t len;
	uint64_t size;
	int64_t received_ms;
	bool cut;
};
void maildir_mail_clear(struct maildir_mail *mail);

int maildir_make(const char *path, struct failure *f); /* what is missing; not path's parents */
/* The oldest first, as far as one look reaches. */
int maildir_look(const char *path, struct maildir_names *ret, struct failure *f);
/* The next that can be read; none left: mail->name stays NULL. */
void maildir_next(const char *path, struct maildir_names *names, uint64_t max_bytes,
		  struct maildir_mail *ret);
int maildir_settle(const char *path, const char *name, struct failure *f); /* new/ to cur/ */
int maildir_find(const char *path, const char *ref, uint64_t max_bytes, struct maildir_mail *ret,
		 struct failure *f);
int maildir_deed(const char *path, enum deed_on_mail deed, const char *ref, const char *target,
		 struct failure *f);
#endif
