/* rules/matter_room.h - what the files of a matter (matter.c the walk, matter_act.c what
 * comes of it, matter_answer.c codes that come back) show each other. */
#ifndef NUNCIO_RULES_MATTER_ROOM_H
#define NUNCIO_RULES_MATTER_ROOM_H
#include "base/deadline.h"
#include "rules/judge.h"
#include "rules/obey.h"
#include "rules/received.h"
#include "rules/room.h"

struct matter {
	struct engine *engine;
	const struct config *config;          /* counted: as it was when the mail came */
	const struct mailbox_config *mailbox; /* config's; NULL: it has it no more */
	uint64_t serial;
	char *cursor; /* owned */
	struct received own;
	struct received original;       /* own answers a question about this one */
	const struct received *what;    /* of these, the one that is obeyed */
	size_t at;                      /* the rule that is looked at */
	const struct rule_config *rule; /* config's; the one that is meant */
	struct judgement judgement;
	bool judged;
	const struct rule_config *passed; /* the first whose `from` alone did not fit */
	char passed_why[240];
	const char *automatic; /* why it is for rules that sort alone; NULL: it is for all */
	bool sorted;           /* such a rule was meant */
	bool code_wrong;       /* a code came while a question was open, and answers none */
	bool locked_out;       /* this wrong proof was one too many */
	bool spent;            /* this mail's proof was used, by an earlier rule */
	bool cursor_kept;      /* with what was committed */
	bool counted;          /* among what its sender is told within an hour */
	bool fetches;          /* the mail that was asked about */
	int64_t question;      /* that it answers; 0: none */
	struct obedience obedience;
	struct errand *prepared; /* of the runner: what is begun once it is committed */
	struct task turn;
	struct deadline again;          /* the store could not be written */
	void (*deed)(struct matter *m); /* what is then tried again */
	struct matter *next, **link;    /* of the engine */
};

/* matter.c */
void matter_walk(struct matter *m);
void matter_go_on(struct matter *m); /* the rule did what it does: on to the next, or the end */
void matter_end(struct matter *m);
void matter_forget_judgement(struct matter *m);
void matter_again(struct matter *m, void (*deed)(struct matter *m), const struct failure *why);
/* matter_act.c */
void matter_act(struct matter *m); /* the rule that is meant, as judged */
/* told: the sender may hear it. Nothing else comes of this mail. */
void matter_refuse(struct matter *m, const char *why, bool told, bool strike);
void matter_start_over(struct matter *m); /* as if it had just come */
/* As judged, but for those who are locked out. */
void matter_weigh(struct matter *m);
/* matter_text.c */
void matter_begin_text(struct matter *m);
void matter_add_place(struct matter *m, struct batch *batch); /* it needs no more attention */
/* true: it is over, which the store does not know yet; matter_end() follows. */
bool matter_is_to_be_kept(struct matter *m);
/* matter_answer.c. true: it has the mail, or will. */
bool matter_answers(struct matter *m);
void matter_refuse_code(struct matter *m); /* that it brought: a wrong proof */
#endif
