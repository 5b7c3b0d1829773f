/* client/whom.h - whom a word of a command line names. */
#ifndef NUNCIO_CLIENT_WHOM_H
#define NUNCIO_CLIENT_WHOM_H
#include <jansson.h>

/* Adds those of "me, bo,x@example.org" to list. Returns an exit status; what is wrong is
 * said as of that command. */
int whom_add(const char *command, json_t *list, const char *words);
#endif
