/* tests/unit/config_house.h - a folder of configuration files to load, and what
 * was said about them. One at a time; the process stands in it meanwhile, so
 * that names in sentences are short. */
#ifndef NUNCIO_TESTS_CONFIG_HOUSE_H
#define NUNCIO_TESTS_CONFIG_HOUSE_H
#include <stddef.h>
#include <sys/types.h>
struct config;

void house_open(void);
void house_close(void); /* the folder goes, too */
void house_write(const char *name, const char *text, mode_t mode);
void house_copy(const char *folder); /* all its files, 0640 */
/* The whole file, NUL-ended; the caller frees it. NULL: there is none. */
char *house_read(const char *path);

/* Loads a file of the house; NULL: not good. */
const struct config *house_load(const char *name);
/* The same with these bytes as the file, 0640. */
const struct config *house_load_text(const char *text);
/* What the last load said: a line each, the failure first, then the others;
 * warnings begin with "warning: ". */
const char *house_said(void);
#endif
