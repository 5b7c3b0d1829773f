/* queue/events.c - deep copies of events. */
#include "queue/events.h"

#include <stdlib.h>

#include "alloc.h"

void events_add(struct events *e, const struct event_row *row)
{
	if (e->n == e->allocated) {
		e->allocated = e->allocated ? e->allocated * 2 : 16;
		e->rows = xrealloc(e->rows, e->allocated * sizeof(*e->rows));
	}
	struct event_row *copy = &e->rows[e->n++];

	*copy = *row;
	copy->recipient = arena_text(&e->texts, row->recipient ? row->recipient : "");
	copy->transport = arena_text(&e->texts, row->transport ? row->transport : "");
	copy->enhanced = arena_text(&e->texts, row->enhanced ? row->enhanced : "");
	copy->text = arena_text(&e->texts, row->text ? row->text : "");
}

void events_clear(struct events *e)
{
	arena_clear(&e->texts);
	free(e->rows);
	*e = (struct events){0};
}
