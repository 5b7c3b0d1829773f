/* daemon.c - decides in which order the rooms come to life, what a signal does
 * to them, and with which status the process ends. */
#include "daemon.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "alloc.h"
#include "auto.h"
#include "base/confine.h"
#include "base/loop.h"
#include "base/notify.h"
#include "config/config.h"
#include "config/secret_ref.h"
#include "failure.h"
#include "heart.h"
#include "log.h"
#include "net/resolve.h"
#include "queue/queue.h"
#include "queue/store.h"
#include "rules/engine.h"
#include "secrets.h"
#include "server/server.h"
#include "version.h"

#define LEASE_MS (10 * 60 * 1000)
#define DRAIN_MS 5000
#define CHECK_MIN_MS 30000    /* what a start may take at least, as the manager is told */
#define CHECK_BYTES_A_MS 8192 /* a slow disk; and so much more for its size */
#define FILES_MAX 65536       /* descriptors: peers, what they pass, sessions */

struct daemon {
	const struct daemon_options *options;
	char *path;                  /* owned; of the configuration */
	const struct config *config; /* counted */
	struct loop *loop;           /* this and the next: owned, in the order they were made */
	struct store *store;
	struct resolver *resolver;
	struct queue *queue;
	struct engine *engine;
	struct server *server;
	struct secrets *secrets;
	struct watcher *watcher; /* owned, of queue */
	struct heart heart;
	bool stopping;
	unsigned draining; /* rooms that have not yet said they are done */
	struct log log;
};

/* ---- the configuration ---- */

static void warn(void *ctx, const struct failure *problem)
{
	struct daemon *d = ctx;

	if (problem->kind == FAILURE_NONE)
		log_warn(&d->log, "%s", problem->text);
	else
		log_error(&d->log, "%s", problem->text);
}

static int take_log(struct daemon *d, const struct config *config, struct failure *f)
{
	if (log_to_file(config->log_file, f) < 0)
		return -1;
	log_set_level(d->options->verbose ? LOG_LEVEL_DEBUG : config->log_level);
	return 0;
}

static void warn_of_places(struct daemon *d, const struct config *config)
{
	if (strcmp(config->socket, d->config->socket) != 0)
		log_warn(&d->log, "`socket` was changed: this needs a restart");
	if (strcmp(config->state, d->config->state) != 0)
		log_warn(&d->log, "`state` was changed: this needs a restart");
}

/* Mailboxes wait for secrets that commands say: a mail is not refused because the key to its
 * proof is on the way. What is to be sent is tried, and tried again. */
static void secrets_told(void *ctx)
{
	struct daemon *d = ctx;

	if (d->stopping)
		return;
	engine_configure(d->engine, d->config);
	engine_open(d->engine);
}

static int take_new_config(struct daemon *d, const struct config *config, struct failure *f)
{
	if (take_log(d, config, f) < 0 || queue_configure(d->queue, config, f) < 0)
		return -1;
	server_configure(d->server, config);
	warn_of_places(d, config);
	config_unref(d->config);
	d->config = config_ref(config);
	secrets_configure(d->secrets, config, secrets_told, d);
	return 0;
}

/* The log is opened again all the same: its file may have been moved away. */
static void keep_config(struct daemon *d, const struct failure *why)
{
	struct failure f = {0};

	if (take_log(d, d->config, &f) < 0)
		log_warn(&d->log, "%s", f.text);
	log_event(&d->log, LOG_LEVEL_ERROR, &(struct log_event){.kind = LOG_KIND_RELOAD_FAILED},
		  "%s: the configuration stays as it was", why->text);
	heart_complain(&d->heart, "the new configuration is bad, the old one goes on");
}

static void reload(void *ctx)
{
	struct daemon *d = ctx;
	AUTO(config_unref) const struct config *config = NULL;
	struct failure f = {0};

	if (d->stopping)
		return;
	notify_reloading();
	if (config_load(d->path, &config, warn, d, &f) < 0 || take_new_config(d, config, &f) < 0) {
		keep_config(d, &f);
	} else {
		log_event(&d->log, LOG_LEVEL_INFO, &(struct log_event){.kind = LOG_KIND_RELOADED},
			  "configuration read again: %s", d->path);
		heart_complain(&d->heart, NULL);
	}
	notify_ready(heart_status(&d->heart));
}

/* ---- what becomes of messages ---- */

static void heard(void *ctx, const struct event_row *e)
{
	struct daemon *d = ctx;
	bool lost = e->to == STATE_FAILED || e->to == STATE_EXPIRED || e->to == STATE_UNDELIVERED;

	if (!e->message || !e->delivery || !lost)
		return;
	log_event(&d->log, LOG_LEVEL_WARN,
		  &(struct log_event){.kind = LOG_KIND_MESSAGE_FAILED,
				      .message = e->message,
				      .transport = e->transport,
				      .state = state_name(e->to)},
		  "message %lld to %s: %s: %d %s %s", (long long)e->message,
		  e->recipient ? e->recipient : "?", state_name(e->to), e->code,
		  e->enhanced ? e->enhanced : "", e->text ? e->text : "");
}

/* ---- the end ---- */

static void drained(void *ctx)
{
	struct daemon *d = ctx;

	if (--d->draining == 0)
		loop_stop(d->loop);
}

static void terminate(void *ctx)
{
	struct daemon *d = ctx;

	if (d->stopping)
		return;
	d->stopping = true;
	log_info(&d->log, "ending: what is in flight has %d s", DRAIN_MS / 1000);
	notify_stopping();
	d->draining = 2;
	server_drain(d->server, DRAIN_MS, drained, d);
	queue_drain(d->queue, DRAIN_MS, drained, d);
}

/* Takes down whatever stands, also of a start that failed half-way. */
static void take_down(struct daemon *d)
{
	if (d->server)
		server_stop(d->server);
	heart_stop(&d->heart);
	secrets_free(d->secrets);
	engine_stop(d->engine);
	watcher_free(d->watcher);
	queue_free(d->queue);
	resolver_free(d->resolver);
	/* its last callbacks may still reach the server's calls and the rules' */
	store_close(d->store);
	server_free(d->server);
	engine_free(d->engine);
	loop_free(d->loop);
	config_unref(d->config);
	free(d->path);
}

/* ---- the start ---- */

static void harden(void)
{
	struct rlimit files;

	umask(077);
	/* secrets are in this memory: no core, no reading of /proc by our own user */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = files.rlim_max < FILES_MAX ? files.rlim_max : FILES_MAX;
	setrlimit(RLIMIT_NOFILE, &files);
}

static int build(struct daemon *d, struct failure *f)
{
	struct store_options store = {.directory = d->config->state, .lease_ms = LEASE_MS};

	d->loop = loop_new();
	loop_on_signal(d->loop, SIGTERM, terminate, d);
	loop_on_signal(d->loop, SIGINT, terminate, d);
	loop_on_signal(d->loop, SIGHUP, reload, d);
	notify_extend(CHECK_MIN_MS +
		      (int64_t)(store_bytes_in(d->config->state) / CHECK_BYTES_A_MS));
	if (store_open(d->loop, &store, &d->store, f) < 0)
		return -1;
	d->resolver = resolver_new(d->loop);
	d->queue = queue_new(d->loop, d->store, d->resolver);
	d->watcher = queue_watch(d->queue, heard, d);
	if (queue_configure(d->queue, d->config, f) < 0)
		return -1;
	d->secrets = secrets_new(d->loop);
	d->engine = engine_new(d->loop, d->queue, d->resolver);
	d->server = server_new(d->loop, d->queue, d->engine);
	server_configure(d->server, d->config);
	if (server_listen(d->server, f) < 0 || server_import(d->server, f) < 0)
		return -1;
	engine_configure(d->engine, d->config);
	secrets_configure(d->secrets, d->config, secrets_told, d);
	return 0;
}

/* Rooms are built, all that is left is to listen. A kernel that can't is no reason to leave
 * the mail lying. */
static void confine_us(struct daemon *d)
{
	struct failure f = {0};

	if (confine(&f) < 0)
		log_warn(&d->log, "%s", f.text);
}

static int status_of(const struct failure *f)
{
	return f->kind == FAILURE_LATER ? EX_OSERR : EX_CONFIG;
}

int daemon_run(const struct daemon_options *options)
{
	struct daemon d = {.options = options};
	struct failure f = {0};
	int status = EX_OK;

	harden();
	log_init(&d.log, "nunciod");
	log_to_journal(LOG_JOURNAL, "nunciod");
	d.path = options->config ? xstrdup(options->config) : config_default_path();
	if (config_load(d.path, &d.config, warn, &d, &f) < 0 || take_log(&d, d.config, &f) < 0 ||
	    build(&d, &f) < 0) {
		log_error(&d.log, "%s", f.text);
		status = status_of(&f);
	} else {
		confine_us(&d);
		log_event(&d.log, LOG_LEVEL_INFO, &(struct log_event){.kind = LOG_KIND_READY},
			  "version %s is ready at %s", NUNCIO_VERSION, d.config->socket);
		notify_ready(heart_status(&d.heart));
		heart_start(&d.heart, d.loop, d.queue, d.engine);
		loop_run(d.loop);
		log_event(&d.log, LOG_LEVEL_INFO, &(struct log_event){.kind = LOG_KIND_ENDED},
			  "ended");
	}
	take_down(&d);
	return status;
}

static void print_problem(void *ctx, const struct failure *problem)
{
	fprintf(stderr, "%s%s\n", problem->kind == FAILURE_NONE ? "warning: " : "", problem->text);
}

static void print_command(void *ctx, const struct secret_ref *ref)
{
	printf("%s: %s is what this prints (not run now):", ref->place, ref->name);
	for (char **element = ref->command; *element; element++)
		printf(" %s", *element);
	putchar('\n');
}

int daemon_check(const struct daemon_options *options)
{
	AUTO(free) char *path = options->config ? xstrdup(options->config) : config_default_path();
	AUTO(config_unref) const struct config *config = NULL;
	struct failure f = {0};

	if (config_load(path, &config, print_problem, NULL, &f) < 0) {
		print_problem(NULL, &f);
		return EX_CONFIG;
	}
	config_each_command(config, print_command, NULL);
	printf("%s: good\n", path);
	return EX_OK;
}
