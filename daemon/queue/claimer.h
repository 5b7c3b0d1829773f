/* queue/claimer.h - claims for one transport: knows its routes, whether something
 * is due on them, and what `rate` allows; one question to the store at a time.
 * Whether the transport can carry anything is dispatch's to know. */
#ifndef NUNCIO_QUEUE_CLAIMER_H
#define NUNCIO_QUEUE_CLAIMER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
struct claim_result;
struct claimer;
struct log;
struct loop;
struct store;
struct transport_config;
struct transport_kind;

enum due {
	DUE_NOTHING, /* as far as is known; a deadline is set for what will be */
	DUE_UNKNOWN, /* there may be something: ask, or claim */
	DUE_YES,
};
struct claimer_events {
	/* claimer_due() may be another now, or claimer_is_busy(). */
	void (*stirred)(void *ctx);
	/* A claim's answer, also an empty one; failures were logged. The messages are
	 * the callee's. stirred() follows. */
	void (*claimed)(void *ctx, struct claim_result *result);
};
struct claimer *claimer_new(struct loop *loop, struct store *store,
			    const struct transport_config *config,
			    const struct transport_kind *kind, const struct log *log,
			    const struct claimer_events *events, void *ctx);
void claimer_free(struct claimer *c); /* what a claim under way brings waits for the next open */
void claimer_serve(struct claimer *c, const char *const *routes, size_t n); /* copied */
enum due claimer_due(const struct claimer *c);
bool claimer_is_asking(const struct claimer *c);
bool claimer_is_busy(const struct claimer *c);         /* it is asking, or has to wait first */
void claimer_poke(struct claimer *c);                  /* there may be something due */
void claimer_note(struct claimer *c, int64_t next_ms); /* something will be, then (wall) */
/* Neither when it is busy. */
void claimer_ask(struct claimer *c); /* is something due? */
void claimer_claim(struct claimer *c, size_t max_messages);
#endif
