/* queue/telling.c - decides which of the operator's addresses is told, and by what. */
#include "queue/telling.h"

#include <string.h>

#include "config/config.h"
#include "queue/queue.h"
#include "transport/transport.h"

#define GROUP_DEPTH 16

static void see_way(void *ctx, const struct transport_status *s)
{
	struct telling *t = ctx;
	const struct transport_kind *kind = transport_kind_find(s->type);
	bool works = strcmp(s->state, "down") != 0 && strcmp(s->state, "paused") != 0 &&
		     strcmp(s->state, "capped") != 0;

	if (!kind || (t->except && strcmp(s->name, t->except) == 0))
		return;
	t->possible = true;
	if (works && !t->mail && kind->carries & CARRIES_MAIL)
		t->mail = s->name;
	if (works && !t->texts && kind->carries & CARRIES_TEXTS)
		t->texts = s->name;
}

static void add_contact(struct telling *t, const char *name, unsigned depth)
{
	const struct contact_config *contact = config_contact(t->config, name);

	if (!contact || depth > GROUP_DEPTH || t->n == TELLING_MAX)
		return;
	for (char **member = contact->members; member && *member; member++)
		add_contact(t, *member, depth + 1);
	if (contact->members)
		return;
	if (contact->nmail && t->mail)
		t->to[t->n++] = (struct bulletin_to){.recipient = contact->mail[0].ascii,
						     .mail = &contact->mail[0],
						     .route = t->mail};
	else if (contact->sms && t->texts)
		t->to[t->n++] = (struct bulletin_to){.recipient = contact->sms, .route = t->texts};
}

bool telling_find(struct telling *t)
{
	queue_each_transport(t->queue, see_way, t);
	for (char **name = t->config->operators; name && *name; name++)
		add_contact(t, *name, 0);
	return t->n > 0;
}
