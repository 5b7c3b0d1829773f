/* rules/plan.h - what the end of a run needs to know, kept with it: whom to tell, what to
 * do then, with the mail and else. No secrets: the ledger is read by people. Pure. */
#ifndef NUNCIO_RULES_PLAN_H
#define NUNCIO_RULES_PLAN_H
#include <stdbool.h>
#include <stddef.h>
#include "rules/audience.h"
#include "rules/note.h"

struct plan_deed {
	unsigned deed; /* of enum deed_on_mail */
	char *target;  /* owned, or NULL */
};
struct plan_send { /* of an action behind the run */
	struct audience to;
	char *subject, *text; /* owned; subject may be NULL */
};
struct plan {
	struct audience report;
	struct thread thread;
	struct plan_deed *deeds; /* owned, of ndeeds */
	size_t ndeeds;
	struct plan_send *sends; /* owned, of nsends */
	size_t nsends;
	char *digest; /* owned; of the code that is waited for, or NULL */
};
void plan_clear(struct plan *p);
void plan_add_deed(struct plan *p, unsigned deed, const char *target);
struct plan_send *plan_add_send(struct plan *p);  /* to be filled in */
char *plan_print(const struct plan *p);           /* JSON on one line; owned by the caller */
void plan_read(struct plan *p, const char *text); /* what can't be read is not there */
#endif
