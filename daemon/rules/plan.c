/* rules/plan.c - a plan to a line of JSON and back. */
#include "rules/plan.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "mailbox/mailbox.h"

#define DEEDS_MAX 20
#define SENDS_MAX 20

void plan_clear(struct plan *p)
{
	audience_clear(&p->report);
	thread_clear(&p->thread);
	for (size_t i = 0; i < p->ndeeds; i++)
		free(p->deeds[i].target);
	for (size_t i = 0; i < p->nsends; i++) {
		audience_clear(&p->sends[i].to);
		free(p->sends[i].subject);
		free(p->sends[i].text);
	}
	free(p->deeds);
	free(p->sends);
	free(p->digest);
	*p = (struct plan){0};
}

void plan_add_deed(struct plan *p, unsigned deed, const char *target)
{
	if (p->ndeeds == DEEDS_MAX)
		return;
	p->deeds = xrealloc(p->deeds, (p->ndeeds + 1) * sizeof(*p->deeds));
	p->deeds[p->ndeeds++] =
		(struct plan_deed){.deed = deed, .target = target ? xstrdup(target) : NULL};
}

struct plan_send *plan_add_send(struct plan *p)
{
	p->sends = xrealloc(p->sends, (p->nsends + 1) * sizeof(*p->sends));
	p->sends[p->nsends] = (struct plan_send){0};
	return &p->sends[p->nsends++];
}

static void put(json_t *object, const char *key, const char *value)
{
	json_t *text = value ? json_string(value) : NULL;

	if (text)
		json_object_set_new(object, key, text);
}

static char *get(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? xstrdup(value) : NULL;
}

char *plan_print(const struct plan *p)
{
	json_t *deeds = json_array(), *sends = json_array();

	for (size_t i = 0; i < p->ndeeds; i++) {
		json_t *deed = json_pack("{s:i}", "deed", (int)p->deeds[i].deed);

		put(deed, "target", p->deeds[i].target);
		json_array_append_new(deeds, deed);
	}
	for (size_t i = 0; i < p->nsends; i++) {
		json_t *send = json_pack("{s:o}", "to", audience_to_json(&p->sends[i].to));

		put(send, "subject", p->sends[i].subject);
		put(send, "text", p->sends[i].text);
		json_array_append_new(sends, send);
	}
	json_t *object =
		json_pack("{s:o, s:o, s:o, s:o}", "report", audience_to_json(&p->report), "thread",
			  thread_to_json(&p->thread), "deeds", deeds, "sends", sends);
	put(object, "digest", p->digest);
	char *text = json_dumps(object, JSON_COMPACT);

	json_decref(object);
	return text;
}

void plan_read(struct plan *p, const char *text)
{
	json_t *object = text ? json_loads(text, 0, NULL) : NULL;
	json_t *one;
	size_t i;

	*p = (struct plan){.digest = get(object, "digest")};
	audience_from_json(&p->report, json_object_get(object, "report"));
	thread_from_json(&p->thread, json_object_get(object, "thread"));
	json_array_foreach(json_object_get(object, "deeds"), i, one)
	{
		const json_t *number = json_object_get(one, "deed");
		json_int_t deed = json_integer_value(number);

		if (json_is_integer(number) && deed >= MAIL_FLAG && deed <= MAIL_DELETE)
			plan_add_deed(p, (unsigned)deed,
				      json_string_value(json_object_get(one, "target")));
	}
	json_array_foreach(json_object_get(object, "sends"), i, one)
	{
		struct plan_send *send = i < SENDS_MAX ? plan_add_send(p) : NULL;

		if (!send)
			break;
		audience_from_json(&send->to, json_object_get(one, "to"));
		send->subject = get(one, "subject");
		send->text = get(one, "text");
	}
	json_decref(object);
}
