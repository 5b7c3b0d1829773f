/* net/scram.h - the client's side of SCRAM-SHA-256 (RFC 5802, 7677), without
 * channel binding. For net/sasl.c.
 *
 *   C: n,,n=user,r=nonce
 *   S: r=nonce and more,s=salt,i=iterations
 *   C: c=biws,r=nonce and more,p=proof
 *   S: v=signature        (or e=error)
 */
#ifndef NUNCIO_NET_SCRAM_H
#define NUNCIO_NET_SCRAM_H
#include <stdbool.h>
#include <stddef.h>
struct buf;
struct failure;
struct scram;
struct secret;

/* password must outlive the result. Never NULL. */
struct scram *scram_new(const char *user, const struct secret *password);
void scram_free(struct scram *s); /* wipes; NULL is fine */
/* Tests: in place of a random one; before scram_begin(). */
void scram_use_nonce(struct scram *s, const char *nonce);
void scram_begin(struct scram *s, struct buf *out);
/* Answers the server's first, then its last message. */
int scram_step(struct scram *s, const char *challenge, size_t len, struct buf *out,
	       struct failure *f);
bool scram_is_proven(const struct scram *s); /* the server knows the password too */
#endif
