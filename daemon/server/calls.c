/* server/calls.c - decides which call's answer is next: the earliest request's,
 * until it is over. */
#include "server/calls.h"

#include "buf.h"
#include "server/call.h"
#include "server/methods.h"

void calls_init(struct calls *c)
{
	*c = (struct calls){.tail = &c->first};
}

static void forget_first(struct calls *c)
{
	struct call *call = c->first;

	c->first = call->next;
	if (!c->first)
		c->tail = &c->first;
	c->n--;
	call_free(call);
}

void calls_clear(struct calls *c)
{
	while (c->first)
		forget_first(c);
}

void calls_add(struct calls *c, struct call *call)
{
	*c->tail = call;
	c->tail = &call->next;
	c->n++;
}

void calls_speak(struct calls *c, struct buf *out, size_t enough)
{
	while (c->first && (!out || out->len < enough)) {
		struct call *call = c->first;

		if (out && buf_add(out, buf_bytes(&call->out), call->out.len) < 0)
			return;
		buf_drain(&call->out, call->out.len);
		if (!call->answered)
			return;
		forget_first(c);
	}
}

void calls_shed(struct calls *c)
{
	for (struct call *call = c->first; call; call = call->next)
		if (call->answered)
			call_shed(call);
}

static bool streams(const struct call *call)
{
	return !call->answered && call->method && call->method->streams;
}

void calls_stop(struct calls *c, bool all)
{
	for (struct call *call = c->first; call; call = call->next)
		if (!call->answered && call->stop && (all || streams(call)))
			call->stop(call);
}

size_t calls_unread(const struct calls *c)
{
	size_t n = 0;

	for (const struct call *call = c->first; call; call = call->next)
		n += call->out.len;
	return n;
}

size_t calls_asked(const struct calls *c)
{
	size_t n = 0;

	for (const struct call *call = c->first; call; call = call->next)
		n += call->bytes;
	return n;
}

bool calls_streaming(const struct calls *c)
{
	for (const struct call *call = c->first; call; call = call->next)
		if (streams(call))
			return true;
	return false;
}
