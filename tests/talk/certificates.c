/* tests/talk/certificates.c - makes a CA, another CA, and what they sign. */
#include "certificates.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define DAY_S ((long)24 * 60 * 60)
#define KINDS (TALK_SELF_SIGNED + 1)
#define OUR_NAMES "DNS:localhost,DNS:mail.example.com,IP:127.0.0.1,IP:::1"

struct identity {
	X509 *certificate; /* owned, for the life of the process */
	EVP_PKEY *key;     /* owned, for the life of the process */
};

static void add_extension(X509 *certificate, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, certificate, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert(extension);
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

/* Signed by issuer, or by itself. names: NULL for a CA. Days are from now. */
static struct identity make(const char *name, const char *names, const struct identity *issuer,
			    long from_days, long to_days)
{
	struct identity new = {.certificate = X509_new(), .key = EVP_EC_gen("P-256")};
	X509_NAME *subject = X509_get_subject_name(new.certificate);
	const struct identity *signer = issuer ? issuer : &new;

	X509_set_version(new.certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(new.certificate), random());
	X509_gmtime_adj(X509_getm_notBefore(new.certificate), from_days * DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(new.certificate), to_days * DAY_S);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
				   0);
	X509_set_pubkey(new.certificate, new.key);
	X509_set_issuer_name(new.certificate, X509_get_subject_name(signer->certificate));
	add_extension(new.certificate, NID_basic_constraints,
		      names ? "critical,CA:FALSE" : "critical,CA:TRUE");
	if (names)
		add_extension(new.certificate, NID_subject_alt_name, names);
	assert(X509_sign(new.certificate, signer->key, EVP_sha256()) > 0);
	return new;
}

static const struct identity *our_ca(void)
{
	static struct identity ca;

	if (!ca.certificate)
		ca = make("Test CA", NULL, NULL, -30, 30);
	return &ca;
}

static struct identity make_kind(enum talk_certificate kind)
{
	static struct identity other_ca;

	switch (kind) {
	case TALK_GOOD:
		return make("good", OUR_NAMES, our_ca(), -1, 10);
	case TALK_EXPIRED:
		return make("expired", OUR_NAMES, our_ca(), -10, -1);
	case TALK_NOT_YET:
		return make("not yet", OUR_NAMES, our_ca(), 1, 10);
	case TALK_OTHER_HOST:
		return make("other host", "DNS:other.example.net", our_ca(), -1, 10);
	case TALK_OTHER_CA:
		other_ca = make("Other CA", NULL, NULL, -30, 30);
		return make("other CA's", OUR_NAMES, &other_ca, -1, 10);
	case TALK_SELF_SIGNED:
		break;
	}
	return make("self-signed", OUR_NAMES, NULL, -1, 10);
}

static const struct identity *identity_of(enum talk_certificate kind)
{
	static struct identity made[KINDS];

	if (!made[kind].certificate)
		made[kind] = make_kind(kind);
	return &made[kind];
}

struct ssl_ctx_st *certificate_context(enum talk_certificate kind)
{
	const struct identity *identity = identity_of(kind);
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	assert(SSL_CTX_use_certificate(ctx, identity->certificate) == 1);
	assert(SSL_CTX_use_PrivateKey(ctx, identity->key) == 1);
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
	return ctx;
}

const char *talk_ca_file(void)
{
	static char path[40];

	if (!path[0]) {
		int fd = memfd_create("test-ca", MFD_CLOEXEC);
		FILE *file = fdopen(dup(fd), "w");

		assert(file && PEM_write_X509(file, our_ca()->certificate) == 1);
		fclose(file);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	return path;
}

const char *talk_pin(enum talk_certificate certificate)
{
	static char pin[2 * SHA256_DIGEST_LENGTH + 1];
	unsigned char digest[SHA256_DIGEST_LENGTH], *der = NULL;
	int len = i2d_PUBKEY(identity_of(certificate)->key, &der);

	assert(len > 0);
	SHA256(der, (size_t)len, digest);
	OPENSSL_free(der);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(pin + 2 * i, 3, "%02x", digest[i]);
	return pin;
}
