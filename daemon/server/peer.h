/* server/peer.h - one connection: its bytes become calls, the calls' answers go
 * out in the order of the requests. A slow or silent one costs its socket. */
#ifndef NUNCIO_SERVER_PEER_H
#define NUNCIO_SERVER_PEER_H
#include <stdbool.h>
struct caller;
struct peer;
struct server;

/* fd is owned from now on. caller is copied. The peer is in the server's list,
 * and frees itself in a turn of its own when all is said. */
void peer_new(struct server *s, int fd, const struct caller *caller);
struct peer *peer_next(const struct peer *p);
bool peer_is_admitted(const struct peer *p); /* it counts as one of its user's connections */
const struct caller *peer_caller(const struct peer *p);
void peer_poke(struct peer *p);        /* a call of it has something to say */
void peer_close_after(struct peer *p); /* no more requests; closes when all is answered */
void peer_finish(struct peer *p);      /* the same, for a drain: watchers end */
void peer_stop(struct peer *p);        /* at once: what can be given up is */
void peer_free(struct peer *p);        /* nothing calls back to its calls any more */
#endif
