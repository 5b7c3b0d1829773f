/* message/libxml2.h - libxml2, loaded with the first html: it brings all of ICU. */
#ifndef NUNCIO_MESSAGE_LIBXML2_H
#define NUNCIO_MESSAGE_LIBXML2_H
#include <libxml/HTMLparser.h>

/* Each is libxml2's own of that name. */
struct libxml2 {
	__typeof__(htmlReadMemory) *htmlReadMemory;
	__typeof__(xmlDocGetRootElement) *xmlDocGetRootElement;
	__typeof__(xmlFreeDoc) *xmlFreeDoc;
	__typeof__(xmlGetProp) *xmlGetProp;
	__typeof__(xmlFree) *xmlFree; /* a variable, which points to the function */
};

/* From any thread. NULL: it cannot be loaded, which is logged once. */
const struct libxml2 *libxml2_load(void);
#endif
