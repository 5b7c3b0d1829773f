/* Proofs: RFC 4226's and RFC 6238's vectors, windows of time, what must not be used
 * again, and that nothing else passes. */
#include "rules/proof.h"

#include "expect.h"
#include "secret.h"

#define NOW INT64_C(1795379400000) /* 2026-11-22T20:30:00Z */
#define MINUTE INT64_C(60000)

static const char key_text[] = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"; /* "12345678901234567890" */

TEST(codes_of_rfc_4226_and_6238)
{
	static const struct {
		uint64_t step;
		const char *code;
	} vectors[] = {
		{0, "755224"},
		{1, "287082"},
		{9, "520489"},
		{1111111109 / 30, "081804"},
		{1111111111 / 30, "050471"},
		{1234567890 / 30, "005924"},
		{2000000000 / 30, "279037"},
		{20000000000 / 30, "353130"},
	};
	char code[7];

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		totp_code("12345678901234567890", 20, vectors[i].step, code);
		expect_text(code, vectors[i].code);
	}
	expect_int(totp_step(59000), 1);
	expect_int(totp_step(-1), 0);
}

TEST(base32_as_people_write_it)
{
	char key[20];

	expect_int(totp_key(key_text, key, sizeof(key)), 20);
	expect_bytes(key, 20, "12345678901234567890", 20);
	expect_int(totp_key("gezd gnbv gy3t qojq gezd gnbv gy3t qojq\n", key, sizeof(key)), 20);
	expect_int(totp_key("MZXW6YQ=", key, sizeof(key)), 4);
	expect_bytes(key, 4, "foob", 4);
	expect_int(totp_key(key_text, key, 19), 0);
	expect_int(totp_key("GEZDGNB1", key, sizeof(key)), 0);
	expect_int(totp_key("GEZ", key, sizeof(key)), 0);
	expect_int(totp_key("MZXW6YQ=A", key, sizeof(key)), 0);
	expect_int(totp_key("", key, sizeof(key)), 0);
}

static enum proof_verdict judge(const struct proof_request *request, const char *key,
				struct proof_used *used)
{
	struct secret *secret = key ? secret_new(key, strlen(key)) : NULL;
	struct proof_request r = *request;
	struct failure why = {0};

	*used = (struct proof_used){0};
	r.contact = r.contact ? r.contact : "ana";
	r.received_ms = r.received_ms ? r.received_ms : NOW;
	r.rule = r.rule ? r.rule : "torrent";
	r.command = r.command ? r.command : "torrent x";
	r.key = secret;
	enum proof_verdict verdict = proof_judge(&r, used, &why);
	if (verdict == PROOF_BROKEN)
		expect_int(why.kind, FAILURE_SETUP);
	if (verdict != PROOF_HOLDS)
		expect_true(*why.text);
	if (key && *key && strstr(why.text, key))
		expect_stop(__FILE__, __LINE__, "the key is told: %s", why.text);
	expect_int(*used->value != '\0', verdict == PROOF_HOLDS);
	secret_free(secret);
	return verdict;
}

static enum proof_verdict judge_code(int64_t code_ms, struct proof_used *used)
{
	char code[7];

	totp_code("12345678901234567890", 20, (uint64_t)totp_step(code_ms), code);
	return judge(&(struct proof_request){.kind = PROOF_TOTP, .value = code}, key_text, used);
}

TEST(a_code_holds_from_ten_minutes_before_to_a_step_after)
{
	struct proof_used used;

	expect_int(judge_code(NOW, &used), PROOF_HOLDS);
	expect_text(used.kind, "totp");
	expect_text(used.value, "59845980");
	expect_true(used.forget_ms > NOW + 10 * MINUTE);
	expect_int(judge_code(NOW - 10 * MINUTE, &used), PROOF_HOLDS);
	expect_int(judge_code(NOW + 30000, &used), PROOF_HOLDS);
	expect_int(judge_code(NOW - 10 * MINUTE - 1, &used), PROOF_STALE);
	expect_int(judge_code(NOW + 60000, &used), PROOF_STALE);
	expect_int(judge_code(NOW - 48 * 60 * MINUTE, &used), PROOF_WRONG);
}

TEST(a_code_again_within_its_step_is_the_same_use)
{
	struct proof_request r = {.kind = PROOF_TOTP};
	struct proof_used first, second;
	char code[7];

	totp_code("12345678901234567890", 20, (uint64_t)totp_step(NOW), code);
	r.value = code;
	r.command = "torrent one";
	expect_int(judge(&r, key_text, &first), PROOF_HOLDS);
	r.command = "torrent another";
	r.received_ms = NOW + 5 * MINUTE;
	expect_int(judge(&r, key_text, &second), PROOF_HOLDS);
	expect_text(second.value, first.value);
}

TEST(what_is_no_code)
{
	static const char *const bad[] = {"00000",  "0000000", "abcdef",
					  "-12345", "12345\n", "１２３４５６"};
	struct proof_request r = {.kind = PROOF_TOTP};
	struct proof_used used;
	char code[7], spaced[9];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		r.value = bad[i];
		expect_int(judge(&r, key_text, &used), PROOF_WRONG);
	}
	totp_code("12345678901234567890", 20, (uint64_t)totp_step(NOW), code);
	snprintf(spaced, sizeof(spaced), "%.3s %s", code, code + 3);
	r.value = spaced;
	expect_int(judge(&r, key_text, &used), PROOF_HOLDS);
	expect_int(judge(&r, "not base32!", &used), PROOF_BROKEN);
	expect_int(judge(&r, "GEZDGNBV", &used), PROOF_BROKEN); /* too short to be a key */
	expect_int(judge(&r, NULL, &used), PROOF_BROKEN);
	r.value = NULL;
	expect_int(judge(&r, key_text, &used), PROOF_MISSING);
}

TEST(a_secret_and_what_makes_its_use_unique)
{
	struct proof_request r = {.kind = PROOF_SECRET, .value = "open sesame", .date_ms = NOW};
	struct proof_used first, other;

	r.text = "key: open sesame\n";
	expect_int(judge(&r, "open sesame", &first), PROOF_HOLDS);
	expect_text(first.kind, "secret");
	expect_int(strlen(first.value), 64);
	r.received_ms = NOW + MINUTE; /* the same mail once more */
	expect_int(judge(&r, "open sesame", &other), PROOF_HOLDS);
	expect_text(other.value, first.value);
	r.date_ms++;
	expect_int(judge(&r, "open sesame", &other), PROOF_HOLDS);
	expect_true(strcmp(other.value, first.value) != 0);
	r.date_ms--;
	r.text = "key: open sesame\n\n";
	expect_int(judge(&r, "open sesame", &other), PROOF_HOLDS);
	expect_true(strcmp(other.value, first.value) != 0);
	r.date_ms = NOW - 8 * 24 * 60 * MINUTE;
	expect_int(judge(&r, "open sesame", &other), PROOF_STALE);
	r.date_ms = 0; /* no Date */
	expect_int(judge(&r, "open sesame", &other), PROOF_STALE);
	r.value = "open sesam";
	expect_int(judge(&r, "open sesame", &other), PROOF_WRONG);
	r.value = "open sesame ";
	expect_int(judge(&r, "open sesame", &other), PROOF_WRONG);
}

static char *hmac_of(const char *key, const char *rule, const char *command, int64_t at,
		     const char *nonce)
{
	struct secret *secret = secret_new(key, strlen(key));
	char *value = proof_make_hmac(secret, rule, command, at, nonce);

	secret_free(secret);
	return value;
}

TEST(an_hmac_is_of_one_rule_command_time_and_nonce)
{
	char *value = hmac_of("k", "torrent", "torrent x", NOW, "abcdefgh");
	struct proof_request r = {.kind = PROOF_HMAC, .value = value};
	struct proof_used used;

	/* printf 'torrent\ntorrent x\n20261122T203000Z\nabcdefgh' | openssl sha256 -hmac k */
	expect_text(value, "20261122T203000Z-abcdefgh-"
			   "610da2de4683f1ba98292366ec258233f100db885877b174bcb8a9afcf58c74e");
	expect_int(judge(&r, "k", &used), PROOF_HOLDS);
	expect_text(used.kind, "hmac");
	expect_text(used.value, "abcdefgh");
	expect_int(judge(&r, "K", &used), PROOF_WRONG);
	r.command = "torrent y";
	expect_int(judge(&r, "k", &used), PROOF_WRONG);
	r.command = NULL;
	r.rule = "other";
	expect_int(judge(&r, "k", &used), PROOF_WRONG);
	r.rule = NULL;
	r.received_ms = NOW + 10 * MINUTE;
	expect_int(judge(&r, "k", &used), PROOF_HOLDS);
	r.received_ms++;
	expect_int(judge(&r, "k", &used), PROOF_STALE);
	r.received_ms = NOW - 10 * MINUTE - 1;
	expect_int(judge(&r, "k", &used), PROOF_STALE);
	free(value);
}

TEST(what_is_no_hmac)
{
	static const struct {
		size_t at;
		char put;
	} changes[] = {{8, 't'},  {4, '3'},  {16, ':'},  {17, '-'},
		       {25, 'x'}, {26, 'g'}, {30, '\0'}, {15, 'X'}};
	struct proof_used used;

	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		char *value = hmac_of("k", "torrent", "torrent x", NOW, "abcdefgh");

		value[changes[i].at] = changes[i].put;
		expect_int(judge(&(struct proof_request){.kind = PROOF_HMAC, .value = value}, "k",
				 &used),
			   PROOF_WRONG);
		free(value);
	}
	char *brief = hmac_of("k", "torrent", "torrent x", NOW, "abcdefg");
	expect_int(judge(&(struct proof_request){.kind = PROOF_HMAC, .value = brief}, "k", &used),
		   PROOF_WRONG);
	free(brief);
}

TEST(the_engines_own_proofs_are_not_judged_here)
{
	static const enum proof_kind kinds[] = {PROOF_UNSAID, PROOF_NONE, PROOF_CONFIRM};
	struct proof_used used;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		expect_int(
			judge(&(struct proof_request){.kind = kinds[i], .value = "x"}, "x", &used),
			PROOF_BROKEN);
}

TEST(a_made_code_is_eight_digits_and_another_each_time)
{
	char first[9], second[9];

	proof_make_code(first);
	proof_make_code(second);
	expect_int(strspn(first, "0123456789"), 8);
	expect_int(strlen(first), 8);
	if (strcmp(first, second) == 0) /* once in a hundred million */
		proof_make_code(second);
	expect_true(strcmp(first, second) != 0);
}

RUN_TESTS()
