/* client/link.h - a client's connection to the daemon: finds the socket, calls,
 * waits for answers. Blocking. */
#ifndef NUNCIO_CLIENT_LINK_H
#define NUNCIO_CLIENT_LINK_H
#include <jansson.h>
#include <stdbool.h>
#include "auto.h"
#include "varlink.h"
struct failure;
struct link;

/* The socket: path, else $NUNCIO_SOCKET, else the user's, else the system's.
 * -1 and FAILURE_LATER: nobody answers there; the text names the socket. */
int link_open(const char *path, struct link **ret, struct failure *f);
void link_close(struct link *link); /* NULL is fine */
AUTO_DEFINE(struct link, link_close)

/* Sends io.nuncio.METHOD. parameters is taken over (may be NULL). The descriptors
 * go along and stay the caller's. */
int link_send(struct link *link, const char *method, json_t *parameters, bool more,
	      const int *descriptors, size_t ndescriptors, struct failure *f);
/* The next reply; clear it with varlink_reply_clear(). timeout_ms 0: forever. On a
 * timeout -1 and FAILURE_LATER. */
int link_receive(struct link *link, int timeout_ms, struct varlink_reply *ret, struct failure *f);
/* Both, for calls with one answer. */
int link_call(struct link *link, const char *method, json_t *parameters, struct varlink_reply *ret,
	      struct failure *f);
#endif
