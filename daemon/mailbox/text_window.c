/* mailbox/text_window.c - decides which texts are new, in which order they are handed over,
 * and how far back a list is still to be asked for. */
#include "mailbox/text_window.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

void text_window_init(struct text_window *w, const char *cursor)
{
	*w = (struct text_window){0};
	if (!cursor || sscanf(cursor, "1 %" SCNd64, &w->floor_ms) != 1 || w->floor_ms < 0)
		w->floor_ms = 0;
}

void text_window_clear(struct text_window *w)
{
	for (size_t i = 0; i < w->nwaiting; i++)
		twilio_message_clear(&w->waiting[i]);
	free(w->waiting);
	free(w->known);
	*w = (struct text_window){0};
}

const char *text_window_print(const struct text_window *w, char out[TEXT_CURSOR_SIZE])
{
	snprintf(out, TEXT_CURSOR_SIZE, "1 %" PRId64, w->floor_ms);
	return out;
}

/* ---- those that are known ---- */

/* Where sid is, or would be. */
static size_t place_of(const struct text_window *w, const char *sid)
{
	size_t first = 0, end = w->nknown;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (strcmp(w->known[middle].sid, sid) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

static bool is_known(const struct text_window *w, const char *sid)
{
	size_t at = place_of(w, sid);

	return at < w->nknown && strcmp(w->known[at].sid, sid) == 0;
}

static void know(struct text_window *w, const struct twilio_message *m)
{
	size_t at = place_of(w, m->sid);

	if (w->nknown == w->room) {
		w->room = w->room ? w->room * 2 : 16;
		w->known = xrealloc(w->known, w->room * sizeof(*w->known));
	}
	memmove(&w->known[at + 1], &w->known[at], (w->nknown - at) * sizeof(*w->known));
	w->nknown++;
	memcpy(w->known[at].sid, m->sid, sizeof(m->sid));
	w->known[at].created_ms = m->created_ms;
}

/* What is below the floor is not looked at again. */
static void forget(struct text_window *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->nknown; i++)
		if (w->known[i].created_ms >= w->floor_ms)
			w->known[kept++] = w->known[i];
	w->nknown = kept;
}

/* ---- the floor ---- */

/* Whatever came so long before the round has been listed by it, and waits, if it is new. */
static void raise_floor(struct text_window *w)
{
	int64_t floor_ms = w->round_ms - TEXT_WINDOW_LATE_MS;

	if (w->nwaiting && w->waiting[0].created_ms < floor_ms)
		floor_ms = w->waiting[0].created_ms;
	if (w->left_ms && w->left_ms < floor_ms)
		floor_ms = w->left_ms;
	if (floor_ms > w->floor_ms)
		w->floor_ms = floor_ms;
}

/* ---- a round ---- */

void text_window_begin(struct text_window *w, int64_t now_ms)
{
	w->round_ms = now_ms;
	w->left_ms = 0;
	if (!w->floor_ms)
		w->floor_ms = now_ms;
	if (w->floor_ms < now_ms - TEXT_WINDOW_OLD_MS)
		w->floor_ms = now_ms - TEXT_WINDOW_OLD_MS;
}

static int compare(const struct twilio_message *a, const struct twilio_message *b)
{
	if (a->created_ms != b->created_ms)
		return a->created_ms < b->created_ms ? -1 : 1;
	return strcmp(a->sid, b->sid);
}

static void leave(struct text_window *w, int64_t created_ms)
{
	if (!w->left_ms || created_ms < w->left_ms)
		w->left_ms = created_ms;
}

/* There is one more than there is room for. */
static void drop_newest(struct text_window *w)
{
	struct twilio_message *last = &w->waiting[--w->nwaiting];

	leave(w, last->created_ms);
	twilio_message_clear(last);
}

void text_window_add(struct text_window *w, struct twilio_message *message)
{
	size_t at = w->nwaiting;

	if (message->created_ms < w->floor_ms || is_known(w, message->sid))
		return;
	while (at && compare(&w->waiting[at - 1], message) > 0)
		at--;
	if (at && strcmp(w->waiting[at - 1].sid, message->sid) == 0)
		return;
	if (!w->waiting)
		w->waiting = xcalloc(TEXT_WINDOW_WAITING_MAX + 1, sizeof(*w->waiting));
	memmove(&w->waiting[at + 1], &w->waiting[at], (w->nwaiting - at) * sizeof(*w->waiting));
	w->waiting[at] = *message;
	*message = (struct twilio_message){0};
	if (++w->nwaiting > TEXT_WINDOW_WAITING_MAX)
		drop_newest(w);
}

void text_window_end(struct text_window *w)
{
	raise_floor(w);
	forget(w);
}

/* ---- one after the other ---- */

const struct twilio_message *text_window_first(const struct text_window *w)
{
	return w->nwaiting ? &w->waiting[0] : NULL;
}

void text_window_take(struct text_window *w)
{
	struct twilio_message first = w->waiting[0];

	know(w, &first);
	w->nwaiting--;
	memmove(&w->waiting[0], &w->waiting[1], w->nwaiting * sizeof(*w->waiting));
	twilio_message_clear(&first);
	raise_floor(w);
}

bool text_window_left_some(const struct text_window *w)
{
	return w->left_ms;
}
