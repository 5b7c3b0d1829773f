/* tests/talk/script.c - decides what a line of a script asks for. */
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

static const struct {
	const char *name;
	bool has_text;
} kinds[] = {
	[STEP_SAY] = {"S:", true},
	[STEP_SAY_BARE] = {"S=", true},
	[STEP_HEAR_BARE] = {"C=", true},
	[STEP_HEAR] = {"C:", true},
	[STEP_STARTTLS] = {"STARTTLS", false},
	[STEP_CLOSE] = {"CLOSE", false},
	[STEP_DROP] = {"DROP", false},
	[STEP_RESET] = {"RESET", false},
	[STEP_GONE] = {"GONE", false},
	[STEP_ACCEPT] = {"ACCEPT", false},
};

static struct step step_parse(const char *line)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		size_t len = strlen(kinds[i].name);
		const char *rest = line + len;

		if (strncmp(line, kinds[i].name, len) != 0 || (!kinds[i].has_text && *rest))
			continue;
		if (*rest == ' ')
			rest++;
		return (struct step){.kind = (enum step_kind)i, .text = xstrdup(rest)};
	}
	fprintf(stderr, "no such step in a script: %s\n", line);
	abort();
}

void script_init(struct script *script, const char *text)
{
	*script = (struct script){.count = 0};
	while (*text) {
		size_t len = strcspn(text, "\n");
		char *line = xstrndup(text, len);

		if (len > 0 && line[len - 1] == '\r')
			line[len - 1] = '\0';
		script->steps =
			xrealloc(script->steps, (script->count + 1) * sizeof(*script->steps));
		script->steps[script->count++] = step_parse(line);
		free(line);
		text += len + (text[len] == '\n');
	}
}

void script_clear(struct script *script)
{
	for (size_t i = 0; i < script->count; i++)
		free(script->steps[i].text);
	free(script->steps);
}

bool step_hears_any_number(const struct step *step)
{
	return step->kind == STEP_HEAR && strcmp(step->text, "...") == 0;
}

bool step_matches(const struct step *step, const char *line)
{
	size_t len = strlen(step->text);

	if (strcmp(step->text, "*") == 0)
		return true;
	if (len >= 2 && strcmp(step->text + len - 2, " *") == 0)
		return strncmp(step->text, line, len - 1) == 0;
	return strcmp(step->text, line) == 0;
}

const char *step_name(const struct step *step)
{
	return kinds[step->kind].name;
}
