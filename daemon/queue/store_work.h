/* queue/store_work.h - the store at work: claims for dispatch, deeds of operators
 * and owners, housekeeping. Part of store.h's contract: asynchronous, in order with
 * all writes, all or none. */
#ifndef NUNCIO_QUEUE_STORE_WORK_H
#define NUNCIO_QUEUE_STORE_WORK_H
#include <jansson.h>
#include "queue/store_data.h"
#include "throttle.h"
struct failure;
struct store;

/* What holds for texts, deliveries to a number. */
struct text_rules {
	struct throttle throttle; /* of a number */
	unsigned max_messages;    /* of the day; 0: no limit */
	int64_t max_cost,
		segment_cost;        /* the same, in millionths; of a segment, about; 0: unknown */
	bool urgent_passes;          /* these limits of the day */
	int64_t day_ms, tomorrow_ms; /* when it began and when it ends */
	unsigned segments, characters; /* of a text; 0: no limit */
	bool exact;                    /* no look-alikes (text_message.h) */
	bool pictures;                 /* media go beside the words, all as one segment */
};
struct text_use {
	uint64_t messages;
	int64_t cost;
	bool lifted; /* an operator lets more go out today */
};
/* Claims what is due on some routes: queued -> sending, attempt_no + 1, an event
 * each; most urgent first, then by time; whole messages: all due deliveries of one
 * on the same route together, up to max_recipients of them. Deliveries whose expires_ms
 * passed become expired instead and are told in expired. Texts to a number that has had
 * enough of them wait; the last one that may go takes the others along (a bundle: one of
 * its deliveries is claimed as the message, the others follow whatever becomes of that). */
struct claim_request {
	const char *const *routes;
	size_t nroutes;
	size_t max_messages, max_recipients;
	const char *transport; /* for the event */
	int64_t now_ms;
	const struct text_rules *texts; /* copied; NULL: it carries none */
};
struct claimed_delivery {
	int64_t id;
	char *recipient;
	unsigned attempt_no;
	int64_t expires_ms; /* wall, as of ahead_ms; 0: never */
};
struct claimed_message { /* freed with claimed_message_free() by who gets it */
	int64_t id, body, created_ms;
	int64_t ahead_ms; /* what its times have on clock_boot_ms() */
	uint32_t uid;
	unsigned priority;
	char *sender, *spec;
	void *content; /* NULL when it is in chunks */
	uint64_t content_size;
	struct claimed_delivery *deliveries;
	size_t n;
};
void claimed_message_free(struct claimed_message *m);
struct claim_result {
	/* Each one's owner is now the callee; the array is not. */
	struct claimed_message **messages;
	size_t n;
	const struct event_row *events; /* what happened, claims and expiries */
	size_t nevents;
	/* When the earliest not yet due is; 0: none waits. After a request with max_messages
	 * 0, which changes nothing and only asks this: the earliest of all, also a due one. */
	int64_t next_ms;
	struct text_use texts; /* of the day, this claim included */
	bool capped;           /* some wait for the next day */
	const struct failure *why;
};
typedef void claim_done_fn(void *ctx, struct claim_result *result);
void store_claim(struct store *s, const struct claim_request *request, claim_done_fn *done,
		 void *ctx);

enum deed { DEED_CANCEL, DEED_HOLD, DEED_RELEASE, DEED_RETRY };
/* cancel: held, queued, uncertain, standby -> canceled. hold: queued -> held. release: held ->
 * queued, due now. retry: queued, uncertain -> due now; failed, expired, canceled, undelivered ->
 * queued again, attempt_no kept, with a fresh life as long as the old one; so has
 * what was held until it was too late. */
struct deed_result {
	const struct event_row *events;
	size_t nevents;     /* deliveries changed */
	size_t passed_over; /* matched, but in a state the deed does not fit */
	int64_t last;       /* delivery id to go on after */
	bool done;
	const struct failure *why;
};
/* A deed on all that filter means: at most STORE_PAGE_MAX a call, and maybe none;
 * again with after = last until done. */
typedef void deed_done_fn(void *ctx, const struct deed_result *result);
void store_do(struct store *s, enum deed deed, const struct filter *filter, int64_t after,
	      int64_t now_ms, deed_done_fn *done, void *ctx);

/* Housekeeping, a bounded piece a call: expires what waits too long whatever its
 * route, frees lapsed claims of others, ends what was heard nothing of for a day and nobody
 * is left to ask about, deletes messages finished before forget_before_ms with all that is
 * theirs. more: call again soon. */
struct sweep_plan {
	int64_t now_ms, forget_before_ms;
	json_t *transports; /* those there are: an object with their names, taken over */
};
struct sweep_result {
	const struct event_row *events;
	size_t nevents;
	size_t forgotten; /* messages */
	bool more;
	const struct failure *why;
};
typedef void sweep_done_fn(void *ctx, const struct sweep_result *result);
void store_sweep(struct store *s, const struct sweep_plan *plan, sweep_done_fn *done, void *ctx);
#endif
