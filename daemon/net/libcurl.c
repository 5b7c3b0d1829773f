/* net/libcurl.c - the soname is that of the library nuncio was built with. */
#include "net/libcurl.h"

#include <stdbool.h>
#include <stddef.h>

#include "library.h"
#include "sonames.h"

struct libcurl libcurl;

int libcurl_load(struct failure *f)
{
#define SYMBOL(name) {"curl_" #name, &libcurl.name},
	static const struct library_symbol symbols[] = {LIBCURL_FUNCTIONS(SYMBOL){NULL, NULL}};
#undef SYMBOL
	static bool loaded;

	if (loaded)
		return 0;
	if (library_open(SONAME_LIBCURL, symbols, f) != 0)
		return -1;
	loaded = true;
	return 0;
}
