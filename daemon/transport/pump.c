/* transport/pump.c - joins what the queue has of a message with what is made of
 * it. Decides nothing about either; how fast it goes is the transport's. */
#include "transport/pump.h"

#include <stdlib.h>

#include "alloc.h"
#include "buf.h"
#include "failure.h"
#include "message/outgoing.h"
#include "transport/transport.h"

struct pump {
	const struct transport_env *env; /* the transport's */
	struct parcel *parcel;           /* the queue's */
	struct outgoing *outgoing;       /* owned */
	void (*ready)(void *ctx);
	void *ctx;
	bool asking, inside; /* for content; within that call still */
	struct failure why;  /* the content could not be had */
};

struct pump *pump_new(const struct transport_env *env, struct parcel *parcel,
		      enum outgoing_carries carries, void (*ready)(void *ctx), void *ctx)
{
	struct pump *p = xcalloc(1, sizeof(*p));

	p->env = env;
	p->parcel = parcel;
	p->outgoing = outgoing_new(parcel->letter, carries);
	p->ready = ready;
	p->ctx = ctx;
	return p;
}

void pump_free(struct pump *p)
{
	if (!p)
		return;
	outgoing_free(p->outgoing);
	free(p);
}

const struct outgoing *pump_outgoing(const struct pump *p)
{
	return p->outgoing;
}

static void content_came(void *ctx, const void *bytes, size_t len, const struct failure *why)
{
	struct pump *p = ctx;

	p->asking = false;
	if (why)
		p->why = *why;
	else if (len == 0)
		failure_set(&p->why, FAILURE_REFUSED, "the stored message is shorter than it was");
	else
		outgoing_feed(p->outgoing, bytes, len);
	if (!p->inside)
		p->ready(p->ctx);
}

static void ask_content(struct pump *p)
{
	p->asking = p->inside = true;
	p->env->host->content(p->env->host_ctx, p->parcel, content_came, p);
	p->inside = false;
}

enum pump_state pump_run(struct pump *p, struct buf *out, size_t want, struct failure *f)
{
	size_t goal = out->len + want;

	while (!p->asking && p->why.kind == FAILURE_NONE) {
		if (out->len >= goal)
			return PUMP_MORE;
		switch (outgoing_step(p->outgoing, out, f)) {
		case OUTGOING_MORE:
			break;
		case OUTGOING_NEED:
			ask_content(p);
			break;
		case OUTGOING_END:
			return PUMP_END;
		case OUTGOING_BAD:
			return PUMP_BROKEN;
		}
	}
	if (p->asking)
		return PUMP_WAITING;
	*f = p->why;
	return PUMP_BROKEN;
}
