/* client/whom.c - see whom.h. Whether there is such a one is the daemon's to say. */
#include "whom.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "command.h"
#include "text.h"

#define BLANKS " \t\r\n"

static void add_one(json_t *list, const char *one)
{
	one += strspn(one, BLANKS);
	size_t len = strlen(one);

	while (len && strchr(BLANKS, one[len - 1]))
		len--;
	if (len)
		json_array_append_new(list, json_stringn(one, len));
}

int whom_add(const char *command, json_t *list, const char *words)
{
	AUTO(free) char *copy = xstrdup(words);
	char *rest = copy, *one;

	if (!text_is_utf8(words, strlen(words)))
		return usage_error(command, "a recipient is not UTF-8");
	/* A comma inside <...> or quotes belongs to a display name: then it is one address. */
	if (strpbrk(words, "<\"")) {
		add_one(list, words);
		return 0;
	}
	while ((one = strsep(&rest, ",")))
		add_one(list, one);
	return 0;
}
