/* config/source.h - the text of a configuration file with all its includes in
 * place, and where each of its lines came from. libconfig never opens a file:
 * its own @include ends the process on a directory and knows no limits. */
#ifndef NUNCIO_CONFIG_SOURCE_H
#define NUNCIO_CONFIG_SOURCE_H
#include <stddef.h>
#include <sys/types.h>
#include <time.h>
#include "config/problem.h"

enum {
	SOURCE_MAX_FILE = 1024 * 1024,
	SOURCE_MAX_FILES = 64,
	SOURCE_MAX_DEPTH = 16,
};

struct source_file {
	char *path; /* owned */
	mode_t mode;
	dev_t dev;
	ino_t ino;
	struct timespec changed; /* st_ctim */
	int from;                /* index of the file that includes it; -1: none does */
};

/* From line `first` of the text on, lines are those of file from `line` on. */
struct source_span {
	unsigned first, line, file;
};

struct source {
	char *text; /* owned, NUL-ended, wiped: it may hold secrets */
	size_t len, allocated;
	unsigned lines; /* of text so far, from 1 */
	struct source_file files[SOURCE_MAX_FILES];
	unsigned nfiles;
	struct source_span spans[2 * SOURCE_MAX_FILES];
	unsigned nspans;
};

/* Reads path and what it includes: regular files that nobody else may write,
 * UTF-8. -1: said in problems; source_clear() is due in any case. */
int source_read(struct source *source, const char *path, struct problems *problems);
void source_clear(struct source *source);

/* The file a line of the text came from, and the line in it. */
const struct source_file *source_at(const struct source *source, unsigned line, unsigned *ret_line);
#endif
