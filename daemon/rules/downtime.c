/* rules/downtime.c - decides when a mailbox is down for long. Short ones are nobody's
 * business: connections are lost, and made anew. */
#include "rules/downtime.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "auto.h"
#include "clock.h"
#include "config/config.h"
#include "duration.h"
#include "queue/mailing.h"
#include "rules/audience.h"
#include "rules/desk.h"
#include "rules/note.h"
#include "rules/room.h"

#define LOOK_MS (60 * 1000)

struct downtime {
	char *name; /* owned; of the mailbox */
	bool down, told, seen;
	int64_t begun_ms; /* mono */
	char reason[240];
	struct downtime *next;
};

struct downtimes {
	struct engine *engine;
	struct downtime *first; /* owned, by .next */
	struct task turn;
	struct deadline next;
};

static struct downtime *find(struct downtimes *d, const char *name)
{
	struct downtime *one = d->first;

	while (one && strcmp(one->name, name) != 0)
		one = one->next;
	return one;
}

static struct downtime *begin(struct downtimes *d, const char *name)
{
	struct downtime *one = xcalloc(1, sizeof(*one));

	one->name = xstrdup(name);
	one->begun_ms = clock_mono_ms();
	one->next = d->first;
	d->first = one;
	return one;
}

/* While it connects again, it is not back. */
static void see(void *ctx, const struct mailbox_status *s)
{
	struct downtimes *d = ctx;
	struct downtime *one = find(d, s->name);

	if (!one && s->state == MAILBOX_DOWN)
		one = begin(d, s->name);
	if (!one)
		return;
	one->seen = true;
	one->down = s->state == MAILBOX_DOWN || s->state == MAILBOX_CONNECTING;
	if (s->state == MAILBOX_DOWN)
		strncpy(one->reason, s->reason, sizeof(one->reason) - 1);
}

/* ---- telling ---- */

static void told(void *ctx, const struct batch_result *result)
{
	struct downtimes *d = ctx;

	if (result->status == BATCH_FAILED)
		log_error(&d->engine->log, "the owner of a mailbox can't be told: %s",
			  result->why ? result->why->text : "the store could not be written");
}

static void tell(struct downtimes *d, const struct mailbox_config *mailbox, const char *subject,
		 const char *text)
{
	struct engine *e = d->engine;
	struct mailing *m = mailing_new(e->queue);
	char *const *owner = mailbox->owner ? mailbox->owner : e->config->operators;
	struct audience to = {0};

	audience_add(&to, e->config, owner, NULL, NULL, BY_EITHER);
	if (!audience_is_empty(&to))
		note_add(m, e->queue, e->config,
			 &(struct note){.to = &to, .subject = subject, .text = text});
	audience_clear(&to);
	mailing_commit(m, batch_new(), told, d);
}

static void tell_down(struct downtimes *d, const struct mailbox_config *mailbox,
		      const struct downtime *one)
{
	char host[256] = "", lasts[40];

	gethostname(host, sizeof(host) - 1);
	duration_print(lasts, sizeof(lasts), clock_mono_ms() - one->begun_ms);
	AUTO(free) char *subject = xprintf("nuncio on %s: mailbox %s is down", host, one->name);
	AUTO(free)
	char *text = xprintf("The mailbox %s (%s) can't be read for %s:\n\n  %s\n\nCommands by "
			     "%s wait. It is tried on. `nuncio status` on %s says more. This is "
			     "told once, and once when it works again.\n",
			     one->name, mailbox->type, lasts, one->reason,
			     mailbox->twilio ? "text" : "mail", host);
	tell(d, mailbox, subject, text);
}

static void tell_back(struct downtimes *d, const struct mailbox_config *mailbox,
		      const struct downtime *one)
{
	char host[256] = "", lasted[40];

	gethostname(host, sizeof(host) - 1);
	duration_print(lasted, sizeof(lasted), clock_mono_ms() - one->begun_ms);
	AUTO(free) char *subject = xprintf("nuncio on %s: mailbox %s works again", host, one->name);
	AUTO(free)
	char *text = xprintf("The mailbox %s works again, after %s.\n", one->name, lasted);
	tell(d, mailbox, subject, text);
}

/* ---- when ---- */

/* true: it is over. */
static bool weigh(struct downtimes *d, struct downtime *one)
{
	const struct mailbox_config *mailbox = config_mailbox(d->engine->config, one->name);
	int64_t lasts_ms = clock_mono_ms() - one->begun_ms;

	if (!mailbox || !one->seen)
		return true;
	if (!one->down) {
		if (one->told)
			tell_back(d, mailbox, one);
		return true;
	}
	if (!one->told && mailbox->max_down_ms && lasts_ms >= mailbox->max_down_ms) {
		tell_down(d, mailbox, one);
		one->told = true;
	}
	return false;
}

static int64_t look_in_ms(const struct downtimes *d)
{
	int64_t in_ms = LOOK_MS;

	for (const struct downtime *one = d->first; one; one = one->next) {
		const struct mailbox_config *mailbox = config_mailbox(d->engine->config, one->name);
		int64_t left_ms =
			mailbox ? one->begun_ms + mailbox->max_down_ms - clock_mono_ms() : 0;

		if (!one->told && left_ms > 0 && left_ms < in_ms)
			in_ms = left_ms;
	}
	return in_ms;
}

static void free_downtime(struct downtime *one)
{
	free(one->name);
	free(one);
}

static void look_now(void *ctx)
{
	struct downtimes *d = ctx;
	struct downtime **at = &d->first;

	for (struct downtime *one = d->first; one; one = one->next)
		one->seen = false;
	desks_each(d->engine->desks, see, d);
	while (*at) {
		struct downtime *one = *at;

		if (!weigh(d, one)) {
			at = &one->next;
			continue;
		}
		*at = one->next;
		free_downtime(one);
	}
	if (d->first)
		deadline_set(&d->next, look_in_ms(d));
	else
		deadline_unset(&d->next);
}

struct downtimes *downtimes_new(struct engine *e)
{
	struct downtimes *d = xcalloc(1, sizeof(*d));

	d->engine = e;
	task_init(&d->turn, e->loop, look_now, d);
	deadline_init(&d->next, e->loop, look_now, d);
	return d;
}

void downtimes_look(struct downtimes *d)
{
	if (!d->engine->stopped)
		task_start(&d->turn);
}

void downtimes_stop(struct downtimes *d)
{
	task_clear(&d->turn);
	deadline_unset(&d->next);
}

void downtimes_free(struct downtimes *d)
{
	task_clear(&d->turn);
	deadline_clear(&d->next);
	while (d->first) {
		struct downtime *one = d->first;

		d->first = one->next;
		free_downtime(one);
	}
	free(d);
}
