/* queue/store_inbound.h - texts that came in, and who wants none: the part of the store's
 * contract (store.h) that knows which text was dealt with, and which numbers said STOP. */
#ifndef NUNCIO_QUEUE_STORE_INBOUND_H
#define NUNCIO_QUEUE_STORE_INBOUND_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
struct batch;
struct failure;
struct store;

/* So long is a text known; its mailbox hands over none that is as old. */
#define STORE_TEXT_KNOWN_MS (32 * 24 * 60 * 60 * 1000LL)
/* What a provider said of a number counts so long: the recipient may have thought better of
 * it, which only the provider knows, so it hears of a text a day. What came as a text
 * counts until another one does. */
#define STORE_SUPPRESSED_MS (24 * 60 * 60 * 1000LL)

/* ---- operations of a batch (store.h); everything given is copied ---- */
/* A text was dealt with. Known before: the batch fails as BATCH_MISSED. */
void batch_took_text(struct batch *b, const char *origin, const char *ref, int64_t came_ms);
/* Its number wants no more, or wants them again: what was said last (at_ms) holds,
 * whichever is heard first. */
void batch_stop_texts(struct batch *b, const char *number, int64_t at_ms, const char *why);
void batch_start_texts(struct batch *b, const char *number, int64_t at_ms);

/* ---- reading ---- */
typedef void text_known_fn(void *ctx, bool known, const struct failure *why);
void store_knows_text(struct store *s, const char *origin, const char *ref, text_known_fn *done,
		      void *ctx);

struct suppressed_row {
	const char *number, *why;
	int64_t since_ms;
};
struct suppressed_result {
	const struct suppressed_row *rows; /* by number, at most STORE_PAGE_MAX */
	size_t n;
	bool done;
	const struct failure *why;
};
typedef void suppressed_done_fn(void *ctx, const struct suppressed_result *result);
/* Those that get no texts at now_ms, behind a number ("": from the first). */
void store_suppressed(struct store *s, const char *after, int64_t now_ms, suppressed_done_fn *done,
		      void *ctx);
#endif
