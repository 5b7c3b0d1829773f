/* queue/store_run.h - the store's part that rules stand on: what was obeyed (runs),
 * where each mailbox is (cursors), which proofs were used, what is yet to be done with
 * a mail (disposals), wrong proofs (strikes). Part of store.h's contract: writes are
 * operations of a batch, all or none; reads answer by callback. */
#ifndef NUNCIO_QUEUE_STORE_RUN_H
#define NUNCIO_QUEUE_STORE_RUN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
struct batch;
struct failure;
struct store;

enum run_state {
	RUN_STARTED = 1, /* committed before the program runs */
	RUN_DONE,        /* it ended, and its result is kept */
	RUN_FAILED,      /* the same, but it did not end well */
	RUN_INTERRUPTED, /* nobody knows what became of it: never repeated */
	RUN_REFUSED,     /* a command that was not obeyed: text says why */
	RUN_ASKED,       /* waits for its confirmation until expires_ms */
	RUN_EXPIRED,     /* which did not come */
};
const char *run_state_name(enum run_state s);
bool run_state_find(const char *name, enum run_state *ret);

struct run_row {
	int64_t id;        /* given by the store */
	const char *token; /* unique: the runner's name for it (common/run_wire.h) */
	const char *rule;
	const char *origin;   /* mailbox or transport it came by; "" by hand, schedule */
	const char *ref;      /* the mail's, or ""*/
	const char *contact;  /* who gave it, or "" */
	const char *identity; /* unique: digest of the command; NULL: may come again */
	const char *command;  /* one line, proof removed */
	const char *plan;     /* JSON of the rules room: what its end needs to know; no secrets */
	enum run_state state;
	int64_t started_ms, ended_ms, expires_ms; /* 0: not so */
	int code;                                 /* exit status or signal */
	const char *text;                         /* what became of it, a sentence */
};

/* ---- operations of a batch (store.h); everything given is copied ---- */
/* Its id comes back in batch_result.run. Identity known: the batch fails as
 * BATCH_RUN_SAME, and result.run is the older run's id. */
void batch_put_run(struct batch *b, const struct run_row *run);
/* Compare-and-set on (id, from); misses otherwise. text, code, ended_ms are taken;
 * plan NULL: stays. */
struct run_change {
	int64_t id;
	enum run_state from, to;
	int64_t at_ms;
	int code;
	const char *text, *plan;
};
void batch_change_run(struct batch *b, const struct run_change *change);
/* A proof is used once: (contact, kind, value digest). Used before: BATCH_PROOF_USED. It
 * may be forgotten after forget_ms (wall). */
void batch_use_proof(struct batch *b, const char *contact, const char *kind, const char *value,
		     int64_t forget_ms);
void batch_cursor(struct batch *b, const char *mailbox, const char *cursor);
/* What is to become of a mail; a number is given to it, kept until batch_disposed(). */
void batch_dispose(struct batch *b, const char *mailbox, const char *ref, unsigned deed,
		   const char *target);
void batch_disposed(struct batch *b, int64_t disposal);
/* For a database that was put back: the mailboxes begin with what comes from now on,
 * nothing happens to mails any more, nobody knows what became of the runs, and nothing
 * that was asked can be confirmed. */
void batch_clear_desk(struct batch *b, int64_t at_ms);
/* A wrong proof of contact by channel ("mail", "sms"). */
void batch_strike(struct batch *b, const char *contact, const char *channel, int64_t at_ms);

/* ---- reading ---- */
struct run_filter {
	unsigned states;     /* bits 1 << state; 0: any */
	const char *rule;    /* NULL: any */
	const char *contact; /* NULL: any */
	int64_t id;          /* 0: any */
	int64_t since_ms;    /* 0: all that is kept */
};
struct runs_result {
	const struct run_row *rows; /* newest first, at most STORE_PAGE_MAX */
	size_t n;
	int64_t last; /* go on before this id */
	bool done;
	const struct failure *why;
};
typedef void runs_done_fn(void *ctx, const struct runs_result *result);
/* before 0: from the newest. */
void store_runs(struct store *s, const struct run_filter *filter, int64_t before, size_t max,
		runs_done_fn *done, void *ctx);

struct cursor_row {
	const char *mailbox, *cursor;
};
struct disposal_row {
	int64_t id;
	const char *mailbox, *ref, *target;
	unsigned deed;
};
struct desk_result { /* what a start needs */
	const struct cursor_row *cursors;
	size_t ncursors;
	const struct disposal_row *disposals; /* oldest first; all of them */
	size_t ndisposals;
	const struct failure *why;
};
typedef void desk_done_fn(void *ctx, const struct desk_result *result);
void store_desk(struct store *s, desk_done_fn *done, void *ctx);

/* Strikes of contact by channel since then, at most 100: how many. */
typedef void strikes_done_fn(void *ctx, unsigned count, const struct failure *why);
void store_strikes(struct store *s, const char *contact, const char *channel, int64_t since_ms,
		   strikes_done_fn *done, void *ctx);
#endif
