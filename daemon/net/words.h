/* net/words.h - what a line has to say: collected, and said one by one, each as
 * the last thing of a call from the loop, so that the one who hears may free
 * the line. For net/line.c. */
#ifndef NUNCIO_NET_WORDS_H
#define NUNCIO_NET_WORDS_H
#include "base/loop.h"
#include "failure.h"
#include "net/line.h"

/* Embedded in its line. */
struct words {
	line_said_fn *said;
	void *ctx;
	unsigned waiting;   /* 1 << enum line_word */
	struct failure why; /* for LINE_FAILED */
	struct task later;
};

void words_init(struct words *w, struct loop *loop, line_said_fn *said, void *ctx);
void words_clear(struct words *w);
void words_add(struct words *w, enum line_word word); /* once, however often it is added */
void words_drop(struct words *w, enum line_word word);
/* Says the first in the order of the enum; the rest follow, a turn each. The last
 * thing its caller does. ctx is the words: a task may call it. */
void words_say(void *ctx);
void words_say_later(struct words *w); /* for where nothing may be said */
#endif
