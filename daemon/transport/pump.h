/* transport/pump.h - drives a parcel's message (message/outgoing.h) from the
 * queue's content to a transport's output, piece by piece. */
#ifndef NUNCIO_TRANSPORT_PUMP_H
#define NUNCIO_TRANSPORT_PUMP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "message/outgoing.h"
struct buf;
struct failure;
struct parcel;
struct pump;
struct transport_env;

enum pump_state {
	PUMP_MORE,    /* out got bytes, there are more: call pump_run() again when there is room */
	PUMP_WAITING, /* for content: ready() will be called; then call pump_run() again */
	PUMP_END,     /* out got the last of it */
	PUMP_BROKEN, /* see f: the content could not be had (FAILURE_LATER) or is damaged (REFUSED) */
};
struct pump *pump_new(const struct transport_env *env, struct parcel *parcel,
		      enum outgoing_carries carries, void (*ready)(void *ctx), void *ctx);
void pump_free(struct pump *p); /* before the parcel is finished; NULL is fine */
/* Adds at most about want bytes (one step more is possible) to out. */
enum pump_state pump_run(struct pump *p, struct buf *out, size_t want, struct failure *f);
const struct outgoing *pump_outgoing(const struct pump *p); /* size, 8-bit, SMTPUTF8 */
#endif
