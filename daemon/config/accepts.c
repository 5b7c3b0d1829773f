/* config/accepts.c - questions to the table of settings: which one is meant, and
 * what it accepts, as a sentence with an example. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "config/schema.h"
#include "duration.h"

const struct setting *schema_find(const struct table *table, const char *name, const char *only)
{
	const struct setting *found = NULL;

	for (size_t i = 0; i < table->nsettings; i++) {
		const struct setting *row = &table->settings[i];

		if (strcmp(row->name, name) != 0)
			continue;
		if (!found || (only && row->only && !strcmp(row->only, only)))
			found = row;
	}
	return found;
}

bool schema_belongs(const struct setting *setting, const char *only)
{
	return !setting->only || !only || !strcmp(setting->only, only);
}

static unsigned min_of(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* How many letters differ (Levenshtein). Names beyond 31 letters are far off. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[32], len = (unsigned)strlen(b);

	if (strlen(a) >= 32 || len >= 32)
		return UINT_MAX;
	for (unsigned i = 0; i <= len; i++)
		row[i] = i;
	for (unsigned i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= len; j++) {
			unsigned change = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = min_of(change, min_of(row[j], row[j - 1]) + 1);
		}
	}
	return row[len];
}

const char *schema_nearest(const struct table *table, const char *name, const char *only)
{
	const char *nearest = NULL;
	unsigned least = (unsigned)strlen(name) / 2 + 1;

	for (size_t i = 0; i < table->nsettings; i++) {
		unsigned far = distance(name, table->settings[i].name);

		if (far < least && schema_belongs(&table->settings[i], only)) {
			least = far;
			nearest = table->settings[i].name;
		}
	}
	return nearest;
}

static const char *const sentences[] = {
	[SETTING_TEXT] = "a text in double quotes",
	[SETTING_NAME] = "a name of 1 to 32 letters, digits, - and _, like \"mail\"",
	[SETTING_PATH] = "an absolute path, like \"/var/lib/nuncio\"",
	[SETTING_DIGEST] = "a SHA-256 as 64 hex digits in double quotes",
	[SETTING_PHONE] = "a telephone number with its country, like \"+15559998888\"",
	[SETTING_BOOL] = "true or false",
	[SETTING_WANTED] = "true or false",
	[SETTING_BITS] = "permission bits as octal digits in double quotes, like \"0660\"",
	[SETTING_RATE] = "a number per s, m, h or d in double quotes, like \"30/m\"",
	[SETTING_THROTTLE] = "numbers in times in double quotes, like \"3/1m 11/h\", or \"none\"",
	[SETTING_FALLBACK] = "another way in double quotes, like \"mail after 10m\", or \"none\"",
	[SETTING_MONEY] = "an amount in double quotes, like \"5.00\"",
	[SETTING_ADDRESS] = "a mail address, like \"Home server <box@example.com>\"",
	[SETTING_SECRET] = "a text, { file = \"/PATH\"; }, { credential = \"NAME\"; } or "
			   "{ command = [\"/PROGRAM\", ...]; }",
	[SETTING_NAMES] = "a list of names, like [\"mail\", \"backup\"]",
	[SETTING_ADDRESSES] = "a list of mail addresses, like [\"me@example.com\"]",
};

static void accepts_choice(const struct setting *setting, const char *what, char *out, size_t size)
{
	size_t at = (size_t)snprintf(out, size, "%s", what);

	for (const struct choice *c = setting->choices; c->name && at < size; c++) {
		const char *between = c == setting->choices ? "" : c[1].name ? ", " : " or ";

		at += (size_t)snprintf(out + at, size - at, "%s\"%s\"", between, c->name);
	}
}

static void accepts_range(const struct setting *setting, char *out, size_t size)
{
	char low[32], high[32];
	long long min = setting->min, max = setting->max;

	if (setting->type == SETTING_NUMBER) {
		snprintf(out, size, "a whole number from %lld to %lld", min, max);
	} else if (setting->type == SETTING_SIZE) {
		size_print(low, sizeof(low), (uint64_t)min);
		size_print(high, sizeof(high), (uint64_t)max);
		snprintf(out, size, "a size from %s to %s in double quotes, like \"%s\"", low, high,
			 setting->initial ? setting->initial : "50M");
	} else {
		duration_print(low, sizeof(low), min);
		duration_print(high, sizeof(high), max);
		snprintf(out, size, "a duration from %s to %s in double quotes, like \"%s\"", low,
			 high, min || !setting->initial ? setting->initial : "30s");
	}
}

char *schema_accepts(const struct setting *setting, char *out, size_t size)
{
	switch (setting->type) {
	case SETTING_WORD:
	case SETTING_CHOICE:
		accepts_choice(setting, "", out, size);
		break;
	case SETTING_FLAGS:
		accepts_choice(setting, "a list of ", out, size);
		break;
	case SETTING_TEXTS:
		if (setting->choices)
			accepts_choice(setting, "a list of ", out, size);
		else
			snprintf(out, size, "a list of texts, like [\"a\", \"b\"]");
		break;
	case SETTING_NUMBER:
	case SETTING_SIZE:
	case SETTING_DURATION:
		accepts_range(setting, out, size);
		break;
	case SETTING_GROUP:
		snprintf(out, size, "settings in braces, like %s = { %s = ...; };", setting->name,
			 setting->table->settings[0].name);
		break;
	case SETTING_ROWS:
		snprintf(out, size, "a list of groups, like %s = ( { %s = ...; } );", setting->name,
			 setting->table->settings[0].name);
		break;
	case SETTING_TEXT:
	case SETTING_NAME:
	case SETTING_PATH:
	case SETTING_DIGEST:
	case SETTING_PHONE:
	case SETTING_BOOL:
	case SETTING_WANTED:
	case SETTING_BITS:
	case SETTING_RATE:
	case SETTING_THROTTLE:
	case SETTING_MONEY:
	case SETTING_FALLBACK:
	case SETTING_ADDRESS:
	case SETTING_SECRET:
	case SETTING_NAMES:
	case SETTING_ADDRESSES:
		snprintf(out, size, "%s", sentences[setting->type]);
		break;
	}
	return out;
}
