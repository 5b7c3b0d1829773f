/* mailbox/maildir.c - decides when a Maildir is looked into: when the kernel says that
 * something came, and now and then. Its files are a thread's (maildir_folder.h); what the
 * thread found is told in a turn of the loop, one thing at a time. */
#include "mailbox/maildir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "base/deadline.h"
#include "base/folder.h"
#include "base/worker.h"
#include "clock.h"
#include "config/mailbox_config.h"
#include "failure.h"
#include "mailbox/maildir_folder.h"

/* Events may be lost, and some file systems have none. */
#define POLL_MS 60000
#define REST_MS 1000
#define REST_MAX_MS 300000
/* There is no place but what is in new/. */
static const char cursor_text[] = "1";

/* What the thread does, with all that it needs and what came of it. */
struct errand {
	struct job job; /* first */
	struct mailbox *mailbox;
	const char *path; /* from config */
	uint64_t max_bytes;
	bool over;
	struct failure why; /* FAILURE_NONE: went well */
	struct maildir_mail mail;
	enum deed_on_mail deed;
	char *ref, *target; /* owned */
	mailbox_done_fn *done;
	mailbox_fetched_fn *fetched;
	void *ctx;
	struct errand *next; /* of those asked for */
};

/* The errand of looking for the next mail, of which there is one. */
struct look {
	struct errand errand; /* first */
	bool prepare;
	char *settled; /* owned; moves to cur/ first; NULL: none */
	struct maildir_names names;
};

struct mailbox {
	const struct mailbox_kind *kind; /* first */
	struct mailbox_env env;
	const struct mailbox_config *config; /* from config */
	struct worker *worker;               /* owned */
	struct folder folder;
	struct deadline again;
	struct task tell;
	struct look look;
	bool looking, handed_over, news, tell_cursor, closing;
	struct errand *asked, **asked_end; /* owned, by .next: deeds and fetches, in order */
	struct mailbox_status status;
	char reason[sizeof(((struct failure *)0)->text)];
};

static void look(struct mailbox *m);

/* ---- on the thread ---- */

static int look_run_steps(struct look *l, struct failure *f)
{
	struct errand *e = &l->errand;

	if (l->prepare && maildir_make(e->path, f) < 0)
		return -1;
	if (l->settled && maildir_settle(e->path, l->settled, f) < 0)
		return -1;
	free(TAKE(l->settled));
	maildir_next(e->path, &l->names, e->max_bytes, &e->mail);
	if (e->mail.name)
		return 0;
	if (maildir_look(e->path, &l->names, f) < 0)
		return -1;
	maildir_next(e->path, &l->names, e->max_bytes, &e->mail);
	return 0;
}

static void look_run(struct job *job)
{
	struct look *l = (struct look *)job;

	look_run_steps(l, &l->errand.why);
}

static void deed_run(struct job *job)
{
	struct errand *e = (struct errand *)job;

	maildir_deed(e->path, e->deed, e->ref, e->target ? e->target : "", &e->why);
}

static void fetch_run(struct job *job)
{
	struct errand *e = (struct errand *)job;

	maildir_find(e->path, e->ref, e->max_bytes, &e->mail, &e->why);
}

static void run_over(struct job *job)
{
	struct errand *e = (struct errand *)job;

	e->over = true;
	if (!e->mailbox->closing)
		task_start(&e->mailbox->tell);
}

/* ---- what is told ---- */

static void errand_free(struct errand *e)
{
	maildir_mail_clear(&e->mail);
	free(e->ref);
	free(e->target);
	free(e);
}

static struct mail mail_of(const struct maildir_mail *found)
{
	return (struct mail){.ref = found->ref,
			     .cursor = cursor_text,
			     .received_ms = found->received_ms,
			     .size = found->size,
			     .bytes = found->bytes,
			     .len = found->len,
			     .cut = found->cut};
}

static void tell_asked(struct mailbox *m)
{
	struct errand *e = m->asked;
	const struct failure *why = e->why.kind == FAILURE_NONE ? NULL : &e->why;
	struct mail mail = mail_of(&e->mail);

	m->asked = e->next;
	if (!m->asked)
		m->asked_end = &m->asked;
	else if (m->asked->over)
		task_start(&m->tell);
	if (e->fetched)
		e->fetched(e->ctx, e->mail.name ? &mail : NULL, why);
	else
		e->done(e->ctx, why);
	errand_free(e);
}

/* True: it was told, and the mailbox may be gone. */
static bool change_state(struct mailbox *m, enum mailbox_state state, const struct failure *why)
{
	bool same = m->status.state == state && (!why || strcmp(m->reason, why->text) == 0);

	snprintf(m->reason, sizeof(m->reason), "%s", why ? why->text : m->look.names.trouble);
	if (same)
		return false;
	if (m->status.state != state)
		m->status.since_ms = clock_wall_ms();
	m->status.state = state;
	m->env.events->state(m->env.events_ctx, state, why);
	return true;
}

static void go_down(struct mailbox *m, const struct failure *why)
{
	int64_t rest_ms = REST_MS;

	m->looking = false;
	for (unsigned i = 0; i < m->status.failures && rest_ms < REST_MAX_MS; i++)
		rest_ms *= 2;
	if (rest_ms > REST_MAX_MS)
		rest_ms = REST_MAX_MS;
	m->status.failures++;
	m->status.next_try_ms = clock_wall_ms() + rest_ms;
	folder_clear(&m->folder);
	deadline_set(&m->again, rest_ms);
	change_state(m, MAILBOX_DOWN, why);
}

static void hand_over(struct mailbox *m, struct maildir_mail *found)
{
	struct maildir_mail mine = *found;
	struct mail mail = mail_of(&mine);

	*found = (struct maildir_mail){0};
	m->looking = false;
	m->handed_over = true;
	m->look.settled = xstrdup(mine.name);
	m->status.mails++;
	m->status.newest_ms = clock_wall_ms();
	m->env.events->mail(m->env.events_ctx, &mail);
	maildir_mail_clear(&mine);
}

/* Nothing waits. */
static void rest(struct mailbox *m)
{
	m->looking = false;
	deadline_set(&m->again, POLL_MS);
	if (m->news) {
		look(m);
	} else if (m->tell_cursor) {
		m->tell_cursor = false;
		m->env.events->cursor(m->env.events_ctx, cursor_text);
	}
}

static void arrived(void *ctx)
{
	struct mailbox *m = ctx;

	m->news = true;
	if (!m->looking && !m->handed_over && m->status.state != MAILBOX_DOWN)
		look(m);
}

/* Anew each time: another directory may stand in its place. What came before it was
 * watched is found by one more look. */
static void watch(struct mailbox *m)
{
	AUTO(free) char *path = xprintf("%s/new", m->config->maildir.path);

	folder_clear(&m->folder);
	folder_watch(&m->folder, m->env.loop, path, arrived, m);
	m->look.prepare = false;
	m->news = true;
}

static void tell_look(struct mailbox *m)
{
	struct look *l = &m->look;
	bool prepared = l->prepare;

	l->errand.over = false;
	if (l->errand.why.kind != FAILURE_NONE) {
		go_down(m, &l->errand.why);
		return;
	}
	if (prepared)
		watch(m);
	if (m->status.state == MAILBOX_DOWN)
		m->status.reconnects++;
	m->status.failures = 0;
	m->status.next_try_ms = 0;
	m->status.heard_ms = clock_wall_ms();
	/* the mail, or that there is none, in a turn of its own */
	l->errand.over = true;
	task_start(&m->tell);
	if (change_state(m, m->folder.fd >= 0 ? MAILBOX_WATCHING : MAILBOX_POLLING, NULL))
		return;
	l->errand.over = false;
	task_clear(&m->tell);
	if (m->asked && m->asked->over)
		task_start(&m->tell);
	if (l->errand.mail.name)
		hand_over(m, &l->errand.mail);
	else
		rest(m);
}

static void tell(void *ctx)
{
	struct mailbox *m = ctx;

	if (m->asked && m->asked->over) {
		if (m->look.errand.over)
			task_start(&m->tell);
		tell_asked(m);
	} else if (m->look.errand.over) {
		tell_look(m);
	}
}

/* ---- the door ---- */

static void look(struct mailbox *m)
{
	m->looking = true;
	m->news = false;
	m->look.errand.why = (struct failure){0};
	deadline_unset(&m->again);
	worker_do(m->worker, &m->look.errand.job);
}

static void look_again(void *ctx)
{
	struct mailbox *m = ctx;

	/* it is unset while a thread looks, and while a mail is out */
	m->look.prepare = true;
	look(m);
}

static int maildir_open(const struct mailbox_env *env, const struct mailbox_config *config,
			const char *cursor, struct mailbox **ret, struct failure *f)
{
	struct mailbox *m = xcalloc(1, sizeof(*m));

	m->kind = &mailbox_maildir;
	m->env = *env;
	m->config = config;
	m->tell_cursor = !cursor;
	m->asked_end = &m->asked;
	m->folder.fd = -1;
	m->status = (struct mailbox_status){.name = config->name,
					    .type = config->type,
					    .state = MAILBOX_CONNECTING,
					    .since_ms = clock_wall_ms()};
	m->look.prepare = true;
	m->look.errand = (struct errand){.job = {.run = look_run, .done = run_over},
					 .mailbox = m,
					 .path = config->maildir.path,
					 .max_bytes = config->max_mail_bytes};
	m->worker = worker_new(env->loop, "nuncio-maildir", 1, NULL, NULL);
	deadline_init(&m->again, env->loop, look_again, m);
	task_init(&m->tell, env->loop, tell, m);
	look(m);
	*ret = m;
	return 0;
}

static void maildir_go_on(struct mailbox *m)
{
	if (!m->handed_over)
		return;
	m->handed_over = false;
	if (m->status.state != MAILBOX_DOWN)
		look(m);
}

static struct errand *ask(struct mailbox *m, const char *ref, void (*run)(struct job *), void *ctx)
{
	struct errand *e = xcalloc(1, sizeof(*e));

	e->job = (struct job){.run = run, .done = run_over};
	e->mailbox = m;
	e->path = m->config->maildir.path;
	e->max_bytes = m->config->max_mail_bytes;
	e->ref = xstrdup(ref);
	e->ctx = ctx;
	*m->asked_end = e;
	m->asked_end = &e->next;
	return e;
}

static void ask_deed(struct mailbox *m, enum deed_on_mail deed, const char *ref, const char *target,
		     mailbox_done_fn *done, void *ctx)
{
	struct errand *e = ask(m, ref, deed_run, ctx);

	e->deed = deed;
	e->target = target ? xstrdup(target) : NULL;
	e->done = done;
	worker_do(m->worker, &e->job);
}

static void ask_fetch(struct mailbox *m, const char *ref, mailbox_fetched_fn *done, void *ctx)
{
	struct errand *e = ask(m, ref, fetch_run, ctx);

	e->fetched = done;
	worker_do(m->worker, &e->job);
}

static void maildir_status(const struct mailbox *m, struct mailbox_status *ret)
{
	*ret = m->status;
	ret->reason = m->reason;
}

static void maildir_close(struct mailbox *m)
{
	m->closing = true;
	task_clear(&m->tell);
	deadline_clear(&m->again);
	folder_clear(&m->folder);
	worker_free(m->worker);
	while (m->asked) {
		struct errand *e = m->asked;

		m->asked = e->next;
		errand_free(e);
	}
	maildir_names_clear(&m->look.names);
	maildir_mail_clear(&m->look.errand.mail);
	free(m->look.settled);
	free(m);
}

const struct mailbox_kind mailbox_maildir = {
	.name = "maildir",
	.open = maildir_open,
	.next = maildir_go_on,
	.deed = ask_deed,
	.fetch = ask_fetch,
	.status = maildir_status,
	.close = maildir_close,
};
