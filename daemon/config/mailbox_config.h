/* config/mailbox_config.h - what a row of `mailboxes` says; part of config.h. */
#ifndef NUNCIO_CONFIG_MAILBOX_CONFIG_H
#define NUNCIO_CONFIG_MAILBOX_CONFIG_H
#include <stdint.h>
#include "config/transport_config.h"

/* Extensions a server may offer and get wrong: `disable`. */
enum imap_extension {
	IMAP_EXT_ID = 1,
	IMAP_EXT_IDLE = 2,
	IMAP_EXT_UIDPLUS = 4,
	IMAP_EXT_MOVE = 8,
	IMAP_EXT_SASL_IR = 16,
	IMAP_EXT_SPECIAL_USE = 32,
	IMAP_EXT_CONDSTORE = 64,
	IMAP_EXT_ENABLE = 128,
	IMAP_EXT_LITERAL_PLUS = 256, /* and LITERAL- */
};

struct imap_config {
	char *host; /* name or address literal without brackets */
	uint16_t port;
	enum tls_mode tls;
	char *user;                 /* required */
	struct secret_ref password; /* for LOGIN, PLAIN, SCRAM-SHA-256 */
	struct secret_ref token;    /* for XOAUTH2, OAUTHBEARER */
	char **auth;                /* mechanisms allowed, in order, NULL-ended; "LOGIN" is also
				     * the command of that name; NULL: our order */
	char *ca_file;              /* NULL: the system's */
	char *pin;                  /* as smtp's */
	char *hint;                 /* NULL, or what the provider's preset says about passwords */
	char *folder;               /* default "INBOX"; UTF-8 */
	int64_t connect_timeout_ms; /* default 30s */
	int64_t answer_timeout_ms;  /* for each command; default 60s */
	int64_t idle_ms;            /* IDLE is begun anew; default 9m, 1m..29m */
	int64_t poll_ms;            /* where there is no IDLE; default 60s */
	unsigned disabled;          /* of enum imap_extension */
};

struct mailbox_config {
	char *name;     /* [A-Za-z0-9_-]{1,32} */
	char *type;     /* "imap" "maildir": a mailbox kind of that name; "twilio": a transport's
			 * way in, which is no row of the file's but follows from that transport */
	unsigned line;  /* where it stands, for messages */
	char *authserv; /* authserv-id of the provider's Authentication-Results, or "none"; NULL:
			     * not said, then no rule that runs something may use it */
	char **received_by;      /* the provider's own relays, NULL-ended; NULL: only authserv */
	uint64_t max_mail_bytes; /* larger mail is not read; default 50M */
	int64_t max_down_ms;     /* then its owner is told; 0: never; default 1h */
	char **owner;            /* contacts to tell; NULL: `operator` */
	char *fingerprint;       /* equal text: nothing was changed by a reload */
	struct imap_config imap;
	struct maildir_config maildir;
	const struct twilio_config *twilio; /* config's; of "twilio" alone */
};
#endif
