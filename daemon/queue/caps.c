/* queue/caps.c - decides when the operator hears of it. That it was told is in the queue
 * itself, by the key of the message, so a restart tells nothing twice. */
#include "queue/caps.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "base/deadline.h"
#include "base/loop.h"
#include "clock.h"
#include "config/config.h"
#include "queue/room.h"
#include "queue/telling.h"
#include "queue/text_rules.h"
#include "throttle.h"

#define AGAIN_MS (60 * 1000) /* while there is no way to the operator */

struct caps {
	struct queue *queue;
	const struct config *config;
	struct task turn;
	struct deadline again;
	bool waits; /* something could not be told */
};

static void tell(struct caps *c, struct telling *t, const struct transport_status *s, bool all)
{
	char host[256] = "", spent[32];

	gethostname(host, sizeof(host) - 1);
	AUTO(free)
	char *key = xprintf("cap:%s:%lld:%s", s->name, (long long)text_tomorrow_ms(clock_wall_ms()),
			    all ? "all" : "most");
	AUTO(free)
	char *subject = xprintf("nuncio on %s: %s has sent %s it may in a day", host, s->name,
				all ? "all" : "most of what");
	AUTO(free)
	char *text =
		xprintf("The transport %s has sent %llu texts today, for about %s.\n\n%s\n"
			"`nuncio status` on %s says more, and `nuncio queue` what waits.\n",
			s->name, (unsigned long long)s->texts_day,
			money_print(spent, sizeof(spent), s->cost_day),
			all ? "More wait until midnight, or until `nuncio resume` lifts the limit "
			      "of today (`daily` in nuncio.conf)."
			    : "At the limit (`daily` in nuncio.conf) texts will wait.",
			host);
	bulletin_send(c->queue, c->config, key, subject, text, t->to, t->n);
}

static void see(void *ctx, const struct transport_status *s)
{
	struct caps *c = ctx;
	const struct transport_config *config = config_transport(c->config, s->name);
	struct telling t = {.queue = c->queue, .config = c->config, .except = s->name};
	unsigned share = config ? text_rules_share(config, s->texts_day, s->cost_day) : 0;
	bool all = share >= 100 || strcmp(s->state, "capped") == 0;

	if (!config || (!all && (share == 0 || share < config->daily.warn)))
		return;
	if (telling_find(&t))
		tell(c, &t, s, all);
	else
		c->waits = true;
}

static void look_now(void *ctx)
{
	struct caps *c = ctx;

	c->waits = false;
	if (c->config)
		queue_each_transport(c->queue, see, c);
	if (c->waits)
		deadline_set(&c->again, AGAIN_MS);
	else
		deadline_unset(&c->again);
}

struct caps *caps_new(struct queue *q)
{
	struct caps *c = xcalloc(1, sizeof(*c));

	c->queue = q;
	task_init(&c->turn, queue_loop(q), look_now, c);
	deadline_init(&c->again, queue_loop(q), look_now, c);
	return c;
}

void caps_free(struct caps *c)
{
	if (!c)
		return;
	task_clear(&c->turn);
	deadline_clear(&c->again);
	free(c);
}

void caps_configure(struct caps *c, const struct config *config)
{
	c->config = config;
	caps_look(c);
}

void caps_look(struct caps *c)
{
	task_start(&c->turn);
}
