/* rules/question.c - decides which question a code answers, and when one is over. */
#include "rules/question.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "alloc.h"
#include "auto.h"
#include "clock.h"
#include "failure.h"
#include "rules/plan.h"
#include "rules/room.h"

struct questions {
	struct engine *engine;
	struct question *first; /* owned, by .next; newest first */
	struct deadline expiry;
};

static void free_question(struct question *q)
{
	free(q->contact);
	free(q->rule);
	free(q->mailbox);
	free(q->ref);
	free(q->token);
	free(q->digest);
	free(q);
}

void question_digest(const char *token, const char *code, char ret[QUESTION_DIGEST_SIZE])
{
	AUTO(free) char *text = xprintf("%s\n%s", token, code);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (!EVP_Digest(text, strlen(text), digest, &len, EVP_sha256(), NULL))
		abort();
	for (unsigned i = 0; i < len && i < QUESTION_DIGEST_SIZE / 2; i++)
		snprintf(ret + i * 2, 3, "%02x", digest[i]);
}

/* ---- the end of one ---- */

static void expired(void *ctx, const struct batch_result *result)
{
	/* not written: the next start does it */
}

static void expire(struct questions *q, const struct question *one)
{
	struct batch *batch = batch_new();
	struct run_change change = {.id = one->run,
				    .from = RUN_ASKED,
				    .to = RUN_EXPIRED,
				    .at_ms = clock_wall_ms(),
				    .text = "Nobody confirmed it in time."};

	batch_change_run(batch, &change);
	store_commit(q->engine->store, batch, expired, NULL);
	log_info(&q->engine->log, "run %lld of %s for %s: nobody confirmed it in time",
		 (long long)one->run, one->rule, one->contact);
}

static void set_expiry(struct questions *q)
{
	int64_t first_ms = 0;

	for (const struct question *one = q->first; one; one = one->next)
		if (!one->taken && (!first_ms || one->expires_ms < first_ms))
			first_ms = one->expires_ms;
	if (!first_ms) {
		deadline_unset(&q->expiry);
		return;
	}
	int64_t in_ms = first_ms - clock_wall_ms();

	deadline_set(&q->expiry, in_ms > 0 ? in_ms : 0);
}

static void look(void *ctx)
{
	struct questions *q = ctx;
	struct question **at = &q->first;
	int64_t now_ms = clock_wall_ms();

	while (*at) {
		struct question *one = *at;

		if (one->taken || one->expires_ms > now_ms) {
			at = &one->next;
			continue;
		}
		expire(q, one);
		*at = one->next;
		free_question(one);
	}
	set_expiry(q);
}

void questions_close(struct questions *q, int64_t run)
{
	struct question **at = &q->first;

	while (*at && (*at)->run != run)
		at = &(*at)->next;
	if (!*at)
		return;
	struct question *one = *at;

	*at = one->next;
	free_question(one);
}

/* ---- the life of one ---- */

struct questions *questions_new(struct engine *e)
{
	struct questions *q = xcalloc(1, sizeof(*q));

	q->engine = e;
	deadline_init(&q->expiry, e->loop, look, q);
	return q;
}

void questions_stop(struct questions *q)
{
	deadline_unset(&q->expiry);
}

void questions_free(struct questions *q)
{
	deadline_clear(&q->expiry);
	while (q->first)
		questions_close(q, q->first->run);
	free(q);
}

void questions_add(struct questions *q, const struct run_row *row)
{
	struct question *one = xcalloc(1, sizeof(*one));
	struct plan plan;

	plan_read(&plan, row->plan);
	*one = (struct question){.run = row->id,
				 .contact = xstrdup(row->contact),
				 .rule = xstrdup(row->rule),
				 .mailbox = xstrdup(row->origin),
				 .ref = xstrdup(row->ref),
				 .token = xstrdup(row->token),
				 .digest = xstrdup(plan.digest ? plan.digest : ""),
				 .expires_ms = row->expires_ms,
				 .next = q->first};
	q->first = one;
	plan_clear(&plan);
	set_expiry(q);
}

struct question *questions_by_run(struct questions *q, int64_t run)
{
	struct question *one = q->first;

	while (one && one->run != run)
		one = one->next;
	return one;
}

bool questions_open(const struct questions *q, const char *contact)
{
	for (const struct question *one = q->first; one; one = one->next)
		if (!one->taken && strcmp(one->contact, contact) == 0)
			return true;
	return false;
}

struct question *questions_find(struct questions *q, const char *contact, const char *code,
				int64_t received_ms)
{
	char digest[QUESTION_DIGEST_SIZE];

	for (struct question *one = q->first; one; one = one->next) {
		if (one->taken || strcmp(one->contact, contact) != 0 ||
		    received_ms > one->expires_ms)
			continue;
		question_digest(one->token, code, digest);
		if (strlen(one->digest) == sizeof(digest) - 1 &&
		    CRYPTO_memcmp(digest, one->digest, sizeof(digest) - 1) == 0)
			return one;
	}
	return NULL;
}
