/* message/libxml2.c - the soname is that of the library nuncio was built with. */
#include "message/libxml2.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "failure.h"
#include "library.h"
#include "log.h"
#include "sonames.h"

static struct libxml2 libxml2;
static bool loaded;

static void load(void)
{
	static const struct library_symbol symbols[] = {
		{"htmlReadMemory", &libxml2.htmlReadMemory},
		{"xmlDocGetRootElement", &libxml2.xmlDocGetRootElement},
		{"xmlFreeDoc", &libxml2.xmlFreeDoc},
		{"xmlGetProp", &libxml2.xmlGetProp},
		{"xmlFree", &libxml2.xmlFree},
		{NULL, NULL},
	};
	struct failure why;

	loaded = library_open(SONAME_LIBXML2, symbols, &why) == 0;
	if (!loaded)
		log_error(NULL, "html is not read: %s", why.text);
}

const struct libxml2 *libxml2_load(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	return loaded ? &libxml2 : NULL;
}
