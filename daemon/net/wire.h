/* net/wire.h - bytes over a connected socket, plain or by TLS, without waiting.
 * For net/line.c, which thus need not know the flags of OpenSSL. */
#ifndef NUNCIO_NET_WIRE_H
#define NUNCIO_NET_WIRE_H
#include <stdbool.h>
#include <stddef.h>
struct failure;
struct tls;

enum wire_result {
	WIRE_DONE,  /* some bytes, or the handshake */
	WIRE_AGAIN, /* not before the socket is ready for what ..._wants says */
	WIRE_ENDED, /* the other side ended it properly */
	WIRE_BROKEN,
};

/* Embedded in its line. */
struct wire {
	int fd;                                        /* owned */
	struct ssl_st *ssl;                            /* owned; NULL: plain */
	const char *host;                              /* the line's */
	unsigned shake_wants, read_wants, write_wants; /* of enum watch_for */
	bool broken;                                   /* TLS can't even say goodbye */
};

void wire_init(struct wire *w, int fd, const char *host);
/* TLS from now on. */
int wire_secure(struct wire *w, struct tls *tls, struct failure *f);
/* These fill f when the result is WIRE_BROKEN; a handshake never is WIRE_ENDED. */
enum wire_result wire_shake(struct wire *w, struct tls *tls, struct failure *f);
enum wire_result wire_read(struct wire *w, char *room, size_t size, size_t *ret_len,
			   struct failure *f);
enum wire_result wire_write(struct wire *w, const char *bytes, size_t len, size_t *ret_len,
			    struct failure *f);
size_t wire_untaken(const struct wire *w);   /* written, and not taken by the other side's kernel */
bool wire_holds_bytes(const struct wire *w); /* read from the socket, not yet by us */
void wire_close(struct wire *w);             /* fine twice */
#endif
