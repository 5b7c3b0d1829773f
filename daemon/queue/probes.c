/* queue/probes.c - keeps each asker's answer until the next turn. Probing itself
 * is dispatch's. */
#include "queue/probes.h"

#include <stdlib.h>

#include "alloc.h"
#include "failure.h"

struct probe {
	probe_done_fn *done;
	void *ctx;
	bool answered;
	struct failure why; /* FAILURE_NONE: it works */
	struct probe *next;
};

static struct probe *take_answered(struct probes *p)
{
	for (struct probe **at = &p->first; *at; at = &(*at)->next) {
		struct probe *probe = *at;

		if (probe->answered) {
			*at = probe->next;
			return probe;
		}
	}
	return NULL;
}

static void tell(void *ctx)
{
	struct probes *p = ctx;
	struct probe *probe;

	while ((probe = take_answered(p))) {
		probe->done(probe->ctx, probe->why.kind == FAILURE_NONE ? NULL : &probe->why);
		free(probe);
	}
}

void probes_init(struct probes *p, struct loop *loop)
{
	*p = (struct probes){.first = NULL};
	task_init(&p->turn, loop, tell, p);
}

void probes_clear(struct probes *p)
{
	task_clear(&p->turn);
	while (p->first) {
		struct probe *next = p->first->next;

		free(p->first);
		p->first = next;
	}
}

void probes_add(struct probes *p, probe_done_fn *done, void *ctx)
{
	struct probe *probe = xcalloc(1, sizeof(*probe));

	probe->done = done;
	probe->ctx = ctx;
	probe->next = p->first;
	p->first = probe;
}

void probes_answer(struct probes *p, const struct failure *why)
{
	for (struct probe *probe = p->first; probe; probe = probe->next) {
		if (probe->answered)
			continue;
		probe->answered = true;
		if (why)
			probe->why = *why;
		task_start(&p->turn);
	}
}
