/* tests/fuzz/fuzz_pattern.c - a pattern (the first line) and any bytes it is held
 * against. Whatever they are: it ends soon, what was captured is UTF-8, and the
 * same again gives the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "failure.h"
#include "pattern.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void try_match(const struct pattern *p, const char *subject, size_t len)
{
	struct captures c = {0}, again = {0};
	enum pattern_result result = pattern_match(p, subject, len, &c);

	must(pattern_match(p, subject, len, &again) == result && again.n == c.n);
	must(result == PATTERN_MATCHES || c.n == 0);
	for (size_t i = 0; i < c.n; i++) {
		must(pattern_has_capture(p, c.at[i].name));
		must(text_is_utf8(c.at[i].value, c.at[i].len));
		must(captures_get(&again, c.at[i].name) &&
		     !strcmp(captures_get(&again, c.at[i].name), c.at[i].value));
	}
	captures_clear(&c);
	captures_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t len = end ? (size_t)(end - data) : size;
	AUTO(free) char *text = xstrndup((const char *)data, len);
	struct pattern *p = NULL;
	struct failure f = {0};

	if (pattern_new(text, &p, &f) < 0) {
		must(f.kind == FAILURE_SETUP && *f.text);
		return 0;
	}
	if (end)
		try_match(p, (const char *)end + 1, size - len - 1);
	pattern_free(p);
	return 0;
}
