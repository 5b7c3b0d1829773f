/* transport/fake_answers.h - what the fake transport answers: lines
 *   PATTERN CODE [ENHANCED] TEXT   the first whose pattern fits the recipient counts
 *   down TEXT                      nothing can be carried now
 *   login TEXT                     the login is refused
 * Blank lines and those that begin with '#' say nothing. Pure. */
#ifndef NUNCIO_TRANSPORT_FAKE_ANSWERS_H
#define NUNCIO_TRANSPORT_FAKE_ANSWERS_H
#include <stddef.h>
#include "failure.h"
struct fake_answers;
struct outcome;

/* -1, FAILURE_SETUP: a line that is none of these. Never changes text. */
int fake_answers_parse(const char *text, struct fake_answers **ret, struct failure *f);
void fake_answers_free(struct fake_answers *a); /* NULL is fine */
/* Why it is down: LATER or REFUSED; FAILURE_NONE: it is not. */
const struct failure *fake_answers_down(const struct fake_answers *a);
/* Where no line fits: 250. */
void fake_answers_find(const struct fake_answers *a, const char *recipient, struct outcome *ret);
#endif
