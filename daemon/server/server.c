/* server/server.c - decides who may connect: how many in all and of one user.
 * What they ask goes through peer.c. */
#include "server/server.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "activation.h"
#include "base/worker.h"
#include "buf.h"
#include "clock.h"
#include "config/config.h"
#include "server/admission.h"
#include "server/caller.h"
#include "server/import.h"
#include "server/interface.h"
#include "server/listener.h"
#include "server/peer.h"
#include "server/rights.h"
#include "server/room.h"
#include "varlink.h"

#define NAME_THREADS 2

static void patience_over(void *ctx);

struct server *server_new(struct loop *loop, struct queue *queue, struct engine *engine)
{
	struct server *s = xcalloc(1, sizeof(*s));

	s->loop = loop;
	s->queue = queue;
	s->engine = engine;
	s->started_ms = clock_wall_ms();
	s->admission = admission_new(s);
	s->names = worker_new(loop, "names", NAME_THREADS, NULL, NULL);
	log_init(&s->log, "server");
	deadline_init(&s->patience, loop, patience_over, s);
	return s;
}

void server_configure(struct server *s, const struct config *config)
{
	const struct config *old = s->config;

	s->config = config_ref(config);
	config_unref(old);
	admission_configure(s->admission);
}

static void accepted(void *ctx, int fd)
{
	server_adopt(ctx, fd);
}

int server_listen(struct server *s, struct failure *f)
{
	int passed = activation_take("nuncio");

	if (passed >= 0)
		return listener_adopt(s->loop, passed, s->config->socket, accepted, s, &s->listener,
				      f);
	return listener_open(s->loop, s->config->socket, s->config->socket_mode, accepted, s,
			     &s->listener, f);
}

int server_import(struct server *s, struct failure *f)
{
	return import_new(s, s->config->state, &s->import, f);
}

static unsigned peers_of(const struct server *s, uid_t uid)
{
	unsigned n = 0;

	for (const struct peer *p = s->peers; p; p = peer_next(p))
		n += peer_caller(p)->uid == uid;
	return n;
}

/* One word before the door is closed; one who does not take it misses it. */
static void turn_away(struct server *s, int fd, unsigned limit, const char *reason)
{
	struct buf out;

	buf_init(&out, 1000);
	json_t *parameters = json_pack("{s:s, s:i, s:s}", "field", "connections", "limit",
				       (int)limit, "reason", reason);
	varlink_add_error(&out, interface_error(ERROR_OVER_LIMIT)->name, parameters, '\0');
	json_decref(parameters);
	if (send(fd, buf_bytes(&out), out.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug(&s->log, "one connection too many, and it does not listen");
	buf_clear(&out);
	close(fd);
}

void server_adopt(struct server *s, int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0) {
		log_warn(&s->log, "a connection of nobody was closed");
		close(fd);
		return;
	}
	if (s->npeers >= s->config->max_peers) {
		turn_away(s, fd, s->config->max_peers, "there are too many connections.");
		return;
	}
	if (peers_of(s, who.uid) >= s->config->max_peers_per_uid) {
		turn_away(s, fd, s->config->max_peers_per_uid,
			  "this user has too many connections.");
		return;
	}
	struct caller caller = {.uid = who.uid,
				.gid = who.gid,
				.pid = who.pid,
				.trusted = who.uid == 0 || who.uid == geteuid()};
	peer_new(s, fd, &caller);
}

static void drain_over(struct server *s)
{
	void (*done)(void *ctx) = s->drained;

	deadline_unset(&s->patience);
	s->drained = NULL;
	if (done)
		done(s->drained_ctx);
}

static void patience_over(void *ctx)
{
	drain_over(ctx);
}

void server_peer_left(struct server *s)
{
	s->npeers--;
	/* the deadline reports: the last peer is still being taken apart */
	if (s->drained && !s->npeers)
		deadline_set(&s->patience, 0);
}

void server_drain(struct server *s, int64_t limit_ms, void (*done)(void *ctx), void *ctx)
{
	listener_free(s->listener);
	s->listener = NULL;
	import_stop(s->import);
	s->drained = done;
	s->drained_ctx = ctx;
	for (struct peer *p = s->peers; p; p = peer_next(p))
		peer_finish(p);
	deadline_set(&s->patience, s->npeers ? limit_ms : 0);
}

void server_stop(struct server *s)
{
	listener_free(s->listener);
	s->listener = NULL;
	import_stop(s->import);
	s->drained = NULL;
	deadline_unset(&s->patience);
	for (struct peer *p = s->peers; p; p = peer_next(p))
		peer_stop(p);
}

void server_free(struct server *s)
{
	if (!s)
		return;
	listener_free(s->listener);
	import_free(s->import);
	s->drained = NULL;
	while (s->peers)
		peer_free(s->peers);
	caller_look_up_free(worker_abandon(s->names));
	admission_free(s->admission);
	deadline_clear(&s->patience);
	config_unref(s->config);
	free(s);
}
