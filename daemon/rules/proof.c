/* rules/proof.c - the three proofs that come with the command. Each is compared in a time
 * that does not depend on where it differs, and each names what must not be used twice.
 * What the ledger remembers it must remember for longer than a mail that came in time may
 * wait to be read (an outage): a month is added to every date of forgetting. */
#include "rules/proof.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "alloc.h"
#include "auto.h"
#include "rules/match.h"
#include "secret.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MS (24 * 60 * MINUTE_MS)
#define SLOW_MS (10 * MINUTE_MS)   /* how long a mail may be under way */
#define REMEMBER_MS (30 * DAY_MS)  /* beyond the time in which it could be used */
#define SECRET_AGE_MS (7 * DAY_MS) /* of Date: a server may try for five days */
#define STALE_STEPS_BEFORE 120     /* looked at only to tell late from wrong */
#define STALE_STEPS_AFTER 10

enum {
	TOTP_KEY_MIN = 10, /* octets; RFC 4226 wants 16, apps were made for 10 */
	TOTP_KEY_MAX = 128,
	DIGEST_LEN = 32,
	HEX_LEN = 2 * DIGEST_LEN,
	NONCE_MIN = 8,
	NONCE_MAX = 64,
	TIME_LEN = 16, /* 20261122T203000Z */
};

static void to_hex(const unsigned char *bytes, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		sprintf(out + 2 * i, "%02x", bytes[i]);
}

static enum proof_verdict broken(struct failure *why, const char *contact, const char *what)
{
	failure_set(why, FAILURE_SETUP, "contact %s: %s", contact, what);
	return PROOF_BROKEN;
}

static enum proof_verdict refuse(struct failure *why, enum proof_verdict verdict,
				 const char *sentence)
{
	failure_set(why, FAILURE_REFUSED, "%s", sentence);
	return verdict;
}

static void fill_used(struct proof_used *used, const char *kind, const char *value,
		      int64_t until_ms)
{
	snprintf(used->kind, sizeof(used->kind), "%s", kind);
	snprintf(used->value, sizeof(used->value), "%s", value);
	used->forget_ms = until_ms + REMEMBER_MS;
}

/* Lengths stand before the parts, so that none can lend octets to its neighbour. */
static void digest_part(EVP_MD_CTX *ctx, const char *text)
{
	uint64_t len = text ? strlen(text) : 0;

	EVP_DigestUpdate(ctx, &len, sizeof(len));
	EVP_DigestUpdate(ctx, text ? text : "", len);
}

/* Without the secret itself, which could else be searched for with the digest. */
static void digest_mail(const struct proof_request *r, char hex[HEX_LEN + 1])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const struct command_line proof = {.proof = (char *)(uintptr_t)r->value};
	AUTO(free) char *text = xstrdup(r->text ? r->text : "");

	if (!ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
		abort();
	command_line_redact(&proof, text);
	digest_part(ctx, r->contact);
	EVP_DigestUpdate(ctx, &r->date_ms, sizeof(r->date_ms));
	digest_part(ctx, r->command);
	digest_part(ctx, text);
	EVP_DigestFinal_ex(ctx, digest, NULL);
	EVP_MD_CTX_free(ctx);
	to_hex(digest, DIGEST_LEN, hex);
}

static enum proof_verdict judge_secret(const struct proof_request *r, struct proof_used *used,
				       struct failure *why)
{
	char digest[HEX_LEN + 1];

	if (!secret_equal(r->key, r->value, strlen(r->value)))
		return refuse(why, PROOF_WRONG, "the secret is not right");
	/* Without a bound to Date, what was used would have to be kept for ever. */
	if (r->date_ms < r->received_ms - SECRET_AGE_MS || r->date_ms > r->received_ms + DAY_MS)
		return refuse(why, PROOF_STALE, "the mail's Date is not of these days");
	digest_mail(r, digest);
	fill_used(used, "secret", digest, r->date_ms + SECRET_AGE_MS);
	return PROOF_HOLDS;
}

/* The code without blanks ("123 456"), or false: not six digits. */
static bool read_code(const char *value, char code[7])
{
	size_t n = 0;

	for (; *value; value++) {
		if (*value == ' ')
			continue;
		if (!isdigit((unsigned char)*value) || n == 6)
			return false;
		code[n++] = *value;
	}
	code[n] = '\0';
	return n == 6;
}

/* The latest step from first to last with that code, or -1. All are tried. */
static int64_t find_step(const void *key, size_t len, const char *code, int64_t first, int64_t last)
{
	int64_t found = -1;
	char right[7];

	for (int64_t step = first < 0 ? 0 : first; step <= last; step++) {
		totp_code(key, len, (uint64_t)step, right);
		if (CRYPTO_memcmp(right, code, 6) == 0)
			found = step;
	}
	secret_wipe(right, sizeof(right));
	return found;
}

static enum proof_verdict judge_totp(const struct proof_request *r, struct proof_used *used,
				     struct failure *why)
{
	unsigned char key[TOTP_KEY_MAX];
	size_t len = totp_key(secret_bytes(r->key), key, sizeof(key));
	int64_t first = totp_step(r->received_ms - SLOW_MS);
	int64_t last = totp_step(r->received_ms) + 1;
	char code[7], value[24];

	if (len < TOTP_KEY_MIN) {
		secret_wipe(key, sizeof(key));
		return broken(why, r->contact, "totp is no base32 key of 10 to 128 octets");
	}
	bool is_code = read_code(r->value, code);
	int64_t step = is_code ? find_step(key, len, code, first, last) : -1;
	bool is_stale = is_code && step < 0 &&
			find_step(key, len, code, first - STALE_STEPS_BEFORE,
				  last + STALE_STEPS_AFTER) >= 0;
	secret_wipe(key, sizeof(key));
	if (is_stale)
		return refuse(why, PROOF_STALE, "the code is of another time");
	if (step < 0)
		return refuse(why, PROOF_WRONG, "the code is not right");
	snprintf(value, sizeof(value), "%" PRId64, step);
	fill_used(used, "totp", value, (step + 1) * 30000 + SLOW_MS);
	return PROOF_HOLDS;
}

/* "20261122T203000Z" */
static bool read_time(const char *text, int64_t *ret_ms)
{
	struct tm tm = {0}, same;
	char again[TIME_LEN + 1], first[TIME_LEN + 1];

	snprintf(first, sizeof(first), "%.*s", TIME_LEN, text);
	if (sscanf(first, "%4d%2d%2dT%2d%2d%2dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
		   &tm.tm_min, &tm.tm_sec) != 6)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	time_t seconds = timegm(&tm);
	*ret_ms = (int64_t)seconds * 1000;
	/* Only what is written back the same is a time. */
	return gmtime_r(&seconds, &same) &&
	       strftime(again, sizeof(again), "%Y%m%dT%H%M%SZ", &same) == TIME_LEN &&
	       strcmp(again, first) == 0;
}

struct hmac_value {
	char time[TIME_LEN + 1], nonce[NONCE_MAX + 1], hex[HEX_LEN + 1];
	int64_t time_ms;
};

static bool read_hmac(const char *value, struct hmac_value *ret)
{
	const char *nonce = value + TIME_LEN + 1;

	if (strlen(value) < TIME_LEN + 1 || value[TIME_LEN] != '-' ||
	    !read_time(value, &ret->time_ms))
		return false;
	size_t n = strspn(nonce, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
	const char *hex = nonce + n + 1;
	if (n < NONCE_MIN || n > NONCE_MAX || nonce[n] != '-' || strlen(hex) != HEX_LEN ||
	    strspn(hex, "0123456789abcdefABCDEF") != HEX_LEN)
		return false;
	snprintf(ret->time, sizeof(ret->time), "%.*s", TIME_LEN, value);
	snprintf(ret->nonce, sizeof(ret->nonce), "%.*s", (int)n, nonce);
	for (size_t i = 0; i <= HEX_LEN; i++)
		ret->hex[i] = (char)tolower((unsigned char)hex[i]);
	return true;
}

static void make_hmac(const struct secret *key, const char *rule, const char *command,
		      const char *time, const char *nonce, char hex[HEX_LEN + 1])
{
	char *said = xprintf("%s\n%s\n%s\n%s", rule, command, time, nonce);
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	HMAC(EVP_sha256(), secret_bytes(key), (int)secret_len(key), (unsigned char *)said,
	     strlen(said), mac, &len);
	to_hex(mac, DIGEST_LEN, hex);
	secret_wipe(mac, sizeof(mac));
	free(said);
}

static enum proof_verdict judge_hmac(const struct proof_request *r, struct proof_used *used,
				     struct failure *why)
{
	struct hmac_value v;
	char right[HEX_LEN + 1];

	if (!read_hmac(r->value, &v))
		return refuse(why, PROOF_WRONG, "the proof is not TIME-NONCE-HEX");
	make_hmac(r->key, r->rule, r->command, v.time, v.nonce, right);
	bool is_right = CRYPTO_memcmp(right, v.hex, HEX_LEN) == 0;
	secret_wipe(right, sizeof(right));
	if (!is_right)
		return refuse(why, PROOF_WRONG,
			      "the HMAC is not that of this rule, command, time and nonce");
	if (v.time_ms < r->received_ms - SLOW_MS || v.time_ms > r->received_ms + SLOW_MS)
		return refuse(why, PROOF_STALE, "the HMAC is of another time");
	fill_used(used, "hmac", v.nonce, v.time_ms + SLOW_MS);
	return PROOF_HOLDS;
}

enum proof_verdict proof_judge(const struct proof_request *r, struct proof_used *used,
			       struct failure *why)
{
	static const struct {
		const char *lacking;
		enum proof_verdict (*judge)(const struct proof_request *r, struct proof_used *used,
					    struct failure *why);
	} proofs[] = {
		[PROOF_SECRET] = {"has no secret", judge_secret},
		[PROOF_TOTP] = {"has no totp key", judge_totp},
		[PROOF_HMAC] = {"has no hmac key", judge_hmac},
	};
	size_t kind = (size_t)r->kind;

	if (kind >= sizeof(proofs) / sizeof(*proofs) || !proofs[kind].judge)
		return broken(why, r->contact, "such a proof does not come with the command");
	if (!r->key || !secret_len(r->key))
		return broken(why, r->contact, proofs[kind].lacking);
	if (!r->value || !*r->value)
		return refuse(why, PROOF_MISSING, "no proof came with the command");
	return proofs[kind].judge(r, used, why);
}

char *proof_make_hmac(const struct secret *key, const char *rule, const char *command,
		      int64_t wall_ms, const char *nonce)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	char at[TIME_LEN + 8], hex[HEX_LEN + 1];
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || !strftime(at, sizeof(at), "%Y%m%dT%H%M%SZ", &tm))
		at[0] = '\0';
	make_hmac(key, rule, command, at, nonce, hex);
	return xprintf("%s-%s-%s", at, nonce, hex);
}

void proof_make_code(char ret[9])
{
	const uint32_t codes = 100000000, fair = UINT32_MAX - UINT32_MAX % codes;
	uint32_t number;

	do {
		if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
			abort(); /* never for so few octets */
	} while (number >= fair);
	snprintf(ret, 9, "%08u", number % codes);
	secret_wipe(&number, sizeof(number));
}
