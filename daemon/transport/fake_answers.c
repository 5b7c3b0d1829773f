/* transport/fake_answers.c - reads the lines; a code's first digit decides the
 * outcome, as in SMTP. */
#include "transport/fake_answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "text.h"
#include "transport/transport.h"

struct answer {
	char *pattern; /* owned */
	struct outcome outcome;
	struct answer *next;
};

struct fake_answers {
	struct answer *first, **tail; /* owned, of struct answer, by .next */
	struct failure down;
};

/* The next word of a line; *at goes behind it and the blanks that follow. */
static char *take_word(const char **at)
{
	size_t len = strcspn(*at, " \t");
	char *word = xstrndup(*at, len);

	*at += len;
	*at += strspn(*at, " \t");
	return word;
}

static bool is_enhanced(const char *word)
{
	unsigned class, subject, detail;
	int len = 0;

	return sscanf(word, "%1u.%3u.%3u%n", &class, &subject, &detail, &len) == 3 && !word[len];
}

static int kind_of(int code, enum outcome_kind *ret)
{
	if (code < 200 || code > 599 || code / 100 == 3)
		return -1;
	*ret = code < 300 ? OUTCOME_SENT : code < 500 ? OUTCOME_LATER : OUTCOME_REFUSED;
	return 0;
}

static int parse_answer(struct fake_answers *a, char *pattern, const char *rest)
{
	AUTO(free) char *code = take_word(&rest);
	struct outcome o = {.code = atoi(code)};

	if (strlen(code) != 3 || kind_of(o.code, &o.kind) < 0)
		return -1;
	const char *text = rest;
	AUTO(free) char *enhanced = take_word(&text);

	if (is_enhanced(enhanced))
		snprintf(o.enhanced, sizeof(o.enhanced), "%s", enhanced);
	else
		text = rest;
	text_safe_line(o.text, sizeof(o.text), text, strlen(text));
	struct answer *answer = xcalloc(1, sizeof(*answer));

	answer->pattern = xstrdup(pattern);
	answer->outcome = o;
	*a->tail = answer;
	a->tail = &answer->next;
	return 0;
}

static int parse_line(struct fake_answers *a, const char *line)
{
	const char *rest = line + strspn(line, " \t");

	if (!*rest || *rest == '#')
		return 0;
	AUTO(free) char *word = take_word(&rest);

	if (strcmp(word, "down") == 0)
		failure_set(&a->down, FAILURE_LATER, "%s", rest);
	else if (strcmp(word, "login") == 0)
		failure_set(&a->down, FAILURE_REFUSED, "login refused: %s", rest);
	else
		return parse_answer(a, word, rest);
	return 0;
}

int fake_answers_parse(const char *text, struct fake_answers **ret, struct failure *f)
{
	struct fake_answers *a = xcalloc(1, sizeof(*a));
	unsigned number = 0;

	a->tail = &a->first;
	while (*text) {
		size_t len = strcspn(text, "\n");
		AUTO(free) char *line = xstrndup(text, len);

		number++;
		if (parse_line(a, line) < 0) {
			fake_answers_free(a);
			return failure_set(f, FAILURE_SETUP,
					   "line %u: should be PATTERN CODE TEXT, down TEXT or "
					   "login TEXT",
					   number);
		}
		text += len + (text[len] == '\n');
	}
	*ret = a;
	return 0;
}

void fake_answers_free(struct fake_answers *a)
{
	if (!a)
		return;
	while (a->first) {
		struct answer *next = a->first->next;

		free(a->first->pattern);
		free(a->first);
		a->first = next;
	}
	free(a);
}

const struct failure *fake_answers_down(const struct fake_answers *a)
{
	return &a->down;
}

void fake_answers_find(const struct fake_answers *a, const char *recipient, struct outcome *ret)
{
	for (const struct answer *answer = a->first; answer; answer = answer->next) {
		if (text_matches(answer->pattern, recipient)) {
			*ret = answer->outcome;
			return;
		}
	}
	*ret = (struct outcome){.kind = OUTCOME_SENT, .code = 250, .text = "taken"};
	snprintf(ret->enhanced, sizeof(ret->enhanced), "2.0.0");
}
