/* common/pattern.h - PCRE2 patterns with ceilings on what a match may cost (steps,
 * depth, memory), UTF-8 always, no JIT. Pure. */
#ifndef NUNCIO_COMMON_PATTERN_H
#define NUNCIO_COMMON_PATTERN_H
#include <stdbool.h>
#include <stddef.h>
#include "auto.h"
struct failure;
struct pattern;

#define PATTERN_CAPTURES_MAX 32
#define PATTERN_NAME_SIZE 33

/* FAILURE_SETUP: where in the text and why. \C and callouts are refused. */
int pattern_new(const char *text, struct pattern **ret, struct failure *f);
void pattern_free(struct pattern *p); /* NULL is fine */
AUTO_DEFINE(struct pattern, pattern_free)
/* Has it a named capture of that name? The empty name: any at all. */
bool pattern_has_capture(const struct pattern *p, const char *name);

struct capture {
	char name[PATTERN_NAME_SIZE];
	char *value; /* owned; "" for a group that took no part */
	size_t len;
};
struct captures {
	struct capture at[PATTERN_CAPTURES_MAX];
	size_t n;
};
enum pattern_result {
	PATTERN_MATCHES,
	PATTERN_DIFFERS,
	PATTERN_TOO_COSTLY, /* a limit was passed: it counts as no match, and is to be told */
};
/* subject need not be UTF-8: it is then made so first ('?' for what is none). ret may
 * be NULL; else it gets the named captures (added to those it has). */
enum pattern_result pattern_match(const struct pattern *p, const char *subject, size_t len,
				  struct captures *ret);
const char *captures_get(const struct captures *c, const char *name); /* or NULL */
void captures_clear(struct captures *c);
#endif
