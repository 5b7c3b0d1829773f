/* mailbox/imap_deeds.c - decides in which order deeds are done and told: as they came; and
 * that a mail whose move failed after its copy is not copied once more. */
#include "mailbox/imap_deeds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

#define COPIES_MAX 64 /* of an older one, a second copy is made */

struct imap_copy {
	uint32_t validity, uid;
	char *target; /* owned */
	struct imap_copy *next;
};

char *imap_ref_print(char out[IMAP_REF_SIZE], uint64_t home, uint32_t validity, uint32_t uid)
{
	int n = snprintf(out, IMAP_REF_SIZE, "%" PRIu32 "/%" PRIu32, validity, uid);

	if (home)
		snprintf(out + n, IMAP_REF_SIZE - (size_t)n, "@%" PRIx64, home);
	return out;
}

/* --- moves half done --- */

static void remember_copy(struct imap_deeds *d, const struct imap_deed *deed)
{
	struct imap_copy *copy = xcalloc(1, sizeof(*copy));
	size_t n = 0;

	*copy = (struct imap_copy){.validity = deed->validity,
				   .uid = deed->uid,
				   .target = xstrdup(deed->target),
				   .next = d->copies};
	d->copies = copy;
	for (struct imap_copy **at = &d->copies; *at; at = &(*at)->next)
		if (++n > COPIES_MAX) { /* the last: one more came than went */
			free((*at)->target);
			free(TAKE(*at));
			return;
		}
}

/* True once for each that was remembered. */
static bool take_copy(struct imap_deeds *d, const struct imap_deed *deed)
{
	for (struct imap_copy **at = &d->copies; *at; at = &(*at)->next) {
		struct imap_copy *copy = *at;

		if (copy->validity != deed->validity || copy->uid != deed->uid ||
		    strcmp(copy->target, deed->target) != 0)
			continue;
		*at = copy->next;
		free(copy->target);
		free(copy);
		return true;
	}
	return false;
}

static void free_copies(struct imap_copy *copy)
{
	while (copy) {
		struct imap_copy *next = copy->next;

		free(copy->target);
		free(copy);
		copy = next;
	}
}

/* --- deeds --- */

static void deed_free(struct imap_deed *deed)
{
	imap_mail_clear(&deed->mail);
	free(deed->target);
	free(deed);
}

static void tell(struct imap_deed *deed)
{
	const struct failure *why = deed->why.kind == FAILURE_NONE ? NULL : &deed->why;
	char ref[IMAP_REF_SIZE];
	struct mail mail = {
		.ref = imap_ref_print(ref, deed->home, deed->validity, deed->uid),
		.cursor = "",
		.received_ms = deed->mail.date_s * 1000,
		.size = deed->mail.size,
		.bytes = deed->mail.bytes,
		.len = deed->mail.len,
		.cut = deed->mail.cut,
	};

	if (!deed->fetch)
		deed->done(deed->ctx, why);
	else
		deed->fetched(deed->ctx, deed->found && !why ? &mail : NULL, why);
}

/* One in a turn: the mailbox may be gone after it. */
static void report(void *ctx)
{
	struct imap_deeds *d = ctx;
	struct imap_deed *deed = d->finished;

	if (!deed)
		return;
	d->finished = deed->next;
	if (d->finished)
		task_start(&d->report);
	else
		d->finished_end = &d->finished;
	tell(deed);
	deed_free(deed);
}

void imap_deeds_init(struct imap_deeds *d, struct loop *loop)
{
	*d = (struct imap_deeds){.end = &d->waiting, .finished_end = &d->finished};
	task_init(&d->report, loop, report, d);
}

static void free_all(struct imap_deed *deed)
{
	while (deed) {
		struct imap_deed *next = deed->next;

		deed_free(deed);
		deed = next;
	}
}

void imap_deeds_clear(struct imap_deeds *d)
{
	free_all(d->waiting);
	free_all(d->finished);
	free_copies(d->copies);
	task_clear(&d->report);
}

struct imap_deed *imap_deeds_add(struct imap_deeds *d, const char *ref, const char *target,
				 void *ctx)
{
	struct imap_deed *deed = xcalloc(1, sizeof(*deed));

	/* one of another kind of mailbox names no mail here: 0 is no UID */
	if (sscanf(ref, "%" SCNu32 "/%" SCNu32 "@%16" SCNx64, &deed->validity, &deed->uid,
		   &deed->home) < 2)
		deed->validity = deed->uid = 0;
	deed->target = target ? xstrdup(target) : NULL;
	deed->ctx = ctx;
	*d->end = deed;
	d->end = &deed->next;
	return deed;
}

struct imap_deed *imap_deeds_take(struct imap_deeds *d)
{
	struct imap_deed *deed = d->waiting;

	if (!deed)
		return NULL;
	d->waiting = deed->next;
	if (!d->waiting)
		d->end = &d->waiting;
	deed->next = NULL;
	deed->copied =
		!deed->fetch && deed->deed == MAIL_MOVE && deed->target && take_copy(d, deed);
	return deed;
}

void imap_deed_finish(struct imap_deeds *d, struct imap_deed *deed, const struct failure *why)
{
	if (why)
		deed->why = *why;
	if (why && deed->copied)
		remember_copy(d, deed);
	*d->finished_end = deed;
	d->finished_end = &deed->next;
	task_start(&d->report);
}

void imap_deeds_fail(struct imap_deeds *d, const struct failure *why)
{
	struct imap_deed *deed;

	while ((deed = imap_deeds_take(d)))
		imap_deed_finish(d, deed, why);
}
