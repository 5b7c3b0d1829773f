/* config/secrets.c - finds secrets by the table of settings: whoever adds one adds a row. */
#include "config/config.h"
#include "config/schema.h"

struct visit {
	config_secret_fn *each;
	void *ctx;
};

static void visit(const struct visit *v, const struct table *table, const void *from);

static void visit_rows(const struct visit *v, const struct setting *row, const void *from)
{
	const char *rows = *(const char *const *)((const char *)from + row->offset);
	size_t count = *(const size_t *)((const char *)from + row->count);

	for (size_t i = 0; i < count; i++)
		visit(v, row->table, rows + i * row->table->size);
}

static void visit(const struct visit *v, const struct table *table, const void *from)
{
	for (size_t i = 0; i < table->nsettings; i++) {
		const struct setting *row = &table->settings[i];
		const struct secret_ref *ref =
			(const struct secret_ref *)(const void *)((const char *)from + row->offset);

		if (row->offset == SCHEMA_NOWHERE)
			continue;
		if (row->type == SETTING_GROUP)
			visit(v, row->table, from);
		else if (row->type == SETTING_ROWS)
			visit_rows(v, row, from);
		else if (row->type == SETTING_SECRET && ref->kind == SECRET_COMMAND)
			v->each(v->ctx, ref);
	}
}

void config_each_command(const struct config *config, config_secret_fn *each, void *ctx)
{
	const struct visit v = {each, ctx};

	visit(&v, &schema_config, config);
}
