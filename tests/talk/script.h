/* tests/talk/script.h - the lines of a script as steps. For tests/talk/talk.c. */
#ifndef NUNCIO_TESTS_SCRIPT_H
#define NUNCIO_TESTS_SCRIPT_H
#include <stdbool.h>
#include <stddef.h>

enum step_kind {
	STEP_SAY,
	STEP_SAY_BARE,
	STEP_HEAR,
	STEP_HEAR_BARE,
	STEP_STARTTLS,
	STEP_CLOSE,
	STEP_DROP,
	STEP_RESET,
	STEP_GONE,
	STEP_ACCEPT,
};
struct step {
	enum step_kind kind;
	char *text; /* owned */
};
struct script {
	struct step *steps; /* owned, of count */
	size_t count;
};

void script_init(struct script *script, const char *text); /* a broken one ends the program */
void script_clear(struct script *script);
bool step_hears_any_number(const struct step *step);
bool step_matches(const struct step *step, const char *line);
const char *step_name(const struct step *step); /* "C: " ..., its text stands behind it */
#endif
