/* tests/talk/certificates.h - server certificates of every kind, made when first
 * asked for and kept for the life of the process. For tests/talk/talk.c. */
#ifndef NUNCIO_TESTS_CERTIFICATES_H
#define NUNCIO_TESTS_CERTIFICATES_H
#include "talk.h"

/* A server's SSL_CTX with the certificate; the caller's. */
struct ssl_ctx_st *certificate_context(enum talk_certificate kind);
#endif
