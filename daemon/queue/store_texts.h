/* queue/store_texts.h - what went out to which number, and when: how many more may, what
 * waits because of it, and what of that goes together. On the writer's thread, within the
 * claim; so a crash finds it as it was. */
#ifndef NUNCIO_QUEUE_STORE_TEXTS_H
#define NUNCIO_QUEUE_STORE_TEXTS_H
#include "queue/events.h"
#include "queue/store_work.h"
struct change;
struct writer;

/* How many texts may go to a number now; and when the next may, if none. urgent: by the
 * longest window alone. */
int texts_room(struct writer *w, const struct text_rules *rules, const char *recipient, bool urgent,
	       int64_t now_ms, size_t *ret_room, int64_t *ret_opens_ms);
/* What the transport has sent since the day began. lifted: an operator lets more go out. */
int texts_used(struct writer *w, const char *transport, const struct text_rules *rules,
	       int64_t now_ms, struct text_use *ret);
bool texts_over_cap(const struct text_rules *rules, const struct text_use *use, unsigned priority,
		    int64_t cost);
/* The delivery waits for its number's turn. */
int texts_postpone(struct writer *w, const char *recipient, int64_t delivery,
		   const struct text_rules *rules, int64_t opens_ms);
/* A text goes out, by an attempt of this delivery. */
int texts_note(struct writer *w, const struct change *change, size_t segments, int64_t cost);
/* It did not: it was not taken, or is known not to be there. */
int texts_forget(struct writer *w, int64_t delivery);

/* How many segments the message makes; 0: it makes no text, and will be refused. */
size_t texts_measure(const struct text_rules *rules, const struct claimed_message *m);

/* Deliveries that go along with one that was just claimed, by the same text. */
struct bundle_claim {
	const char *const *routes; /* that are served */
	size_t nroutes;
	const char *transport;
	const struct text_rules *rules;
	int64_t now_ms;
	struct events *events;
};
/* Claims them, makes m the text of all and keeps that for who asks what became of it.
 * ret_segments is left alone when m goes alone. */
int texts_bundle(struct writer *w, const struct bundle_claim *b, struct claimed_message *m,
		 struct change *lead, size_t *ret_segments);
#endif
