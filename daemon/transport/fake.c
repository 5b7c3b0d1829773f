/* transport/fake.c - carries parcels nowhere, one after the other, in full: each
 * is composed to its end, weighed and written down before it is answered. */
#include "transport/fake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/evp.h>

#include "alloc.h"
#include "auto.h"
#include "base/loop.h"
#include "buf.h"
#include "config/config.h"
#include "crash.h"
#include "failure.h"
#include "message/letter.h"
#include "transport/fake_answers.h"
#include "transport/pump.h"
#include "transport/transport.h"

#define ANSWERS_MAX_BYTES (1024 * 1024)
#define PIECE_BYTES 65536
#define PIECE_MAX_BYTES (1024 * 1024)

struct transport {
	struct transport_env env;
	const struct fake_config *config; /* from config */
	struct fake_answers *answers;     /* owned; NULL: not read yet */
	struct stat read;                 /* of the file, when it was */
	struct carry *carries;            /* owned, of struct carry, by .next */
	bool woken;
	void (*idle)(void *ctx); /* set: it retires */
	void *idle_ctx;
	struct task turn;
};

/* A parcel on its way. */
struct carry {
	struct transport *fake;
	struct parcel *parcel; /* the queue's */
	struct pump *pump;     /* owned */
	struct buf piece;
	EVP_MD_CTX *digest; /* owned */
	uint64_t size;
	struct carry *next, **link; /* of the transport */
};

/* ---- answers ---- */

static int read_text(int fd, const char *path, char **ret, struct failure *f)
{
	struct buf text;
	ssize_t n = 1;

	buf_init(&text, ANSWERS_MAX_BYTES);
	while (n > 0) {
		char *room = buf_room(&text, 4096);

		if (!room) {
			buf_clear(&text);
			return failure_set(f, FAILURE_SETUP, "%s is too large", path);
		}
		n = read(fd, room, 4096);
		if (n > 0)
			buf_wrote(&text, (size_t)n);
	}
	if (n < 0) {
		buf_clear(&text);
		return failure_errno(f, FAILURE_SETUP, errno, "%s", path);
	}
	*ret = buf_take(&text, NULL);
	return 0;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int read_file(struct transport *t, int fd, const char *path, struct failure *f)
{
	AUTO(free) char *text = NULL;
	struct fake_answers *answers;
	struct stat now;

	if (fstat(fd, &now) < 0)
		return failure_errno(f, FAILURE_SETUP, errno, "%s", path);
	if (t->answers && is_same_file(&now, &t->read))
		return 0;
	if (read_text(fd, path, &text, f) < 0)
		return -1;
	if (fake_answers_parse(text, &answers, f) < 0)
		return failure_wrap(f, "%s", path);
	fake_answers_free(t->answers);
	t->answers = answers;
	t->read = now;
	return 0;
}

static int read_answers(struct transport *t, struct failure *f)
{
	const char *path = t->config->answers;

	if (!path)
		return t->answers ? 0 : fake_answers_parse("", &t->answers, f);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return failure_errno(f, FAILURE_SETUP, errno, "%s", path);
	int result = read_file(t, fd, path, f);

	close(fd);
	return result;
}

/* ---- one parcel ---- */

static void carry_free(struct carry *c)
{
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	pump_free(c->pump);
	buf_clear(&c->piece);
	EVP_MD_CTX_free(c->digest);
	free(c);
}

static void finish(struct carry *c)
{
	struct transport *t = c->fake;
	struct parcel *parcel = c->parcel;

	carry_free(c);
	t->env.host->finished(t->env.host_ctx, parcel);
	task_start(&t->turn);
}

static void settle_all(struct carry *c, enum outcome_kind kind, const char *text)
{
	struct transport *t = c->fake;
	struct outcome o = {.kind = kind};

	snprintf(o.text, sizeof(o.text), "%s", text);
	for (size_t i = 0; i < c->parcel->nrecipients; i++)
		t->env.host->settle(t->env.host_ctx, c->parcel, i, &o);
	finish(c);
}

static json_t *recipients_json(const struct carry *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->parcel->nrecipients; i++) {
		const struct parcel_recipient *r = &c->parcel->recipients[i];
		struct outcome o;

		fake_answers_find(c->fake->answers, r->address, &o);
		json_array_append_new(list,
				      json_pack("{s:s, s:I, s:i, s:i}", "to", r->address,
						"delivery", (json_int_t)r->delivery, "attempt",
						(int)r->attempt_no, "code", o.code));
	}
	return list;
}

static char *line_of(struct carry *c)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char hex[2 * EVP_MAX_MD_SIZE + 1];
	unsigned len = 0;

	EVP_DigestFinal_ex(c->digest, digest, &len);
	for (unsigned i = 0; i < len; i++)
		snprintf(hex + (size_t)i * 2, 3, "%02x", digest[i]);
	json_t *root = json_pack(
		"{s:I, s:s, s:s?, s:I, s:s, s:o}", "message", (json_int_t)c->parcel->message,
		"sender", c->parcel->sender, "message_id", c->parcel->letter->message_id, "size",
		(json_int_t)c->size, "sha256", hex, "recipients", recipients_json(c));
	char *dump = json_dumps(root, JSON_COMPACT);
	char *line = xprintf("%s\n", dump ? dump : "{}");

	free(dump);
	json_decref(root);
	return line;
}

static int write_down(struct carry *c, struct failure *f)
{
	const char *path = c->fake->config->log;
	AUTO(free) char *line = NULL;

	if (!path)
		return 0;
	line = line_of(c);
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	ssize_t n = fd < 0 ? -1 : write(fd, line, strlen(line));
	int error = errno;

	if (fd >= 0)
		close(fd);
	if (n != (ssize_t)strlen(line))
		return failure_errno(f, FAILURE_LATER, n < 0 ? error : ENOSPC, "%s", path);
	return 0;
}

static void answer(struct carry *c)
{
	struct transport *t = c->fake;
	struct failure f;

	if (write_down(c, &f) < 0) {
		settle_all(c, OUTCOME_LATER, f.text);
		return;
	}
	CRASH_POINT("fake.written");
	for (size_t i = 0; i < c->parcel->nrecipients; i++) {
		struct outcome o;

		fake_answers_find(t->answers, c->parcel->recipients[i].address, &o);
		t->env.host->settle(t->env.host_ctx, c->parcel, i, &o);
	}
	finish(c);
}

static void carry_on(void *ctx)
{
	struct carry *c = ctx;
	enum pump_state state = PUMP_MORE;
	struct failure f;

	while (state == PUMP_MORE) {
		state = pump_run(c->pump, &c->piece, PIECE_BYTES, &f);
		EVP_DigestUpdate(c->digest, buf_bytes(&c->piece), c->piece.len);
		c->size += c->piece.len;
		buf_drain(&c->piece, c->piece.len);
	}
	if (state == PUMP_END)
		answer(c);
	else if (state == PUMP_BROKEN)
		settle_all(c, f.kind == FAILURE_LATER ? OUTCOME_LATER : OUTCOME_REFUSED, f.text);
}

static void carry_start(struct transport *t, struct parcel *parcel)
{
	struct carry *c = xcalloc(1, sizeof(*c));

	c->fake = t;
	c->parcel = parcel;
	c->pump = pump_new(&t->env, parcel, OUTGOING_ANY_OCTETS, carry_on, c);
	buf_init(&c->piece, PIECE_MAX_BYTES);
	c->digest = EVP_MD_CTX_new();
	if (!c->digest || EVP_DigestInit_ex(c->digest, EVP_sha256(), NULL) != 1)
		abort();
	c->next = t->carries;
	c->link = &t->carries;
	if (c->next)
		c->next->link = &c->next;
	t->carries = c;
	carry_on(c);
}

/* ---- the transport ---- */

static void go_down(struct transport *t, const struct failure *why)
{
	while (t->carries)
		settle_all(t->carries, OUTCOME_UNTOUCHED, why->text);
	t->env.host->down(t->env.host_ctx, why);
}

/* Is it up? Says so, either way. */
static bool look(struct transport *t)
{
	struct failure f;

	t->woken = false;
	if (read_answers(t, &f) < 0) {
		go_down(t, &f);
		return false;
	}
	f = *fake_answers_down(t->answers);
	if (f.kind != FAILURE_NONE) {
		go_down(t, &f);
		return false;
	}
	t->env.host->up(t->env.host_ctx);
	return true;
}

static void turn(void *ctx)
{
	struct transport *t = ctx;
	struct parcel *parcel;

	if (t->woken && !look(t))
		return;
	while (!t->idle && (parcel = t->env.host->next(t->env.host_ctx)))
		carry_start(t, parcel);
	if (t->idle && !t->carries)
		t->idle(t->idle_ctx);
}

static int fake_open(const struct transport_env *env, const struct transport_config *config,
		     struct transport **ret, struct failure *f)
{
	struct transport *t = xcalloc(1, sizeof(*t));

	t->env = *env;
	t->config = &config->fake;
	task_init(&t->turn, env->loop, turn, t);
	*ret = t;
	return 0;
}

static void fake_wake(struct transport *t, size_t wanted)
{
	t->woken = true;
	task_start(&t->turn);
}

static void fake_retire(struct transport *t, void (*idle)(void *ctx), void *ctx)
{
	t->idle = idle;
	t->idle_ctx = ctx;
	t->woken = false;
	task_start(&t->turn);
}

static void fake_close(struct transport *t)
{
	while (t->carries)
		carry_free(t->carries);
	task_clear(&t->turn);
	fake_answers_free(t->answers);
	free(t);
}

const struct transport_kind transport_fake = {
	.name = "fake",
	.carries = CARRIES_MAIL | CARRIES_TEXTS,
	.bears_twins = true,
	.open = fake_open,
	.wake = fake_wake,
	.retire = fake_retire,
	.close = fake_close,
};
