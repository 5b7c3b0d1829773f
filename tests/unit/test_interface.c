/* The interface text and the tables of the server say the same, both ways; and
 * requests are held against them. */
#include "server/interface.h"

#include <ctype.h>

#include "alloc.h"
#include "auto.h"
#include "expect.h"
#include "server/methods.h"

/* ---- a small reader of the interface text ---- */

struct entry {
	char name[80], type[80];
};
struct part {
	char kind[10], name[80]; /* "method" "Send" */
	struct entry fields[40]; /* of what stands in the first parentheses */
	size_t n;
};
struct text {
	struct part parts[80];
	size_t n;
};

static const char *blank(const char *at)
{
	for (;; at++) {
		while (*at == '#')
			at += strcspn(at, "\n");
		if (!isspace((unsigned char)*at))
			return at;
	}
}

static const char *word(const char *at, const char *set, char *out, size_t size)
{
	size_t len;

	at = blank(at);
	len = strcspn(at, set);
	expect_true(len > 0 && len < size);
	memcpy(out, at, len);
	out[len] = '\0';
	return blank(at + len);
}

static const char *fields(const char *at, struct part *part)
{
	expect_int(*at, '(');
	at = blank(at + 1);
	while (*at != ')') {
		struct entry *entry = &part->fields[part->n++];

		expect_true(part->n < 40);
		at = word(at, ": \n", entry->name, sizeof(entry->name));
		expect_int(*at, ':');
		at = word(at + 1, ",) \n", entry->type, sizeof(entry->type));
		at = *at == ',' ? blank(at + 1) : at;
	}
	return blank(at + 1);
}

static const char *skip_reply(const char *at)
{
	unsigned depth = 0;

	expect_int(strncmp(at, "->", 2), 0);
	for (at = blank(at + 2); depth || *at == '('; at++) {
		depth += *at == '(';
		depth -= *at == ')';
	}
	return blank(at);
}

static struct text *read_text(void)
{
	struct text *text = xcalloc(1, sizeof(*text));
	char interface[80];
	const char *at = word(interface_text, " \n", interface, sizeof(interface));

	expect_text(interface, "interface");
	at = word(at, " \n", interface, sizeof(interface));
	expect_text(interface, "io.nuncio");
	while (*at) {
		struct part *part = &text->parts[text->n++];

		expect_true(text->n < 80);
		at = word(at, " \n", part->kind, sizeof(part->kind));
		at = word(at, " (\n", part->name, sizeof(part->name));
		at = fields(at, part);
		if (strcmp(part->kind, "method") == 0)
			at = skip_reply(at);
	}
	return text;
}

static const struct part *part_find(const struct text *text, const char *kind, const char *name)
{
	for (size_t i = 0; i < text->n; i++)
		if (strcmp(text->parts[i].kind, kind) == 0 &&
		    strcmp(text->parts[i].name, name) == 0)
			return &text->parts[i];
	expect_stop(__FILE__, __LINE__, "the interface text has no %s %s", kind, name);
	return NULL;
}

static size_t count(const struct text *text, const char *kind)
{
	size_t n = 0;

	for (size_t i = 0; i < text->n; i++)
		n += strcmp(text->parts[i].kind, kind) == 0;
	return n;
}

static void expect_same(const struct part *part, const struct param *params)
{
	size_t i = 0;

	for (; params[i].name; i++) {
		if (i >= part->n)
			expect_stop(__FILE__, __LINE__, "%s: the text lacks %s", part->name,
				    params[i].name);
		expect_text(params[i].name, part->fields[i].name);
		expect_text(params[i].type, part->fields[i].type);
	}
	if (i < part->n)
		expect_stop(__FILE__, __LINE__, "%s: the table lacks %s", part->name,
			    part->fields[i].name);
}

TEST(every_method_of_the_table_is_in_the_text_and_the_other_way_round)
{
	AUTO(free) char *memory = (char *)read_text();
	const struct text *text = (const struct text *)(const void *)memory;
	size_t n = 0;

	for (const struct method *m = method_table(); m->name; m++) {
		if (strncmp(m->name, "io.nuncio.", 10) != 0)
			continue;
		expect_same(part_find(text, "method", m->name + 10), m->params);
		n++;
	}
	expect_int(n, count(text, "method"));
	expect_true(n >= 13);
}

TEST(every_error_is_in_the_text_and_the_other_way_round)
{
	AUTO(free) char *memory = (char *)read_text();
	const struct text *text = (const struct text *)(const void *)memory;
	size_t n = 0;

	for (int id = 0; id < ERROR_COUNT; id++) {
		const struct error_kind *error = interface_error((enum error_id)id);

		expect_some(error->name);
		if (strncmp(error->name, "io.nuncio.", 10) != 0)
			continue;
		expect_same(part_find(text, "error", error->name + 10), error->params);
		n++;
	}
	expect_int(n, count(text, "error"));
}

TEST(the_types_of_parameters_are_those_of_the_text)
{
	AUTO(free) char *memory = (char *)read_text();
	const struct text *text = (const struct text *)(const void *)memory;

	for (const struct named_type *type = interface_types(); type->name; type++)
		expect_same(part_find(text, "type", type->name), type->members);
}

TEST(the_text_is_served_whole)
{
	expect_int(strlen(interface_text), interface_text_len);
	expect_contains(interface_text, "interface io.nuncio\n");
	expect_contains(interface_text, "error Overrun ()\n");
}

/* ---- checking ---- */

static struct complaint check(const struct param *params, const char *object, int want)
{
	json_t *parsed = json_loads(object, 0, NULL);
	struct complaint complaint = {.parameter = "", .reason = ""};

	expect_some(parsed);
	expect_int(interface_check(params, parsed, &complaint), want);
	json_decref(parsed);
	return complaint;
}

TEST(what_fits_is_taken)
{
	check(send_params, "{\"to\": [\"me\"]}", 0);
	check(send_params, "{\"to\": [], \"hold\": true, \"text\": null, \"attachments\": null}",
	      0);
	check(send_params,
	      "{\"to\": [\"me\"], \"attachments\": [{\"name\": \"a\", \"descriptor\": 0}]}", 0);
	check(show_params, "{\"id\": 1}", 0);
	check(no_params, "{}", 0);
	check(select_params, "{\"select\": {\"states\": [\"held\"], \"all\": true}}", 0);
}

TEST(an_unknown_parameter_is_named_and_so_are_the_known_ones)
{
	struct complaint c = check(send_params, "{\"to\": [\"me\"], \"texxt\": \"x\"}", -1);

	expect_text(c.parameter, "texxt");
	expect_contains(c.reason, "no such parameter");
	expect_contains(c.reason, "subject");
	c = check(no_params, "{\"x\": null}", -1);
	expect_text(c.parameter, "x");
	expect_contains(c.reason, "none");
}

TEST(a_wrong_type_is_named_with_what_would_be_right)
{
	struct complaint c = check(send_params, "{\"to\": \"me\"}", -1);

	expect_text(c.parameter, "to");
	expect_contains(c.reason, "a list of texts");
	c = check(send_params, "{\"to\": [\"me\", 1]}", -1);
	expect_text(c.parameter, "to[1]");
	expect_contains(c.reason, "a text");
	c = check(show_params, "{\"id\": \"1\"}", -1);
	expect_contains(c.reason, "a whole number");
	c = check(show_params, "{\"id\": 1.5}", -1);
	expect_contains(c.reason, "a whole number");
	c = check(send_params, "{\"to\": [], \"hold\": 1}", -1);
	expect_contains(c.reason, "true or false");
}

TEST(members_of_members_have_paths)
{
	struct complaint c =
		check(send_params,
		      "{\"to\": [], \"attachments\": [{\"name\": \"a\"}, {\"name\": 2}]}", -1);

	expect_text(c.parameter, "attachments[1].name");
	c = check(send_params, "{\"to\": [], \"attachments\": [{\"content\": \"\"}]}", -1);
	expect_text(c.parameter, "attachments[0].name");
	expect_contains(c.reason, "missing");
	c = check(send_params,
		  "{\"to\": [], \"attachments\": [{\"name\": \"a\", \"path\": \"/etc/passwd\"}]}",
		  -1);
	expect_text(c.parameter, "attachments[0].path");
	c = check(select_params, "{\"select\": {\"state\": \"held\"}}", -1);
	expect_text(c.parameter, "select.state");
	c = check(select_params, "{\"select\": []}", -1);
	expect_contains(c.reason, "an object");
}

TEST(what_is_missing_is_named)
{
	struct complaint c = check(send_params, "{}", -1);

	expect_text(c.parameter, "to");
	expect_contains(c.reason, "missing");
	c = check(send_params, "{\"to\": null}", -1);
	expect_text(c.parameter, "to");
}

TEST(a_name_of_any_length_and_bytes_is_reported_safely)
{
	AUTO(free) char *name = xmalloc(3001);
	memset(name, 'x', 3000);
	name[3000] = '\0';
	AUTO(free) char *object = xprintf("{\"%s\": 1}", name);

	struct complaint c = check(no_params, object, -1);
	expect_true(strlen(c.parameter) < 100);
	c = check(no_params, "{\"a\\u0001\\nb\": 1}", -1);
	expect_text(c.parameter, "a??b");
}

RUN_TESTS()
