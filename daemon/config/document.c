/* config/document.c - reads the text, has it checked, gives it to libconfig, and
 * names settings for people. */
#include "config/document.h"

#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "config/grammar.h"
#include "secret.h"

static void problem_at_line(struct document *doc, unsigned line, const char *setting,
			    const char *text)
{
	struct place place = {.setting = setting};

	place.file = source_at(&doc->source, line, &place.line)->path;
	problem_add(doc->problems, &place, "%s", text);
}

int document_open(struct document *doc, const char *path, struct problems *problems)
{
	struct mistake mistake;

	doc->problems = problems;
	config_init(&doc->tree);
	if (source_read(&doc->source, path, problems) < 0)
		return -1;
	if (grammar_check(doc->source.text, doc->source.len, &mistake) < 0) {
		problem_at_line(doc, mistake.line, mistake.setting, mistake.text);
		return -1;
	}
	if (!config_read_string(&doc->tree, doc->source.text)) {
		problem_at_line(doc, (unsigned)config_error_line(&doc->tree), NULL,
				config_error_text(&doc->tree));
		return -1;
	}
	return 0;
}

/* libconfig frees its texts as they are; secrets among them are to be gone. */
static void setting_wipe(config_setting_t *setting)
{
	int count = config_setting_is_aggregate(setting) ? config_setting_length(setting) : 0;

	if (config_setting_type(setting) == CONFIG_TYPE_STRING && setting->value.sval)
		secret_wipe(setting->value.sval, strlen(setting->value.sval));
	for (int i = 0; i < count; i++)
		setting_wipe(config_setting_get_elem(setting, (unsigned)i));
}

void document_close(struct document *doc)
{
	setting_wipe(config_root_setting(&doc->tree));
	config_destroy(&doc->tree);
	source_clear(&doc->source);
}

const char *setting_text(const config_setting_t *group, const char *name)
{
	const char *text = NULL;

	if (!config_setting_is_group(group))
		return NULL;
	config_setting_lookup_string(group, name, &text);
	return text;
}

static bool name_is_plain(const char *name)
{
	size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				  "0123456789_-");

	return len && len <= 32 && !name[len];
}

/* Writes the path of a setting behind what is in out. */
static void add_path(const config_setting_t *setting, char *out, size_t size)
{
	const config_setting_t *parent = config_setting_parent(setting);

	if (!parent)
		return;
	add_path(parent, out, size);
	size_t len = strlen(out);
	const char *dot = len ? "." : "", *name = config_setting_name(setting);

	if (!name)
		name = setting_text(setting, "name");
	if (name && name_is_plain(name))
		snprintf(out + len, size - len, "%s%s", dot, name);
	else
		snprintf(out + len, size - len, "[%d]", config_setting_index(setting) + 1);
}

const struct source_file *document_file(const struct document *doc, const config_setting_t *setting,
					unsigned *ret_line)
{
	return source_at(&doc->source, config_setting_source_line(setting), ret_line);
}

char *document_name(const config_setting_t *setting)
{
	char path[200] = "";

	add_path(setting, path, sizeof(path));
	return xstrdup(path);
}

static void setting_place(const struct document *doc, const config_setting_t *setting, char *path,
			  size_t size, struct place *ret)
{
	path[0] = '\0';
	add_path(setting, path, size);
	ret->setting = path;
	ret->file = document_file(doc, setting, &ret->line)->path;
	if (config_setting_is_root(setting))
		ret->line = 0;
}

void document_problem(struct document *doc, const config_setting_t *setting, const char *fmt, ...)
{
	char path[128];
	struct place place;
	va_list args;

	setting_place(doc, setting, path, sizeof(path), &place);
	va_start(args, fmt);
	problem_addv(doc->problems, &place, fmt, args);
	va_end(args);
}

void document_warn(struct document *doc, const config_setting_t *setting, const char *fmt, ...)
{
	char path[128];
	struct place place;
	va_list args;

	setting_place(doc, setting, path, sizeof(path), &place);
	va_start(args, fmt);
	problem_warnv(doc->problems, &place, fmt, args);
	va_end(args);
}
