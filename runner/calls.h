/* runner/calls.h - what the runner can be asked: one table. */
#ifndef NUNCIO_RUNNER_CALLS_H
#define NUNCIO_RUNNER_CALLS_H
#include <jansson.h>
#include <stdbool.h>
struct config;
struct errands;
struct log;
struct peer;
struct runs;
struct varlink_call;

/* Whom calls reach. */
struct hall {
	const struct config *config; /* counted by its owner */
	struct runs *runs;
	struct errands *errands;
	const struct log *log;
};
/* Answers the call, or notes what it waits for. */
void calls_take(struct hall *hall, struct peer *peer, const struct varlink_call *call);
bool calls_reads_config(const struct varlink_call *call); /* which may have changed */
/* A run's end, for one who waits for it. */
void calls_tell_end(struct hall *hall, struct peer *peer);
/* What came of an errand, for one who waits for it. */
void calls_tell_secret(struct peer *peer, json_t *words);
#endif
