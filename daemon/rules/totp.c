/* rules/totp.c - one-time codes: HOTP (RFC 4226 5.3) of the time's step (RFC 6238 4),
 * HMAC-SHA-1, 6 digits, steps of 30 s: what every authenticator app makes unless told
 * otherwise. */
#include "rules/proof.h"

#include <stdbool.h>
#include <stdio.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "secret.h"

enum {
	STEP_MS = 30 * 1000,
	CODES = 1000000,
};

void totp_code(const void *key, size_t len, uint64_t step, char ret[7])
{
	unsigned char counter[8], mac[EVP_MAX_MD_SIZE] = {0};
	unsigned mac_len = 0;

	for (int i = 7; i >= 0; i--, step >>= 8)
		counter[i] = (unsigned char)step;
	HMAC(EVP_sha1(), key, (int)len, counter, sizeof(counter), mac, &mac_len);
	const unsigned char *p = mac + (mac[19] & 15); /* dynamic truncation */
	uint32_t number =
		(uint32_t)(p[0] & 0x7f) << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	snprintf(ret, 7, "%06u", number % CODES);
	secret_wipe(mac, sizeof(mac));
}

int64_t totp_step(int64_t wall_ms)
{
	return wall_ms < 0 ? 0 : wall_ms / STEP_MS;
}

static int base32_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

size_t totp_key(const char *base32, void *ret, size_t size)
{
	unsigned char *out = ret;
	uint32_t bits = 0;
	unsigned held = 0;
	size_t n = 0, digits = 0;

	for (; *base32 && *base32 != '='; base32++) {
		if (*base32 == ' ' || *base32 == '\t' || *base32 == '\r' || *base32 == '\n')
			continue;
		int digit = base32_digit(*base32);
		if (digit < 0)
			return 0;
		digits++;
		bits = (bits << 5 | (uint32_t)digit) & 0xfff;
		held += 5;
		if (held < 8)
			continue;
		if (n == size)
			return 0;
		held -= 8;
		out[n++] = (unsigned char)(bits >> held);
	}
	while (*base32 == '=' || *base32 == ' ' || *base32 == '\r' || *base32 == '\n')
		base32++;
	/* 1, 3 and 6 digits over are no whole octets. */
	bool is_whole = digits % 8 != 1 && digits % 8 != 3 && digits % 8 != 6;
	return *base32 || !is_whole ? 0 : n;
}
