/* server/recipients.c - decides what a recipient as written stands for, and by
 * which channel it is reached. Which transport that means in the end is the
 * queue's to say, when it is sent. */
#include "server/recipients.h"

#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "alloc.h"
#include "config/config.h"
#include "failure.h"
#include "fallback.h"
#include "phone.h"
#include "server/rows.h"
#include "transport/transport.h"

#define GROUP_DEPTH 16

/* What is being taken: the place in the request, and where it goes. */
struct taking {
	struct recipients *r;
	struct shown *shown; /* or NULL */
	const char *given;   /* as the request has it */
	const char *field;   /* "to" */
	size_t at;           /* its index */
	struct refusal *ret;
};

static int refuse(struct taking *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int refuse(struct taking *t, const char *fmt, ...)
{
	char place[80], reason[700];
	va_list args;

	va_start(args, fmt);
	vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
	snprintf(place, sizeof(place), "%s[%zu]", t->field, t->at);
	t->ret->id = ERROR_BAD_RECIPIENT;
	t->ret->parameters = json_pack("{s:s, s:o, s:o}", "field", place, "recipient",
				       reply_text(t->given), "reason", reply_text(reason));
	return -1;
}

static int refuse_way(struct refusal *ret, const char *by, const char *reason)
{
	ret->id = ERROR_NO_TRANSPORT;
	ret->parameters = json_pack("{s:s, s:s}", "channel", by, "reason", reason);
	return -1;
}

int recipients_init(struct recipients *r, const struct config *config, const char *by,
		    unsigned carries, struct refusal *ret)
{
	*r = (struct recipients){.config = config, .carries = carries};
	if (!by)
		return 0;
	if (strcmp(by, "mail") == 0) {
		r->carries &= CARRIES_MAIL;
	} else if (strcmp(by, "sms") == 0) {
		r->carries &= CARRIES_TEXTS;
	} else {
		const struct transport_config *transport = config_transport(config, by);
		const struct transport_kind *kind =
			transport ? transport_kind_find(transport->type) : NULL;

		if (!kind)
			return refuse_way(ret, by,
					  "'by' is neither mail nor sms nor a transport's name.");
		r->transport = transport->name;
		r->carries &= kind->carries;
	}
	return r->carries ? 0 : refuse_way(ret, by, "this can't be sent that way.");
}

static void keep(void *address)
{
}

void recipients_clear(struct recipients *r)
{
	tdestroy(r->known, keep);
	r->known = NULL;
	for (size_t i = 0; i < r->n; i++)
		free(r->list[i].address);
	free(r->list);
	free(r->groups);
	r->list = NULL;
	r->groups = NULL;
	r->n = r->ngroups = 0;
}

void shown_clear(struct shown *shown)
{
	for (size_t i = 0; i < shown->n; i++)
		address_clear(&shown->list[i]);
	free(shown->list);
	shown->list = NULL;
	shown->n = 0;
}

/* Room behind n of them: twice as much as there was, whenever that is full. */
static void *one_more(void *list, size_t n, size_t size)
{
	bool is_full = (n & (n - 1)) == 0;

	return is_full ? xrealloc(list, (n ? 2 * n : 1) * size) : list;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* false: it is there already. */
static bool add(struct recipients *r, const char *address, unsigned carries)
{
	const char *route = r->transport              ? r->transport
			    : carries == CARRIES_MAIL ? "#mail"
						      : "#sms";

	if (tfind(address, &r->known, by_text))
		return false;
	char *own = xstrdup(address);

	if (!tsearch(own, &r->known, by_text))
		abort(); /* out of memory, as in alloc.h */
	r->list = one_more(r->list, r->n, sizeof(*r->list));
	r->list[r->n++] = (struct recipient){.address = own, .route = route, .carries = carries};
	return true;
}

static void show(struct shown *shown, const struct address *a);

bool recipients_add_mail(struct recipients *r, const struct contact_config *contact,
			 struct shown *shown)
{
	const char *address = contact->mail[0].ascii;

	if (tfind(address, &r->known, by_text)) {
		for (size_t i = 0; i < r->n; i++)
			if (strcmp(r->list[i].address, address) == 0)
				r->list[i].first_way = 0; /* it stands by no longer */
		return false;
	}
	if (r->n >= r->config->max_recipients)
		return false;
	add(r, address, CARRIES_MAIL);
	r->list[r->n - 1].route = "#mail"; /* whatever carries the text */
	show(shown, &contact->mail[0]);
	return true;
}

static int check_count(const struct taking *t, size_t n)
{
	unsigned max = t->r->config->max_recipients;

	if (n <= max)
		return 0;
	AUTO(free) char *reason = xprintf("a message goes to at most %u recipients.", max);
	t->ret->id = ERROR_OVER_LIMIT;
	t->ret->parameters = json_pack("{s:s, s:i, s:s}", "field", t->field, "limit", (int)max,
				       "reason", reason);
	return -1;
}

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

static void show(struct shown *shown, const struct address *a)
{
	shown->list = one_more(shown->list, shown->n, sizeof(*shown->list));
	shown->list[shown->n++] = (struct address){.name = copy(a->name),
						   .mailbox = copy(a->mailbox),
						   .ascii = copy(a->ascii),
						   .needs_smtputf8 = a->needs_smtputf8};
}

static int take_mail(struct taking *t, const struct address *a)
{
	if (!(t->r->carries & CARRIES_MAIL))
		return refuse(t, "this way carries texts: a number like +15551234567 or a contact "
				 "with one is wanted.");
	if (add(t->r, a->ascii, CARRIES_MAIL) && t->shown)
		show(t->shown, a);
	return check_count(t, t->r->n);
}

static int take_number(struct taking *t, const char *number)
{
	if (!(t->r->carries & CARRIES_TEXTS))
		return refuse(t, "this way carries mail: a mail address or a contact with one is "
				 "wanted.");
	add(t->r, number, CARRIES_TEXTS);
	return check_count(t, t->r->n);
}

static int take_person(struct taking *t, const struct contact_config *contact)
{
	/* several addresses are one person's: the first is where to write */
	if (contact->nmail && t->r->carries & CARRIES_MAIL)
		return take_mail(t, &contact->mail[0]);
	if (contact->sms && t->r->carries & CARRIES_TEXTS)
		return take_number(t, contact->sms);
	return refuse(t, "the contact '%s' has no %s.", contact->name,
		      t->r->carries & CARRIES_MAIL ? "mail address" : "number for texts");
}

/* A group that was taken is not gone through again, in a circle least of all. */
static bool is_new_group(struct recipients *r, const struct contact_config *group)
{
	for (size_t i = 0; i < r->ngroups; i++)
		if (r->groups[i] == group)
			return false;
	r->groups = xrealloc(r->groups, (r->ngroups + 1) * sizeof(*r->groups));
	r->groups[r->ngroups++] = group;
	return true;
}

static int take_contact(struct taking *t, const struct contact_config *contact, unsigned depth)
{
	if (!contact->members)
		return take_person(t, contact);
	if (depth == GROUP_DEPTH)
		return refuse(t, "the group nests deeper than %d.", GROUP_DEPTH);
	if (!is_new_group(t->r, contact))
		return 0;
	for (char **member = contact->members; *member; member++) {
		const struct contact_config *one = config_contact(t->r->config, *member);

		if (!one)
			return refuse(t, "its member '%s' is no contact.", *member);
		if (take_contact(t, one, depth + 1) < 0)
			return -1;
	}
	return 0;
}

static int refuse_unknown(struct taking *t)
{
	const struct config *config = t->r->config;
	char contacts[300] = "";

	for (size_t i = 0; i < config->ncontacts; i++) {
		size_t used = strlen(contacts);

		snprintf(contacts + used, sizeof(contacts) - used, "%s%s", used ? ", " : "",
			 config->contacts[i].name);
	}
	return refuse(t,
		      "neither a contact (%s), nor in `aliases`, nor a mail address like "
		      "me@example.com, nor a number like +15551234567.",
		      *contacts ? contacts : "there are none");
}

static int take_name(struct taking *t, const char *name);

/* The configuration leads in no circle. */
static int take_alias(struct taking *t, const struct alias_config *alias)
{
	for (char **to = alias->to; *to; to++)
		if (take_name(t, *to) < 0)
			return -1;
	return 0;
}

static int take_name(struct taking *t, const char *name)
{
	const struct contact_config *contact = config_contact(t->r->config, name);
	const struct alias_config *alias = contact ? NULL : config_alias(t->r->config, name);
	char number[PHONE_SIZE];
	struct address address;
	struct failure f;
	int result;

	if (contact)
		return take_contact(t, contact, 0);
	if (alias)
		return take_alias(t, alias);
	if (phone_looks_like(name) && !address_looks_like(name)) {
		if (phone_parse_in(t->r->config->region, name, number, &f) < 0)
			return refuse(t, "%s", f.text);
		return take_number(t, number);
	}
	if (!address_looks_like(name))
		return refuse_unknown(t);
	if (address_parse(name, strlen(name), &address, &f) < 0)
		return refuse(t, "%s", f.text);
	result = take_mail(t, &address);
	address_clear(&address);
	return result;
}

/* Whose address or number it is. */
static const struct contact_config *whose(const struct config *config, const char *address)
{
	for (size_t i = 0; i < config->ncontacts; i++) {
		const struct contact_config *c = &config->contacts[i];

		if (c->sms && strcmp(c->sms, address) == 0)
			return c;
		for (size_t k = 0; k < c->nmail; k++)
			if (strcmp(c->mail[k].ascii, address) == 0)
				return c;
	}
	return NULL;
}

/* The channel of the other way; 0: there is none. */
static unsigned other_way(const struct recipient *first, const struct contact_config *contact,
			  const struct fallback *fallback)
{
	if (fallback->way == FALLBACK_MAIL && first->carries == CARRIES_TEXTS && contact->nmail)
		return CARRIES_MAIL;
	if (fallback->way == FALLBACK_SMS && first->carries == CARRIES_MAIL && contact->sms)
		return CARRIES_TEXTS;
	return 0;
}

static void add_other(struct recipients *r, size_t first, const struct contact_config *contact,
		      unsigned carries, int64_t after_ms, struct shown *shown)
{
	bool mail = carries == CARRIES_MAIL;
	const char *transport = r->transport;

	r->transport = NULL; /* that is of the first way */
	if (add(r, mail ? contact->mail[0].ascii : contact->sms, carries)) {
		r->list[r->n - 1].first_way = first + 1;
		r->list[r->n - 1].after_ms = after_ms;
		if (mail && shown)
			show(shown, &contact->mail[0]);
	}
	r->transport = transport;
}

int recipients_add_fallbacks(struct recipients *r, const struct fallback *asked, unsigned carries,
			     size_t nshown, struct shown *shown, struct failure *f)
{
	size_t n = r->n;

	for (size_t i = 0; i < n; i++) {
		const struct contact_config *contact = whose(r->config, r->list[i].address);
		const struct fallback *fallback =
			contact && asked->way == FALLBACK_UNSAID ? &contact->fallback : asked;
		unsigned other = contact ? other_way(&r->list[i], contact, fallback) : 0;

		if (other & carries)
			add_other(r, i, contact, other, fallback->after_ms,
				  i < nshown ? shown : NULL);
	}
	if (asked->way <= FALLBACK_NONE || r->n > n)
		return 0;
	return failure_set(f, FAILURE_REFUSED,
			   "nobody has another way: it is for contacts with mail and sms, and for "
			   "what goes by %s.",
			   asked->way == FALLBACK_MAIL ? "sms" : "mail");
}

int recipients_add(struct recipients *r, json_t *given, const char *field, struct shown *shown,
		   struct refusal *ret)
{
	struct taking t = {.r = r, .shown = shown, .field = field, .ret = ret};
	json_t *one;

	if (check_count(&t, json_array_size(given)) < 0)
		return -1;
	json_array_foreach(given, t.at, one)
	{
		t.given = json_string_value(one);
		if (take_name(&t, t.given) < 0)
			return -1;
	}
	return 0;
}
