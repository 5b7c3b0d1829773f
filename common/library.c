/* common/library.c - by dlopen(3); nothing is ever unloaded. */
#include "library.h"

#include <dlfcn.h>
#include <string.h>

#include "failure.h"

int library_open(const char *soname, const struct library_symbol *symbols, struct failure *f)
{
	void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return failure_set(f, FAILURE_SETUP, "%s cannot be loaded: %s", soname, dlerror());
	for (const struct library_symbol *s = symbols; s->name; s++)
		if (!dlsym(library, s->name))
			return failure_set(f, FAILURE_SETUP, "%s is too old: it has no %s", soname,
					   s->name);
	for (const struct library_symbol *s = symbols; s->name; s++) {
		void *symbol = dlsym(library, s->name);

		memcpy(s->place, &symbol, sizeof(symbol));
	}
	return 0;
}
