/* config/problem.c - puts place and sentence together. Decides what is kept and
 * what is handed on; the sentences are the finders'. */
#include "config/problem.h"

#include <stdio.h>

__attribute__((format(printf, 4, 0))) static void problem_write(struct failure *f,
								enum failure_kind kind,
								const struct place *place,
								const char *fmt, va_list args)
{
	char where[320], text[240];
	const char *setting = place->setting ? place->setting : "";

	if (place->line)
		snprintf(where, sizeof(where), "%s:%u", place->file, place->line);
	else
		snprintf(where, sizeof(where), "%s", place->file);
	vsnprintf(text, sizeof(text), fmt, args);
	failure_set(f, kind, "%s: %s%s%s", where, setting, setting[0] ? ": " : "", text);
}

void problem_addv(struct problems *problems, const struct place *place, const char *fmt,
		  va_list args)
{
	struct failure further;

	if (problems->count++ == 0) {
		problem_write(&problems->first, FAILURE_SETUP, place, fmt, args);
		return;
	}
	if (!problems->also)
		return;
	problem_write(&further, FAILURE_SETUP, place, fmt, args);
	problems->also(problems->ctx, &further);
}

void problem_add(struct problems *problems, const struct place *place, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	problem_addv(problems, place, fmt, args);
	va_end(args);
}

void problem_warnv(struct problems *problems, const struct place *place, const char *fmt,
		   va_list args)
{
	struct failure warning;

	if (!problems->also)
		return;
	problem_write(&warning, FAILURE_NONE, place, fmt, args);
	problems->also(problems->ctx, &warning);
}

bool problems_any(const struct problems *problems)
{
	return problems->count > 0;
}
