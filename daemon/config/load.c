/* config/load.c - walks the file's tree along the table of settings. */
#include "config/load.h"

#include <string.h>

#include "alloc.h"
#include "config/document.h"
#include "config/value.h"

static void unknown(struct document *doc, const config_setting_t *member, const struct table *table,
		    const char *only)
{
	const char *nearest = schema_nearest(table, config_setting_name(member), only);

	if (nearest)
		document_problem(doc, member, "is not known; is %s meant?", nearest);
	else
		document_problem(doc, member, "is not known here");
}

static void read_row(struct document *doc, const config_setting_t *element,
		     const struct setting *row, void *into)
{
	if (!config_setting_is_group(element)) {
		document_problem(doc, config_setting_parent(element),
				 "takes groups only, like %s = ( { %s = ...; } );", row->name,
				 row->table->settings[0].name);
		return;
	}
	if (row->table->line)
		document_file(doc, element, (unsigned *)((char *)into + row->table->line));
	load_group(doc, element, row->table, into);
}

static void read_rows(struct document *doc, const config_setting_t *setting,
		      const struct setting *row, void *into)
{
	int count = config_setting_length(setting);
	bool sole = row->single && config_setting_is_group(setting);

	count = sole ? 1 : count;
	if (!sole && !config_setting_is_list(setting) &&
	    !(config_setting_is_array(setting) && !count)) {
		value_wrong(doc, setting, row);
		return;
	}
	if (count < row->min || count > row->max) {
		document_problem(doc, setting, "takes %d to %d groups, not %d", (int)row->min,
				 (int)row->max, count);
		return;
	}
	char *rows = xcalloc((size_t)count + 1, row->table->size);

	*(void **)((char *)into + row->offset) = rows;
	*(size_t *)((char *)into + row->count) = (size_t)count;
	for (int i = 0; i < count; i++)
		read_row(doc, sole ? setting : config_setting_get_elem(setting, (unsigned)i), row,
			 rows + (size_t)i * row->table->size);
}

static void read_member(struct document *doc, const config_setting_t *member,
			const struct table *table, const char *only, void *into)
{
	const struct setting *row = schema_find(table, config_setting_name(member), only);

	if (!row)
		unknown(doc, member, table, only);
	else if (!schema_belongs(row, only))
		document_problem(doc, member, "belongs to type \"%s\", and this is \"%s\"",
				 row->only, only);
	else if (row->type == SETTING_ROWS)
		read_rows(doc, member, row, into);
	else if (row->type != SETTING_GROUP)
		value_read(doc, member, row, into);
	else if (config_setting_is_group(member))
		load_group(doc, member, row->table, into);
	else
		value_wrong(doc, member, row);
}

static void read_absent(struct document *doc, const config_setting_t *group,
			const struct setting *row, const char *only, void *into)
{
	char accepts[160];

	if (row->required)
		document_problem(doc, group, "%s is missing; it takes %s", row->name,
				 schema_accepts(row, accepts, sizeof(accepts)));
	else if (row->type == SETTING_GROUP)
		load_defaults(row->table, only, into);
	else
		value_default(row, into);
}

/* What `only` is judged by: the group's type, if it is a known one. */
static const char *group_type(const config_setting_t *group, const struct table *table)
{
	const struct setting *row = schema_find(table, "type", NULL);
	const char *type = row ? setting_text(group, "type") : NULL;

	for (const struct choice *c = type ? row->choices : NULL; c && c->name; c++)
		if (!strcasecmp(c->name, type))
			return c->name;
	return NULL;
}

void load_group(struct document *doc, const config_setting_t *group, const struct table *table,
		void *into)
{
	const char *only = group_type(group, table);

	for (int i = 0; i < config_setting_length(group); i++)
		read_member(doc, config_setting_get_elem(group, (unsigned)i), table, only, into);
	for (size_t i = 0; i < table->nsettings; i++) {
		const struct setting *row = &table->settings[i];

		/* A row of no known type has its trouble already. */
		if (row->only && (!only || strcmp(row->only, only) != 0))
			continue;
		if (!config_setting_get_member(group, row->name))
			read_absent(doc, group, row, only, into);
	}
}

void load_defaults(const struct table *table, const char *only, void *into)
{
	for (size_t i = 0; i < table->nsettings; i++) {
		const struct setting *row = &table->settings[i];

		if (row->only && (!only || strcmp(row->only, only) != 0))
			continue;
		if (row->type == SETTING_GROUP)
			load_defaults(row->table, only, into);
		else
			value_default(row, into);
	}
}

void load_clear(const struct table *table, void *into)
{
	for (size_t i = 0; i < table->nsettings; i++) {
		const struct setting *row = &table->settings[i];

		if (row->type == SETTING_GROUP) {
			load_clear(row->table, into);
		} else if (row->type == SETTING_ROWS) {
			char *rows = *(void **)((char *)into + row->offset);
			size_t count = *(size_t *)((char *)into + row->count);

			for (size_t k = 0; k < count; k++)
				load_clear(row->table, rows + k * row->table->size);
			free(rows);
		} else {
			value_clear(row, into);
		}
	}
}
