/* rules/desk.c - decides which mailboxes are open, and when a cursor that nothing else
 * goes with is written: soon, many mails together. */
#include "rules/desk.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "base/deadline.h"
#include "config/config.h"
#include "crash.h"
#include "failure.h"
#include "log.h"
#include "queue/store_run.h"
#include "rules/bin.h"
#include "rules/downtime.h"
#include "rules/matter.h"
#include "rules/room.h"

#define LAZY_MS 1000
#define OPEN_AGAIN_MS (60 * 1000)

struct desk {
	struct desks *desks;
	const struct config *holder;         /* counted: config is in it */
	const struct mailbox_config *config; /* holder's */
	struct mailbox *mailbox;             /* owned */
	uint64_t serial; /* of this opening: mails of an earlier one are not its own */
	enum mailbox_state state;
	char *cursor; /* owned; not yet on disk; NULL: all is */
	struct log log;
	struct desk *next;
};

struct desks {
	struct engine *engine;
	struct desk *first;    /* owned, by .next */
	struct deadline write; /* of cursors */
	struct deadline again; /* what could not be opened */
	struct task turn;      /* the configuration is to be followed */
	bool asking;           /* the store, for what a start needs */
	uint64_t openings;
};

/* ---- cursors ---- */

static void written(void *ctx, const struct batch_result *result)
{
	struct desks *d = ctx;

	/* a cursor behind the truth only means that mails are looked at again */
	if (result->status == BATCH_FAILED)
		log_warn(&d->engine->log, "where the mailboxes are could not be written: %s",
			 result->why->text);
}

static void add_cursors(struct desks *d, struct batch *batch)
{
	for (struct desk *desk = d->first; desk; desk = desk->next) {
		if (!desk->cursor)
			continue;
		batch_cursor(batch, desk->config->name, desk->cursor);
		free(TAKE(desk->cursor));
	}
}

static void write_now(void *ctx)
{
	struct desks *d = ctx;
	struct batch *batch = batch_new();

	add_cursors(d, batch);
	store_commit(d->engine->store, batch, written, d);
}

static void keep_cursor(struct desk *desk, const char *cursor)
{
	free(desk->cursor);
	desk->cursor = xstrdup(cursor);
	if (!deadline_is_set(&desk->desks->write))
		deadline_set(&desk->desks->write, LAZY_MS);
}

/* ---- what a mailbox says ---- */

static void mail_came(void *ctx, const struct mail *mail)
{
	struct desk *desk = ctx;

	CRASH_POINT("rules.taken");
	matter_begin(desk->desks->engine, desk->config->name, desk->serial, mail);
}

static void cursor_moved(void *ctx, const char *cursor)
{
	keep_cursor(ctx, cursor);
}

static void state_changed(void *ctx, enum mailbox_state state, const struct failure *why)
{
	struct desk *desk = ctx;
	struct engine *e = desk->desks->engine;
	bool was_up = desk_is_up(desk);

	if (state == MAILBOX_DOWN)
		log_info(&desk->log, "down: %s", why ? why->text : "");
	else if (state != desk->state && state != MAILBOX_CONNECTING)
		log_info(&desk->log, "%s", mailbox_state_name(state));
	desk->state = state;
	downtimes_look(e->downtimes);
	if (!was_up && desk_is_up(desk))
		bin_retry(e->bin, desk->config->name);
}

static const struct mailbox_events events = {
	.mail = mail_came,
	.cursor = cursor_moved,
	.state = state_changed,
};

bool desk_is_up(const struct desk *d)
{
	return d->state == MAILBOX_WATCHING || d->state == MAILBOX_POLLING;
}

/* ---- coming and leaving ---- */

static void desk_free(struct desk *desk)
{
	mailbox_close(desk->mailbox);
	bin_closed(desk->desks->engine->bin, desk->config->name);
	matters_closed(desk->desks->engine, desk->config->name);
	config_unref(desk->holder);
	free(desk->cursor);
	free(desk);
}

static const char *kept_cursor(const struct desk_result *kept, const char *name)
{
	for (size_t i = 0; i < kept->ncursors; i++)
		if (strcmp(kept->cursors[i].mailbox, name) == 0)
			return kept->cursors[i].cursor;
	return NULL;
}

static void open_desk(struct desks *d, const struct mailbox_config *config, const char *cursor)
{
	struct engine *e = d->engine;
	struct desk *desk = xcalloc(1, sizeof(*desk));
	struct mailbox_env env = {
		.loop = e->loop, .resolver = e->resolver, .events = &events, .events_ctx = desk};
	struct failure f = {0};

	desk->desks = d;
	desk->serial = ++d->openings;
	desk->holder = config_ref(e->config);
	desk->config = config;
	log_init(&desk->log, "mailbox %s", config->name);
	if (mailbox_open(&env, config, cursor, &desk->mailbox, &f) < 0) {
		log_error(&desk->log, "%s", f.text);
		desk_free(desk);
		deadline_set(&d->again, OPEN_AGAIN_MS);
		return;
	}
	desk->next = d->first;
	d->first = desk;
}

static void opened(void *ctx, const struct desk_result *kept)
{
	struct desks *d = ctx;
	const struct config *config = d->engine->config;

	d->asking = false;
	if (d->engine->stopped)
		return;
	if (kept->why) {
		log_error(&d->engine->log, "where the mailboxes are can't be read: %s",
			  kept->why->text);
		deadline_set(&d->again, ENGINE_AGAIN_MS);
		return;
	}
	for (size_t i = 0; i < config->nmailboxes; i++)
		if (!desk_find(d, config->mailboxes[i].name))
			open_desk(d, &config->mailboxes[i],
				  kept_cursor(kept, config->mailboxes[i].name));
	bin_take(d->engine->bin, kept);
}

/* All that was given to the store before is on disk. */
static void flushed(void *ctx, const struct batch_result *result)
{
	struct desks *d = ctx;

	if (d->engine->stopped)
		d->asking = false;
	else
		store_desk(d->engine->store, opened, d);
}

static bool is_same(const struct desk *desk, const struct config *config)
{
	const struct mailbox_config *now = config_mailbox(config, desk->config->name);

	return now && strcmp(now->fingerprint, desk->config->fingerprint) == 0;
}

static void follow(void *ctx)
{
	struct desks *d = ctx;
	struct desk **at = &d->first;
	struct batch *batch;

	if (d->asking) {
		deadline_set(&d->again, 0);
		return;
	}
	batch = batch_new();
	add_cursors(d, batch);
	while (*at) {
		struct desk *desk = *at;

		if (is_same(desk, d->engine->config)) {
			at = &desk->next;
			continue;
		}
		*at = desk->next;
		desk_free(desk);
	}
	d->asking = true;
	store_commit(d->engine->store, batch, flushed, d);
}

struct desks *desks_new(struct engine *e)
{
	struct desks *d = xcalloc(1, sizeof(*d));

	d->engine = e;
	deadline_init(&d->write, e->loop, write_now, d);
	deadline_init(&d->again, e->loop, follow, d);
	task_init(&d->turn, e->loop, follow, d);
	return d;
}

void desks_configure(struct desks *d, const struct config *config)
{
	task_start(&d->turn);
}

void desks_stop(struct desks *d)
{
	task_clear(&d->turn);
	deadline_unset(&d->again);
	if (deadline_is_set(&d->write))
		write_now(d);
	deadline_unset(&d->write);
	while (d->first) {
		struct desk *desk = d->first;

		d->first = desk->next;
		desk_free(desk);
	}
}

void desks_free(struct desks *d)
{
	deadline_clear(&d->write);
	deadline_clear(&d->again);
	task_clear(&d->turn);
	free(d);
}

/* ---- asked by others ---- */

void desks_each(struct desks *d, void (*each)(void *ctx, const struct mailbox_status *s), void *ctx)
{
	for (struct desk *desk = d->first; desk; desk = desk->next) {
		struct mailbox_status status;

		mailbox_status(desk->mailbox, &status);
		each(ctx, &status);
	}
}

struct desk *desk_find(struct desks *d, const char *name)
{
	struct desk *desk = d->first;

	while (desk && strcmp(desk->config->name, name) != 0)
		desk = desk->next;
	return desk;
}

struct mailbox *desk_mailbox(struct desk *d)
{
	return d->mailbox;
}

const struct mailbox_config *desk_config(const struct desk *d)
{
	return d->config;
}

void desk_done(struct desks *d, uint64_t serial, const char *cursor, bool lazily)
{
	struct desk *desk = d->first;

	while (desk && desk->serial != serial)
		desk = desk->next;
	if (!desk)
		return;
	if (lazily)
		keep_cursor(desk, cursor);
	else
		free(TAKE(desk->cursor)); /* an older one */
	mailbox_next(desk->mailbox);
}
