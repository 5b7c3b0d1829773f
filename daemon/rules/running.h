/* rules/running.h - a run that the ledger has as started, until its end is on disk and
 * told. */
#ifndef NUNCIO_RULES_RUNNING_H
#define NUNCIO_RULES_RUNNING_H
#include <stdint.h>
struct engine;
struct errand;
struct received;
struct run_row;

/* row: as committed, with its id; copied. */
struct running *running_new(struct engine *e, const struct run_row *row);
/* Has the runner get ready for it, while it is being committed; row needs no id yet. Dropped
 * by runner_drop(). */
struct errand *running_prepare(struct engine *e, const struct run_row *row,
			       const struct received *what);
/* Hands it to the runner: prepared, which goes, or with what was attached to what came (NULL: nothing). */
void running_start(struct running *r, const struct received *what, struct errand *prepared);
/* It may have begun, in an earlier life: asks what became of it. */
void running_resume(struct running *r);
struct running *running_find(struct engine *e, int64_t id);
void running_kill(struct running *r);
void running_stop_all(struct engine *e); /* they go on, and are asked for after the next start */
void running_free_all(struct engine *e);
#endif
