/* config/value.h - one value: from the file or the table's default into its
 * place in a struct, and out of it again. */
#ifndef NUNCIO_CONFIG_VALUE_H
#define NUNCIO_CONFIG_VALUE_H
#include <libconfig.h>
#include "config/schema.h"
struct document;
struct failure;

/* Puts a setting (not a group or rows) of the file into its place in `into`,
 * which is zeroed. -1: said in doc's problems, the place is as it was. */
int value_read(struct document *doc, const config_setting_t *setting, const struct setting *row,
	       void *into);
/* Puts the default into its place, if there is one. */
void value_default(const struct setting *row, void *into);
/* Frees what value_read() or value_default() left there. */
void value_clear(const struct setting *row, void *into);

/* Says what a setting takes in place of what stands there. Returns -1. */
int value_wrong(struct document *doc, const config_setting_t *setting, const struct setting *row);
void texts_free(char **texts); /* NULL-ended; NULL is fine */
char **texts_copy(char **texts);
#endif
