/* config/problem.h - what is wrong with a configuration: the first trouble is
 * kept for the caller, each further one and every warning is handed on. */
#ifndef NUNCIO_CONFIG_PROBLEM_H
#define NUNCIO_CONFIG_PROBLEM_H
#include <stdarg.h>
#include <stdbool.h>
#include "config/config.h"
#include "failure.h"

struct problems {
	struct failure first;    /* FAILURE_NONE: none so far */
	unsigned count;          /* warnings are none */
	config_problem_fn *also; /* or NULL */
	void *ctx;
};

/* Where trouble is. */
struct place {
	const char *file;
	unsigned line;       /* 0: the file as a whole */
	const char *setting; /* NULL: no setting in particular */
};

/* "FILE:LINE: setting: sentence". */
void problem_add(struct problems *problems, const struct place *place, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void problem_addv(struct problems *problems, const struct place *place, const char *fmt,
		  va_list args) __attribute__((format(printf, 3, 0)));
/* The same as a warning: nothing fails because of it. */
void problem_warnv(struct problems *problems, const struct place *place, const char *fmt,
		   va_list args) __attribute__((format(printf, 3, 0)));
bool problems_any(const struct problems *problems);
#endif
