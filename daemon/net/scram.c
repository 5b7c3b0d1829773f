/* net/scram.c - decides what a server must show before it gets our proof, and
 * whether it knew the password itself. Names and passwords are taken as they
 * are (no normalisation by RFC 4013); control characters were refused before. */
#include "net/scram.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "alloc.h"
#include "auto.h"
#include "base64.h"
#include "buf.h"
#include "failure.h"
#include "secret.h"

#define NONCE_BYTES 18
#define MESSAGE_MAX 4096
#define SALT_MAX 256
/* RFC 7677 asks for the least; the most keeps a hostile server from keeping the
 * loop busy for longer than about a tenth of a second. */
#define ITERATIONS_MIN 4096
#define ITERATIONS_MAX 250000

enum scram_state { SCRAM_BEGUN, SCRAM_PROVED, SCRAM_VERIFIED, SCRAM_BROKEN };

struct scram {
	enum scram_state state;
	const struct secret *password; /* the caller's */
	char *user;                    /* owned */
	char *nonce;                   /* owned */
	struct buf transcript;         /* the AuthMessage */
	unsigned char server_signature[SHA256_DIGEST_LENGTH];
};

struct server_first {
	const char *nonce, *salt;
	size_t nonce_len, salt_len;
	unsigned long iterations;
};

struct scram *scram_new(const char *user, const struct secret *password)
{
	struct scram *s = xcalloc(1, sizeof(*s));

	s->password = password;
	s->user = xstrdup(user);
	buf_init(&s->transcript, (size_t)3 * MESSAGE_MAX);
	return s;
}

void scram_free(struct scram *s)
{
	if (!s)
		return;
	buf_clear(&s->transcript);
	free(s->user);
	free(s->nonce);
	secret_wipe(s->server_signature, sizeof(s->server_signature));
	free(s);
}

void scram_use_nonce(struct scram *s, const char *nonce)
{
	free(s->nonce);
	s->nonce = xstrdup(nonce);
}

static char *random_nonce(void)
{
	unsigned char bytes[NONCE_BYTES];
	struct buf text;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		abort();
	buf_init(&text, (size_t)2 * NONCE_BYTES);
	base64_encode(&text, bytes, sizeof(bytes));
	return buf_take(&text, NULL);
}

void scram_begin(struct scram *s, struct buf *out)
{
	if (!s->nonce)
		s->nonce = random_nonce();
	buf_add_text(&s->transcript, "n=");
	for (const char *c = s->user; *c; c++) {
		if (*c == '=')
			buf_add_text(&s->transcript, "=3D");
		else if (*c == ',')
			buf_add_text(&s->transcript, "=2C");
		else
			buf_add(&s->transcript, c, 1);
	}
	buf_printf(&s->transcript, ",r=%s", s->nonce);
	buf_add_text(out, "n,,");
	buf_add(out, buf_bytes(&s->transcript), s->transcript.len);
}

/* Takes "k=value" off the front of *rest, with the comma behind it. */
static bool take_field(const char **rest, char key, const char **ret, size_t *ret_len)
{
	const char *text = *rest;

	if (text[0] != key || text[1] != '=')
		return false;
	*ret = text + 2;
	*ret_len = strcspn(*ret, ",");
	*rest = *ret + *ret_len;
	if (**rest == ',')
		(*rest)++;
	return true;
}

static int parse_first(const struct scram *s, const char *text, struct server_first *ret,
		       struct failure *f)
{
	const char *number;
	size_t len, ours = strlen(s->nonce);
	char *end;

	if (text[0] == 'm')
		return failure_set(f, FAILURE_LATER,
				   "SCRAM: the server asks for an extension we do not have");
	if (!take_field(&text, 'r', &ret->nonce, &ret->nonce_len) ||
	    !take_field(&text, 's', &ret->salt, &ret->salt_len) ||
	    !take_field(&text, 'i', &number, &len) || len == 0 || len > 9 ||
	    strspn(number, "0123456789") < len)
		return failure_set(f, FAILURE_LATER, "SCRAM: the server's challenge is malformed");
	if (ret->nonce_len <= ours || memcmp(ret->nonce, s->nonce, ours) != 0)
		return failure_set(f, FAILURE_SETUP,
				   "SCRAM: the server's challenge is not an answer to us");
	ret->iterations = strtoul(number, &end, 10);
	if (ret->iterations < ITERATIONS_MIN || ret->iterations > ITERATIONS_MAX)
		return failure_set(
			f, FAILURE_SETUP,
			"SCRAM: the server asks for %lu iterations; %d to %d are accepted",
			ret->iterations, ITERATIONS_MIN, ITERATIONS_MAX);
	return 0;
}

static void hmac(const void *key, const void *bytes, size_t len, unsigned char *out)
{
	if (!HMAC(EVP_sha256(), key, SHA256_DIGEST_LENGTH, bytes, len, out, NULL))
		abort();
}

/* Our proof into the first argument; keeps what the server must sign. */
static int prove(struct scram *s, unsigned char proof[SHA256_DIGEST_LENGTH],
		 const struct server_first *first, const struct buf *salt)
{
	unsigned char salted[SHA256_DIGEST_LENGTH], key[SHA256_DIGEST_LENGTH];
	unsigned char stored[SHA256_DIGEST_LENGTH], signature[SHA256_DIGEST_LENGTH];
	const char *message = buf_bytes(&s->transcript);

	if (PKCS5_PBKDF2_HMAC(secret_bytes(s->password), (int)secret_len(s->password),
			      (const unsigned char *)buf_bytes(salt), (int)salt->len,
			      (int)first->iterations, EVP_sha256(), sizeof(salted), salted) != 1)
		return -1;
	hmac(salted, "Server Key", 10, key);
	hmac(key, message, s->transcript.len, s->server_signature);
	hmac(salted, "Client Key", 10, key);
	SHA256(key, sizeof(key), stored);
	hmac(stored, message, s->transcript.len, signature);
	for (size_t i = 0; i < sizeof(key); i++)
		proof[i] = key[i] ^ signature[i];
	secret_wipe(salted, sizeof(salted));
	secret_wipe(key, sizeof(key));
	secret_wipe(stored, sizeof(stored));
	return 0;
}

static int answer_first(struct scram *s, const char *text, struct buf *out, struct failure *f)
{
	struct server_first first = {0};
	unsigned char proof[SHA256_DIGEST_LENGTH];
	struct buf salt;
	int done = -1;

	if (parse_first(s, text, &first, f) < 0)
		return -1;
	buf_init(&salt, SALT_MAX);
	AUTO(free) char *encoded = xstrndup(first.salt, first.salt_len);
	AUTO(free) char *final = xprintf("c=biws,r=%.*s", (int)first.nonce_len, first.nonce);

	if (base64_decode(&salt, encoded, first.salt_len) == 0 && salt.len > 0 &&
	    buf_printf(&s->transcript, ",%s,%s", text, final) == 0)
		done = prove(s, proof, &first, &salt);
	buf_clear(&salt);
	if (done < 0)
		return failure_set(f, FAILURE_LATER, "SCRAM: the server's challenge is malformed");
	buf_printf(out, "%s,p=", final);
	base64_encode(out, proof, sizeof(proof));
	s->state = SCRAM_PROVED;
	return 0;
}

static int check_last(struct scram *s, const char *text, struct failure *f)
{
	const char *value;
	size_t len;
	struct buf signature;
	bool equal;

	if (take_field(&text, 'e', &value, &len))
		return failure_set(f, FAILURE_SETUP, "SCRAM: the server says %.*s", (int)len,
				   value);
	if (!take_field(&text, 'v', &value, &len))
		return failure_set(f, FAILURE_LATER, "SCRAM: the server's last word is malformed");
	buf_init(&signature, SHA256_DIGEST_LENGTH);
	AUTO(free) char *encoded = xstrndup(value, len);

	equal = base64_decode(&signature, encoded, len) == 0 &&
		signature.len == SHA256_DIGEST_LENGTH &&
		CRYPTO_memcmp(buf_bytes(&signature), s->server_signature, signature.len) == 0;
	buf_clear(&signature);
	if (!equal)
		return failure_set(f, FAILURE_SETUP,
				   "SCRAM: the server does not know the password it asks for");
	s->state = SCRAM_VERIFIED;
	return 0;
}

int scram_step(struct scram *s, const char *challenge, size_t len, struct buf *out,
	       struct failure *f)
{
	enum scram_state state = s->state;

	s->state = SCRAM_BROKEN;
	if (len > MESSAGE_MAX || memchr(challenge, '\0', len))
		return failure_set(f, FAILURE_LATER, "SCRAM: the server's challenge is malformed");
	AUTO(free) char *text = xstrndup(challenge, len);

	switch (state) {
	case SCRAM_BEGUN:
		return answer_first(s, text, out, f);
	case SCRAM_PROVED:
		return check_last(s, text, f);
	case SCRAM_VERIFIED:
	case SCRAM_BROKEN:
		break;
	}
	return failure_set(f, FAILURE_LATER, "SCRAM: the server asks once too often");
}

bool scram_is_proven(const struct scram *s)
{
	return s->state == SCRAM_VERIFIED;
}
