/* queue/store_paused.c - which transports an operator has paused, as a copy of
 * the table that can be asked at once. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "queue/batch.h"
#include "queue/store_room.h"

static struct paused *find(struct store *s, const char *transport)
{
	for (size_t i = 0; i < s->npaused; i++)
		if (strcmp(s->paused[i].transport, transport) == 0)
			return &s->paused[i];
	return NULL;
}

static struct paused *add(struct store *s, const char *transport)
{
	s->paused = xrealloc(s->paused, (s->npaused + 1) * sizeof(*s->paused));
	s->paused[s->npaused] = (struct paused){.transport = xstrdup(transport)};
	return &s->paused[s->npaused++];
}

static void drop(struct store *s, struct paused *p)
{
	free(p->transport);
	free(p->reason);
	*p = s->paused[--s->npaused];
}

static void rebuild_lists(struct store *s)
{
	size_t n = s->npaused ? s->npaused : 1;

	s->paused_names = xrealloc(s->paused_names, n * sizeof(*s->paused_names));
	s->paused_reasons = xrealloc(s->paused_reasons, n * sizeof(*s->paused_reasons));
	for (size_t i = 0; i < s->npaused; i++) {
		s->paused_names[i] = s->paused[i].transport;
		s->paused_reasons[i] = s->paused[i].reason;
	}
}

void paused_set(struct store *s, const char *transport, const char *reason)
{
	struct paused *p = find(s, transport);

	if (reason) {
		p = p ? p : add(s, transport);
		free(p->reason);
		p->reason = xstrdup(reason);
	} else if (p) {
		drop(s, p);
	}
	rebuild_lists(s);
}

void paused_follow(struct store *s, const struct batch *batch)
{
	for (const struct op *op = batch->first; op; op = op->next) {
		if (op->kind == OP_PAUSE)
			paused_set(s, op->pause.transport, op->pause.reason);
		else if (op->kind == OP_RESUME)
			paused_set(s, op->pause.transport, NULL);
	}
}

void paused_clear(struct store *s)
{
	while (s->npaused)
		drop(s, &s->paused[0]);
	free(s->paused);
	free(s->paused_names);
	free(s->paused_reasons);
}

void store_paused(const struct store *s, struct paused_result *ret)
{
	*ret = (struct paused_result){
		.names = s->paused_names, .reasons = s->paused_reasons, .n = s->npaused};
}
