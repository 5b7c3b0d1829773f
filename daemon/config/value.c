/* config/value.c - a value for each type of setting. Decides what a type takes;
 * rules between settings are check.c's. */
#include "config/value.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "alloc.h"
#include "config/document.h"
#include "config/secret_setting.h"
#include "duration.h"
#include "fallback.h"
#include "phone.h"
#include "text.h"
#include "throttle.h"

/* Room for any single value. */
union any_value {
	char *text;
	unsigned number;
	int64_t ms;
	uint64_t bytes;
	struct rate rate;
	struct throttle throttle;
	struct fallback fallback;
	struct address address;
	struct secret_ref secret;
};

typedef int parse_fn(const struct setting *row, const char *text, void *place, struct failure *f);

static int parse_text(const struct setting *row, const char *text, void *place, struct failure *f)
{
	if (!text[0])
		return -1;
	*(char **)place = xstrdup(text);
	return 0;
}

static int parse_path(const struct setting *row, const char *text, void *place, struct failure *f)
{
	return text[0] == '/' ? parse_text(row, text, place, f) : -1;
}

static int parse_name(const struct setting *row, const char *text, void *place, struct failure *f)
{
	size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				  "0123456789_-");

	return text[len] || len > 32 ? -1 : parse_text(row, text, place, f);
}

static int parse_digest(const struct setting *row, const char *text, void *place, struct failure *f)
{
	if (strlen(text) != 64 || strspn(text, "0123456789abcdefABCDEF") != 64)
		return -1;
	char *digest = xstrdup(text);

	for (char *p = digest; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	*(char **)place = digest;
	return 0;
}

static const struct choice *find_choice(const struct setting *row, const char *text)
{
	for (const struct choice *c = row->choices; c->name; c++)
		if (text_equal_nocase(c->name, text))
			return c;
	return NULL;
}

static int parse_word(const struct setting *row, const char *text, void *place, struct failure *f)
{
	const struct choice *choice = find_choice(row, text);

	return choice ? parse_text(row, choice->name, place, f) : -1;
}

static int parse_choice(const struct setting *row, const char *text, void *place, struct failure *f)
{
	const struct choice *choice = find_choice(row, text);

	if (!choice)
		return -1;
	*(unsigned *)place = choice->value;
	return 0;
}

static int parse_flag(const struct setting *row, const char *text, void *place, struct failure *f)
{
	const struct choice *choice = find_choice(row, text);

	if (!choice)
		return -1;
	*(unsigned *)place |= choice->value;
	return 0;
}

/* Of the table's defaults only: the file has real numbers. */
static int parse_number(const struct setting *row, const char *text, void *place, struct failure *f)
{
	*(unsigned *)place = (unsigned)strtoul(text, NULL, 10);
	return 0;
}

/* "true" or "false". */
static int parse_bool(const struct setting *row, const char *text, void *place, struct failure *f)
{
	*(bool *)place = strcmp(text, "true") == 0;
	return 0;
}

static int parse_wanted(const struct setting *row, const char *text, void *place, struct failure *f)
{
	*(unsigned *)place = strcmp(text, "true") == 0 ? WANTED_YES : WANTED_NO;
	return 0;
}

static int parse_bits(const struct setting *row, const char *text, void *place, struct failure *f)
{
	size_t len = strlen(text);

	if (len < 3 || len > 4 || strspn(text, "01234567") != len)
		return -1;
	unsigned bits = (unsigned)strtoul(text, NULL, 8);

	if (bits > 0777)
		return -1;
	*(unsigned *)place = bits;
	return 0;
}

static int parse_duration(const struct setting *row, const char *text, void *place,
			  struct failure *f)
{
	int64_t ms;

	if (duration_parse(text, &ms, f) < 0 || ms < row->min || ms > row->max)
		return -1;
	*(int64_t *)place = ms;
	return 0;
}

static int parse_size(const struct setting *row, const char *text, void *place, struct failure *f)
{
	uint64_t bytes;

	if (size_parse(text, &bytes, f) < 0 || bytes < (uint64_t)row->min ||
	    bytes > (uint64_t)row->max)
		return -1;
	*(uint64_t *)place = bytes;
	return 0;
}

static int parse_rate(const struct setting *row, const char *text, void *place, struct failure *f)
{
	return rate_parse(text, place, f);
}

static int parse_throttle(const struct setting *row, const char *text, void *place,
			  struct failure *f)
{
	return throttle_parse(text, place, f);
}

static int parse_fallback(const struct setting *row, const char *text, void *place,
			  struct failure *f)
{
	return fallback_parse(text, place, f);
}

static int parse_money(const struct setting *row, const char *text, void *place, struct failure *f)
{
	return money_parse(text, place, f);
}

static int parse_address(const struct setting *row, const char *text, void *place,
			 struct failure *f)
{
	return address_parse(text, strlen(text), place, f);
}

static void clear_text(void *place)
{
	free(*(char **)place);
	*(char **)place = NULL;
}

static void clear_address(void *place)
{
	address_clear(place);
}

static const struct kind {
	short takes; /* type in libconfig, of each element if it is a list */
	bool list;
	parse_fn *parse;
	void (*clear)(void *place); /* NULL: it owns nothing, or see value_clear() */
} kinds[] = {
	/* clang-format off */
	[SETTING_TEXT]      = { CONFIG_TYPE_STRING, false, parse_text,     clear_text },
	[SETTING_NAME]      = { CONFIG_TYPE_STRING, false, parse_name,     clear_text },
	[SETTING_PATH]      = { CONFIG_TYPE_STRING, false, parse_path,     clear_text },
	[SETTING_DIGEST]    = { CONFIG_TYPE_STRING, false, parse_digest,   clear_text },
	[SETTING_PHONE]     = { CONFIG_TYPE_STRING, false, parse_text,     clear_text },
	[SETTING_WORD]      = { CONFIG_TYPE_STRING, false, parse_word,     clear_text },
	[SETTING_CHOICE]    = { CONFIG_TYPE_STRING, false, parse_choice,   NULL },
	[SETTING_NUMBER]    = { CONFIG_TYPE_INT,    false, parse_number,   NULL },
	[SETTING_BOOL]      = { CONFIG_TYPE_BOOL,   false, parse_bool,     NULL },
	[SETTING_WANTED]    = { CONFIG_TYPE_BOOL,   false, parse_wanted,   NULL },
	[SETTING_BITS]      = { CONFIG_TYPE_STRING, false, parse_bits,     NULL },
	[SETTING_DURATION]  = { CONFIG_TYPE_STRING, false, parse_duration, NULL },
	[SETTING_SIZE]      = { CONFIG_TYPE_STRING, false, parse_size,     NULL },
	[SETTING_RATE]      = { CONFIG_TYPE_STRING, false, parse_rate,     NULL },
	[SETTING_THROTTLE]  = { CONFIG_TYPE_STRING, false, parse_throttle, NULL },
	[SETTING_FALLBACK]  = { CONFIG_TYPE_STRING, false, parse_fallback, NULL },
	[SETTING_MONEY]     = { CONFIG_TYPE_STRING, false, parse_money,    NULL },
	[SETTING_ADDRESS]   = { CONFIG_TYPE_STRING, false, parse_address,  clear_address },
	[SETTING_SECRET]    = { CONFIG_TYPE_NONE,   false, NULL,           secret_setting_clear },
	[SETTING_TEXTS]     = { CONFIG_TYPE_STRING, true,  parse_text,     NULL },
	[SETTING_NAMES]     = { CONFIG_TYPE_STRING, true,  parse_name,     NULL },
	[SETTING_FLAGS]     = { CONFIG_TYPE_STRING, true,  parse_flag,     NULL },
	[SETTING_ADDRESSES] = { CONFIG_TYPE_STRING, true,  parse_address,  NULL },
	[SETTING_GROUP]     = { CONFIG_TYPE_NONE,   false, NULL,           NULL },
	[SETTING_ROWS]      = { CONFIG_TYPE_NONE,   false, NULL,           NULL },
	/* clang-format on */
};

static const char *name_found(const config_setting_t *setting)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_GROUP:
		return "a group";
	case CONFIG_TYPE_LIST:
	case CONFIG_TYPE_ARRAY:
		return "a list";
	case CONFIG_TYPE_STRING:
		return "a text";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	default:
		return "a number";
	}
}

int value_wrong(struct document *doc, const config_setting_t *setting, const struct setting *row)
{
	char accepts[160];

	document_problem(doc, setting, "takes %s, not %s",
			 schema_accepts(row, accepts, sizeof(accepts)), name_found(setting));
	return -1;
}

/* why->text: what the parser has to say, or nothing. */
static int wrong_text(struct document *doc, const config_setting_t *setting,
		      const struct setting *row, const char *text, const struct failure *why)
{
	char accepts[160], shown[64];
	bool explain = row->type == SETTING_ADDRESS || row->type == SETTING_ADDRESSES ||
		       row->type == SETTING_PHONE || row->type == SETTING_THROTTLE ||
		       row->type == SETTING_MONEY || row->type == SETTING_FALLBACK;

	text_safe_line(shown, sizeof(shown), text, strlen(text));
	schema_accepts(row, accepts, sizeof(accepts));
	if (explain && why->text[0])
		document_problem(doc, setting, "%s", why->text);
	else if (text[0])
		document_problem(doc, setting, "takes %s, not \"%s\"", accepts, shown);
	else
		document_problem(doc, setting, "takes %s; it is empty", accepts);
	return -1;
}

/* As it is dialled where the file says that numbers are from. */
static int read_phone(const struct document *doc, const char *text, char **place, struct failure *f)
{
	char number[PHONE_SIZE];

	if (phone_parse_in(doc->region, text, number, f) < 0)
		return -1;
	*place = xstrdup(number);
	return 0;
}

/* Any text of the file on its way to its parser. */
static int read_text(struct document *doc, const config_setting_t *setting,
		     const struct setting *row, const char *text, void *place)
{
	parse_fn *parse = kinds[row->type].parse;
	struct failure why = {0};

	if (!text_is_utf8(text, strlen(text)) || !text_is_one_line(text, strlen(text))) {
		document_problem(doc, setting, "is one line of UTF-8 without control characters");
		return -1;
	}
	if (row->type == SETTING_TEXTS && row->choices)
		parse = parse_word;
	if (row->type == SETTING_PHONE ? read_phone(doc, text, place, &why) < 0
				       : parse(row, text, place, &why) < 0)
		return wrong_text(doc, setting, row, text, &why);
	return 0;
}

static int read_number(struct document *doc, const config_setting_t *setting,
		       const struct setting *row, void *place)
{
	int number = config_setting_get_int(setting);
	char accepts[160];

	if (number < row->min || number > row->max) {
		document_problem(doc, setting, "takes %s, not %d",
				 schema_accepts(row, accepts, sizeof(accepts)), number);
		return -1;
	}
	*(unsigned *)place = (unsigned)number;
	return 0;
}

/* The place of element i: text and name lists are NULL-ended arrays of char *. */
static void *element_place(const struct setting *row, void *elements, size_t i)
{
	if (row->type == SETTING_FLAGS)
		return elements;
	if (row->type == SETTING_ADDRESSES)
		return &((struct address *)elements)[i];
	return &((char **)elements)[i];
}

static void elements_free(const struct setting *row, void *elements, size_t count)
{
	if (row->type == SETTING_ADDRESSES)
		for (size_t i = 0; i < count; i++)
			address_clear(element_place(row, elements, i));
	else
		for (size_t i = 0; i < count; i++)
			free(((char **)elements)[i]);
	free(elements);
}

static int read_elements(struct document *doc, const config_setting_t *setting,
			 const struct setting *row, void *elements, size_t count, size_t *ret_read)
{
	for (*ret_read = 0; *ret_read < count; (*ret_read)++) {
		const config_setting_t *element =
			config_setting_get_elem(setting, (unsigned)*ret_read);
		char accepts[160];

		if (config_setting_type(element) != CONFIG_TYPE_STRING) {
			document_problem(doc, setting, "takes %s; there is %s among them",
					 schema_accepts(row, accepts, sizeof(accepts)),
					 name_found(element));
			return -1;
		}
		if (read_text(doc, setting, row, config_setting_get_string(element),
			      element_place(row, elements, *ret_read)) < 0)
			return -1;
	}
	return 0;
}

/* One text in place of a list of one. */
static int read_sole(struct document *doc, const config_setting_t *setting,
		     const struct setting *row, void *into)
{
	char **elements = xcalloc(2, sizeof(*elements));

	if (read_text(doc, setting, row, config_setting_get_string(setting), &elements[0]) < 0) {
		free(elements);
		return -1;
	}
	*(char ***)((char *)into + row->offset) = elements;
	return 0;
}

static int read_list(struct document *doc, const config_setting_t *setting,
		     const struct setting *row, void *into)
{
	size_t count = (size_t)config_setting_length(setting), read;
	void *place = (char *)into + row->offset;

	if (row->single && config_setting_type(setting) == CONFIG_TYPE_STRING)
		return read_sole(doc, setting, row, into);
	if (!config_setting_is_array(setting) && !config_setting_is_list(setting))
		return value_wrong(doc, setting, row);
	if (row->type == SETTING_FLAGS)
		return read_elements(doc, setting, row, place, count, &read);
	if (!count)
		return 0;
	size_t size = row->type == SETTING_ADDRESSES ? sizeof(struct address) : sizeof(char *);
	void *elements = xcalloc(count + 1, size);

	if (read_elements(doc, setting, row, elements, count, &read) < 0) {
		elements_free(row, elements, read);
		return -1;
	}
	if (row->type == SETTING_ADDRESSES)
		*(size_t *)((char *)into + row->count) = count;
	*(void **)place = elements;
	return 0;
}

static int read_single(struct document *doc, const config_setting_t *setting,
		       const struct setting *row, void *place)
{
	if (row->type == SETTING_SECRET)
		return secret_setting_read(doc, setting, row, place);
	if (config_setting_type(setting) != kinds[row->type].takes)
		return value_wrong(doc, setting, row);
	if (row->type == SETTING_BOOL || row->type == SETTING_WANTED)
		return kinds[row->type].parse(
			row, config_setting_get_bool(setting) ? "true" : "false", place, NULL);
	if (row->type == SETTING_NUMBER)
		return read_number(doc, setting, row, place);
	return read_text(doc, setting, row, config_setting_get_string(setting), place);
}

int value_read(struct document *doc, const config_setting_t *setting, const struct setting *row,
	       void *into)
{
	const struct kind *kind = &kinds[row->type];
	union any_value unused = {0};

	if (kind->list)
		return read_list(doc, setting, row, into);
	if (row->offset != SCHEMA_NOWHERE)
		return read_single(doc, setting, row, (char *)into + row->offset);
	int result = read_single(doc, setting, row, &unused);

	if (kind->clear)
		kind->clear(&unused);
	return result;
}

void value_default(const struct setting *row, void *into)
{
	if (row->initial &&
	    kinds[row->type].parse(row, row->initial, (char *)into + row->offset, NULL) < 0)
		abort();
}

void texts_free(char **texts)
{
	for (char **text = texts; text && *text; text++)
		free(*text);
	free(texts);
}

char **texts_copy(char **texts)
{
	size_t n = 0;

	while (texts && texts[n])
		n++;
	char **copy = texts ? xcalloc(n + 1, sizeof(*copy)) : NULL;

	for (size_t i = 0; i < n; i++)
		copy[i] = xstrdup(texts[i]);
	return copy;
}

void value_clear(const struct setting *row, void *into)
{
	const struct kind *kind = &kinds[row->type];
	void *place;

	if (row->offset == SCHEMA_NOWHERE)
		return;
	place = (char *)into + row->offset;
	if (kind->clear)
		kind->clear(place);
	else if (row->type == SETTING_TEXTS || row->type == SETTING_NAMES)
		texts_free(*(char ***)place);
	else if (row->type == SETTING_ADDRESSES)
		elements_free(row, *(void **)place, *(size_t *)((char *)into + row->count));
}
