/* common/failure.h - why something did not work: a kind the program acts on
 * and a text a person reads. Nobody parses the text. */
#ifndef NUNCIO_COMMON_FAILURE_H
#define NUNCIO_COMMON_FAILURE_H

enum failure_kind {
	FAILURE_NONE,
	FAILURE_LATER,   /* may work in a while: try again */
	FAILURE_REFUSED, /* the other side said no: trying again is rude */
	FAILURE_SETUP,   /* configuration or credentials: tell the operator */
};

struct failure {
	enum failure_kind kind;
	char text[240];
};

/* Fills *f and returns -1. f may be NULL. The text is cut to fit, on a UTF-8
 * boundary, and its control characters become spaces. */
int failure_set(struct failure *f, enum failure_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Puts "context: " before the text and returns -1. */
int failure_wrap(struct failure *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Like failure_set() with ": strerror(error)" behind the text. */
int failure_errno(struct failure *f, enum failure_kind kind, int error, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
#endif
