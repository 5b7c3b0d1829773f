/* client/program.h - becoming another of nuncio's programs. */
#ifndef NUNCIO_CLIENT_PROGRAM_H
#define NUNCIO_CLIENT_PROGRAM_H

/* The one called so that lies beside this program, else the installed one: its path, or a
 * name for $PATH. Returns only when there is none, with errno. */
void program_become(const char *name, const char *installed, char **argv);
#endif
