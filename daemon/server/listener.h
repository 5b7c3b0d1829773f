/* server/listener.h - the socket's file and who knocks at it. */
#ifndef NUNCIO_SERVER_LISTENER_H
#define NUNCIO_SERVER_LISTENER_H
struct failure;
struct listener;
struct loop;

/* fd is the callee's. */
typedef void listener_accepted_fn(void *ctx, int fd);
/* Makes the folder when it is missing, removes a file that nobody answers on,
 * binds and listens. mode: permission bits. -1 and FAILURE_SETUP. */
int listener_open(struct loop *loop, const char *path, unsigned mode,
		  listener_accepted_fn *accepted, void *ctx, struct listener **ret,
		  struct failure *f);
/* Accepts on a socket that the service manager made, keeps and passed on: fd, which
 * is the listener's from now on, also on -1 and FAILURE_SETUP: it is no listening
 * Unix socket. path is where the configuration wants it. */
int listener_adopt(struct loop *loop, int fd, const char *path, listener_accepted_fn *accepted,
		   void *ctx, struct listener **ret, struct failure *f);
void listener_free(struct listener *l); /* removes the file if it still is ours; NULL is fine */
#endif
