/* server/peer.c - decides when bytes are read, when a request begins and when an
 * answer goes out, within the ceilings. What a request means is call.c's to say. */
#include "server/peer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "base/deadline.h"
#include "base/loop.h"
#include "buf.h"
#include "config/config.h"
#include "failure.h"
#include "server/admission.h"
#include "server/call.h"
#include "server/caller.h"
#include "server/calls.h"
#include "server/rights.h"
#include "server/room.h"

#define UNREAD_MAX (1024 * 1024)    /* answers nobody reads: then nothing more is read */
#define FLIGHT_BYTES 65536          /* gathered for one write */
#define REQUEST_WAIT_MS (60 * 1000) /* for the rest of a request */
#define UNREAD_WAIT_MS (300 * 1000) /* without the peer reading anything */
#define CLOSING_WAIT_MS (10 * 1000) /* the same, when all that is left is to go */
#define HANGUP_LOOK_MS (10 * 1000)  /* after a half-close: is anybody still there? */

enum peer_state {
	PEER_OPEN,
	PEER_ENDED,   /* they said all: the rest is parsed and answered */
	PEER_CLOSING, /* we have heard enough: what is under way is answered */
};
/* What the deadline is for. */
enum peer_wait { WAIT_NONE, WAIT_REQUEST, WAIT_UNREAD, WAIT_HANGUP };

struct peer {
	struct server *server;
	struct peer *next, **link; /* of the server */
	int fd;                    /* owned; -1: nobody is there to hear answers */
	struct watch watch;
	struct task task;
	struct deadline deadline;
	enum peer_state state;
	enum peer_wait wait;
	bool admitted; /* it has asked something, and there was room for it */
	struct caller caller;
	struct caller_lookup *lookup; /* under way, or NULL */
	struct buf in, out;
	struct varlink_framer framer;
	struct descriptors descriptors; /* not yet taken by a request */
	struct calls calls;
};

static void peer_state(struct peer *p, enum peer_state next)
{
	static const char *const names[] = {"open", "ended", "closing"};

	if (p->state == next)
		return;
	log_debug(&p->server->log, "peer of uid %lu: %s -> %s", (unsigned long)p->caller.uid,
		  names[p->state], names[next]);
	p->state = next;
	p->wait = WAIT_NONE;
}

struct peer *peer_next(const struct peer *p)
{
	return p->next;
}

const struct caller *peer_caller(const struct peer *p)
{
	return &p->caller;
}

bool peer_is_admitted(const struct peer *p)
{
	return p->admitted;
}

void peer_poke(struct peer *p)
{
	task_start(&p->task);
}

void peer_close_after(struct peer *p)
{
	peer_state(p, PEER_CLOSING);
	peer_poke(p);
}

/* Nobody reads answers any more. What was asked is done all the same. */
static void deafen(struct peer *p)
{
	if (p->fd < 0)
		return;
	watch_clear(&p->watch);
	close(p->fd);
	p->fd = -1;
	buf_clear(&p->out);
	if (p->state == PEER_OPEN)
		peer_state(p, PEER_ENDED);
	calls_stop(&p->calls, false);
	peer_poke(p);
}

void peer_finish(struct peer *p)
{
	calls_stop(&p->calls, false);
	peer_close_after(p);
}

void peer_stop(struct peer *p)
{
	deafen(p);
	peer_state(p, PEER_CLOSING);
	calls_stop(&p->calls, true);
}

void peer_free(struct peer *p)
{
	struct server *s = p->server;

	if (p->fd >= 0) {
		watch_clear(&p->watch);
		close(p->fd);
	}
	calls_clear(&p->calls);
	caller_look_up_cancel(p->lookup);
	caller_clear(&p->caller);
	descriptors_clear(&p->descriptors);
	deadline_clear(&p->deadline);
	task_clear(&p->task);
	buf_clear(&p->in);
	buf_clear(&p->out);
	*p->link = p->next;
	if (p->next)
		p->next->link = p->link;
	free(p);
	server_peer_left(s);
}

/* ---- answers ---- */

/* Moves what the first calls have to say into one flight. */
static void gather(struct peer *p)
{
	calls_speak(&p->calls, p->fd < 0 ? NULL : &p->out, FLIGHT_BYTES);
}

static void speak(struct peer *p)
{
	gather(p);
	while (p->fd >= 0 && p->out.len) {
		ssize_t n =
			send(p->fd, buf_bytes(&p->out), p->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno != EAGAIN)
				deafen(p);
			return;
		}
		buf_drain(&p->out, (size_t)n);
		p->wait = p->wait == WAIT_UNREAD ? WAIT_NONE : p->wait;
		if (!p->out.len)
			buf_clear(&p->out);
		gather(p);
	}
}

/* ---- requests ---- */

static struct call *add_call(struct peer *p, size_t bytes, char end)
{
	struct call *c = call_new(p->server, p, &p->caller, bytes, end);

	calls_add(&p->calls, c);
	return c;
}

/* What was sent is no request: says so to the one who ends lines in this way. */
static struct call *no_request(struct peer *p)
{
	const char *bytes = buf_bytes(&p->in);
	bool person = memchr(bytes, '\n', p->in.len) && !memchr(bytes, '\0', p->in.len);

	peer_close_after(p);
	return add_call(p, 0, person ? '\n' : '\0');
}

static void refuse_size(struct peer *p)
{
	uint64_t limit = p->server->config->max_request_bytes;

	call_over_limit(no_request(p), "request", limit,
			"a request has at most %llu bytes; larger contents go as descriptors.",
			(unsigned long long)limit);
}

static void take_request(struct peer *p, const char *frame, size_t len, char end)
{
	struct call *c = add_call(p, len, end);
	struct failure f = {0};

	p->wait = WAIT_NONE;
	if (varlink_call_parse(frame, len, &c->request, &f) < 0) {
		peer_close_after(p);
		call_bad(c, "request", "%s.", f.text);
		return;
	}
	if (descriptors_take(&p->descriptors, descriptors_declared(c->request.parameters),
			     &c->descriptors, &f) < 0) {
		peer_close_after(p);
		call_bad(c, "descriptor", "%s", f.text);
		return;
	}
	call_start(c);
}

static void looked_up(void *ctx, struct caller *named)
{
	struct peer *p = ctx;

	p->lookup = NULL;
	caller_clear(&p->caller);
	p->caller = *named;
	*named = (struct caller){0};
	peer_poke(p);
}

/* May the next request begin now? */
static bool is_free(struct peer *p)
{
	const struct config *config = p->server->config;

	if (p->state == PEER_CLOSING || p->lookup || !admission_is_ready(p->server->admission))
		return false;
	if (!p->caller.named && !p->caller.trusted && rights_need_names(config)) {
		p->lookup = caller_look_up(p->server->names, &p->caller, looked_up, p);
		return false;
	}
	return p->calls.n < config->max_calls_per_peer &&
	       calls_asked(&p->calls) < config->max_request_bytes &&
	       p->out.len + calls_unread(&p->calls) < UNREAD_MAX && !calls_streaming(&p->calls);
}

static bool admit(struct peer *p)
{
	unsigned limit;

	p->admitted = p->admitted || admission_connects(p->server, &p->caller, &limit);
	if (!p->admitted)
		call_over_limit(
			no_request(p), "connections", limit,
			"uid %lu may have %u connections at a time (connections in access); "
			"there is room when one of them is closed.",
			(unsigned long)p->caller.uid, limit);
	return p->admitted;
}

/* The stream is over, or stops in the middle of a request. */
static void parse_rest(struct peer *p)
{
	if (varlink_frame_at_end(&p->framer)) {
		take_request(p, buf_bytes(&p->in), p->in.len, '\n');
	} else if (p->framer.begun) {
		call_bad(no_request(p), "request", "it ends in the middle.");
	}
	buf_clear(&p->in);
}

static const char *what_is_broken(const struct varlink_framer *framer)
{
	if (framer->in_string)
		return "a JSON string has no line break in it, nor another control character: "
		       "a line break of a text is written \\n.";
	return "a request is a JSON object, at most 64 deep, ended by a NUL byte or a newline.";
}

static void parse(struct peer *p)
{
	size_t start, len, used;
	char end;

	while (p->in.len && is_free(p) && admit(p)) {
		switch (varlink_frame(&p->framer, buf_bytes(&p->in), p->in.len, &start, &len, &used,
				      &end)) {
		case VARLINK_FRAME:
			if (len > p->server->config->max_request_bytes) {
				refuse_size(p);
				return;
			}
			take_request(p, buf_bytes(&p->in) + start, len, end);
			buf_drain(&p->in, used);
			break;
		case VARLINK_PARTIAL:
			if (p->in.len > p->server->config->max_request_bytes)
				refuse_size(p);
			else if (p->state == PEER_ENDED)
				parse_rest(p);
			else if (!p->framer.begun) {
				p->framer = (struct varlink_framer){0};
				buf_clear(&p->in);
			}
			return;
		case VARLINK_BROKEN:
			call_bad(no_request(p), "request", "%s", what_is_broken(&p->framer));
			return;
		}
	}
	if (!p->in.len)
		buf_clear(&p->in);
}

/* Descriptors that no request was for. */
static void check_descriptors(struct peer *p)
{
	if (p->state != PEER_CLOSING && !p->in.len && p->descriptors.n)
		call_bad(no_request(p), "descriptor", "descriptors came that no request declares.");
}

/* ---- the socket ---- */

/* A half-close leaves one who still listens; is it the whole? */
static bool hung_up(const struct peer *p)
{
	struct pollfd look = {.fd = p->fd};

	return poll(&look, 1, 0) == 1 && look.revents & (POLLHUP | POLLERR);
}

static void hear_end(struct peer *p)
{
	peer_state(p, PEER_ENDED);
	if (hung_up(p))
		deafen(p);
}

static void hear(struct peer *p)
{
	struct failure f = {0};
	ssize_t n =
		descriptors_read(&p->descriptors, p->fd, p->server->piece, SERVER_PIECE_BYTES, &f);

	if (n < 0 && f.kind != FAILURE_NONE) {
		call_bad(no_request(p), "descriptor", "%s", f.text);
		return;
	}
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			deafen(p);
		return;
	}
	if (n == 0)
		hear_end(p);
	else if (buf_add(&p->in, p->server->piece, (size_t)n) < 0)
		refuse_size(p);
}

static void ready(void *ctx, unsigned what)
{
	struct peer *p = ctx;

	if (what & WATCH_READ)
		hear(p);
	peer_poke(p);
}

static void wait_for(struct peer *p, enum peer_wait wait)
{
	if (p->wait == wait && deadline_is_set(&p->deadline) == (wait != WAIT_NONE))
		return;
	p->wait = wait;
	switch (wait) {
	case WAIT_NONE:
		deadline_unset(&p->deadline);
		break;
	case WAIT_REQUEST:
		deadline_set(&p->deadline, REQUEST_WAIT_MS);
		break;
	case WAIT_UNREAD:
		deadline_set(&p->deadline,
			     p->state == PEER_CLOSING ? CLOSING_WAIT_MS : UNREAD_WAIT_MS);
		break;
	case WAIT_HANGUP:
		deadline_set(&p->deadline, HANGUP_LOOK_MS);
		break;
	}
}

static void waited(void *ctx)
{
	struct peer *p = ctx;
	enum peer_wait wait = p->wait;

	p->wait = WAIT_NONE;
	if (wait == WAIT_REQUEST)
		call_bad(no_request(p), "request",
			 "half of it came, the rest not within a minute.");
	else if (wait == WAIT_UNREAD || (wait == WAIT_HANGUP && hung_up(p)))
		deafen(p);
	peer_poke(p);
}

static enum peer_wait present_wait(struct peer *p)
{
	if (p->fd < 0)
		return WAIT_NONE;
	if (p->out.len)
		return WAIT_UNREAD;
	if (p->state == PEER_OPEN && p->in.len && is_free(p))
		return WAIT_REQUEST;
	return p->state == PEER_ENDED && p->calls.n ? WAIT_HANGUP : WAIT_NONE;
}

static void want(struct peer *p)
{
	unsigned wanted = p->out.len ? WATCH_WRITE : 0;

	if (p->fd < 0)
		return;
	if (p->state == PEER_OPEN &&
	    (is_free(p) || (calls_streaming(&p->calls) && p->in.len < SERVER_PIECE_BYTES)))
		wanted |= WATCH_READ;
	watch_want(&p->watch, wanted);
}

static bool is_over(const struct peer *p)
{
	if (p->calls.n || (p->fd >= 0 && p->out.len))
		return false;
	return p->state == PEER_CLOSING || (p->state == PEER_ENDED && !p->in.len && !p->lookup);
}

static void turn(void *ctx)
{
	struct peer *p = ctx;

	speak(p);
	parse(p);
	check_descriptors(p);
	/* what was answered at once leaves in this turn, too */
	speak(p);
	calls_shed(&p->calls);
	if (is_over(p)) {
		peer_free(p);
		return;
	}
	/* bytes nobody looked at, and the room for another call that just came */
	if (p->in.len > p->framer.scanned && is_free(p))
		peer_poke(p);
	want(p);
	wait_for(p, present_wait(p));
}

void peer_new(struct server *s, int fd, const struct caller *caller)
{
	struct peer *p = xcalloc(1, sizeof(*p));

	p->server = s;
	p->fd = fd;
	p->caller = *caller;
	calls_init(&p->calls);
	buf_init(&p->in, s->config->max_request_bytes + SERVER_PIECE_BYTES);
	buf_init(&p->out, SIZE_MAX / 2);
	task_init(&p->task, s->loop, turn, p);
	deadline_init(&p->deadline, s->loop, waited, p);
	watch_init(&p->watch, s->loop, fd, ready, p);
	p->next = s->peers;
	p->link = &s->peers;
	if (p->next)
		p->next->link = &p->next;
	s->peers = p;
	s->npeers++;
	peer_poke(p);
}
