/* config/load.h - a group of settings into a struct, by a table. */
#ifndef NUNCIO_CONFIG_LOAD_H
#define NUNCIO_CONFIG_LOAD_H
#include <libconfig.h>
#include "config/schema.h"
struct document;

/* Reads all members of group into `into`, which is zeroed; what is not set gets
 * its default. Unknown, misplaced, wrong and missing settings are said in doc's
 * problems. load_clear() is due in any case. */
void load_group(struct document *doc, const config_setting_t *group, const struct table *table,
		void *into);
/* Defaults alone, of the rows of one `type` (NULL: all). */
void load_defaults(const struct table *table, const char *only, void *into);
void load_clear(const struct table *table, void *into);
#endif
