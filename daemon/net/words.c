/* net/words.c - decides the order of words: what came before the end is heard
 * before the end. */
#include "net/words.h"

void words_init(struct words *w, struct loop *loop, line_said_fn *said, void *ctx)
{
	*w = (struct words){.said = said, .ctx = ctx};
	task_init(&w->later, loop, words_say, w);
}

void words_clear(struct words *w)
{
	task_clear(&w->later);
}

void words_add(struct words *w, enum line_word word)
{
	w->waiting |= 1u << word;
}

void words_drop(struct words *w, enum line_word word)
{
	w->waiting &= ~(1u << word);
}

void words_say(void *ctx)
{
	struct words *w = ctx;
	struct failure why = w->why;
	enum line_word word = LINE_CONNECTED;

	if (!w->waiting)
		return;
	while (!(w->waiting & 1u << word))
		word++;
	words_drop(w, word);
	if (w->waiting)
		task_start(&w->later);
	w->said(w->ctx, word, word == LINE_FAILED ? &why : NULL);
}

void words_say_later(struct words *w)
{
	task_start(&w->later);
}
