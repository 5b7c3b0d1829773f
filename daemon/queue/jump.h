/* queue/jump.h - the wall clock was set, by hand or by the network: the times in
 * the rows follow. The writer looks before each transaction, so that nothing is
 * claimed, expired or forgotten by a clock the rows do not know yet. */
#ifndef NUNCIO_QUEUE_JUMP_H
#define NUNCIO_QUEUE_JUMP_H
#include <stdbool.h>
#include <stdint.h>
struct writer;

/* At opening, in a transaction: from now on the rows go by the clock as it stands. If it is
 * behind what was written down, it was set back meanwhile, and they follow. */
int jump_begin(struct writer *w);
int jump_note(struct writer *w); /* writes the clock down */
/* In a transaction that writes anyway: now and then, and after a jump. */
int jump_note_at_times(struct writer *w);
/* In a transaction. -1: the database failed. jumped_ms: by how much it was set; 0: not. */
int jump_follow(struct writer *w);
void jump_followed(struct writer *w); /* that is on disk */
void jump_undone(struct writer *w);   /* nothing of the transaction is */
/* By how much the clock was set since clock_ahead_ms() was that; 0: not. */
int64_t jump_since_ms(int64_t ahead_ms);
/* clock_ahead_ms() as the rows have it in this transaction. */
int64_t jump_ahead_ms(const struct writer *w);

/* On the reader's thread, around a transaction: by what clock are the rows that it sees? If
 * the look does not hold afterwards, nobody knows. */
struct jump_look {
	unsigned jumps;
	int64_t ahead_ms; /* what their times have on clock_boot_ms() */
};
struct jump_look jump_look(const struct writer *w);
bool jump_look_holds(const struct writer *w, const struct jump_look *look);
#endif
