/* client/sendmail_input.h - a mail on standard input, up to its end: that of the file,
 * or a line with nothing but a dot. */
#ifndef NUNCIO_CLIENT_SENDMAIL_INPUT_H
#define NUNCIO_CLIENT_SENDMAIL_INPUT_H
#include <stdbool.h>
#include <stddef.h>
struct buf;
struct failure;

/* Zeroed at the start, dots_stay as wanted. */
struct dot_filter {
	bool dots_stay; /* a lone dot is text like any other */
	bool ended;     /* the line with the dot, or the end of the file, has come */
	bool inside;    /* not at the begin of a line */
	unsigned held;  /* of ".\r", bytes that may be that line */
};
/* Adds to out what of the bytes is mail. -1: out is full. */
int dot_filter_add(struct dot_filter *d, const char *bytes, size_t len, struct buf *out);

/* Reads from fd until out has at least enough bytes, or d has ended. -1: it can't be
 * read, f says why, or out is full, then f->kind is FAILURE_REFUSED. */
int sendmail_input_read(int fd, struct dot_filter *d, size_t enough, struct buf *out,
			struct failure *f);
#endif
