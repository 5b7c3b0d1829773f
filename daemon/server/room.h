/* server/room.h - what the files of this room share. */
#ifndef NUNCIO_SERVER_ROOM_H
#define NUNCIO_SERVER_ROOM_H
#include <stdbool.h>
#include <stdint.h>
#include "base/deadline.h"
#include "base/loop.h"
#include "log.h"
struct admission;
struct config;
struct engine;
struct import;
struct listener;
struct peer;
struct queue;
struct worker;

#define SERVER_PIECE_BYTES 65536

struct server {
	struct loop *loop;
	struct queue *queue;
	struct engine *engine;
	const struct config *config; /* counted */
	struct worker *names;        /* owned; looks callers up */
	struct listener *listener;   /* owned; NULL: does not listen */
	struct import *import;       /* owned; NULL: does not import */
	struct admission *admission; /* owned */
	struct peer *peers;          /* owned, by peer_next() */
	unsigned npeers;
	int64_t started_ms;
	struct log log;
	struct deadline patience; /* with a drain */
	void (*drained)(void *ctx);
	void *drained_ctx;
	char piece[SERVER_PIECE_BYTES]; /* what is read lies here before it has a place */
};

/* A connected socket: looks who it is, and whether there is room for one more. */
void server_accepted(struct server *s, int fd);
void server_peer_left(struct server *s); /* peer.c: a drain may be over */
#endif
