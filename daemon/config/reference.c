/* config/reference.c - the table of settings as tables of a scdoc manual page. */
#include <stdio.h>

#include "config/config.h"
#include "config/schema.h"

/* scdoc takes these for mark-up. */
static void print_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '_' || *text == '*' || *text == '\\' || *text == '<' || *text == '#')
			putchar('\\');
		putchar(*text);
	}
}

static void print_row(const struct setting *row, const char *group)
{
	char accepts[160];

	printf("|  *");
	print_text(group);
	print_text(row->name);
	printf("*\n:  ");
	print_text(schema_accepts(row, accepts, sizeof(accepts)));
	printf("\n:  ");
	print_text(row->initial ? row->initial : row->required ? "required" : "-");
	printf("\n:  ");
	if (row->only)
		printf("(%s) ", row->only);
	print_text(row->help);
	putchar('\n');
}

/* The lists at the top have tables of their own. */
static bool is_told_here(const struct setting *row, const struct table *table)
{
	return row->type == SETTING_GROUP || (row->type == SETTING_ROWS && table != &schema_config);
}

static void print_rows(const struct table *table, const char *group)
{
	char inner[64];

	for (size_t i = 0; i < table->nsettings; i++) {
		const struct setting *row = &table->settings[i];

		if (row->type != SETTING_GROUP)
			print_row(row, group);
		if (!is_told_here(row, table))
			continue;
		snprintf(inner, sizeof(inner), "%s%s.", group, row->name);
		print_rows(row->table, inner);
	}
}

static void print_table(const struct table *table, const char *title)
{
	printf("## %s\n\n[[ *setting*\n:[ *takes*\n:[ *default*\n:< *meaning*\n", title);
	print_rows(table, "");
	putchar('\n');
}

void config_print_reference(void)
{
	print_table(&schema_config, "TOP LEVEL");
	print_table(&schema_transport, "TRANSPORTS");
	print_table(&schema_mailbox, "MAILBOXES");
	print_table(&schema_rule, "RULES");
	print_table(&schema_contact, "CONTACTS");
	print_table(&schema_alias, "ALIASES");
	print_table(&schema_access, "ACCESS");
}
