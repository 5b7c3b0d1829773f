/* common/pattern.c - PCRE2 under ceilings. What a match may cost is bounded by steps
 * taken, not by time, so that the same text always has the same answer. PCRE2's own
 * limit is of one place where a match may begin, and a text has many: so its steps are
 * counted through callouts, over all of them. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "pattern.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <pcre2.h>

#include "alloc.h"
#include "failure.h"
#include "text.h"

enum {
	PLACE_STEPS = 200000,  /* from one place */
	MATCH_STEPS = 2000000, /* from all places, */
	STEPS_PER_OCTET = 4,   /* and more for long subjects */
	OCTETS_PER_STEP = 16,  /* passed at once, by .* and the like */
	MATCH_DEPTH = 1000,
	MATCH_HEAP_KIB = 4096,
	PATTERN_MAX = 4096,
	COMPILED_MAX = 256 * 1024,
	NESTING_MAX = 50,
};

struct pattern {
	pcre2_code *code;            /* owned */
	pcre2_match_context *limits; /* owned */
};

static pcre2_compile_context *compile_context(void)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);

	if (!context)
		abort();
	pcre2_set_parens_nest_limit(context, NESTING_MAX);
	pcre2_set_max_pattern_length(context, PATTERN_MAX);
	return context;
}

static int wrong(const char *text, int error, size_t at, struct failure *f)
{
	char why[120];
	size_t len = strlen(text);

	pcre2_get_error_message(error, (PCRE2_UCHAR *)why, sizeof(why));
	return failure_set(f, FAILURE_SETUP, "not a pattern: %s, at \"%.20s\"", why,
			   text + (at < len ? at : len));
}

static int check(const struct pattern *p, struct failure *f)
{
	uint32_t names = 0, name_size = 0;
	size_t size = 0;

	pcre2_pattern_info(p->code, PCRE2_INFO_NAMECOUNT, &names);
	pcre2_pattern_info(p->code, PCRE2_INFO_NAMEENTRYSIZE, &name_size);
	pcre2_pattern_info(p->code, PCRE2_INFO_SIZE, &size);
	if (names > PATTERN_CAPTURES_MAX)
		return failure_set(f, FAILURE_SETUP, "not a pattern: it has more than %d names",
				   PATTERN_CAPTURES_MAX);
	if (size > COMPILED_MAX)
		return failure_set(f, FAILURE_SETUP, "not a pattern: it is too large");
	return 0;
}

/* Callouts count steps here; nobody writes one in good faith. */
static bool has_callout(const char *text)
{
	const char *at = strstr(text, "(?C");

	for (; at; at = strstr(at + 3, "(?C"))
		if (at == text || at[-1] != '\\')
			return true;
	return false;
}

int pattern_new(const char *text, struct pattern **ret, struct failure *f)
{
	pcre2_compile_context *context;
	AUTO(pattern_free) struct pattern *p = xcalloc(1, sizeof(*p));
	size_t at = 0;
	int error = 0;

	if (!text_is_utf8(text, strlen(text)))
		return failure_set(f, FAILURE_SETUP, "not a pattern: it is not UTF-8");
	if (has_callout(text))
		return failure_set(f, FAILURE_SETUP, "not a pattern: (?C) is not taken here");
	context = compile_context();
	p->code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
				PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C |
					PCRE2_DOLLAR_ENDONLY | PCRE2_AUTO_CALLOUT,
				&error, &at, context);
	pcre2_compile_context_free(context);
	if (!p->code)
		return wrong(text, error, at, f);
	if (check(p, f) < 0)
		return -1;
	p->limits = pcre2_match_context_create(NULL);
	if (!p->limits)
		abort();
	pcre2_set_match_limit(p->limits, PLACE_STEPS);
	pcre2_set_depth_limit(p->limits, MATCH_DEPTH);
	pcre2_set_heap_limit(p->limits, MATCH_HEAP_KIB);
	*ret = TAKE(p);
	return 0;
}

void pattern_free(struct pattern *p)
{
	if (!p)
		return;
	pcre2_code_free(p->code);
	pcre2_match_context_free(p->limits);
	free(p);
}

/* The i-th name and the number of its group. */
static const char *name_of(const struct pattern *p, uint32_t i, unsigned *ret_group)
{
	PCRE2_SPTR table = NULL;
	uint32_t size = 0;

	pcre2_pattern_info(p->code, PCRE2_INFO_NAMETABLE, &table);
	pcre2_pattern_info(p->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
	table += (size_t)i * size;
	*ret_group = (unsigned)table[0] << 8 | table[1];
	return (const char *)table + 2;
}

static uint32_t count_names(const struct pattern *p)
{
	uint32_t names = 0;

	pcre2_pattern_info(p->code, PCRE2_INFO_NAMECOUNT, &names);
	return names;
}

bool pattern_has_capture(const struct pattern *p, const char *name)
{
	uint32_t names = count_names(p);
	unsigned group;

	for (uint32_t i = 0; i < names; i++)
		if (!*name || strcmp(name_of(p, i, &group), name) == 0)
			return true;
	return false;
}

/* A later one of the same name takes the place of the earlier. */
static void add_capture(struct captures *c, const char *name, const char *value, size_t len)
{
	size_t i = 0;

	while (i < c->n && strcmp(c->at[i].name, name) != 0)
		i++;
	if (i == PATTERN_CAPTURES_MAX)
		return;
	if (i == c->n)
		c->n++;
	else
		free(c->at[i].value);
	memset(c->at[i].name, 0, sizeof(c->at[i].name));
	strncpy(c->at[i].name, name, sizeof(c->at[i].name) - 1);
	c->at[i].value = xstrndup(value, len);
	c->at[i].len = strlen(c->at[i].value);
}

static void add_captures(const struct pattern *p, const pcre2_match_data *data, const char *subject,
			 struct captures *ret)
{
	const size_t *at = pcre2_get_ovector_pointer((pcre2_match_data *)(uintptr_t)data);
	uint32_t names = count_names(p),
		 groups = pcre2_get_ovector_count((pcre2_match_data *)(uintptr_t)data);

	for (uint32_t i = 0; i < names; i++) {
		unsigned group;
		const char *name = name_of(p, i, &group);
		bool took_part = group < groups && at[2 * group] != PCRE2_UNSET &&
				 at[2 * group + 1] >= at[2 * group];

		add_capture(ret, name, took_part ? subject + at[2 * group] : "",
			    took_part ? at[2 * group + 1] - at[2 * group] : 0);
	}
}

/* Octets that are no UTF-8, and NUL, as '?'. Owned by the caller. */
static char *as_utf8(const char *bytes, size_t len)
{
	char *text = xmemdup(bytes, len);

	for (size_t i = 0; i < len;) {
		size_t n = 1;

		while (n < 4 && i + n <= len && !text_is_utf8(text + i, n))
			n++;
		if (i + n > len || !text_is_utf8(text + i, n)) {
			text[i] = '?';
			n = 1;
		}
		i += n;
	}
	return text;
}

static enum pattern_result result_of(int got)
{
	if (got >= 0)
		return PATTERN_MATCHES;
	if (got == PCRE2_ERROR_NOMATCH)
		return PATTERN_DIFFERS;
	return PATTERN_TOO_COSTLY;
}

struct budget {
	uint64_t left;
	size_t at; /* where the last step was */
};

/* Before each item of the pattern. */
static int count_step(pcre2_callout_block *step, void *ctx)
{
	struct budget *budget = ctx;
	size_t here = step->current_position,
	       way = here > budget->at ? here - budget->at : budget->at - here;
	uint64_t cost = 1 + way / OCTETS_PER_STEP;

	budget->at = here;
	if (cost > budget->left)
		return PCRE2_ERROR_MATCHLIMIT;
	budget->left -= cost;
	return 0;
}

static int match(const struct pattern *p, const char *text, size_t len, pcre2_match_data *data)
{
	struct budget budget = {.left = MATCH_STEPS + (uint64_t)len * STEPS_PER_OCTET};
	pcre2_match_context *limits = pcre2_match_context_copy(p->limits);

	if (!limits)
		abort();
	pcre2_set_callout(limits, count_step, &budget);
	int got = pcre2_match(p->code, (PCRE2_SPTR)text, len, 0, PCRE2_NO_UTF_CHECK, data, limits);

	pcre2_match_context_free(limits);
	return got;
}

enum pattern_result pattern_match(const struct pattern *p, const char *subject, size_t len,
				  struct captures *ret)
{
	AUTO(free) char *made = text_is_utf8(subject, len) ? NULL : as_utf8(subject, len);
	const char *text = made ? made : subject;
	pcre2_match_data *data = pcre2_match_data_create_from_pattern(p->code, NULL);

	if (!data)
		abort();
	int got = match(p, text, len, data);

	if (got >= 0 && ret)
		add_captures(p, data, text, ret);
	pcre2_match_data_free(data);
	return result_of(got);
}

const char *captures_get(const struct captures *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->at[i].name, name) == 0)
			return c->at[i].value;
	return NULL;
}

void captures_clear(struct captures *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->at[i].value);
	c->n = 0;
}
