/* mailbox/text_window.h - which texts of a provider's list are new, when the list is asked
 * for again and again: its pages shift, repeat themselves and come in any order, and a
 * text may turn up late. Texts are known by their sid for as long as they may be listed;
 * those that came before the floor were dealt with, or are none of ours. Pure. */
#ifndef NUNCIO_MAILBOX_TEXT_WINDOW_H
#define NUNCIO_MAILBOX_TEXT_WINDOW_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "net/twilio_wire.h"

/* So late may a text be listed after it came. */
#define TEXT_WINDOW_LATE_MS (24 * 60 * 60 * 1000LL)
/* No command is obeyed so late (rules' max_age), and no text handed over. Who remembers
 * those that were handed over (the store) does so for longer. */
#define TEXT_WINDOW_OLD_MS (31 * 24 * 60 * 60 * 1000LL)
#define TEXT_WINDOW_WAITING_MAX 2000 /* the older ones; the others are found by the next round */
#define TEXT_CURSOR_SIZE 32

struct text_known {
	char sid[TWILIO_SID_SIZE];
	int64_t created_ms;
};
struct text_window {
	int64_t floor_ms;         /* by the provider's clock; 0: never asked */
	int64_t round_ms;         /* when the round began */
	int64_t left_ms;          /* the oldest of those for which there was no room; 0: none */
	struct text_known *known; /* owned, of nknown; by sid */
	size_t nknown, room;
	struct twilio_message *waiting; /* owned, of nwaiting; the oldest first */
	size_t nwaiting;
};
/* cursor: what text_window_print() gave, or NULL. */
void text_window_init(struct text_window *w, const char *cursor);
void text_window_clear(struct text_window *w);
const char *text_window_print(const struct text_window *w, char out[TEXT_CURSOR_SIZE]);

/* A list is asked for from its begin; now_ms by the provider's clock. */
void text_window_begin(struct text_window *w, int64_t now_ms);
/* One that it has; what message owns is the window's if it is new. */
void text_window_add(struct text_window *w, struct twilio_message *message);
/* All of it was seen. */
void text_window_end(struct text_window *w);

/* The oldest that waits; NULL: none. */
const struct twilio_message *text_window_first(const struct text_window *w);
/* It was handed over: it is known, and the floor rises as far as it may. */
void text_window_take(struct text_window *w);
bool text_window_left_some(const struct text_window *w); /* there is more than waited */
#endif
