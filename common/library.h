/* common/library.h - shared libraries that are loaded when they are first needed: what
 * not every run needs should not make every start slower. */
#ifndef NUNCIO_COMMON_LIBRARY_H
#define NUNCIO_COMMON_LIBRARY_H
struct failure;

struct library_symbol {
	const char *name;
	void *place; /* of a pointer, which will point to it */
};
/* Loads the library of that soname, for good, and fills the places of the symbols, whose row ends
 * with name NULL. Returns 0, or -1 with *f (FAILURE_SETUP) and no place touched. */
int library_open(const char *soname, const struct library_symbol *symbols, struct failure *f);
#endif
