/* common/duration.c - one grammar for durations, sizes and rates wherever a
 * person writes them. Which values make sense somewhere is for the schema. */
#include "duration.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"

#define DURATION_MAX_MS (INT64_C(100) * 365 * 86400 * 1000)

static const struct unit {
	const char *name;
	int64_t ms;
} units[] = {
	/* clang-format off */
	{ "w",  7 * 86400000 },
	{ "d",  86400000 },
	{ "h",  3600000 },
	{ "m",  60000 },
	{ "s",  1000 },
	{ "ms", 1 },
	/* clang-format on */
};
#define UNIT_COUNT (sizeof(units) / sizeof(*units))

/* Decimal digits only; -1 when there are none or too many. */
static int read_number(const char **text, uint64_t *ret)
{
	const char *at = *text;
	uint64_t value = 0;

	if (*at < '0' || *at > '9')
		return -1;
	for (; *at >= '0' && *at <= '9'; at++) {
		if (value > (UINT64_MAX - 9) / 10)
			return -1;
		value = value * 10 + (uint64_t)(*at - '0');
	}
	*text = at;
	*ret = value;
	return 0;
}

static const struct unit *read_unit(const char **text)
{
	size_t len = strspn(*text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

	for (size_t i = 0; i < UNIT_COUNT; i++)
		if (strlen(units[i].name) == len && !memcmp(units[i].name, *text, len)) {
			*text += len;
			return &units[i];
		}
	return NULL;
}

static int not_a_duration(const char *text, struct failure *f)
{
	return failure_set(f, FAILURE_SETUP,
			   "'%.40s' is not a duration: write 250ms, 90s, 10m, 6h, 4d, 2w, "
			   "joined as 1h30m, or 0; at most 100 years",
			   text);
}

int duration_parse(const char *text, int64_t *ret_ms, struct failure *f)
{
	const struct unit *above = NULL; /* the unit before: units fall */
	const char *at = text;
	int64_t sum_ms = 0;

	if (!strcmp(text, "0")) {
		*ret_ms = 0;
		return 0;
	}
	do {
		uint64_t count;
		const struct unit *unit = read_number(&at, &count) < 0 ? NULL : read_unit(&at);

		if (!unit || (above && unit <= above))
			return not_a_duration(text, f);
		if (count > (uint64_t)((DURATION_MAX_MS - sum_ms) / unit->ms))
			return not_a_duration(text, f);
		sum_ms += (int64_t)count * unit->ms;
		above = unit;
	} while (*at);
	*ret_ms = sum_ms;
	return 0;
}

int size_parse(const char *text, uint64_t *ret_bytes, struct failure *f)
{
	static const char suffixes[] = "KMG";
	const char *at = text;
	uint64_t bytes;
	unsigned shift = 0;

	if (read_number(&at, &bytes) == 0) {
		const char *suffix = *at ? strchr(suffixes, *at) : NULL;

		if (suffix) {
			shift = 10 * (unsigned)(suffix - suffixes + 1);
			at++;
		}
		if (!*at && bytes <= UINT64_MAX >> shift) {
			*ret_bytes = bytes << shift;
			return 0;
		}
	}
	return failure_set(f, FAILURE_SETUP,
			   "'%.40s' is not a size: write 500 for bytes, or 64K, 20M, 2G", text);
}

int rate_parse(const char *text, struct rate *ret, struct failure *f)
{
	const char *at = text;
	uint64_t count;

	if (read_number(&at, &count) == 0 && *at == '/' && count > 0 && count <= UINT32_MAX) {
		at++;
		const struct unit *unit = strlen(at) == 1 && *at != 'w' ? read_unit(&at) : NULL;

		if (unit) {
			*ret = (struct rate){(uint32_t)count, unit->ms};
			return 0;
		}
	}
	return failure_set(
		f, FAILURE_SETUP,
		"'%.40s' is not a rate: write 30/m, a number from 1 for each s, m, h or d", text);
}

static char *print_seconds(char *out, size_t size, const char *sign, uint64_t ms)
{
	if (ms && ms < 1000)
		snprintf(out, size, "%s%" PRIu64 " ms", sign, ms);
	else if (ms < 10000 && ms % 1000 >= 100)
		snprintf(out, size, "%s%" PRIu64 ".%" PRIu64 " s", sign, ms / 1000,
			 ms % 1000 / 100);
	else
		snprintf(out, size, "%s%" PRIu64 " s", sign, ms / 1000);
	return out;
}

char *duration_print(char *out, size_t size, int64_t ms)
{
	/* people count in days, not in weeks */
	static const struct unit *const days = &units[1];
	const char *sign = ms < 0 ? "-" : "";
	uint64_t left = ms < 0 ? -(uint64_t)ms : (uint64_t)ms;

	if (left < 60000)
		return print_seconds(out, size, sign, left);
	const struct unit *unit = days;

	while (left < (uint64_t)unit->ms)
		unit++;
	uint64_t rest = left % (uint64_t)unit->ms / (uint64_t)unit[1].ms;
	int len =
		snprintf(out, size, "%s%" PRIu64 "%s", sign, left / (uint64_t)unit->ms, unit->name);

	if (rest && len > 0 && (size_t)len < size)
		snprintf(out + len, size - (size_t)len, " %" PRIu64 "%s", rest, unit[1].name);
	return out;
}

char *size_print(char *out, size_t size, uint64_t bytes)
{
	static const char suffixes[] = "KMGTPE";
	uint64_t whole = bytes / 1024, rest = bytes % 1024; /* rest in 1/1024 of the unit */
	const char *suffix = suffixes;

	if (bytes < 1024) {
		snprintf(out, size, "%" PRIu64, bytes);
		return out;
	}
	for (; whole >= 1024; suffix++) {
		rest = whole % 1024;
		whole /= 1024;
	}
	if (rest * 10 / 1024)
		snprintf(out, size, "%" PRIu64 ".%" PRIu64 "%c", whole, rest * 10 / 1024, *suffix);
	else
		snprintf(out, size, "%" PRIu64 "%c", whole, *suffix);
	return out;
}
