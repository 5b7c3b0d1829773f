/* client/watch.h - waiting for what becomes of a message. */
#ifndef NUNCIO_CLIENT_WATCH_H
#define NUNCIO_CLIENT_WATCH_H
#include <jansson.h>
#include <stdbool.h>
struct context;
struct link;

/* Waits until every recipient of the message is decided, or until timeout_ms (0:
 * for good). When the transport that is to carry it is down or paused, stderr says so.
 * Returns an exit status: 0 all sent, EX_UNAVAILABLE some were not (said on stderr),
 * EX_TEMPFAIL out of time. only_sent: a text that was sent needs no word of its delivery. */
int watch_wait(const struct context *context, struct link *link, json_int_t message, bool only_sent,
	       int timeout_ms);

/* The daemon's events, of one message (0: of all). Both return an exit status. Those
 * whose id is a member of known are passed over; NULL: none is known. */
int watch_begin(struct link *link, json_int_t message);
int watch_go_on(const struct context *context, struct link *link, const json_t *known);
void watch_print(const struct context *context, const json_t *event); /* a line */
#endif
