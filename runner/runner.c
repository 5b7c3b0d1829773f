/* runner/runner.c - one loop of poll(2): the socket, its peers, the runs that go on, and
 * signals. Decides how many may speak at a time. */
#include "runner.h"

#include <jansson.h>
#include <malloc.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "calls.h"
#include "config/config.h"
#include "errand.h"
#include "failure.h"
#include "house.h"
#include "listen.h"
#include "log.h"
#include "order.h"
#include "peer.h"
#include "runs.h"
#include "secret.h"
#include "version.h"

#define PEERS_MAX 256
#define FILES_MAX 24576 /* peers, and what they pass; runs */
#define FDS_FIXED 2
#define QUIET_MS 50 /* when nothing happens for so long, there is time */

struct runner {
	const struct runner_options *options;
	char *path;                  /* owned; of the configuration */
	const struct config *config; /* counted */
	uid_t user;
	int socket, signals; /* owned */
	struct house house;
	struct runs runs;
	struct errands errands;
	struct peer *peers[PEERS_MAX]; /* owned, of npeers */
	size_t npeers;
	struct pollfd *fds; /* owned, of nfds */
	size_t nfds;
	bool has_programs; /* of config */
	bool no_spare;     /* none could be made, and nothing happened since */
	bool ending;
	struct log log;
};

/* ---- the configuration ---- */

static void warn(void *ctx, const struct failure *problem)
{
	struct runner *r = ctx;

	if (problem->kind == FAILURE_NONE)
		log_debug(&r->log, "%s", problem->text);
	else
		log_error(&r->log, "%s", problem->text);
}

static void warn_of_roots_programs(struct runner *r)
{
	for (size_t i = 0; i < r->config->nrules; i++) {
		const struct rule_config *rule = &r->config->rules[i];
		const struct action_config *run = rule_run(rule);

		if (run && !run->user)
			log_warn(&r->log, "rule %s names no user: its program runs as root",
				 rule->name);
	}
}

static int take_config(struct runner *r, struct failure *f)
{
	AUTO(config_unref) const struct config *config = NULL;
	uid_t user;

	if (config_load(r->path, &config, warn, r, f) < 0 ||
	    listen_user(&config->runner, &user, f) < 0)
		return -1;
	config_unref(r->config);
	r->config = config_ref(config);
	r->user = user;
	r->has_programs = config_runs_programs(config);
	log_set_level(r->options->verbose ? LOG_LEVEL_DEBUG : config->log_level);
	if (geteuid() == 0)
		warn_of_roots_programs(r);
	return 0;
}

static void reload(struct runner *r)
{
	struct failure f = {0};

	if (take_config(r, &f) < 0) {
		log_error(&r->log, "%s: the configuration stays as it was", f.text);
		return;
	}
	log_info(&r->log, "configuration read again: %s", r->path);
	runs_drop_all(&r->runs);
	runs_drop_spare(&r->runs);
}

/* Nobody tells us of a change that nunciod was told of: we look before each run. */
static void reload_if_stale(struct runner *r)
{
	if (config_is_stale(r->config))
		reload(r);
}

/* ---- what happens ---- */

static void read_signals(struct runner *r)
{
	struct signalfd_siginfo info;

	while (read(r->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reload(r);
		else
			r->ending = true;
	}
}

static void let_in(struct runner *r)
{
	uid_t stranger;
	int fd = listen_accept(r->socket, r->user, &stranger);

	if (stranger != (uid_t)-1)
		log_warn(&r->log, "user %u may not speak here (runner.user)", (unsigned)stranger);
	if (fd < 0)
		return;
	r->peers[r->npeers] = xcalloc(1, sizeof(struct peer));
	peer_init(r->peers[r->npeers++], fd);
}

static void hear(struct runner *r, struct peer *peer)
{
	struct varlink_call call;

	while (peer_next(peer, &call)) {
		if (calls_reads_config(&call))
			reload_if_stale(r);
		struct hall hall = {r->config, &r->runs, &r->errands, &r->log};

		calls_take(&hall, peer, &call);
		varlink_call_clear(&call);
	}
}

static void tell_end(struct runner *r, const struct run *run)
{
	struct hall hall = {r->config, &r->runs, &r->errands, &r->log};

	log_info(&r->log, "run %s of rule %s is over", run->id, run->order.rule);
	for (size_t i = 0; i < r->npeers; i++)
		if (!strcmp(r->peers[i]->awaits, run->id))
			calls_tell_end(&hall, r->peers[i]);
}

static void look_at_errands(struct runner *r, const struct pollfd *fds, size_t n)
{
	uint64_t number;
	json_t *words;

	/* from the last: one that goes is replaced by it */
	while (n-- > 0) {
		if (!fds[n].revents || !errands_look(&r->errands, n, &number, &words))
			continue;
		for (size_t i = 0; i < r->npeers; i++)
			if (r->peers[i]->errand == number)
				calls_tell_secret(r->peers[i], words);
		json_decref(words);
	}
}

static void drop_peers(struct runner *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->npeers; i++) {
		if (peer_is_over(r->peers[i])) {
			runs_drop(&r->runs, r->peers[i]->prepared);
			peer_clear(r->peers[i]);
			free(r->peers[i]);
		} else {
			r->peers[kept++] = r->peers[i];
		}
	}
	r->npeers = kept;
}

/* ---- the loop ---- */

/* The socket and the signals, then the peers, the runs, the errands, in their order. */
static size_t gather(struct runner *r)
{
	size_t need = FDS_FIXED + r->npeers + r->runs.n + r->errands.n, n = 0;

	if (need > r->nfds)
		r->fds = xrealloc(r->fds, (r->nfds = need + 64) * sizeof(*r->fds));
	r->fds[n++] = (struct pollfd){.fd = r->signals, .events = POLLIN};
	r->fds[n++] =
		(struct pollfd){.fd = r->npeers < PEERS_MAX ? r->socket : -1, .events = POLLIN};
	for (size_t i = 0; i < r->npeers; i++)
		r->fds[n++] =
			(struct pollfd){.fd = r->peers[i]->fd, .events = peer_events(r->peers[i])};
	for (size_t i = 0; i < r->runs.n; i++)
		r->fds[n++] = (struct pollfd){.fd = r->runs.at[i].alive};
	for (size_t i = 0; i < r->errands.n; i++)
		r->fds[n++] = (struct pollfd){.fd = r->errands.at[i].fd, .events = POLLIN};
	return n;
}

static bool wants_spare(const struct runner *r)
{
	return !r->runs.spare && !r->no_spare && r->has_programs;
}

static void make_spare(struct runner *r)
{
	struct failure f;

	r->no_spare = runs_make_spare(&r->runs, r->config, &f) < 0;
	if (r->no_spare)
		log_warn(&r->log, "no process can be made ready for runs: %s", f.text);
}

static void turn(struct runner *r)
{
	size_t n = gather(r), npeers = r->npeers, nruns = r->runs.n, nerrands = r->errands.n;
	const struct pollfd *of_peers = r->fds + FDS_FIXED, *of_runs = of_peers + npeers;

	int found = poll(r->fds, n, wants_spare(r) ? QUIET_MS : -1);

	if (found == 0)
		make_spare(r);
	if (found <= 0)
		return;
	r->no_spare = false;
	look_at_errands(r, of_runs + nruns, nerrands);
	/* first, and all: a call may change the table */
	for (size_t i = 0; i < nruns; i++)
		if (of_runs[i].revents && runs_look(&r->runs, &r->runs.at[i]))
			tell_end(r, &r->runs.at[i]);
	for (size_t i = 0; i < npeers; i++) {
		if (of_peers[i].revents)
			peer_move(r->peers[i], of_peers[i].revents);
		hear(r, r->peers[i]);
	}
	if (r->fds[1].revents)
		let_in(r);
	if (r->fds[0].revents)
		read_signals(r);
	drop_peers(r);
}

/* ---- start and end ---- */

/* What is said may be a secret. */
static void wipe_and_free(void *bytes)
{
	if (bytes)
		secret_wipe(bytes, malloc_usable_size(bytes));
	free(bytes);
}

static void harden(void)
{
	struct rlimit files;

	umask(077);
	json_set_alloc_funcs(malloc, wipe_and_free);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	for (int signo = 1; signo < NSIG; signo++)
		signal(signo,
		       SIG_DFL); /* whatever we came with; those that can't be are left alone */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN); /* supervisors write their ends down themselves */
	getpwuid(geteuid());      /* what looks names up is loaded now, not in each supervisor */
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = files.rlim_max < FILES_MAX ? files.rlim_max : FILES_MAX;
	setrlimit(RLIMIT_NOFILE, &files);
}

static void take_signals(struct runner *r)
{
	sigset_t wanted;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGHUP);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGINT);
	sigprocmask(SIG_BLOCK, &wanted, NULL);
	r->signals = signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
}

static int build(struct runner *r, struct failure *f)
{
	if (take_config(r, f) < 0 || house_open(&r->house, r->config->runner.state, f) < 0 ||
	    listen_open(&r->config->runner, r->user, &r->socket, f) < 0)
		return -1;
	runs_init(&r->runs, &r->house);
	return 0;
}

static void take_down(struct runner *r)
{
	for (size_t i = 0; i < r->npeers; i++) {
		peer_clear(r->peers[i]);
		free(r->peers[i]);
	}
	errands_clear(&r->errands);
	runs_clear(&r->runs);
	house_close(&r->house);
	if (r->socket >= 0)
		close(r->socket);
	if (r->signals >= 0)
		close(r->signals);
	config_unref(r->config);
	free(r->fds);
	free(r->path);
}

int runner_run(const struct runner_options *options)
{
	struct runner r = {.options = options,
			   .socket = -1,
			   .signals = -1,
			   .house = {.lock = -1, .runs = -1, .homes = -1}};
	struct failure f = {0};
	int status = EX_OK;

	harden();
	log_init(&r.log, "runner");
	log_to_journal(LOG_JOURNAL, "nuncio-runner");
	r.path = options->config ? xstrdup(options->config) : config_default_path();
	take_signals(&r);
	if (build(&r, &f) < 0) {
		log_error(&r.log, "%s", f.text);
		status = f.kind == FAILURE_LATER ? EX_OSERR : EX_CONFIG;
	} else {
		log_info(&r.log, "version %s is ready at %s; %zu runs go on", NUNCIO_VERSION,
			 r.config->runner.socket, r.runs.going);
		while (!r.ending)
			turn(&r);
		log_info(&r.log, "ended; %zu runs go on", r.runs.going);
	}
	take_down(&r);
	return status;
}

static void print_problem(void *ctx, const struct failure *problem)
{
	fprintf(stderr, "%s%s\n", problem->kind == FAILURE_NONE ? "warning: " : "", problem->text);
}

int runner_check(const struct runner_options *options)
{
	AUTO(free) char *path = options->config ? xstrdup(options->config) : config_default_path();
	AUTO(config_unref) const struct config *config = NULL;
	struct failure f = {0};
	uid_t user;

	if (config_load(path, &config, print_problem, NULL, &f) < 0 ||
	    listen_user(&config->runner, &user, &f) < 0) {
		print_problem(NULL, &f);
		return EX_CONFIG;
	}
	printf("%s: good\n", path);
	return EX_OK;
}
