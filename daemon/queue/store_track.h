/* queue/store_track.h - texts whose fate is not known yet: the part of the store's
 * contract (store.h) for asking their provider. A delivery is tracked from the moment it is
 * accepted or uncertain; entering a state keeps that up (store_change.c). */
#ifndef NUNCIO_QUEUE_STORE_TRACK_H
#define NUNCIO_QUEUE_STORE_TRACK_H
#include "queue/store_data.h"
struct batch;
struct failure;
struct store;

struct tracked {
	int64_t delivery, message;
	uint32_t uid;
	enum delivery_state state; /* accepted, sent, uncertain */
	unsigned attempt_no;
	int64_t since_ms; /* when the attempt began */
	int64_t expires_ms;
	const char *recipient, *remote_id;
	/* Of those that are uncertain, and the content (of long ones its first chunk), else NULL */
	const char *spec;
	const void *content;
	size_t content_len;
	const char *const *owned; /* NULL-ended: remote ids of other deliveries to the recipient */
};
struct track_result {
	const struct tracked *rows;
	size_t n;
	int64_t next_ms;  /* when the earliest not yet due is; 0: none */
	int64_t ahead_ms; /* what all these times have on clock_boot_ms() */
	const struct failure *why;
};
/* Those of a transport to be asked for now (clock_boot_ms()), at most max. The rows live only
 * during the callback. */
typedef void track_done_fn(void *ctx, const struct track_result *result);
void store_track(struct store *s, const char *transport, int64_t boot_ms, size_t max,
		 track_done_fn *done, void *ctx);
/* When it is asked for again; 0: no more. */
void batch_ask_again(struct batch *b, int64_t delivery, int64_t next_ms);
/* What its text cost in the end, in millionths, -1: nobody said; and how many segments it
 * had, 0: the same. */
void batch_cost(struct batch *b, int64_t delivery, int64_t micros, unsigned segments);
#endif
