/* rules/engine.h - the daemon that listens: takes each mail of its mailboxes, asks the
 * rules, has the runner run what they say, and sees to it that nothing happens twice
 * or without an answer. Door of the room. */
#ifndef NUNCIO_RULES_ENGINE_H
#define NUNCIO_RULES_ENGINE_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
struct config;
struct engine;
struct failure;
struct loop;
struct mailbox_status;
struct queue;
struct resolver;

/* Never NULL. loop, queue, its store and resolver outlive engine_stop(). Nothing is
 * opened before engine_configure(). */
struct engine *engine_new(struct loop *loop, struct queue *queue, struct resolver *resolver);
/* A (new) configuration, of which it takes a reference. Mailboxes whose settings did
 * not change stay as they are. What can't be opened is logged, and tried again. */
void engine_configure(struct engine *e, const struct config *config);
/* Now mailboxes may be opened: until then none is, however it is configured. */
void engine_open(struct engine *e);
/* Takes no more mail, and lets go of mailboxes and runner at once. Runs go on. */
void engine_stop(struct engine *e);
/* After the store was closed, whose last callbacks still come here. NULL is fine. */
void engine_free(struct engine *e);

/* Each once, before it returns. */
void engine_each_mailbox(struct engine *e, void (*each)(void *ctx, const struct mailbox_status *s),
			 void *ctx);

/* A run by hand. done comes once, later: its id in the ledger, or why. -1: no such rule,
 * it runs nothing, or its pattern does not fit: FAILURE_REFUSED. by: who wants it, for the ledger. */
typedef void engine_run_done_fn(void *ctx, int64_t run, const struct failure *why);
int engine_run(struct engine *e, const char *rule, const char *command, const char *by,
	       engine_run_done_fn *done, void *ctx, struct failure *f);
/* Ends a run under way; what became of it is told as of any other. -1 FAILURE_REFUSED:
 * it is not under way. */
int engine_kill(struct engine *e, int64_t run, struct failure *f);

/* What a rule would do with this mail: its steps, the provider's word, the proof, what
 * would run. Changes nothing, uses nothing up. mailbox: as if it came there; NULL: the
 * rule's first. received_ms: when; 0: now. -1 FAILURE_REFUSED: no such rule or mailbox. */
int engine_try(struct engine *e, const char *rule, const char *mailbox, const char *bytes,
	       size_t len, int64_t received_ms, json_t **ret, struct failure *f);
#endif
