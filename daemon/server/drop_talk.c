/* server/drop_talk.c - see drop_talk.h. */
#include "server/drop_talk.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "base/loop.h"
#include "buf.h"
#include "failure.h"
#include "fd.h"
#include "server/peer.h"
#include "server/rights.h"
#include "server/room.h"
#include "varlink.h"

#define ANSWER_MAX (1024 * 1024)

struct drop_talk {
	int fd;         /* owned */
	int descriptor; /* the callee's; -1: passed already, or none */
	struct watch watch;
	struct task tell;
	struct buf out, in;
	struct varlink_framer framer;
	struct varlink_reply reply; /* owned; root NULL: there is none */
	drop_answer_fn *answer;
	void *ctx;
};

static void end(struct drop_talk *t)
{
	watch_want(&t->watch, 0);
	task_start(&t->tell);
}

static void say(struct drop_talk *t)
{
	while (t->out.len) {
		ssize_t sent = fd_send(t->fd, buf_bytes(&t->out), t->out.len, &t->descriptor,
				       t->descriptor >= 0, MSG_DONTWAIT);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN)
			return;
		if (sent < 0) {
			end(t);
			return;
		}
		t->descriptor = -1;
		buf_drain(&t->out, (size_t)sent);
	}
	watch_want(&t->watch, WATCH_READ);
}

static void hear(struct drop_talk *t)
{
	size_t start, len, used;
	struct failure f;
	char end_byte;
	char *room = buf_room(&t->in, 4096);
	ssize_t got = room ? recv(t->fd, room, 4096, MSG_DONTWAIT) : 0;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		end(t);
		return;
	}
	buf_wrote(&t->in, (size_t)got);
	if (varlink_frame(&t->framer, buf_bytes(&t->in), t->in.len, &start, &len, &used,
			  &end_byte) != VARLINK_FRAME)
		return;
	if (varlink_reply_parse(buf_bytes(&t->in) + start, len, &t->reply, &f) < 0)
		t->reply = (struct varlink_reply){0};
	end(t);
}

static void ready(void *ctx, unsigned what)
{
	struct drop_talk *t = ctx;

	if (what & WATCH_READ)
		hear(t);
	else if (what & WATCH_WRITE)
		say(t);
}

static void tell(void *ctx)
{
	struct drop_talk *t = ctx;

	t->answer(t->ctx, t->reply.error, t->reply.parameters);
}

struct drop_talk *drop_talk_new(struct server *s, const struct caller *caller, const char *method,
				json_t *parameters, int descriptor, drop_answer_fn *answer,
				void *ctx)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) {
		json_decref(parameters);
		return NULL;
	}
	struct drop_talk *t = xcalloc(1, sizeof(*t));

	*t = (struct drop_talk){
		.fd = ends[0], .descriptor = descriptor, .answer = answer, .ctx = ctx};
	buf_init(&t->out, SIZE_MAX / 4);
	buf_init(&t->in, ANSWER_MAX);
	varlink_add_call(&t->out, method, parameters, VARLINK_ONE, '\0');
	json_decref(parameters);
	task_init(&t->tell, s->loop, tell, t);
	watch_init(&t->watch, s->loop, t->fd, ready, t);
	watch_want(&t->watch, WATCH_WRITE);
	peer_new(s, ends[1], caller);
	return t;
}

void drop_talk_free(struct drop_talk *t)
{
	if (!t)
		return;
	watch_clear(&t->watch);
	task_clear(&t->tell);
	close(t->fd);
	if (t->reply.root)
		varlink_reply_clear(&t->reply);
	buf_clear(&t->out);
	buf_clear(&t->in);
	free(t);
}
