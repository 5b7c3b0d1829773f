/* common/throttle.c - decides how limits and money are written. What is limited is for
 * others. */
#include "throttle.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "failure.h"

#define PER_MAX_MS (7LL * 24 * 60 * 60 * 1000)
#define COUNT_MAX 100000
#define MICROS 1000000LL
#define MONEY_MAX (1000000000LL * MICROS)

static int not_a_throttle(const char *text, struct failure *f)
{
	return failure_set(f, FAILURE_SETUP,
			   "'%.40s' is not a throttle: write \"3/1m 11/h\", up to %d limits of a "
			   "number in a time up to 7d; or \"none\"",
			   text, THROTTLE_WINDOWS);
}

/* A unit may stand alone: "h" is "1h". */
static int parse_time(const char *text, int64_t *ret_ms)
{
	char with_one[40];
	bool alone = *text < '0' || *text > '9';
	struct failure f;

	snprintf(with_one, sizeof(with_one), "%s%s", alone ? "1" : "", text);
	return duration_parse(with_one, ret_ms, &f) < 0 || *ret_ms <= 0 || *ret_ms > PER_MAX_MS ? -1
												: 0;
}

/* By time, so that the last is the longest. */
static void insert(struct throttle *t, const struct rate *w)
{
	unsigned at = t->n++;

	for (; at > 0 && t->windows[at - 1].per_ms > w->per_ms; at--)
		t->windows[at] = t->windows[at - 1];
	t->windows[at] = *w;
}

static int parse_window(const char *text, size_t len, struct throttle *t)
{
	struct rate w;
	char one[32], *slash, *end;

	if (len >= sizeof(one) || t->n == THROTTLE_WINDOWS)
		return -1;
	memcpy(one, text, len);
	one[len] = '\0';
	slash = strchr(one, '/');
	if (!slash || one[0] < '0' || one[0] > '9')
		return -1;
	unsigned long count = strtoul(one, &end, 10);

	if (end != slash || count == 0 || count > COUNT_MAX || parse_time(slash + 1, &w.per_ms) < 0)
		return -1;
	w.count = (uint32_t)count;
	insert(t, &w);
	return 0;
}

int throttle_parse(const char *text, struct throttle *ret, struct failure *f)
{
	static const char between[] = " ,";
	struct throttle t = {.n = 0};

	if (strcmp(text, "none") != 0) {
		for (const char *at = text + strspn(text, between); *at;) {
			size_t len = strcspn(at, between);

			if (parse_window(at, len, &t) < 0)
				return not_a_throttle(text, f);
			at += len;
			at += strspn(at, between);
		}
		if (!t.n)
			return not_a_throttle(text, f);
	}
	*ret = t;
	return 0;
}

static int not_money(const char *text, struct failure *f)
{
	return failure_set(f, FAILURE_SETUP,
			   "'%.40s' is no amount: write it as \"5\" or \"0.0079\", with up to 6 "
			   "decimals",
			   text);
}

int money_parse(const char *text, int64_t *ret_micros, struct failure *f)
{
	const char *at = text;
	int64_t micros = 0, unit = MICROS;

	if (*at < '0' || *at > '9')
		return not_money(text, f);
	for (; *at >= '0' && *at <= '9'; at++) {
		micros = micros * 10 + (*at - '0') * MICROS;
		if (micros > MONEY_MAX)
			return not_money(text, f);
	}
	if (*at == '.' && (at[1] < '0' || at[1] > '9'))
		return not_money(text, f);
	at += *at == '.';
	for (; *at >= '0' && *at <= '9'; at++) {
		unit /= 10;
		if (unit == 0)
			return not_money(text, f);
		micros += (*at - '0') * unit;
	}
	if (*at)
		return not_money(text, f);
	*ret_micros = micros;
	return 0;
}

char *money_print(char *out, int size, int64_t micros)
{
	int len = snprintf(out, (size_t)size, "%lld.%06lld", (long long)(micros / MICROS),
			   (long long)(micros % MICROS));

	for (; len > 0 && len < size && out[len - 1] == '0' && out[len - 3] != '.'; len--)
		out[len - 1] = '\0';
	return out;
}

int price_parse(const char *text, int64_t *ret_micros, const char **ret_currency, struct failure *f)
{
	size_t len = strcspn(text, " ");
	const char *currency = text + len + strspn(text + len, " ");
	AUTO(free) char *amount = xstrndup(text, len);

	if (*currency &&
	    (strlen(currency) != 3 || strspn(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3))
		return failure_set(f, FAILURE_SETUP,
				   "'%.40s' is no price: write it as \"0.0079 USD\", or \"0.0079\"",
				   text);
	if (money_parse(amount, ret_micros, f) < 0)
		return -1;
	*ret_currency = currency;
	return 0;
}
