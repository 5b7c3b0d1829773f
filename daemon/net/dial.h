/* net/dial.h - a TCP connection to the first address of a name that answers
 * (RFC 8305): one attempt after the other, 250 ms apart or as soon as one
 * fails; the first that connects wins. For net/line.c. */
#ifndef NUNCIO_NET_DIAL_H
#define NUNCIO_NET_DIAL_H
#include <stdint.h>
#include <sys/socket.h>
struct dial;
struct failure;
struct loop;
struct resolver;

/* Once, later, straight from the loop: a connected socket, the caller's from
 * now on, and whose it is; or why, which is FAILURE_LATER, with fd -1. All but
 * fd lives only during the call; dial_free() is safe in here. */
typedef void dial_done_fn(void *ctx, int fd, const struct sockaddr *peer,
			  const struct failure *why);
/* host is copied. Knows no deadline: free it when it takes too long. */
struct dial *dial_new(struct loop *loop, struct resolver *resolver, const char *host, uint16_t port,
		      dial_done_fn *done, void *ctx);
void dial_free(struct dial *d); /* NULL is fine */

#define PEER_SIZE 80
/* "192.0.2.1:587", "[2001:db8::1]:587". Returns out. */
char *peer_print(char out[PEER_SIZE], const struct sockaddr *peer);
#endif
