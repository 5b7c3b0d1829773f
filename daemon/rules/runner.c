/* rules/runner.c - decides what is asked of the runner, and again when a connection broke
 * or it had no time: the same question is always harmless, because a run is known by its
 * id. */
#include "rules/runner.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "alloc.h"
#include "base/deadline.h"
#include "buf.h"
#include "failure.h"
#include "fd.h"
#include "rules/runner_link.h"
#include "varlink.h"

#define BACK_OFF_MIN_MS 100
#define BACK_OFF_MAX_MS 30000
#define BUSY_MS 1000
#define ANSWER_MS 60000 /* to all but Collect, which may wait for as long as a program runs */

/* What is asked next. */
enum question { ASK_START, ASK_COLLECT, ASK_ACK, ASK_KILL };

struct errand {
	struct runner *runner;
	char *run, *rule, *command; /* owned; the last two NULL unless it starts a run */
	char **names;               /* owned, of nfds: attachments */
	int *fds;                   /* owned, of nfds: sealed memory */
	size_t nfds;
	enum question ask;
	bool waits;   /* prepared as far as it could be; not to begin yet */
	bool unfit;   /* its attachments can't be handed over */
	bool started; /* it is known to have begun, so that NoSuchRun means: it was acknowledged */
	runner_done_fn *done;
	void *ctx;
	struct link *link; /* owned; NULL: waits for the next try */
	struct deadline next;
	int64_t back_off_ms;
	struct errand *before, *after; /* in runner's list */
};

struct runner {
	struct loop *loop;
	char *socket;           /* owned */
	struct errand *errands; /* owned, by .after */
	bool troubled;
	void (*trouble)(void *ctx, const struct failure *why);
	void *ctx;
};

static void heard(void *ctx, const struct varlink_reply *reply, const struct failure *why);
static void try_now(void *ctx);

/* ---- errands ---- */

static void errand_free(struct errand *e)
{
	link_free(e->link);
	deadline_clear(&e->next);
	for (size_t i = 0; i < e->nfds; i++) {
		close(e->fds[i]);
		free(e->names[i]);
	}
	free(e->names);
	free(e->fds);
	free(e->run);
	free(e->rule);
	free(e->command);
	if (e->before)
		e->before->after = e->after;
	else
		e->runner->errands = e->after;
	if (e->after)
		e->after->before = e->before;
	free(e);
}

static void finish(struct errand *e, const struct run_result *result)
{
	runner_done_fn *done = e->done;
	void *ctx = e->ctx;

	errand_free(e);
	if (done)
		done(ctx, result);
}

static void finish_plain(struct errand *e, enum run_end end, const char *reason)
{
	char text[sizeof(((struct failure *)0)->text)];

	strncpy(text, reason, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	finish(e, &(struct run_result){.end = end, .reason = text, .output = ""});
}

static void tell_trouble(struct runner *r, const struct failure *why)
{
	bool news = why || r->troubled;

	r->troubled = why != NULL;
	if (news && r->trouble)
		r->trouble(r->ctx, why);
}

static void drop_link(struct errand *e)
{
	link_free(e->link);
	e->link = NULL;
}

static void try_later(struct errand *e, int64_t in_ms)
{
	drop_link(e);
	deadline_set(&e->next, in_ms);
}

static void back_off(struct errand *e, const struct failure *why)
{
	int64_t wait = e->back_off_ms;

	e->back_off_ms = 2 * wait < BACK_OFF_MAX_MS ? 2 * wait : BACK_OFF_MAX_MS;
	try_later(e, wait);
	tell_trouble(e->runner, why);
}

/* ---- asking ---- */

static json_t *name_list(const struct errand *e)
{
	json_t *list = json_array();

	for (size_t i = 0; i < e->nfds; i++)
		json_array_append_new(list, json_string(e->names[i]));
	return list;
}

static json_t *start_parameters(const struct errand *e)
{
	return json_pack("{s:s s:s s:s s:o}", "run", e->run, "rule", e->rule, "command", e->command,
			 "attachments", name_list(e));
}

static json_t *parameters_of(const struct errand *e, const char **ret_method)
{
	switch (e->ask) {
	case ASK_START:
		*ret_method = RUN_INTERFACE ".Start";
		return start_parameters(e);
	case ASK_COLLECT:
		*ret_method = RUN_INTERFACE ".Collect";
		return json_pack("{s:s s:b}", "run", e->run, "wait", 1);
	case ASK_ACK:
		*ret_method = RUN_INTERFACE ".Ack";
		break;
	case ASK_KILL:
		*ret_method = RUN_INTERFACE ".Kill";
		break;
	}
	return json_pack("{s:s}", "run", e->run);
}

static int ask(struct errand *e)
{
	const char *method = NULL;
	json_t *parameters = parameters_of(e, &method);
	bool start = e->ask == ASK_START;
	int done = parameters ? link_ask(e->link, method, parameters, start ? e->fds : NULL,
					 start ? e->nfds : 0, e->ask == ASK_COLLECT ? 0 : ANSWER_MS)
			      : -1;

	json_decref(parameters);
	return done;
}

static void try_now(void *ctx)
{
	struct errand *e = ctx;
	struct failure f = {0};

	if (e->unfit) {
		finish_plain(e, RUN_END_REFUSED, "its attachments are too many or too large");
		return;
	}
	if (!e->link && link_open(e->runner->loop, e->runner->socket, heard, e, &e->link, &f) < 0) {
		back_off(e, &f);
		return;
	}
	if (ask(e) < 0)
		finish_plain(e, RUN_END_REFUSED,
			     "the command line is no text, or too long for the runner");
}

/* Nobody waits for what comes of it: however it goes, the question to begin says the same
 * again. */
static void prepare(struct errand *e)
{
	json_t *parameters = start_parameters(e);
	struct failure f;

	if (parameters &&
	    link_open(e->runner->loop, e->runner->socket, heard, e, &e->link, &f) == 0 &&
	    link_tell(e->link, RUN_INTERFACE ".Prepare", parameters, e->fds, e->nfds) < 0)
		drop_link(e);
	json_decref(parameters);
}

/* ---- answers ---- */

static const char *reason_of(const struct varlink_reply *reply)
{
	const char *reason = json_string_value(json_object_get(reply->parameters, "reason"));

	return reason ? reason : reply->error;
}

static void heard_error(struct errand *e, const struct varlink_reply *reply)
{
	struct failure f;

	if (!strcmp(reply->error, RUN_INTERFACE ".Busy")) {
		try_later(e, BUSY_MS);
	} else if (!strcmp(reply->error, RUN_INTERFACE ".NoSuchRun")) {
		finish_plain(e, RUN_END_UNKNOWN, e->started ? "the runner forgot it" : "");
	} else if (e->ask == ASK_START || e->ask == ASK_ACK || e->ask == ASK_KILL) {
		finish_plain(e, RUN_END_REFUSED, reason_of(reply));
	} else {
		failure_set(&f, FAILURE_LATER, "the runner: %s", reason_of(reply));
		back_off(e, &f);
	}
}

static void heard_result(struct errand *e, const struct varlink_reply *reply)
{
	struct run_result result;
	struct failure f;
	struct buf output;

	buf_init(&output, RUN_OUTPUT_MAX);
	if (run_result_read(reply->parameters, &result, &output, &f) < 0)
		back_off(e, &f);
	else if (result.end == RUN_END_RUNNING)
		try_later(e, BUSY_MS);
	else
		finish(e, &result);
	buf_clear(&output);
}

static void heard_reply(struct errand *e, const struct varlink_reply *reply)
{
	e->back_off_ms = BACK_OFF_MIN_MS;
	tell_trouble(e->runner, NULL);
	if (reply->error) {
		heard_error(e, reply);
		return;
	}
	switch (e->ask) {
	case ASK_START:
		e->started = true;
		e->ask = ASK_COLLECT;
		try_now(e);
		break;
	case ASK_COLLECT:
		heard_result(e, reply);
		break;
	case ASK_ACK:
	case ASK_KILL:
		errand_free(e);
		break;
	}
}

static void heard(void *ctx, const struct varlink_reply *reply, const struct failure *why)
{
	struct errand *e = ctx;

	if (e->waits)
		drop_link(e); /* the end of it, or what nobody asked for */
	else if (reply)
		heard_reply(e, reply);
	else
		back_off(e, why);
}

/* ---- the door ---- */

struct runner *runner_new(struct loop *loop, const char *socket)
{
	struct runner *r = xcalloc(1, sizeof(*r));

	r->loop = loop;
	r->socket = xstrdup(socket);
	return r;
}

void runner_set_socket(struct runner *r, const char *socket)
{
	free(r->socket);
	r->socket = xstrdup(socket);
}

void runner_free(struct runner *r)
{
	if (!r)
		return;
	while (r->errands)
		errand_free(r->errands);
	free(r->socket);
	free(r);
}

void runner_on_trouble(struct runner *r, void (*trouble)(void *ctx, const struct failure *why),
		       void *ctx)
{
	r->trouble = trouble;
	r->ctx = ctx;
}

static struct errand *errand_new(struct runner *r, const char *run, enum question ask,
				 runner_done_fn *done, void *ctx)
{
	struct errand *e = xcalloc(1, sizeof(*e));

	*e = (struct errand){.runner = r,
			     .run = xstrdup(run),
			     .ask = ask,
			     .done = done,
			     .ctx = ctx,
			     .back_off_ms = BACK_OFF_MIN_MS,
			     .after = r->errands};
	if (r->errands)
		r->errands->before = e;
	r->errands = e;
	deadline_init(&e->next, r->loop, try_now, e);
	return e;
}

/* In a fresh turn of the loop: done never comes from inside the call. */
static void errand_begin(struct errand *e)
{
	deadline_set(&e->next, 0);
}

static int seal(const struct runner_attachment *a)
{
	int fd = memfd_create("attachment", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && fd_write(fd, a->bytes, a->len) < 0) {
		close(fd);
		return -1;
	}
	if (fd >= 0)
		fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	return fd;
}

static int take_attachments(struct errand *e, const struct runner_start *start)
{
	if (start->nattachments > RUN_ATTACHMENTS_MAX)
		return -1;
	e->names = xcalloc(start->nattachments + 1, sizeof(*e->names));
	e->fds = xcalloc(start->nattachments + 1, sizeof(*e->fds));
	for (size_t i = 0; i < start->nattachments; i++) {
		int fd = seal(&start->attachments[i]);

		if (fd < 0)
			return -1;
		e->fds[e->nfds] = fd;
		e->names[e->nfds++] = xstrdup(start->attachments[i].name);
	}
	return 0;
}

static struct errand *start_new(struct runner *r, const struct runner_start *start)
{
	struct errand *e = errand_new(r, start->run, ASK_START, NULL, NULL);

	e->rule = xstrdup(start->rule);
	e->command = xstrdup(start->command);
	e->unfit = take_attachments(e, start) < 0;
	return e;
}

void runner_start(struct runner *r, const struct runner_start *start, runner_done_fn *done,
		  void *ctx)
{
	runner_begin(start_new(r, start), done, ctx);
}

struct errand *runner_prepare(struct runner *r, const struct runner_start *start)
{
	struct errand *e = start_new(r, start);

	e->waits = true;
	if (!e->unfit)
		prepare(e);
	return e;
}

void runner_begin(struct errand *e, runner_done_fn *done, void *ctx)
{
	e->done = done;
	e->ctx = ctx;
	e->waits = false;
	if (!e->link || ask(e) < 0)
		errand_begin(e);
}

void runner_drop(struct errand *e)
{
	if (e)
		errand_free(e);
}

void runner_collect(struct runner *r, const char *run, runner_done_fn *done, void *ctx)
{
	errand_begin(errand_new(r, run, ASK_COLLECT, done, ctx));
}

void runner_ack(struct runner *r, const char *run)
{
	errand_begin(errand_new(r, run, ASK_ACK, NULL, NULL));
}

void runner_kill(struct runner *r, const char *run)
{
	errand_begin(errand_new(r, run, ASK_KILL, NULL, NULL));
}
