/* common/fallback.c - decides how another way is written. */
#include "fallback.h"

#include <string.h>

#include "duration.h"
#include "failure.h"

#define AFTER " after "
#define AFTER_MAX_MS (30LL * 24 * 60 * 60 * 1000)

static int not_a_fallback(const char *text, struct failure *f)
{
	return failure_set(f, FAILURE_SETUP,
			   "'%.40s' is no fallback: write \"mail after 10m\", \"sms after 1h\" (up "
			   "to 30d; 10m if not said), or \"none\"",
			   text);
}

/* The word at the beginning of text, and what is behind it. */
static const char *way_of(const char *text, enum fallback_way *ret)
{
	static const struct {
		const char *word;
		enum fallback_way way;
	} words[] = {{"mail", FALLBACK_MAIL}, {"sms", FALLBACK_SMS}, {"none", FALLBACK_NONE}};
	size_t len = strcspn(text, " ");

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strlen(words[i].word) != len || strncmp(words[i].word, text, len) != 0)
			continue;
		*ret = words[i].way;
		return text + len;
	}
	return NULL;
}

int fallback_parse(const char *text, struct fallback *ret, struct failure *f)
{
	struct fallback b = {.after_ms = FALLBACK_AFTER_MS};
	const char *rest = way_of(text, &b.way);

	if (!rest || (*rest && b.way == FALLBACK_NONE))
		return not_a_fallback(text, f);
	if (*rest &&
	    (strncmp(rest, AFTER, strlen(AFTER)) != 0 ||
	     duration_parse(rest + strlen(AFTER), &b.after_ms, f) < 0 || b.after_ms > AFTER_MAX_MS))
		return not_a_fallback(text, f);
	*ret = b;
	return 0;
}
