/* config/document.h - a configuration file as a tree of settings that know where
 * they stand. */
#ifndef NUNCIO_CONFIG_DOCUMENT_H
#define NUNCIO_CONFIG_DOCUMENT_H
#include <libconfig.h>
#include "config/source.h"

struct document {
	struct source source;
	config_t tree;
	struct problems *problems; /* the caller's */
	const char *region;        /* the file's own: where its telephone numbers are from */
};

/* Reads and parses. -1: said in problems. document_close() is due in any case. */
int document_open(struct document *doc, const char *path, struct problems *problems);
void document_close(struct document *doc);

/* Trouble with a setting: "FILE:LINE: transports.mail.timeout: sentence". */
void document_problem(struct document *doc, const config_setting_t *setting, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void document_warn(struct document *doc, const config_setting_t *setting, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "transports.mail.timeout"; the caller's. */
char *document_name(const config_setting_t *setting);
/* The file a setting stands in, and its line there. */
const struct source_file *document_file(const struct document *doc, const config_setting_t *setting,
					unsigned *ret_line);
/* A member that is a text, or NULL. */
const char *setting_text(const config_setting_t *group, const char *name);
#endif
