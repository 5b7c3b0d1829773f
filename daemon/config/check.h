/* config/check.h - rules across settings, and what follows from several of them:
 * servers from urls and providers, places, the embedded transport. */
#ifndef NUNCIO_CONFIG_CHECK_H
#define NUNCIO_CONFIG_CHECK_H
#include <libconfig.h>
#include <stdbool.h>
#include <stddef.h>
#include "config/provider.h"
struct document;

/* `region`, which all telephone numbers are read by: to be checked first, and for the document. */
void check_region(struct document *doc);
/* Completes and checks what load_group() read without trouble. */
void check_config(struct document *doc, struct config *config);

/* The presets, read when the first transport asks for one. */
struct presets {
	struct document *doc;
	struct providers providers;
	enum { PRESETS_UNREAD, PRESETS_READ, PRESETS_BROKEN } state;
};

/* A file of presets: the one that setting names, relative to the file that does, or where it is
 * NULL the installed one of that name. Owned by the caller. */
char *presets_path(const struct document *doc, const config_setting_t *setting,
		   const char *installed);
/* The provider that a setting names; NULL: said in problems. */
const struct provider *presets_find(struct presets *presets, const config_setting_t *setting);

/* group: the row the transport came from. */
void check_smtp(struct presets *presets, const config_setting_t *group,
		struct transport_config *transport);

void check_twilio(struct document *doc, const config_setting_t *group,
		  struct twilio_config *twilio);

/* A row and the rows it names: failover of transports, members of contacts. */
struct node {
	const char *name;
	char **to;                       /* NULL-ended or NULL */
	const config_setting_t *setting; /* the row */
	enum { NODE_NEW, NODE_OPEN, NODE_DONE } state;
	unsigned height; /* of what is below it, when it is done */
};

/* Names are there once, each name in `to` is one of them, and no way leads back.
 * list: the setting behind `to`; what: a node, in sentences. Puts the nodes in
 * another order. */
void check_names(struct document *doc, struct node *nodes, size_t count, const char *list,
		 const char *what);

void check_mailboxes(struct document *doc, struct config *config);
/* Behind those of the file: transports that texts come in by. */
void check_text_ways(struct document *doc, struct config *config);
/* Patterns are compiled, defaults taken. */
void check_rules(struct document *doc, struct config *config);
/* What a rule says by itself. */
void check_rule(struct document *doc, const config_setting_t *group, struct rule_config *rule);

/* hex SHA-256 of all that a transport was told; owned by the caller. group: NULL
 * for the embedded one. */
char *fingerprint(const config_setting_t *group, const struct transport_config *transport);
char *fingerprint_mailbox(const config_setting_t *group, const struct mailbox_config *mailbox);
#endif
