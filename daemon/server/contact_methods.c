/* server/contact_methods.c - Contacts: who is known, by which addresses, and who wants no
 * texts. That is for those who may look or operate. */
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "alloc.h"
#include "clock.h"
#include "config/config.h"
#include "queue/queue.h"
#include "queue/store_inbound.h"
#include "server/call.h"
#include "server/methods.h"
#include "server/room.h"
#include "server/rows.h"

#define OTHERS_MAX 1000 /* numbers of nobody we know that are shown */

struct listing {
	json_t *suppressed; /* owned; of contacts: number to what is said of it */
	json_t *others;     /* owned */
	json_int_t left;    /* others that are not shown */
};

static void free_listing(void *state)
{
	struct listing *l = state;

	json_decref(l->suppressed);
	json_decref(l->others);
	free(l);
}

static json_t *names(char *const *list)
{
	json_t *array = json_array();

	for (; list && *list; list++)
		json_array_append_new(array, reply_text(*list));
	return array;
}

static json_t *reply_contact(const struct contact_config *contact, const struct listing *l)
{
	json_t *mail = json_array();
	json_t *said = contact->sms ? json_object_get(l->suppressed, contact->sms) : NULL;

	for (size_t i = 0; i < contact->nmail; i++)
		json_array_append_new(mail, reply_text(contact->mail[i].mailbox));
	return json_pack("{s:o, s:o, s:o, s:o, s:O}", "name", reply_text(contact->name), "mail",
			 mail, "sms", reply_some(contact->sms), "members", names(contact->members),
			 "suppressed", said ? said : json_null());
}

static bool is_contact(const struct config *config, const char *number)
{
	for (size_t i = 0; i < config->ncontacts; i++)
		if (config->contacts[i].sms && strcmp(config->contacts[i].sms, number) == 0)
			return true;
	return false;
}

static void add_row(struct listing *l, const struct config *config,
		    const struct suppressed_row *row)
{
	json_t *said = json_pack("{s:o, s:I, s:o}", "number", reply_text(row->number), "since",
				 (json_int_t)row->since_ms, "why", reply_some(row->why));

	if (is_contact(config, row->number))
		json_object_set_new(l->suppressed, row->number, said);
	else if (json_array_size(l->others) < OTHERS_MAX)
		json_array_append_new(l->others, said);
	else {
		json_decref(said);
		l->left++;
	}
}

static void page_came(void *ctx, const struct suppressed_result *result)
{
	struct call *c = ctx;
	struct listing *l = c->state;
	json_t *contacts;

	if (result->why) {
		call_not_stored(c, result->why);
		return;
	}
	for (size_t i = 0; i < result->n; i++)
		add_row(l, c->config, &result->rows[i]);
	if (!result->done) {
		store_suppressed(queue_store(c->server->queue), result->rows[result->n - 1].number,
				 clock_wall_ms(), page_came, c);
		return;
	}
	contacts = json_array();
	for (size_t i = 0; i < c->config->ncontacts; i++)
		json_array_append_new(contacts, reply_contact(&c->config->contacts[i], l));
	call_reply(c, json_pack("{s:o, s:O, s:I}", "contacts", contacts, "others", l->others,
				"others_left", l->left));
}

void contacts_start(struct call *c)
{
	struct listing *l;

	if (!(c->rights & (RIGHT_LOOK | RIGHT_OPERATE))) {
		call_error(c, ERROR_NOT_PERMITTED,
			   json_pack("{s:s}", "reason", "this user may not look at contacts."));
		return;
	}
	l = xcalloc(1, sizeof(*l));
	l->suppressed = json_object();
	l->others = json_array();
	c->state = l;
	c->release = free_listing;
	store_suppressed(queue_store(c->server->queue), "", clock_wall_ms(), page_came, c);
}
