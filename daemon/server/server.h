/* server/server.h - the Unix socket: who connects is known by SO_PEERCRED, what
 * is asked is Varlink, and what may be asked is a table. Door of the room. */
#ifndef NUNCIO_SERVER_SERVER_H
#define NUNCIO_SERVER_SERVER_H
#include <stdint.h>
struct config;
struct engine;
struct failure;
struct loop;
struct queue;
struct server;

/* Never NULL. loop outlives it; queue and engine are used until server_stop(). Nobody is
 * served before server_configure(). */
struct server *server_new(struct loop *loop, struct queue *queue, struct engine *engine);
/* A (new) configuration, of which it takes a reference. Requests under way keep theirs. */
void server_configure(struct server *s, const struct config *config);
/* Accepts on the socket that the service manager passed, which stays when we end;
 * else binds the configured one (its folder is made when missing). -1 and FAILURE_SETUP: someone else answers there, or it can't be made. */
int server_listen(struct server *s, struct failure *f);
/* Submits what programs leave in the configured state directory's drop. */
int server_import(struct server *s, struct failure *f);
/* A connected Unix socket, which is the server's from now on. */
void server_adopt(struct server *s, int fd);
/* Accepts no more and reads no more; done once all that was asked is answered,
 * or after limit_ms. Watchers end at once. */
void server_drain(struct server *s, int64_t limit_ms, void (*done)(void *ctx), void *ctx);
/* Closes every connection and lets go of the queue, which may then be freed. */
void server_stop(struct server *s);
/* After queue and store were closed, whose last callbacks still come here. The
 * socket's file is removed when it is ours. NULL is fine. */
void server_free(struct server *s);
#endif
