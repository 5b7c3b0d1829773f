/* config/config.h - the configuration as const structs, whole and checked. Read
 * by load.c with the table of schema.c, checked across settings by check.c.
 * Immutable and counted: a transport still closing keeps the one it came from. */
#ifndef NUNCIO_CONFIG_CONFIG_H
#define NUNCIO_CONFIG_CONFIG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "address.h"
#include "auto.h"
#include "config/carrier.h"
#include "config/mailbox_config.h"
#include "config/rule_config.h"
#include "config/transport_config.h"
#include "fallback.h"
#include "log.h"
struct failure;
struct config_file;

struct contact_config {
	char *name;
	struct address *mail; /* of nmail */
	size_t nmail;
	char *sms;                            /* E.164 or NULL */
	struct fallback fallback;             /* when the first way does not lead there */
	char *carrier;                        /* whose number that is, or NULL */
	char **members;                       /* a group: names, NULL-ended; else NULL */
	struct secret_ref secret, totp, hmac; /* what proves that a command is theirs */
};

enum right {
	RIGHT_SEND = 1,    /* Send */
	RIGHT_SUBMIT = 2,  /* Submit raw mail */
	RIGHT_OPERATE = 4, /* the queue and the transports, and others' messages */
	RIGHT_LOOK = 8,    /* List, Show, Watch others' messages */
	RIGHT_RUN = 16,    /* RulesRun, RulesKill; who may operate may, too */
};

/* One row of `access`; all rows that fit a caller add up. */
struct access_config {
	char **users, **groups; /* names or decimal ids, "*" any; NULL-ended; NULL: none */
	unsigned rights;        /* of enum right */
	char **from; /* patterns (text_matches) for senders in envelope and header besides the default */
	char **to; /* whom send and submit are for: names of contacts, patterns; NULL: anyone */
	struct rate messages; /* per hour; count 0: no limit */
	uint64_t bytes;       /* per hour; 0: no limit */
	unsigned connections; /* at a time; 0: no limit of its own */
};

/* A name of this machine, and who that is. Never that of a contact. */
struct alias_config {
	char *name;
	char **to; /* NULL-ended: contacts, aliases, addresses, numbers; no circles */
};

struct config {
	unsigned references;
	char *path;
	struct config_file *files; /* owned, of nfiles: what it was read from; config.c's */
	size_t nfiles;
	struct address from; /* default From; its mailbox is the default envelope sender */
	char *region;        /* where numbers without a country code are from; NULL: nowhere */
	char **operators;    /* contacts who hear of outages, NULL-ended; NULL: nobody */
	char *socket, *state;
	unsigned socket_mode; /* permission bits of the socket, default 0666 */
	enum log_level log_level;
	char *log_file; /* NULL: stderr */
	int64_t retention_ms, dedup_window_ms;
	int64_t delay_notice_ms; /* 0: none */
	uint64_t max_message_bytes, max_request_bytes;
	unsigned max_recipients, max_peers, max_peers_per_uid, max_calls_per_peer;
	unsigned max_queue;                  /* deliveries that wait; 0: no limit */
	uint64_t max_queue_bytes;            /* on disk; 0: no limit */
	struct transport_config *transports; /* owned, of ntransports */
	struct contact_config *contacts;     /* owned, of ncontacts */
	struct alias_config *aliases;        /* owned, of naliases */
	struct access_config *access;        /* owned, of naccess */
	struct mailbox_config *mailboxes;    /* owned, of nmailboxes */
	struct rule_config *rules;           /* owned, of nrules */
	struct runner_config runner;
	struct gateways gateways; /* owned; empty where nobody asks for one */
	size_t ntransports, ncontacts, naliases, naccess, nmailboxes, nrules;
};

/* Reads and checks the whole of path, includes and providers' presets too. On
 * -1 the text says file:line, the setting and what would be accepted. For
 * --check, each further problem goes to also(), which may be NULL. Warnings
 * (secret file readable by others, ...) go to also() with FAILURE_NONE. */
typedef void config_problem_fn(void *ctx, const struct failure *problem);
int config_load(const char *path, const struct config **ret, config_problem_fn *also, void *ctx,
		struct failure *f);
const struct config *config_ref(const struct config *config);
void config_unref(const struct config *config); /* NULL is fine; secrets are wiped */
AUTO_DEFINE(const struct config, config_unref)
/* Is one of its files, includes too, no longer the one that was read? */
bool config_is_stale(const struct config *config);

/* Each secret that a command says (SECRET_COMMAND). */
typedef void config_secret_fn(void *ctx, const struct secret_ref *ref);
void config_each_command(const struct config *config, config_secret_fn *each, void *ctx);

/* The file that is used when none is named: the user's
 * ($XDG_CONFIG_HOME/nuncio/nuncio.conf) for a user, /etc/nuncio/nuncio.conf for
 * root. The places for socket and state follow the same rule. Owned by caller. */
char *config_default_path(void);

const struct contact_config *config_contact(const struct config *config, const char *name);
/* Whose number it is, among those who have mail, too. */
const struct contact_config *config_owner(const struct config *config, const char *number);
const struct alias_config *config_alias(const struct config *config, const char *name);
const struct transport_config *config_transport(const struct config *config, const char *name);
const struct mailbox_config *config_mailbox(const struct config *config, const char *name);
const struct rule_config *config_rule(const struct config *config, const char *name);
bool config_runs_programs(const struct config *config); /* some rule does */

/* Prints the table of settings (name, type, default, meaning) for the manual. */
void config_print_reference(void);
#endif
