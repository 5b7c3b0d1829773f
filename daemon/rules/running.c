/* rules/running.c - decides what is done when a run has ended: result, report and what
 * becomes of the mail are one batch; then the runner may forget it. */
#include "rules/running.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "clock.h"
#include "crash.h"
#include "failure.h"
#include "log.h"
#include "mailbox/mailbox.h"
#include "message/parse.h"
#include "queue/mailing.h"
#include "queue/queue.h"
#include "rules/bin.h"
#include "rules/ending.h"
#include "rules/lockout.h"
#include "rules/plan.h"
#include "rules/received.h"
#include "rules/room.h"
#include "rules/runner.h"

#define ATTACHMENTS_MAX 100

struct running {
	struct engine *engine;
	int64_t id;
	char *token, *rule, *contact, *command, *origin, *ref; /* owned */
	struct plan plan;
	bool has_ended, reports;
	struct ending ending;
	struct deadline again;
	struct running *next;
};

static void free_running(struct running *r)
{
	deadline_clear(&r->again);
	plan_clear(&r->plan);
	ending_clear(&r->ending);
	free(r->token);
	free(r->rule);
	free(r->contact);
	free(r->command);
	free(r->origin);
	free(r->ref);
	free(r);
}

static void drop(struct running *r)
{
	struct running **at = &r->engine->running;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	free_running(r);
}

/* ---- the end ---- */

static void finish(void *ctx);

static void finished(void *ctx, const struct batch_result *result)
{
	struct running *r = ctx;
	struct engine *e = r->engine;

	if (e->stopped) {
		drop(r);
		return;
	}
	if (result->status == BATCH_FAILED) {
		log_error(&e->log, "the end of run %lld could not be written: %s", (long long)r->id,
			  result->why->text);
		deadline_set(&r->again, ENGINE_AGAIN_MS);
		return;
	}
	CRASH_POINT("rules.reported");
	runner_ack(e->runner, r->token);
	if (r->plan.ndeeds)
		bin_look(e->bin);
	drop(r);
}

static void add_report(struct running *r, struct mailing *m)
{
	struct engine *e = r->engine;

	if (!r->reports)
		return;
	AUTO(free) char *text = ending_text(&r->ending, r->command);
	AUTO(free) char *short_text = ending_short_text(&r->ending, r->command);
	AUTO(free) char *subject = xprintf("%s: %s", r->rule, r->ending.sentence);
	bool is_long = ending_is_long(&r->ending);
	struct note note = {.to = &r->plan.report,
			    .answers = *r->ref ? &r->plan.thread : NULL,
			    .subject = subject,
			    .text = text,
			    .short_text = short_text,
			    .attached_name = is_long ? "output.txt" : NULL,
			    .attached = r->ending.output,
			    .attached_len = r->ending.len};

	note_add(m, e->queue, e->config, &note);
}

static void add_sends(struct running *r, struct mailing *m)
{
	for (size_t i = 0; i < r->plan.nsends; i++) {
		struct plan_send *send = &r->plan.sends[i];

		note_add(m, r->engine->queue, r->engine->config,
			 &(struct note){
				 .to = &send->to, .subject = send->subject, .text = send->text});
	}
}

static void add_deeds(struct running *r, struct batch *batch)
{
	for (size_t i = 0; i < r->plan.ndeeds; i++)
		batch_dispose(batch, r->origin, r->ref, r->plan.deeds[i].deed,
			      r->plan.deeds[i].target ? r->plan.deeds[i].target : "");
}

static void finish(void *ctx)
{
	struct running *r = ctx;
	struct mailing *m = mailing_new(r->engine->queue);
	struct batch *batch = batch_new();
	struct run_change change = {.id = r->id,
				    .from = RUN_STARTED,
				    .to = r->ending.state,
				    .at_ms = clock_wall_ms(),
				    .code = r->ending.code,
				    .text = r->ending.sentence};

	batch_change_run(batch, &change);
	add_deeds(r, batch);
	add_report(r, m);
	if (r->ending.state == RUN_DONE)
		add_sends(r, m);
	mailing_commit(m, batch, finished, r);
}

/* Asked once, however often the end has to be written. */
static bool may_report(const struct running *r)
{
	struct engine *e = r->engine;

	if (audience_is_empty(&r->plan.report))
		return false;
	if (!*r->contact || lockouts_may_send(e->lockouts, r->contact, PACE_REPORTS))
		return true;
	log_warn(&e->log, "run %lld: %s was told too much within the hour: no report",
		 (long long)r->id, r->contact);
	return false;
}

static void ended(void *ctx, const struct run_result *result)
{
	struct running *r = ctx;
	struct engine *e = r->engine;

	CRASH_POINT("rules.result");
	r->has_ended = true;
	r->reports = may_report(r);
	ending_of(&r->ending, result);
	log_info(&e->log, "run %lld of %s for %s: %s", (long long)r->id, r->rule,
		 *r->contact ? r->contact : "nobody", r->ending.sentence);
	finish(r);
}

/* ---- the beginning ---- */

struct running *running_new(struct engine *e, const struct run_row *row)
{
	struct running *r = xcalloc(1, sizeof(*r));

	r->engine = e;
	r->id = row->id;
	r->token = xstrdup(row->token);
	r->rule = xstrdup(row->rule);
	r->contact = xstrdup(row->contact ? row->contact : "");
	r->command = xstrdup(row->command ? row->command : "");
	r->origin = xstrdup(row->origin ? row->origin : "");
	r->ref = xstrdup(row->ref ? row->ref : "");
	plan_read(&r->plan, row->plan);
	deadline_init(&r->again, e->loop, finish, r);
	r->next = e->running;
	e->running = r;
	return r;
}

static size_t attachments_of(const struct received *what,
			     struct runner_attachment ret[ATTACHMENTS_MAX])
{
	const struct parsed *mail = what ? what->mail : NULL;
	size_t n = 0;

	for (size_t i = 0; mail && i < mail->nparts; i++) {
		const struct mail_part *part = &mail->parts[i];

		if (!part->is_attachment || n == ATTACHMENTS_MAX)
			continue;
		ret[n++] = (struct runner_attachment){
			.name = part->safe_name, .bytes = part->bytes, .len = part->len};
	}
	for (size_t i = 0; what && i < what->nattachments && n < ATTACHMENTS_MAX; i++)
		ret[n++] = (struct runner_attachment){.name = what->attachments[i].name,
						      .bytes = what->attachments[i].bytes,
						      .len = what->attachments[i].len};
	return n;
}

struct errand *running_prepare(struct engine *e, const struct run_row *row,
			       const struct received *what)
{
	struct runner_attachment attachments[ATTACHMENTS_MAX];
	struct runner_start start = {.run = row->token,
				     .rule = row->rule,
				     .command = row->command ? row->command : "",
				     .attachments = attachments,
				     .nattachments = attachments_of(what, attachments)};

	return runner_prepare(e->runner, &start);
}

void running_start(struct running *r, const struct received *what, struct errand *prepared)
{
	struct runner_attachment attachments[ATTACHMENTS_MAX];
	struct runner_start start = {.run = r->token,
				     .rule = r->rule,
				     .command = r->command,
				     .attachments = attachments};

	if (prepared) {
		runner_begin(prepared, ended, r);
	} else {
		start.nattachments = attachments_of(what, attachments);
		runner_start(r->engine->runner, &start, ended, r);
	}
	CRASH_POINT("rules.running");
}

void running_resume(struct running *r)
{
	runner_collect(r->engine->runner, r->token, ended, r);
}

struct running *running_find(struct engine *e, int64_t id)
{
	struct running *r = e->running;

	while (r && r->id != id)
		r = r->next;
	return r;
}

void running_kill(struct running *r)
{
	if (!r->has_ended)
		runner_kill(r->engine->runner, r->token);
}

void running_stop_all(struct engine *e)
{
	for (struct running *r = e->running; r; r = r->next)
		deadline_unset(&r->again);
}

void running_free_all(struct engine *e)
{
	while (e->running)
		drop(e->running);
}
