/* queue/outages.c - decides when an outage is long, whom to tell and which way: by a
 * transport that works, waiting for one if none does. */
#include "queue/outages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "base/deadline.h"
#include "base/loop.h"
#include "buf.h"
#include "clock.h"
#include "config/config.h"
#include "duration.h"
#include "log.h"
#include "queue/bulletin.h"
#include "queue/room.h"
#include "queue/telling.h"

#define LOOK_MS (60 * 1000)
#define TEXT_MAX 4000

struct outage {
	char *name; /* owned; of the transport */
	bool down;
	bool told;        /* the operator knows: is told when it is over, too */
	bool given_up;    /* there is nobody to tell, or no way: said once */
	int64_t begun_ms; /* mono */
	struct outage *next;
};

struct outages {
	struct queue *queue;
	const struct config *config;
	struct outage *first; /* owned, by .next */
	struct task turn;
	struct deadline next;
};

static void look_now(void *ctx);

struct outages *outages_new(struct queue *q)
{
	struct outages *o = xcalloc(1, sizeof(*o));

	o->queue = q;
	task_init(&o->turn, queue_loop(q), look_now, o);
	deadline_init(&o->next, queue_loop(q), look_now, o);
	return o;
}

static void outage_free(struct outage *outage)
{
	free(outage->name);
	free(outage);
}

void outages_free(struct outages *o)
{
	if (!o)
		return;
	task_clear(&o->turn);
	deadline_clear(&o->next);
	while (o->first) {
		struct outage *next = o->first->next;

		outage_free(o->first);
		o->first = next;
	}
	free(o);
}

/* ---- what ---- */

static void print_time(char *out, size_t size, int64_t ms)
{
	time_t at = (time_t)(ms / 1000);
	struct tm local;

	localtime_r(&at, &local);
	strftime(out, size, "%Y-%m-%d %H:%M:%S %z", &local);
}

static void tell_down(struct telling *t, const struct outage *outage,
		      const struct transport_status *s)
{
	char host[256] = "", since[64], lasts[40];
	int64_t ms = clock_mono_ms() - outage->begun_ms;
	struct buf text;

	gethostname(host, sizeof(host) - 1);
	print_time(since, sizeof(since), clock_wall_ms() - ms);
	AUTO(free) char *subject = xprintf("nuncio on %s: %s is down", host, s->name);
	buf_init(&text, TEXT_MAX);
	buf_printf(&text,
		   "The transport %s (%s) is down since %s, for %s:\n\n  %s\n\n"
		   "It was tried %u times, and is tried on. %llu deliveries wait in the queue.\n"
		   "`nuncio status` on %s says more. This is told once, and once when it works "
		   "again.\n",
		   s->name, s->type, since, duration_print(lasts, sizeof(lasts), ms), s->reason,
		   s->failures, (unsigned long long)store_waiting(queue_store(t->queue)), host);
	bulletin_send(t->queue, t->config, NULL, subject, buf_bytes(&text), t->to, t->n);
	buf_clear(&text);
}

static void tell_back(struct telling *t, const struct outage *outage)
{
	char host[256] = "", lasted[40];

	gethostname(host, sizeof(host) - 1);
	duration_print(lasted, sizeof(lasted), clock_mono_ms() - outage->begun_ms);
	AUTO(free) char *subject = xprintf("nuncio on %s: %s works again", host, outage->name);
	AUTO(free)
	char *text = xprintf("The transport %s works again, after %s. %llu deliveries wait in the "
			     "queue.\n",
			     outage->name, lasted,
			     (unsigned long long)store_waiting(queue_store(t->queue)));
	bulletin_send(t->queue, t->config, NULL, subject, text, t->to, t->n);
}

/* ---- when ---- */

static struct outage *find(struct outages *o, const char *name)
{
	struct outage *outage = o->first;

	while (outage && strcmp(outage->name, name) != 0)
		outage = outage->next;
	return outage;
}

static void begin(struct outages *o, const char *name)
{
	struct outage *outage = find(o, name);

	if (!outage) {
		outage = xcalloc(1, sizeof(*outage));
		outage->name = xstrdup(name);
		outage->next = o->first;
		o->first = outage;
	}
	if (!outage->down && !outage->told)
		outage->begun_ms = clock_mono_ms();
	outage->down = true;
}

/* It works, as far as is known: it is up, or was since its settings were changed. */
static bool works(const struct transport_status *s)
{
	return strcmp(s->state, "up") == 0 || strcmp(s->state, "capped") == 0 ||
	       (strcmp(s->state, "idle") == 0 && s->sent + s->refused + s->later > 0);
}

static void see_state(void *ctx, const struct transport_status *s)
{
	struct outages *o = ctx;
	struct outage *outage = find(o, s->name);

	if (strcmp(s->state, "down") == 0)
		begin(o, s->name);
	else if (outage && works(s))
		outage->down = false;
}

static void warn_of_silence(struct outage *outage, const struct telling *t)
{
	if (!outage->given_up && t->config->operators)
		log_warn(NULL, "transport %s: the operator can't be told that it is down: %s",
			 outage->name,
			 t->possible ? "no other transport works" : "there is no other transport");
	outage->given_up = true;
}

static void check_long(struct outages *o, struct outage *outage, const struct transport_status *s)
{
	const struct transport_config *config = config_transport(o->config, outage->name);
	struct telling t = {.queue = o->queue, .config = o->config, .except = outage->name};
	int64_t lasts_ms = clock_mono_ms() - outage->begun_ms;

	if (!config || !config->max_down_ms || outage->told || lasts_ms < config->max_down_ms)
		return;
	if (!telling_find(&t)) {
		warn_of_silence(outage, &t);
		return;
	}
	tell_down(&t, outage, s);
	outage->told = true;
}

static void see_long(void *ctx, const struct transport_status *s)
{
	struct outages *o = ctx;
	struct outage *outage = find(o, s->name);

	if (outage && outage->down && strcmp(s->state, "down") == 0)
		check_long(o, outage, s);
}

/* true: it is over, and nobody waits to hear so. */
static bool is_over(struct outages *o, struct outage *outage)
{
	struct telling t = {.queue = o->queue, .config = o->config};

	if (!config_transport(o->config, outage->name))
		return true;
	if (outage->down)
		return false;
	if (outage->told && !telling_find(&t))
		return false;
	if (outage->told)
		tell_back(&t, outage);
	return true;
}

static void drop_over(struct outages *o)
{
	struct outage **at = &o->first;

	while (*at) {
		struct outage *outage = *at;

		if (!is_over(o, outage)) {
			at = &outage->next;
			continue;
		}
		*at = outage->next;
		outage_free(outage);
	}
}

/* Until the next one becomes long, or somebody may have come back who can tell. */
static int64_t look_in_ms(const struct outages *o)
{
	int64_t in_ms = LOOK_MS;

	for (const struct outage *outage = o->first; outage; outage = outage->next) {
		const struct transport_config *config = config_transport(o->config, outage->name);
		int64_t left_ms =
			config ? outage->begun_ms + config->max_down_ms - clock_mono_ms() : 0;

		if (!outage->told && left_ms > 0 && left_ms < in_ms)
			in_ms = left_ms;
	}
	return in_ms;
}

static void look_now(void *ctx)
{
	struct outages *o = ctx;

	if (!o->config)
		return;
	queue_each_transport(o->queue, see_state, o);
	queue_each_transport(o->queue, see_long, o);
	drop_over(o);
	if (o->first)
		deadline_set(&o->next, look_in_ms(o));
	else
		deadline_unset(&o->next);
}

void outages_configure(struct outages *o, const struct config *config)
{
	o->config = config;
	outages_look(o);
}

void outages_look(struct outages *o)
{
	task_start(&o->turn);
}
