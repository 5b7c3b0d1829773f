/* mailbox/imap_deeds.h - what is to be done with mails: waits here for its turn, and goes
 * from here to whoever asked. How it is said is imap_deed.c's. */
#ifndef NUNCIO_MAILBOX_IMAP_DEEDS_H
#define NUNCIO_MAILBOX_IMAP_DEEDS_H
#include <stdbool.h>
#include <stdint.h>
#include "base/loop.h"
#include "failure.h"
#include "mailbox/imap_mail.h"
#include "mailbox/mailbox.h"

struct imap_deed {
	bool fetch; /* else deed */
	enum deed_on_mail deed;
	uint32_t validity, uid; /* of ref */
	uint64_t home;          /* of ref; 0: it has none */
	char *target;           /* owned, or NULL */
	mailbox_done_fn *done;
	mailbox_fetched_fn *fetched;
	void *ctx;
	struct imap_mail mail; /* fetched */
	enum imap_want asked;
	bool found;
	bool copied; /* to target, and not yet deleted where it was */
	struct failure why;
	struct imap_deed *next;
};
/* Embedded in its mailbox. */
struct imap_deeds {
	struct imap_copy *copies;                   /* owned, newest first: moves half done */
	struct imap_deed *waiting, **end;           /* owned, by .next */
	struct imap_deed *finished, **finished_end; /* owned, by .next */
	struct task report;
};

void imap_deeds_init(struct imap_deeds *d, struct loop *loop);
void imap_deeds_clear(struct imap_deeds *d); /* nobody is told */

/* done or fetched is set by the caller of these in what they return. */
struct imap_deed *imap_deeds_add(struct imap_deeds *d, const char *ref, const char *target,
				 void *ctx);
/* The first that waits, the caller's until imap_deed_finish(); NULL: none. */
struct imap_deed *imap_deeds_take(struct imap_deeds *d);
/* why NULL: done. Who asked is told from a fresh turn of the loop. */
void imap_deed_finish(struct imap_deeds *d, struct imap_deed *deed, const struct failure *why);
void imap_deeds_fail(struct imap_deeds *d, const struct failure *why); /* all that wait */

/* "UIDVALIDITY/UID@HOME" (imap_place.h); those of old versions have no home. */
#define IMAP_REF_SIZE 40
char *imap_ref_print(char out[IMAP_REF_SIZE], uint64_t home, uint32_t validity, uint32_t uid);
#endif
