/* runner/peer.h - one who speaks to the runner: frames and descriptors in, frames out.
 * Calls are answered one after the other. */
#ifndef NUNCIO_RUNNER_PEER_H
#define NUNCIO_RUNNER_PEER_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "buf.h"
#include "run_wire.h"
#include "varlink.h"

struct peer {
	int fd; /* owned */
	struct buf in, out;
	struct varlink_framer framer;
	int fds[RUN_ATTACHMENTS_MAX]; /* owned, of nfds: came, and wait for their call */
	size_t nfds;
	char end;                      /* that the present call had, and its answer gets */
	bool eof;                      /* nothing more comes */
	bool broken;                   /* to be closed at once */
	char awaits[RUN_ID_MAX + 1];   /* the run whose end it is told; "": none */
	uint64_t errand;               /* the errand whose end it is told; 0: none */
	char prepared[RUN_ID_MAX + 1]; /* the run it had prepared last; "": none */
};
void peer_init(struct peer *peer, int fd);
void peer_clear(struct peer *peer);

short peer_events(const struct peer *peer); /* for poll(2) */
bool peer_is_over(const struct peer *peer);
/* Reads and writes what can be without waiting. */
void peer_move(struct peer *peer, short ready);
/* Takes the next call, when there is one and the last was answered. Then
 * varlink_call_clear() is due. */
bool peer_next(struct peer *peer, struct varlink_call *ret);

void peer_reply(struct peer *peer, json_t *parameters); /* takes parameters; NULL: none */
/* error: of our interface, or with a dot of another; reason goes with it as `name`. */
void peer_error(struct peer *peer, const char *error, const char *name, const char *reason);
void peer_drop_answer(struct peer *peer); /* of a call that wanted none */
/* The first n descriptors of those that wait go. */
void peer_drop_fds(struct peer *peer, size_t n);
/* After a call: none may be left that nobody declared. */
void peer_check_fds(struct peer *peer);
#endif
