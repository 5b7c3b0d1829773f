/* restored.c - decides what a restored database may not do by itself: send. What was
 * under way when it was saved is taken back by opening it, then all is held; mailboxes
 * begin anew. */
#include "restored.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "base/loop.h"
#include "clock.h"
#include "config/config.h"
#include "daemon.h"
#include "failure.h"
#include "queue/store.h"
#include "queue/store_run.h"
#include "queue/store_work.h"

#define LEASE_MS 60000
/* More messages than were taken since the backup: no id, and no file of a Maildir, is
 * to mean two of them. */
#define SKIP 1000000

struct holding {
	struct loop *loop;
	struct store *store;
	size_t held;
	struct failure why;
};

static const struct filter all = {.uid = -1};

static void desk_cleared(void *ctx, const struct batch_result *result)
{
	struct holding *h = ctx;

	if (result->why)
		h->why = *result->why;
	loop_stop(h->loop);
}

/* A rule obeys no mail that came before, and repeats nothing. */
static void clear_desk(struct holding *h)
{
	struct batch *b = batch_new();

	batch_clear_desk(b, clock_wall_ms());
	store_commit(h->store, b, desk_cleared, h);
}

static void page_held(void *ctx, const struct deed_result *result)
{
	struct holding *h = ctx;

	if (result->why)
		h->why = *result->why;
	h->held += result->nevents;
	if (result->why)
		loop_stop(h->loop);
	else if (result->done)
		clear_desk(h);
	else
		store_do(h->store, DEED_HOLD, &all, result->last, clock_wall_ms(), page_held, h);
}

/* The files stay those of the user the daemon runs as. */
static int become_owner(const char *state, struct failure *f)
{
	struct stat about;

	if (stat(state, &about) < 0)
		return failure_errno(f, FAILURE_SETUP, errno, "state: %s", state);
	if (geteuid() == 0 && about.st_uid != 0 &&
	    (setgid(about.st_gid) < 0 || setuid(about.st_uid) < 0))
		return failure_errno(f, FAILURE_SETUP, errno, "can't become user %u",
				     (unsigned)about.st_uid);
	return 0;
}

static int hold_all(const struct config *config, size_t *ret_held, struct failure *f)
{
	struct store_options options = {
		.directory = config->state, .lease_ms = LEASE_MS, .skip = SKIP};
	AUTO(loop_free) struct loop *loop = loop_new();
	AUTO(store_close) struct store *store = NULL;

	if (become_owner(config->state, f) < 0 || store_open(loop, &options, &store, f) < 0)
		return -1;
	struct holding h = {.loop = loop, .store = store};

	store_do(store, DEED_HOLD, &all, 0, clock_wall_ms(), page_held, &h);
	loop_run(loop);
	*ret_held = h.held;
	if (h.why.kind == FAILURE_NONE)
		return 0;
	*f = h.why;
	return -1;
}

int restored_run(const struct daemon_options *options)
{
	AUTO(free) char *path = options->config ? xstrdup(options->config) : config_default_path();
	AUTO(config_unref) const struct config *config = NULL;
	struct failure f = {0};
	size_t held;

	umask(077);
	if (config_load(path, &config, NULL, NULL, &f) < 0 || hold_all(config, &held, &f) < 0) {
		fprintf(stderr, "nunciod: %s\n", f.text);
		return f.kind == FAILURE_LATER ? EX_OSERR : EX_CONFIG;
	}
	printf("%zu held in %s: start nunciod, look through `nuncio queue --state held`, then "
	       "`nuncio release` what was not sent and `nuncio cancel` what was\n",
	       held, config->state);
	return EX_OK;
}
