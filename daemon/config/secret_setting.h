/* config/secret_setting.h - a secret in the configuration: a text, or where it
 * is. What secret_ref_get() will read is settled here, nothing is read yet. */
#ifndef NUNCIO_CONFIG_SECRET_SETTING_H
#define NUNCIO_CONFIG_SECRET_SETTING_H
#include <libconfig.h>
struct document;
struct setting;

/* Fills the struct secret_ref at place. -1: said in doc's problems. */
int secret_setting_read(struct document *doc, const config_setting_t *setting,
			const struct setting *row, void *place);
void secret_setting_clear(void *place); /* the value is wiped */
#endif
