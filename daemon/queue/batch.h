/* queue/batch.h - a batch as data: its typed operations in order, for the
 * store that carries them out. */
#ifndef NUNCIO_QUEUE_BATCH_H
#define NUNCIO_QUEUE_BATCH_H
#include "queue/arena.h"
#include "queue/store.h"
#include "queue/store_run.h"

enum op_kind {
	OP_PUT_CHUNK,
	OP_PUT_MESSAGE,
	OP_DROP_BODY,
	OP_CHANGE,
	OP_TELL,
	OP_RENEW,
	OP_ASK_AGAIN,
	OP_PAUSE,
	OP_RESUME,
	OP_LIFT,
	OP_COST,
	OP_PUT_RUN,
	OP_CHANGE_RUN,
	OP_USE_PROOF,
	OP_CURSOR,
	OP_DISPOSE,
	OP_DISPOSED,
	OP_STRIKE,
	OP_TOOK_TEXT,
	OP_STOP_TEXTS,
	OP_START_TEXTS,
	OP_CLEAR_DESK,
};

struct op {
	enum op_kind kind;
	struct op *next;
	union {
		struct {
			int64_t body;
			unsigned number;
			const void *bytes;
			size_t len;
		} chunk;
		struct {
			struct message_row message;
			const struct delivery_row *deliveries;
			size_t n;
			int64_t dedup_since_ms;
		} put;
		int64_t drop_body;
		struct delivery_change change;
		struct {
			int64_t message;
			const int64_t *deliveries;
			size_t n;
		} tell;
		struct {
			const int64_t *deliveries;
			size_t n;
			int64_t until_ms;
		} renew;
		struct {
			int64_t delivery, next_ms;
		} ask;
		struct {
			const char *transport, *reason;
		} pause;
		struct {
			const char *transport;
			int64_t until_ms;
		} lift;
		struct {
			int64_t delivery, micros;
			unsigned segments;
		} cost;
		struct run_row run;
		struct run_change run_change;
		struct {
			const char *contact, *kind, *value;
			int64_t forget_ms;
		} proof;
		struct cursor_row cursor;
		struct disposal_row disposal; /* of OP_DISPOSED its id alone */
		struct {
			const char *contact, *channel;
			int64_t at_ms;
		} strike;
		struct {
			const char *origin, *ref; /* of a text; of the others origin: a number */
			const char *why;
			int64_t at_ms;
		} text;
		int64_t cleared_ms;
	};
};

struct batch {
	struct arena arena;      /* of the operations and all they point to */
	struct op *first, **end; /* by .next */
	size_t n;
};

/* May it still miss after its first write? Then it needs a savepoint. */
bool batch_misses_late(const struct batch *b);
#endif
