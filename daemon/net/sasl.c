/* net/sasl.c - decides how we show who we are: which mechanism, and the words
 * of the simple ones. SCRAM's are in net/scram.c. */
#include "net/sasl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "buf.h"
#include "failure.h"
#include "net/scram.h"
#include "secret.h"
#include "text.h"

#define SAID_SIZE 300

struct mechanism {
	const char *name;
	bool by_token;
	bool begins; /* the client speaks first */
	void (*initial)(struct sasl *s, struct buf *out);
	int (*step)(struct sasl *s, const char *challenge, size_t len, struct buf *out,
		    struct failure *f);
};

struct sasl {
	const struct mechanism *mechanism;
	const struct sasl_credentials *credentials; /* the caller's */
	unsigned steps;                             /* challenges answered */
	struct scram *scram;                        /* owned, or NULL */
	char said[SAID_SIZE];                       /* empty: nothing */
};

static int too_often(const struct sasl *s, struct failure *f)
{
	return failure_set(f, FAILURE_LATER, "%s: the server asks once too often",
			   s->mechanism->name);
}

static void plain_initial(struct sasl *s, struct buf *out)
{
	const struct sasl_credentials *c = s->credentials;

	buf_add(out, "", 1);
	buf_add_text(out, c->user);
	buf_add(out, "", 1);
	buf_add(out, secret_bytes(c->password), secret_len(c->password));
}

static int plain_step(struct sasl *s, const char *challenge, size_t len, struct buf *out,
		      struct failure *f)
{
	return too_often(s, f);
}

/* Servers word their questions as they like; they come in this order. */
static int login_step(struct sasl *s, const char *challenge, size_t len, struct buf *out,
		      struct failure *f)
{
	const struct sasl_credentials *c = s->credentials;

	if (s->steps > 2)
		return too_often(s, f);
	if (s->steps == 1)
		buf_add_text(out, c->user);
	else
		buf_add(out, secret_bytes(c->password), secret_len(c->password));
	return 0;
}

static void xoauth2_initial(struct sasl *s, struct buf *out)
{
	const struct sasl_credentials *c = s->credentials;

	buf_printf(out, "user=%s\001auth=Bearer ", c->user);
	buf_add(out, secret_bytes(c->token), secret_len(c->token));
	buf_add_text(out, "\001\001");
}

static void oauthbearer_initial(struct sasl *s, struct buf *out)
{
	const struct sasl_credentials *c = s->credentials;

	buf_add_text(out, "n,a=");
	for (const char *u = c->user; *u; u++) {
		if (*u == '=')
			buf_add_text(out, "=3D");
		else if (*u == ',')
			buf_add_text(out, "=2C");
		else
			buf_add(out, u, 1);
	}
	buf_printf(out, ",\001host=%s\001port=%u\001auth=Bearer ", c->host ? c->host : "",
		   (unsigned)c->port);
	buf_add(out, secret_bytes(c->token), secret_len(c->token));
	buf_add_text(out, "\001\001");
}

/* A challenge to a token is the server's error; it says no once it is answered. */
static int hear_error(struct sasl *s, const char *challenge, size_t len, const char *answer,
		      struct buf *out, struct failure *f)
{
	if (s->steps > 1)
		return too_often(s, f);
	text_safe_line(s->said, sizeof(s->said), challenge, len);
	buf_add_text(out, answer);
	return 0;
}

static int xoauth2_step(struct sasl *s, const char *challenge, size_t len, struct buf *out,
			struct failure *f)
{
	return hear_error(s, challenge, len, "", out, f);
}

static int oauthbearer_step(struct sasl *s, const char *challenge, size_t len, struct buf *out,
			    struct failure *f)
{
	return hear_error(s, challenge, len, "\001", out, f);
}

static void scram_initial(struct sasl *s, struct buf *out)
{
	scram_begin(s->scram, out);
}

static int scram_answer(struct sasl *s, const char *challenge, size_t len, struct buf *out,
			struct failure *f)
{
	return scram_step(s->scram, challenge, len, out, f);
}

/* In our order of preference. */
static const struct mechanism mechanisms[] = {
	{"OAUTHBEARER", true, true, oauthbearer_initial, oauthbearer_step},
	{"XOAUTH2", true, true, xoauth2_initial, xoauth2_step},
	{"SCRAM-SHA-256", false, true, scram_initial, scram_answer},
	{"PLAIN", false, true, plain_initial, plain_step},
	{"LOGIN", false, false, NULL, login_step},
};
#define MECHANISMS (sizeof(mechanisms) / sizeof(*mechanisms))

static bool is_offered(const char *offered, const char *name)
{
	size_t len = strlen(name);

	for (const char *word = offered + strspn(offered, " "); *word; word += strspn(word, " ")) {
		size_t word_len = strcspn(word, " ");

		if (word_len == len && strncasecmp(word, name, len) == 0)
			return true;
		word += word_len;
	}
	return false;
}

static bool is_possible(const struct mechanism *m, const struct sasl_credentials *c)
{
	return m->by_token ? c->token != NULL : c->password && !c->token;
}

static const struct mechanism *find(const char *name)
{
	for (size_t i = 0; i < MECHANISMS; i++)
		if (text_equal_nocase(mechanisms[i].name, name))
			return &mechanisms[i];
	return NULL;
}

static const struct mechanism *choose(const struct sasl_credentials *c, const char *offered)
{
	for (char *const *name = c->allowed; name && *name; name++) {
		const struct mechanism *m = find(*name);

		/* Spelled out, PLAIN is allowed beside a token */
		if (m && is_offered(offered, m->name) && (m->by_token ? c->token : c->password))
			return m;
	}
	for (size_t i = 0; !c->allowed && i < MECHANISMS; i++)
		if (is_offered(offered, mechanisms[i].name) && is_possible(&mechanisms[i], c))
			return &mechanisms[i];
	return NULL;
}

static int no_way(const struct sasl_credentials *c, const char *offered, struct failure *f)
{
	struct buf ours;

	buf_init(&ours, 200);
	for (char *const *name = c->allowed; name && *name; name++)
		buf_printf(&ours, " %s", *name);
	for (size_t i = 0; !c->allowed && i < MECHANISMS; i++)
		if (is_possible(&mechanisms[i], c))
			buf_printf(&ours, " %s", mechanisms[i].name);
	failure_set(f, FAILURE_SETUP, "no way to log in: the server offers %s, we could do%s",
		    *offered ? offered : "none", ours.len ? buf_bytes(&ours) : " none");
	buf_clear(&ours);
	return -1;
}

/* No mechanism has a place for these, and RFC 4013 forbids them. */
static bool has_controls(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)bytes[i] < ' ' || bytes[i] == 0x7f)
			return true;
	return false;
}

static int check_credentials(const struct sasl_credentials *c, struct failure *f)
{
	const struct secret *secrets[] = {c->password, c->token};

	if (!c->secure)
		return failure_set(f, FAILURE_SETUP,
				   "no login without TLS: it would show the password");
	if (!c->password && !c->token)
		return failure_set(f, FAILURE_SETUP, "user %s has no password and no token",
				   c->user);
	if (has_controls(c->user, strlen(c->user)))
		return failure_set(f, FAILURE_SETUP, "the user name has a control character");
	for (size_t i = 0; i < 2; i++)
		if (secrets[i] && has_controls(secret_bytes(secrets[i]), secret_len(secrets[i])))
			return failure_set(f, FAILURE_SETUP, "the %s has a control character",
					   i == 0 ? "password" : "token");
	return 0;
}

int sasl_new(const struct sasl_credentials *credentials, const char *offered, struct sasl **ret,
	     struct failure *f)
{
	const struct mechanism *m;
	struct sasl *s;

	if (check_credentials(credentials, f) < 0)
		return -1;
	m = choose(credentials, offered);
	if (!m)
		return no_way(credentials, offered, f);
	s = xcalloc(1, sizeof(*s));
	s->mechanism = m;
	s->credentials = credentials;
	if (m->initial == scram_initial)
		s->scram = scram_new(credentials->user, credentials->password);
	*ret = s;
	return 0;
}

void sasl_free(struct sasl *s)
{
	if (!s)
		return;
	scram_free(s->scram);
	secret_wipe(s, sizeof(*s));
	free(s);
}

const char *sasl_mechanism(const struct sasl *s)
{
	return s->mechanism->name;
}

bool sasl_initial(struct sasl *s, struct buf *out)
{
	if (!s->mechanism->begins)
		return false;
	s->mechanism->initial(s, out);
	return true;
}

int sasl_step(struct sasl *s, const void *challenge, size_t len, struct buf *out, struct failure *f)
{
	s->steps++;
	return s->mechanism->step(s, len ? challenge : "", len, out, f);
}

int sasl_finish(struct sasl *s, struct failure *f)
{
	if (s->scram && !scram_is_proven(s->scram))
		return failure_set(f, FAILURE_SETUP,
				   "SCRAM: the server did not show that it knows the password");
	return 0;
}

const char *sasl_said(const struct sasl *s)
{
	return s->said[0] ? s->said : NULL;
}
