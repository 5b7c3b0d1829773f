/* SASL: who is chosen, what each says, and which servers SCRAM believes. */
#include "net/sasl.h"

#include "auto.h"
#include "buf.h"
#include "expect.h"
#include "failure.h"
#include "net/scram.h"
#include "secret.h"

#define ALL "PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256 XOAUTH2 OAUTHBEARER"

static struct secret *secret_of(const char *text)
{
	return secret_new(text, strlen(text));
}

static const char *chosen(const struct sasl_credentials *credentials, const char *offered)
{
	struct sasl *s;
	struct failure f;
	const char *name;

	if (sasl_new(credentials, offered, &s, &f) < 0) {
		expect_int(f.kind, FAILURE_SETUP);
		return NULL;
	}
	name = sasl_mechanism(s);
	sasl_free(s);
	return name;
}

TEST(the_best_that_is_offered_and_possible_is_chosen)
{
	AUTO(secret_free) struct secret *password = secret_of("pencil");
	AUTO(secret_free) struct secret *token = secret_of("ya29.x");
	struct sasl_credentials c = {.user = "user", .password = password, .secure = true};

	expect_text(chosen(&c, ALL), "SCRAM-SHA-256");
	expect_text(chosen(&c, "login plain"), "PLAIN");
	expect_text(chosen(&c, " LOGIN  XPLAIN PLAINER"), "LOGIN");
	expect_null(chosen(&c, "XOAUTH2 GSSAPI"));
	expect_null(chosen(&c, ""));
	c.token = token;
	expect_text(chosen(&c, ALL), "OAUTHBEARER");
	expect_text(chosen(&c, "PLAIN XOAUTH2"), "XOAUTH2");
}

TEST(allowed_mechanisms_are_taken_in_their_own_order_and_no_others)
{
	AUTO(secret_free) struct secret *password = secret_of("pencil");
	char plain[] = "plain", scram[] = "SCRAM-SHA-256", cram[] = "CRAM-MD5";
	char *plain_first[] = {plain, scram, NULL};
	char *unknown[] = {cram, NULL};
	struct sasl_credentials c = {
		.user = "user", .password = password, .secure = true, .allowed = plain_first};
	struct sasl *s;
	struct failure f;

	expect_text(chosen(&c, ALL), "PLAIN");
	c.allowed = unknown;
	expect_failure(sasl_new(&c, "PLAIN LOGIN", &s, &f), &f, FAILURE_SETUP);
	expect_text(f.text,
		    "no way to log in: the server offers PLAIN LOGIN, we could do CRAM-MD5");
}

TEST(without_tls_or_a_secret_nothing_is_chosen)
{
	AUTO(secret_free) struct secret *password = secret_of("pencil");
	AUTO(secret_free) struct secret *broken = secret_new("a\0b", 3);
	struct sasl_credentials c = {.user = "user", .password = password};

	expect_null(chosen(&c, ALL));
	c.secure = true;
	c.password = NULL;
	expect_null(chosen(&c, ALL));
	c.password = broken;
	expect_null(chosen(&c, ALL));
	c.password = password;
	c.user = "us\001er";
	expect_null(chosen(&c, ALL));
	c.user = "user";
	expect_some(chosen(&c, ALL));
}

struct login {
	struct sasl *sasl;
	struct buf out;
	struct failure f;
};

static void begin(struct login *t, const struct sasl_credentials *c, const char *offered)
{
	buf_init(&t->out, 4096);
	expect_ok(sasl_new(c, offered, &t->sasl, &t->f), &t->f);
}

static void finish(struct login *t)
{
	sasl_free(t->sasl);
	buf_clear(&t->out);
}

static int answer(struct login *t, const char *challenge)
{
	buf_drain(&t->out, t->out.len);
	return sasl_step(t->sasl, challenge, strlen(challenge), &t->out, &t->f);
}

static void expect_out(struct login *t, const char *want, size_t len)
{
	expect_bytes(buf_bytes(&t->out), t->out.len, want, len);
}

TEST(plain_says_all_at_once)
{
	AUTO(secret_free) struct secret *password = secret_of("p:\"\xc3\xa4 s\\");
	struct sasl_credentials c = {.user = "me@x", .password = password, .secure = true};
	struct login t;

	begin(&t, &c, "PLAIN");
	expect_true(sasl_initial(t.sasl, &t.out));
	expect_out(&t, "\0me@x\0p:\"\xc3\xa4 s\\", 14);
	expect_ok(sasl_finish(t.sasl, &t.f), &t.f);
	expect_failure(answer(&t, ""), &t.f, FAILURE_LATER);
	finish(&t);
}

TEST(login_answers_two_questions_and_no_third)
{
	AUTO(secret_free) struct secret *password = secret_of("pencil");
	struct sasl_credentials c = {.user = "user", .password = password, .secure = true};
	struct login t;

	begin(&t, &c, "LOGIN");
	expect_false(sasl_initial(t.sasl, &t.out));
	expect_int(answer(&t, "Username:"), 0);
	expect_out(&t, "user", 4);
	expect_int(answer(&t, "Password:"), 0);
	expect_out(&t, "pencil", 6);
	expect_failure(answer(&t, "Mother's name:"), &t.f, FAILURE_LATER);
	finish(&t);
}

TEST(tokens_are_shown_as_each_mechanism_wants_and_errors_are_kept)
{
	static const char error[] = "{\"status\":\"401\",\"schemes\":\"bearer\"}";
	AUTO(secret_free) struct secret *token = secret_of("ya29.vF9");
	struct sasl_credentials c = {.user = "a=b,c@x.org",
				     .token = token,
				     .secure = true,
				     .host = "imap.x.org",
				     .port = 993};
	struct login t;

	begin(&t, &c, "XOAUTH2");
	expect_true(sasl_initial(t.sasl, &t.out));
	expect_text(buf_bytes(&t.out), "user=a=b,c@x.org\001auth=Bearer ya29.vF9\001\001");
	expect_null(sasl_said(t.sasl));
	expect_int(answer(&t, error), 0);
	expect_out(&t, "", 0);
	expect_text(sasl_said(t.sasl), error);
	expect_failure(answer(&t, error), &t.f, FAILURE_LATER);
	finish(&t);

	begin(&t, &c, "OAUTHBEARER");
	expect_true(sasl_initial(t.sasl, &t.out));
	expect_text(buf_bytes(&t.out), "n,a=a=3Db=2Cc@x.org,\001host=imap.x.org\001port=993\001"
				       "auth=Bearer ya29.vF9\001\001");
	expect_int(answer(&t, error), 0);
	expect_out(&t, "\001", 1);
	finish(&t);
}

/* RFC 7677, section 3. */
#define VECTOR_NONCE "rOprNGfwEbeRWgbNEkqO"
#define VECTOR_FIRST                                                                               \
	"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
#define VECTOR_PROOF                                                                               \
	"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"                             \
	"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
#define VECTOR_LAST "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

struct exchange {
	struct secret *password;
	struct scram *scram;
	struct buf out;
	struct failure f;
};

static void exchange_begin(struct exchange *e, const char *user, const char *password)
{
	e->password = secret_of(password);
	e->scram = scram_new(user, e->password);
	buf_init(&e->out, 4096);
	scram_use_nonce(e->scram, VECTOR_NONCE);
	scram_begin(e->scram, &e->out);
}

static void exchange_end(struct exchange *e)
{
	scram_free(e->scram);
	secret_free(e->password);
	buf_clear(&e->out);
}

static int hear(struct exchange *e, const char *challenge)
{
	buf_drain(&e->out, e->out.len);
	return scram_step(e->scram, challenge, strlen(challenge), &e->out, &e->f);
}

TEST(scram_speaks_as_the_vector_of_rfc_7677)
{
	struct exchange e;

	exchange_begin(&e, "user", "pencil");
	expect_text(buf_bytes(&e.out), "n,,n=user,r=" VECTOR_NONCE);
	expect_ok(hear(&e, VECTOR_FIRST), &e.f);
	expect_text(buf_bytes(&e.out), VECTOR_PROOF);
	expect_false(scram_is_proven(e.scram));
	expect_ok(hear(&e, VECTOR_LAST), &e.f);
	expect_int(e.out.len, 0);
	expect_true(scram_is_proven(e.scram));
	expect_failure(hear(&e, VECTOR_LAST), &e.f, FAILURE_LATER);
	exchange_end(&e);
}

TEST(scram_does_not_believe_a_server_that_does_not_know_the_password)
{
	static const char *const lasts[] = {
		"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=",
		"v=AAAA",
		"v=",
		"e=invalid-proof",
	};

	for (size_t i = 0; i < sizeof(lasts) / sizeof(*lasts); i++) {
		struct exchange e;

		exchange_begin(&e, "user", "pencil");
		expect_ok(hear(&e, VECTOR_FIRST), &e.f);
		expect_failure(hear(&e, lasts[i]), &e.f, FAILURE_SETUP);
		expect_false(scram_is_proven(e.scram));
		expect_failure(hear(&e, VECTOR_LAST), &e.f, FAILURE_LATER);
		expect_false(scram_is_proven(e.scram));
		exchange_end(&e);
	}
}

TEST(scram_refuses_challenges_that_are_malformed_foreign_or_costly)
{
	static const struct {
		const char *text;
		enum failure_kind kind;
	} firsts[] = {
		{"", FAILURE_LATER},
		{"r", FAILURE_LATER},
		{"v=AAAA", FAILURE_LATER},
		{"r=" VECTOR_NONCE "x,s=W22ZaJ0SNY7soEsUEjb6gQ==", FAILURE_LATER},
		{"r=" VECTOR_NONCE "x,s=,i=4096", FAILURE_LATER},
		{"r=" VECTOR_NONCE "x,s=W22Z*,i=4096", FAILURE_LATER},
		{"r=" VECTOR_NONCE "x,s=W22Z,i=", FAILURE_LATER},
		{"r=" VECTOR_NONCE "x,s=W22Z,i=-4096", FAILURE_LATER},
		{"r=" VECTOR_NONCE "x,s=W22Z,i=99999999999999999999", FAILURE_LATER},
		{"m=ext,r=" VECTOR_NONCE "x,s=W22Z,i=4096", FAILURE_LATER},
		{"r=" VECTOR_NONCE ",s=W22Z,i=4096", FAILURE_SETUP},
		{"r=other,s=W22Z,i=4096", FAILURE_SETUP},
		{"r=" VECTOR_NONCE "x,s=W22Z,i=4095", FAILURE_SETUP},
		{"r=" VECTOR_NONCE "x,s=W22Z,i=100000000", FAILURE_SETUP},
	};

	for (size_t i = 0; i < sizeof(firsts) / sizeof(*firsts); i++) {
		struct exchange e;

		exchange_begin(&e, "user", "pencil");
		expect_failure(hear(&e, firsts[i].text), &e.f, firsts[i].kind);
		expect_int(e.out.len, 0);
		exchange_end(&e);
	}
}

TEST(scram_escapes_names_and_takes_a_new_nonce_each_time)
{
	AUTO(secret_free) struct secret *password = secret_of("pencil");
	struct sasl_credentials c = {.user = "a=b,c", .password = password, .secure = true};
	struct login first, second;

	begin(&first, &c, ALL);
	begin(&second, &c, ALL);
	expect_true(sasl_initial(first.sasl, &first.out));
	expect_true(sasl_initial(second.sasl, &second.out));
	expect_contains(buf_bytes(&first.out), "n,,n=a=3Db=2Cc,r=");
	expect_true(strcmp(buf_bytes(&first.out), buf_bytes(&second.out)) != 0);
	/* success without the server's signature is none */
	expect_failure(sasl_finish(first.sasl, &first.f), &first.f, FAILURE_SETUP);
	finish(&first);
	finish(&second);
}

RUN_TESTS()
