/* runner/runs.h - the runs there are: going on, or over and not yet acknowledged. */
#ifndef NUNCIO_RUNNER_RUNS_H
#define NUNCIO_RUNNER_RUNS_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "house.h"
#include "order.h"
struct attachments;
struct failure;
struct spare;

#define RUNS_KEPT_MAX 4096 /* that wait for Ack; then no new ones begin */

struct run {
	char id[RUN_ID_MAX + 1];
	struct order_record order;
	int alive; /* owned; reading end of its FIFO; -1: it is over */
};
/* One that can begin at a word: its supervisor is there, its program waits to be one. */
struct prepared {
	char id[RUN_ID_MAX + 1];
	struct order_record order;
	char *command;       /* owned */
	struct spare *spare; /* owned */
	bool dropped;        /* will not begin, and still clears away what it made */
	struct prepared *next;
};
struct runs {
	const struct house *house;
	struct run *at; /* owned, of n */
	size_t n, going;
	struct prepared *prepared; /* owned, by .next: few, each of them a peer's */
	size_t nprepared;          /* of those, the ones that can begin */
	struct spare *spare;       /* owned; NULL: none yet */
};
/* Finds what the last runner of this house left: runs that go on, and ends. */
void runs_init(struct runs *runs, const struct house *house);
void runs_clear(struct runs *runs);                       /* those that go on go on */
struct run *runs_find(struct runs *runs, const char *id); /* valid until one begins or goes */

struct run_ask {
	const char *run, *rule, *command;
	const struct attachments *attachments;
};
/* Makes all ready but begins nothing. FAILURE_SETUP, FAILURE_REFUSED: as order_make().
 * FAILURE_LATER: not now, and not while one of that id that was dropped clears away. */
int runs_prepare(struct runs *runs, const struct config *config, const struct run_ask *ask,
		 struct failure *f);
void runs_drop(struct runs *runs, const char *id); /* of one that was prepared, or none */
void runs_drop_all(struct runs *runs);
/* What a run needs that needs no run: when there is time, and none is there. Dropped when
 * config is another. -1: none can be made now. */
int runs_make_spare(struct runs *runs, const struct config *config, struct failure *f);
void runs_drop_spare(struct runs *runs);
/* Begins what was prepared, if the same was, else prepares it first. Fails alike. */
int runs_begin(struct runs *runs, const struct config *config, const struct run_ask *ask,
	       struct failure *f);
/* Its alive can be read: then it is over, and true comes. */
bool runs_look(struct runs *runs, struct run *run);
json_t *runs_result(const struct runs *runs, const struct run *run);
void runs_kill(const struct runs *runs, const struct run *run);
void runs_forget(struct runs *runs, struct run *run); /* one that is over */
#endif
