/* net/tls.c - decides which servers are believed and how a refusal is put. When
 * a handshake happens and what follows from it is for net/line.c. */
#include "net/tls.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "alloc.h"
#include "clock.h"
#include "failure.h"

/* A resumed session is not verified again: what has expired or been taken off
 * the list of CAs since is noticed after this time at the latest. */
#define SESSION_MS (60 * 60 * 1000)

struct tls {
	SSL_CTX *ctx; /* owned; NULL: not begun */
	bool pinned;
	unsigned char pin[SHA256_DIGEST_LENGTH];
	SSL_SESSION *session;  /* owned; the latest, or NULL */
	char *session_host;    /* owned */
	int64_t session_at_ms; /* by clock_mono_ms() */
};

/* Each SSL knows the host it was made for: sessions are kept by it. */
static int host_index = -1;

static void host_index_free(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long argl,
			    void *argp)
{
	free(value);
}

/* Why OpenSSL said no, in its own words; the queue of errors is empty after it. */
static const char *last_reason(void)
{
	unsigned long error = ERR_peek_last_error();
	const char *reason = NULL;

	if (error)
		reason = ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error))
						 : ERR_reason_error_string(error);
	ERR_clear_error();
	return reason ? reason : "no reason given";
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int pin_parse(const char *text, unsigned char *pin, struct failure *f)
{
	for (size_t i = 0; i < SHA256_DIGEST_LENGTH; i++) {
		int high = hex_digit(text[0]);
		int low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0)
			break;
		pin[i] = (unsigned char)(high << 4 | low);
		text += 2;
		if (i == SHA256_DIGEST_LENGTH - 1 && !*text)
			return 0;
	}
	return failure_set(f, FAILURE_SETUP, "a pin is 64 hex digits (SHA-256 of a public key)");
}

static bool folder_has_hashes(const char *path)
{
	DIR *folder = opendir(path);
	bool found = false;

	if (!folder)
		return false;
	for (struct dirent *entry; !found && (entry = readdir(folder));) {
		size_t len = strlen(entry->d_name);

		found = len == 10 && strcmp(entry->d_name + 8, ".0") == 0;
	}
	closedir(folder);
	return found;
}

/* The folder is looked into when a CA is needed; the bundle of all of them would
 * cost megabytes. It is read only where there is nothing else. */
static int trust_system(SSL_CTX *ctx, struct failure *f)
{
	const char *folder = getenv(X509_get_default_cert_dir_env());
	bool bundle = getenv(X509_get_default_cert_file_env()) ||
		      !folder_has_hashes(folder ? folder : X509_get_default_cert_dir());

	if (SSL_CTX_set_default_verify_dir(ctx) != 1 ||
	    (bundle && SSL_CTX_set_default_verify_file(ctx) != 1))
		return failure_set(f, FAILURE_SETUP, "the system's CA certificates: %s",
				   last_reason());
	ERR_clear_error();
	return 0;
}

static int trust(SSL_CTX *ctx, const char *ca_file, struct failure *f)
{
	if (!ca_file)
		return trust_system(ctx, f);
	if (SSL_CTX_load_verify_file(ctx, ca_file) != 1)
		return failure_set(f, FAILURE_SETUP, "CA file %s: %s", ca_file, last_reason());
	/* A file may hold just the server's own certificate or an intermediate one */
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
	return 0;
}

static int session_is_new(SSL *ssl, SSL_SESSION *session)
{
	struct tls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	const char *host = SSL_get_ex_data(ssl, host_index);

	if (!tls || !host)
		return 0;
	SSL_SESSION_free(tls->session);
	free(tls->session_host);
	tls->session = session;
	tls->session_host = xstrdup(host);
	tls->session_at_ms = clock_mono_ms();
	return 1;
}

static SSL_CTX *client_context(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1) {
		fprintf(stderr, "nuncio: OpenSSL does not start: %s\n", last_reason());
		abort();
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* Many servers just close after QUIT; our protocols know by themselves
	 * whether something was missing. */
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_session_cache_mode(ctx,
				       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
	SSL_CTX_sess_set_new_cb(ctx, session_is_new);
	return ctx;
}

static int begin(struct tls *tls, const char *ca_file, struct failure *f)
{
	if (host_index < 0)
		host_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, host_index_free);
	ERR_clear_error();
	tls->ctx = client_context();
	SSL_CTX_set_app_data(tls->ctx, tls);
	if (trust(tls->ctx, ca_file, f) == 0)
		return 0;
	SSL_CTX_free(TAKE(tls->ctx));
	return -1;
}

/* A file of CAs is read now, to say what is wrong with it. Else OpenSSL begins with
 * the first connection: a megabyte that a daemon at rest does without. */
int tls_new(const struct tls_options *options, struct tls **ret, struct failure *f)
{
	AUTO(tls_free) struct tls *tls = xcalloc(1, sizeof(*tls));

	if (options->pin && pin_parse(options->pin, tls->pin, f) < 0)
		return -1;
	tls->pinned = options->pin;
	if (options->ca_file && begin(tls, options->ca_file, f) < 0)
		return -1;
	*ret = TAKE(tls);
	return 0;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	/* Connections under way still hold the context, which must not find us */
	if (tls->ctx)
		SSL_CTX_set_app_data(tls->ctx, NULL);
	SSL_CTX_free(tls->ctx);
	SSL_SESSION_free(tls->session);
	free(tls->session_host);
	free(tls);
}

static bool is_literal(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* The name as certificates have it: no final dot, no scope behind a literal. */
static char *plain_host(const char *host)
{
	size_t len = strcspn(host, "%");

	if (len > 1 && host[len - 1] == '.')
		len--;
	return xstrndup(host, len);
}

static int expect_host(SSL *ssl, const char *host)
{
	if (is_literal(host))
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host);
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

static bool session_fits(const struct tls *tls, const char *host)
{
	return tls->session && strcmp(tls->session_host, host) == 0 &&
	       SSL_SESSION_is_resumable(tls->session) &&
	       clock_mono_ms() - tls->session_at_ms < SESSION_MS;
}

struct ssl_st *tls_connection(struct tls *tls, const char *host, struct failure *f)
{
	if (!tls->ctx && begin(tls, NULL, f) < 0)
		return NULL;
	char *plain = plain_host(host);
	SSL *ssl = SSL_new(tls->ctx);

	if (!ssl || SSL_set_ex_data(ssl, host_index, plain) != 1) {
		free(plain);
		goto broken;
	}
	if (expect_host(ssl, plain) != 1)
		goto broken;
	SSL_set_connect_state(ssl);
	if (session_fits(tls, plain))
		SSL_set_session(ssl, tls->session);
	return ssl;
broken:
	SSL_free(ssl);
	failure_set(f, FAILURE_SETUP, "TLS with %s: %s", host, last_reason());
	return NULL;
}

static int key_digest(X509 *certificate, unsigned char digest[SHA256_DIGEST_LENGTH])
{
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);

	if (len < 0)
		return -1;
	SHA256(der, (size_t)len, digest);
	OPENSSL_free(der);
	return 0;
}

int tls_check(struct tls *tls, struct ssl_st *ssl, struct failure *f)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char hex[2 * SHA256_DIGEST_LENGTH + 1];
	X509 *certificate = SSL_get0_peer_certificate(ssl);

	if (!tls->pinned)
		return 0;
	if (!certificate || key_digest(certificate, digest) < 0)
		return failure_set(f, FAILURE_SETUP, "the server showed no key to hold the pin to");
	if (CRYPTO_memcmp(digest, tls->pin, sizeof(digest)) == 0)
		return 0;
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return failure_set(f, FAILURE_SETUP, "certificate has another key than the pin: %s", hex);
}

static void explain_certificate(long error, const char *host, struct failure *f)
{
	static const struct {
		long error;
		const char *text;
	} texts[] = {
		{X509_V_ERR_CERT_HAS_EXPIRED, "certificate has expired"},
		{X509_V_ERR_CERT_NOT_YET_VALID,
		 "certificate is not valid yet (is this machine's clock right?)"},
		{X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
		 "certificate is self-signed and not in our CA file"},
		{X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "certificate is from a CA we do not trust"},
		{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
		 "certificate is from a CA we do not trust"},
		{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "certificate is from a CA we do not trust"},
		{X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
		 "certificate is from a CA we do not trust"},
		{X509_V_ERR_CERT_REVOKED, "certificate was revoked"},
		{X509_V_ERR_INVALID_PURPOSE, "certificate is not one for servers"},
	};

	if (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH) {
		failure_set(f, FAILURE_SETUP, "certificate is for another host than %s", host);
		return;
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (texts[i].error == error) {
			failure_set(f, FAILURE_SETUP, "%s", texts[i].text);
			return;
		}
	}
	failure_set(f, FAILURE_SETUP, "certificate: %s", X509_verify_cert_error_string(error));
}

/* What looks like a record of another protocol: the other side does not do TLS. */
static bool is_not_tls(unsigned long error)
{
	int reason = ERR_GET_REASON(error);

	return ERR_GET_LIB(error) == ERR_LIB_SSL &&
	       (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
		reason == SSL_R_PACKET_LENGTH_TOO_LONG || reason == SSL_R_UNEXPECTED_MESSAGE);
}

void tls_explain(struct ssl_st *ssl, const char *host, int ssl_error, struct failure *f)
{
	int error = errno;
	long verified = SSL_get_verify_result(ssl);

	if (verified != X509_V_OK && !SSL_is_init_finished(ssl)) {
		ERR_clear_error();
		explain_certificate(verified, host, f);
	} else if (is_not_tls(ERR_peek_error())) {
		ERR_clear_error();
		failure_set(f, FAILURE_LATER,
			    "%s does not speak TLS here (wrong port, or STARTTLS?)", host);
	} else if (ssl_error == SSL_ERROR_ZERO_RETURN ||
		   (ssl_error == SSL_ERROR_SYSCALL && !ERR_peek_error() && !error)) {
		failure_set(f, FAILURE_LATER, "%s ended the connection in the TLS handshake", host);
	} else if (ssl_error == SSL_ERROR_SYSCALL && !ERR_peek_error()) {
		failure_errno(f, FAILURE_LATER, error, "TLS with %s", host);
	} else {
		failure_set(f, FAILURE_LATER, "TLS with %s: %s", host, last_reason());
	}
}
