/* rules/proof.h - is the sender proven (DESIGN 8)? Pure: what was used before is the
 * ledger's to know. */
#ifndef NUNCIO_RULES_PROOF_H
#define NUNCIO_RULES_PROOF_H
#include <stddef.h>
#include <stdint.h>
#include "config/rule_config.h"
#include "failure.h"
struct secret;

enum proof_verdict {
	PROOF_HOLDS,
	PROOF_WRONG,   /* given, and not right: a strike */
	PROOF_MISSING, /* none given: no strike */
	PROOF_STALE,   /* right, but of another time: no strike */
	PROOF_BROKEN,  /* contact has no such key, or it can't be read: why is FAILURE_SETUP */
};
struct proof_request {
	enum proof_kind kind;
	const struct secret *key; /* the contact's, for this kind; NULL: has none */
	const char *value;        /* what came with the command; NULL: nothing */
	const char *contact, *rule, *command;
	const char *text;    /* secret: the mail's whole text */
	int64_t date_ms;     /* secret: its Date */
	int64_t received_ms; /* INTERNALDATE, date_created */
};
struct proof_used {
	char kind[16];     /* "totp" ... */
	char value[80];    /* what must not be used again: a step, a nonce, a digest; never the
				 * secret or anything it could be guessed from */
	int64_t forget_ms; /* when it can't be used any more anyway; wall */
};
/* used is filled when it holds. Comparison takes the same time whatever differs.
 * secret: the value is the key. totp: RFC 6238, SHA-1, 6 digits, 30 s; key in base32;
 * steps from 10 min before received_ms to 1 step after. hmac: VALUE is
 * "TIME-NONCE-HEX": HMAC-SHA256 in hex over "RULE\nCOMMAND\nTIME\nNONCE", TIME
 * "20261122T203000Z" within 10 min of received_ms, NONCE 8..64 of [A-Za-z0-9].
 * confirm and none are the engine's. */
enum proof_verdict proof_judge(const struct proof_request *request, struct proof_used *used,
			       struct failure *why);

/* RFC 6238: the code of a step, 6 digits and NUL. key is raw octets. */
void totp_code(const void *key, size_t len, uint64_t step, char ret[7]);
int64_t totp_step(int64_t wall_ms);
/* base32 (RFC 4648), blanks and case ignored. Returns octets, or 0: not base32, or longer than size. */
size_t totp_key(const char *base32, void *ret, size_t size);
/* For hand-made commands and tests: VALUE; owned by the caller. */
char *proof_make_hmac(const struct secret *key, const char *rule, const char *command,
		      int64_t wall_ms, const char *nonce);
/* A code for `confirm`: 8 digits of a secure random source. */
void proof_make_code(char ret[9]);
#endif
