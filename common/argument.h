/* common/argument.h - an element of a rule's `run` made into one argument of the
 * program: by the runner, and by what shows beforehand what it would run. Pure. */
#ifndef NUNCIO_COMMON_ARGUMENT_H
#define NUNCIO_COMMON_ARGUMENT_H
struct captures;
struct failure;

#define ARGUMENT_MAX (128 * 1024 - 1) /* the kernel's limit for one (MAX_ARG_STRLEN) */

/* {name} becomes what was captured, or, of {attachments}, that directory. Owned by the
 * caller. NULL and FAILURE_REFUSED: there is no such capture, or it becomes too long. */
char *argument_fill(const char *element, const struct captures *captures, const char *attachments,
		    struct failure *f);
#endif
