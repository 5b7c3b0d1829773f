/* common/argument.c - reads
 *
 *   element  = *( literal / "{" name "}" )
 *   name     = a named capture / "attachments"
 *
 * It stays one argument, whatever stands in the captures. A brace that opens no such
 * name is itself: programs have braces of their own. */
#include "argument.h"

#include <string.h>

#include "buf.h"
#include "failure.h"
#include "pattern.h"

/* The length of a name that "{" opens at text, braces too; 0: it opens none. */
static size_t name_len(const char *text)
{
	size_t len = strspn(text + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789_");

	return len && len < PATTERN_NAME_SIZE && text[len + 1] == '}' ? len + 2 : 0;
}

static const char *value_of(const char *text, size_t len, const struct captures *captures,
			    const char *attachments, struct failure *f)
{
	char name[PATTERN_NAME_SIZE] = "";

	memcpy(name, text + 1, len - 2);
	const char *value = captures_get(captures, name);

	if (!value && strcmp(name, "attachments") == 0)
		value = attachments;
	if (!value)
		failure_set(f, FAILURE_REFUSED,
			    "'{%s}' in run: the rule's pattern has no capture of that name", name);
	return value;
}

char *argument_fill(const char *element, const struct captures *captures, const char *attachments,
		    struct failure *f)
{
	struct buf out;
	int full = 0;

	buf_init(&out, ARGUMENT_MAX);
	while (*element && !full) {
		size_t len = *element == '{' ? name_len(element) : 0;
		const char *value = len ? value_of(element, len, captures, attachments, f) : NULL;

		if (len && !value) {
			buf_clear(&out);
			return NULL;
		}
		full = value ? buf_add_text(&out, value) : buf_add(&out, element, 1);
		element += len ? len : 1;
	}
	if (full) {
		failure_set(f, FAILURE_REFUSED, "an argument has more than %d bytes", ARGUMENT_MAX);
		buf_clear(&out);
		return NULL;
	}
	return buf_take(&out, NULL);
}
