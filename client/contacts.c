/* client/contacts.c - nuncio contacts: who is known, how they are reached, and who wants no
 * texts. */
#include "command.h"

#include <getopt.h>
#include <stdio.h>

#include "auto.h"
#include "link.h"
#include "table.h"
#include "varlink.h"

static void print_suppressed(struct table *table, const json_t *said)
{
	char time[32];

	if (!number_of(said, "since")) {
		table_add(table, "%s", "");
		return;
	}
	table_add(table, "since %s: %s", time_print(time, sizeof(time), number_of(said, "since")),
		  text_of(said, "why"));
}

static void print_contacts(const json_t *answer)
{
	struct table table;
	json_t *row;
	size_t i;

	table_init(&table, "CONTACT", "MAIL", "SMS", "MEMBERS", "NO TEXTS", NULL);
	json_array_foreach(json_object_get(answer, "contacts"), i, row)
	{
		table_add(&table, "%s", text_of(row, "name"));
		table_add_words(&table, json_object_get(row, "mail"));
		table_add(&table, "%s", text_of(row, "sms"));
		table_add_words(&table, json_object_get(row, "members"));
		print_suppressed(&table, json_object_get(row, "suppressed"));
	}
	json_array_foreach(json_object_get(answer, "others"), i, row)
	{
		table_add(&table, "%s", "");
		table_add(&table, "%s", "");
		table_add(&table, "%s", text_of(row, "number"));
		table_add(&table, "%s", "");
		print_suppressed(&table, row);
	}
	table_print(&table);
	if (number_of(answer, "others_left"))
		printf("and %lld more numbers that want no texts\n",
		       (long long)number_of(answer, "others_left"));
}

int contacts_run(struct context *context, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {0}};
	struct varlink_reply reply;
	int c, status = 0;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?')
			return usage_error("contacts", "that is not an option of it");
		context->json = true;
	}
	if (argc > optind)
		return usage_error("contacts", "it takes no argument");
	AUTO(link_close) struct link *link = context_link(context, &status);
	if (!link)
		return status;
	status = context_call(link, "Contacts", NULL, &reply);
	if (status)
		return status;
	if (context->json)
		print_json(reply.parameters);
	else
		print_contacts(reply.parameters);
	varlink_reply_clear(&reply);
	return 0;
}
